"""The margin guard and the ruleset's caps: how much may come off a cart, and where.

Costs are without tax, so what is charged counts without tax. With rates that differ the same
discount leaves differently much, hence the weights: a minor unit off a line of known cost
takes its weight of the room. Where all rates are alike every weight is 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd, lcm
from operator import mul
from typing import NamedTuple

from loyalty.domain.cart import Cart
from loyalty.domain.quotes.quote_terms import MarginReport
from loyalty.domain.rulesets.ruleset import DiscountCaps, MarginPolicy, UnknownCost

_UNIT_BP = 10_000


class Room(NamedTuple):
    """What may still come off the order.

    ``known``: off the lines of known cost, in weighted units. ``unknown``: off the others;
    ``cap``: off all lines together; both in minor units.
    """

    known: int
    unknown: int
    cap: int


@dataclass(frozen=True, slots=True)
class Guard:
    """The guard of one cart. The tuples hold one figure for each line and a last for shipping,
    which nothing limits.

    ``unknown`` is 1 for a line of unknown cost. ``weights`` of discounts and ``pay_weights`` of
    payments count in ``room.known``, in units of ``scale`` for a minor unit without tax.
    ``floors`` and ``tops`` are the least that the line's own floor, and the line's own cap,
    leave of it, 0 for no such limit; ``leasts`` are the larger of both, and ``floored`` are the
    positions that have a floor. ``pay_bp`` turns what is left above one into what may be paid.
    """

    policy: MarginPolicy | None
    is_capped: bool
    is_known: tuple[bool, ...]
    unknown: tuple[int, ...]
    weights: tuple[int, ...]
    pay_weights: tuple[int, ...]
    scale: int
    floors: tuple[int, ...]
    tops: tuple[int, ...]
    leasts: tuple[int, ...]
    pay_bp: tuple[int, ...]
    floored: tuple[tuple[int, int], ...]
    room: Room
    cost_minor: int
    has_unknown: bool

    @property
    def is_open(self) -> bool:
        """Whether nothing limits a discount."""
        return self.policy is None and not self.is_capped

    @property
    def guards_points(self) -> bool:
        return self.policy is not None and self.policy.counts_points_used


def guard(policy: MarginPolicy | None, caps: DiscountCaps, cart: Cart) -> Guard:
    """The guard for a cart.

    A cart that is below the floor before anything comes off leaves no room: we never make
    it worse, and its prices are the shop's.
    """
    lines = cart.lines
    gross = [line.gross_minor for line in lines]
    whole = sum(gross)
    is_known = [policy is not None and line.cost_minor is not None for line in lines]
    floor_bp = 0 if policy is None else policy.floor_bp
    # With this factor the room is a whole number, too, and nothing of it is rounded away.
    scale = lcm(*(_UNIT_BP + line.tax_bp for line in lines)) * (_UNIT_BP - floor_bp)
    pay = [scale * _UNIT_BP // (_UNIT_BP + line.tax_bp) for line in lines]
    weights = pay if cart.tax_included else [scale] * len(lines)
    cost = 0 if policy is None else sum((line.cost_minor or 0) * line.quantity for line in lines)
    # charged - cost >= floor * charged, solved for the least that may be charged.
    must = cost * scale * _UNIT_BP // (_UNIT_BP - floor_bp)
    common = gcd(scale, must, *weights, *pay)
    scale, must = scale // common, must // common
    # What is off a line of unknown cost takes nothing of the room of the others.
    pay = [each // common if flag else 0 for each, flag in zip(pay, is_known, strict=True)]
    weights = [each // common if flag else 0 for each, flag in zip(weights, is_known, strict=True)]
    least = [0] * len(lines)
    room_known, room_unknown = 0, whole
    if policy is not None:
        least = [_floor(policy, line_gross, *found) for line_gross, found in zip(
            gross, [(line.cost_minor, line.quantity, line.tax_bp if cart.tax_included else 0)
                    for line in lines], strict=True)]  # fmt: skip
        charged = sum(map(mul, gross, weights))
        room_known = max(charged - must, 0)
        room_unknown = sum(minor for minor, flag in zip(gross, is_known, strict=True) if not flag)
        if policy.unknown_cost is UnknownCost.DENY:
            room_unknown = 0
        elif policy.unknown_cost is UnknownCost.CAP:
            room_unknown = room_unknown * policy.unknown_cap_bp // _UNIT_BP
    # Against an unknown cost's cap, which is of the price, points count whole.
    pay_bp = [
        _UNIT_BP + line.tax_bp if flag and not cart.tax_included else _UNIT_BP
        for line, flag in zip(lines, is_known, strict=True)
    ]
    line_bp = _UNIT_BP if caps.line_bp_max is None else caps.line_bp_max
    order_bp = _UNIT_BP if caps.order_bp_max is None else caps.order_bp_max
    cap = whole * order_bp // _UNIT_BP
    if caps.order_minor_max is not None:
        cap = min(cap, caps.order_minor_max)
    tops = [minor - minor * line_bp // _UNIT_BP for minor in gross]
    return Guard(
        policy,
        caps != DiscountCaps(),
        (*is_known, False),
        (*[int(not flag) for flag in is_known], 0),
        (*weights, 0),
        (*pay, 0),
        scale,
        (*least, 0),
        (*tops, 0),
        (*map(max, least, tops), 0),
        (*pay_bp, 0),
        tuple([(at, floor) for at, floor in enumerate(least) if floor]),
        Room(room_known, room_unknown, cap),
        cost,
        any(line.cost_minor is None for line in lines),
    )


def _floor(policy: MarginPolicy, gross: int, cost: int | None, quantity: int, tax_bp: int) -> int:
    """The least that the policy's floor per line leaves of a line."""
    if policy.line_floor_bp is None:
        return 0
    if cost is not None:
        over = _UNIT_BP - policy.line_floor_bp
        return -(-cost * quantity * (_UNIT_BP + tax_bp) // over)
    if policy.unknown_cost is UnknownCost.CAP:
        return gross - gross * policy.unknown_cap_bp // _UNIT_BP
    return 0


def capped(
    guard: Guard, positions: Sequence[int], parts: list[int], left: Sequence[int], room: Room
) -> list[int]:
    """What the ruleset's caps let through of a discount; ``parts`` itself if they do all of it."""
    if not guard.is_capped:
        return parts
    tops = guard.tops
    fit = [
        min(part, max(left[at] - tops[at], 0)) for at, part in zip(positions, parts, strict=True)
    ]
    if sum(fit) > room.cap:
        fit = _scaled(fit, [1] * len(fit), room.cap)
    return parts if fit == parts else fit


def guarded(
    guard: Guard, positions: Sequence[int], parts: list[int], left: Sequence[int], room: Room
) -> list[int]:
    """What the margin lets through of a discount; ``parts`` itself if it does all of it."""
    if guard.policy is None:
        return parts
    fit = parts
    if guard.policy.line_floor_bp is not None:
        floors = guard.floors
        fit = [
            min(part, max(left[at] - floors[at], 0))
            for at, part in zip(positions, parts, strict=True)
        ]
    fit = _pooled(guard, positions, fit, guard.weights, room)
    return parts if fit == parts else fit


def payable(guard: Guard, left: Sequence[int], owed: Sequence[int], room: Room) -> list[int] | None:
    """The most that points may pay of each line, shipping last; None when nothing limits it.

    What points pay counts as not charged, so it has the room that discounts left.

    Args:
        guard: of the cart.
        left: of each line after discounts.
        owed: what is charged for each line: the same, with the tax where it is added.
        room: what may still come off.
    """
    if not guard.guards_points:
        return None
    fit = list(owed)
    assert guard.policy is not None
    if guard.policy.line_floor_bp is not None:
        for at, floor in guard.floored:
            most = max(left[at] - floor, 0) * guard.pay_bp[at] // _UNIT_BP
            fit[at] = min(fit[at], most)
    fit = _pooled(guard, range(len(fit)), fit, guard.pay_weights, room)
    return None if fit == list(owed) else fit


def fits(guard: Guard, paid: Sequence[int], most: Sequence[int], room: Room) -> bool:
    """Whether the margin lets points pay these shares, of which each alone may be ``most``."""
    if any(share > limit for share, limit in zip(paid, most, strict=True)):
        return False
    return _pooled(guard, range(len(paid)), list(paid), guard.pay_weights, room) == list(paid)


def _pooled(
    guard: Guard, positions: Sequence[int], parts: list[int], weights: Sequence[int], room: Room
) -> list[int]:
    """Parts that fit the rooms of the lines of known and of unknown cost."""
    own = [weights[at] for at in positions]
    if sum(map(mul, parts, own)) > room.known:
        parts = _scaled(parts, own, room.known)
    assert guard.policy is not None
    if guard.policy.unknown_cost is not UnknownCost.ALLOW:
        own = [guard.unknown[at] for at in positions]
        if sum(map(mul, parts, own)) > room.unknown:
            parts = _scaled(parts, own, room.unknown)
    return parts


def _scaled(parts: Sequence[int], weights: Sequence[int], room: int) -> list[int]:
    """Parts in proportion that take no more than the room; those of weight 0 stay as they are.

    Cumulative, so that no more than a rounding is lost.
    """
    whole = sum([part * weight for part, weight in zip(parts, weights, strict=True)])
    running = given = 0
    fit = []
    for part, weight in zip(parts, weights, strict=True):
        if not weight:
            fit.append(part)
            continue
        running += part * weight
        own = min(part, (room * running // whole - given) // weight)
        given += own * weight
        fit.append(own)
    return fit


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
    charged = sum(map(mul, left, guard.weights))
    if policy.counts_points_used:
        charged -= sum(map(mul, paid, guard.pay_weights))
    cost = guard.cost_minor * guard.scale
    actual = (charged - cost) * _UNIT_BP // charged if charged else None
    return MarginReport(limited, policy.floor_bp, actual, guard.has_unknown, policy.line_floor_bp)
