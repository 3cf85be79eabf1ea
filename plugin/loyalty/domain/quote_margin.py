"""The margin guard: how much may come off a cart before the shop sells below its floor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from loyalty.domain.cart import CartLine
from loyalty.domain.money import allocated
from loyalty.domain.quote_terms import MarginReport
from loyalty.domain.ruleset import MarginPolicy, UnknownCost

_UNIT_BP = 10_000


class Room(NamedTuple):
    """What may still come off the lines of known and those of unknown cost, in minor units."""

    known: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Guard:
    """The guard of one cart. ``room`` is what may come off before anything has.

    Without a policy all lines count as unknown and may go down to nothing.
    """

    policy: MarginPolicy | None
    is_known: tuple[bool, ...]
    room: Room
    cost_minor: int
    has_unknown: bool

    def sums(self, left: Sequence[int]) -> tuple[int, int]:
        """What is left of the lines of known cost and of all lines."""
        known = sum([part for part, flag in zip(left, self.is_known, strict=True) if flag])
        return known, sum(left)


def guard(policy: MarginPolicy | None, lines: Sequence[CartLine]) -> Guard:
    """The guard for a cart's lines.

    A cart that is below the floor before anything comes off leaves no room: we never make
    it worse, and its prices are the shop's.
    """
    whole = sum(line.gross_minor for line in lines)
    has_unknown = any(line.cost_minor is None for line in lines)
    if policy is None:
        return Guard(None, (False,) * len(lines), Room(0, whole), 0, has_unknown)
    gross = cost = 0
    for line in lines:
        if line.cost_minor is not None:
            gross += line.gross_minor
            cost += line.cost_minor * line.quantity
    # charged - cost >= floor * charged, solved for the least that may be charged, rounded up.
    least = -(-cost * _UNIT_BP // (_UNIT_BP - policy.floor_bp))
    unknown = whole - gross
    if policy.unknown_cost is UnknownCost.DENY:
        unknown = 0
    elif policy.unknown_cost is UnknownCost.CAP:
        unknown = unknown * policy.unknown_cap_bp // _UNIT_BP
    return Guard(
        policy,
        tuple(line.cost_minor is not None for line in lines),
        Room(max(gross - least, 0), unknown),
        cost,
        has_unknown,
    )


def cut(
    parts: list[int], is_known: Sequence[bool], room: Room, *, may_cut: bool
) -> tuple[list[int], Room, int]:
    """Parts of a discount that fit the room, their sums, and what was kept back.

    Args:
        parts: what a reward offers, per line.
        is_known: whether that line's cost is known.
        room: what may come off.
        may_cut: whether a smaller discount will do; otherwise none is given.
    """
    known = sum([part for part, flag in zip(parts, is_known, strict=True) if flag])
    unknown = sum(parts) - known
    excess = max(known - room.known, 0) + max(unknown - room.unknown, 0)
    if not excess:
        return parts, Room(known, unknown), 0
    if not may_cut:
        return [0] * len(parts), Room(0, 0), excess
    of_known = [part if flag else 0 for part, flag in zip(parts, is_known, strict=True)]
    of_unknown = [0 if flag else part for part, flag in zip(parts, is_known, strict=True)]
    fitting = Room(min(known, room.known), min(unknown, room.unknown))
    fitting_known = allocated(fitting.known, of_known)
    fitting_unknown = allocated(fitting.unknown, of_unknown)
    both = [a + b for a, b in zip(fitting_known, fitting_unknown, strict=True)]
    return both, fitting, excess


def payable_with_points(guard: Guard, known: int, unknown: int, room: Room) -> int | None:
    """The most that points may pay of an order; None when the guard sets no limit.

    Points pay the lines in proportion, so their part on the lines of known cost is
    ``used * known // whole``; solved here for the largest ``used`` that fits. Taking more off
    any line never raises it, so it bounds every choice that goes on from here.

    Args:
        guard: of the cart.
        known: what is left of the lines of known cost.
        unknown: what is left of the others.
        room: what may still come off.
    """
    if guard.policy is None or not guard.policy.counts_points_used:
        return None
    limits = []
    if known > room.known:
        limits.append(((room.known + 1) * (known + unknown) - 1) // known)
    if unknown > room.unknown:
        limits.append(room.unknown * (known + unknown) // unknown)
    return min(limits, default=None)


def points_paid(guard: Guard, left: Sequence[int], paid_minor: int) -> list[int]:
    """What points pay of each line; what the lines do not take pays shipping.

    Spread cumulatively over the lines of known cost first, so that their sum is the very
    figure ``payable_with_points`` reckoned with.
    """
    order = sorted(range(len(left)), key=lambda index: not guard.is_known[index])
    shares = allocated(min(paid_minor, sum(left)), [left[index] for index in order])
    paid = [0] * len(left)
    for index, share in zip(order, shares, strict=True):
        paid[index] = share
    return paid


def report(
    guard: Guard, left: Sequence[int], paid: Sequence[int], *, limited: bool
) -> MarginReport | None:
    """The check of a finished choice; None without a policy.

    Args:
        guard: of the cart.
        left: of each line after discounts.
        paid: of each line by points.
        limited: whether the guard cut or kept out anything.
    """
    policy = guard.policy
    if policy is None:
        return None
    charged, _ = guard.sums(left)
    if policy.counts_points_used:
        charged -= guard.sums(paid)[0]
    actual = (charged - guard.cost_minor) * _UNIT_BP // charged if charged else None
    return MarginReport(limited, policy.floor_bp, actual, guard.has_unknown)
