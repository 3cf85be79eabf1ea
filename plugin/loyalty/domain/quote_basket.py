"""A cart ready to be chosen for, and one reward applied to what is left of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import gt
from typing import NamedTuple

from loyalty.domain.cart import CartLine
from loyalty.domain.quote_margin import Guard, Room, cut, payable_with_points
from loyalty.domain.quote_tender import TenderLimits
from loyalty.domain.rewards import OpenLine
from loyalty.domain.ruleset import PointsTender, Reward

_UNIT_BP = 10_000


@dataclass(frozen=True, slots=True)
class Basket:
    """What the search chooses for. ``tender`` is None where paying with points is no option."""

    lines: tuple[CartLine, ...]
    shipping_minor: int
    guard: Guard
    available: Mapping[str, int]
    tender: PointsTender | None


@dataclass(frozen=True, slots=True)
class Entrant:
    """A reward and the cart's lines that it covers.

    ``covered``: their positions; ``is_known``: whether the guard knows the cost of each.
    ``most_minor``: what it takes off at most in any choice.
    """

    reward: Reward
    covered: tuple[int, ...]
    is_known: tuple[bool, ...]
    most_minor: int


class Taken(NamedTuple):
    """A reward applied: what it takes off each covered line, and what the guard kept back."""

    entrant: Entrant
    parts: list[int]
    given: int
    cut: int


def entrant(basket: Basket, reward: Reward) -> Entrant:
    """A reward with the lines of this cart that all its conditions cover."""
    lines = basket.lines
    covered = list(range(len(lines)))
    for condition in reward.conditions:
        covered = [index for index in covered if condition.covers(lines[index])]
    most = gross = sum(lines[index].gross_minor for index in covered)
    does = reward.does
    if does.value_minor is not None:
        most = min(most, does.value_minor)
    if does.percent_bp is not None:
        most = min(most, -(-gross * does.percent_bp // _UNIT_BP))
    is_known = basket.guard.is_known
    return Entrant(reward, tuple(covered), tuple([is_known[index] for index in covered]), most)


def offered(basket: Basket, entrant: Entrant, left: Sequence[int]) -> list[int]:
    """What a reward would take off its lines if no margin had to be kept.

    Raises:
        ValueError: its kind breaks its promise of parts between nothing and what is left.
    """
    if not entrant.covered:
        return []
    lines, does = basket.lines, entrant.reward.does
    open_lines = [OpenLine(lines[index], left[index]) for index in entrant.covered]
    parts = does.offer(open_lines)
    is_whole = len(parts) == len(open_lines) and min(parts) >= 0
    if not is_whole or any(map(gt, parts, [left[index] for index in entrant.covered])):
        raise ValueError(
            f"reward {entrant.reward.code!r} of kind {does.kind!r} offered {parts[:20]}, wanted "
            "one part per line, between 0 and what is left of the line"
        )
    return parts


def take(basket: Basket, entrant: Entrant, left: Sequence[int], room: Room) -> tuple[Taken, Room]:
    """Apply a reward. It gives nothing where nothing is left or the margin forbids it."""
    parts = offered(basket, entrant, left)
    if basket.guard.policy is None:
        given = sum(parts)
        return Taken(entrant, parts, given, 0), Room(room.known, room.unknown - given)
    may_cut = entrant.reward.does.may_cut
    parts, taken, kept_back = cut(parts, entrant.is_known, room, may_cut=may_cut)
    return (
        Taken(entrant, parts, taken.known + taken.unknown, kept_back),
        Room(room.known - taken.known, room.unknown - taken.unknown),
    )


def tender_limits(
    basket: Basket, tender: PointsTender, left: Sequence[int], room: Room, spent: int
) -> TenderLimits:
    """What bounds paying with points once ``spent`` points went into rewards."""
    known, whole = basket.guard.sums(left)
    return TenderLimits(
        tender,
        basket.available.get(tender.point_type, 0) - spent,
        whole + basket.shipping_minor,
        payable_with_points(basket.guard, known, whole - known, room),
    )
