"""The best joint choice of rewards and points, found by a bounded search.

Rewards apply in the ruleset's order, each on what the earlier ones left, so a choice is a
set. The search walks the sets depth first and skips those that a bound proves no better than
the best one found. It is bounded by nodes, never by time, so the same question has the same
answer on every machine (law 11). Up to ``log2(NODES_MAX)`` entrants that is exact in any case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from loyalty.domain.cart import CartLine
from loyalty.domain.quote_margin import Guard, Room, cut, payable_with_points
from loyalty.domain.quote_tender import NO_PAYMENT, Payment, TenderLimits
from loyalty.domain.quote_terms import TENDER, Choice, Objective, PointsMode
from loyalty.domain.rewards import OpenLine
from loyalty.domain.ruleset import PointsTender, Reward

NODES_MAX = 4_096
"""Sets looked at before the search gives up proving: all sets of 12 entrants."""

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
    """A reward that applies when it is alone.

    ``covered``: positions of the lines it covers. ``most_minor``: what it takes off at most
    in any choice.
    """

    reward: Reward
    covered: tuple[int, ...]
    most_minor: int


class Taken(NamedTuple):
    """A reward applied: what it takes off each covered line, and what the guard kept back."""

    entrant: Entrant
    parts: list[int]
    given: int
    cut: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The choice made. ``left``: of each line after discounts; ``proven``: none is better."""

    taken: tuple[Taken, ...]
    payment: Payment
    left: tuple[int, ...]
    room: Room
    proven: bool


def offered(
    basket: Basket, reward: Reward, covered: Sequence[int], left: Sequence[int]
) -> list[int]:
    """What a reward would take off the covered lines if no margin had to be kept.

    Raises:
        ValueError: its kind breaks its promise of parts between nothing and what is left.
    """
    lines = basket.lines
    open_lines = [OpenLine(lines[index], left[index]) for index in covered]
    parts = reward.does.offer(open_lines)
    if len(parts) != len(open_lines) or any(
        not 0 <= part <= open_line.left_minor
        for part, open_line in zip(parts, open_lines, strict=True)
    ):
        raise ValueError(
            f"reward {reward.code!r} of kind {reward.does.kind!r} offered {parts[:20]}, wanted "
            "one part per line, between 0 and what is left of the line"
        )
    return parts


def take(basket: Basket, entrant: Entrant, left: Sequence[int], room: Room) -> tuple[Taken, Room]:
    """Apply a reward. It gives nothing where nothing is left or the margin forbids it."""
    guard = basket.guard
    parts = offered(basket, entrant.reward, entrant.covered, left)
    if guard.policy is None:
        return Taken(entrant, parts, sum(parts), 0), room
    is_known = [guard.is_known[index] for index in entrant.covered]
    parts, kept_back = cut(parts, is_known, room, may_cut=entrant.reward.does.may_cut)
    known = sum(part for part, flag in zip(parts, is_known, strict=True) if flag)
    given = sum(parts)
    return (
        Taken(entrant, parts, given, kept_back),
        Room(room.known - known, room.unknown - (given - known)),
    )


def tender_limits(
    basket: Basket, tender: PointsTender, left: Sequence[int], room: Room, spent: int
) -> TenderLimits:
    """What bounds paying with points once ``spent`` points went into rewards."""
    return TenderLimits(
        tender,
        basket.available.get(tender.point_type, 0) - spent,
        sum(left) + basket.shipping_minor,
        payable_with_points(basket.guard, left, room),
    )


def chosen(basket: Basket, entrants: Sequence[Entrant], choice: Choice) -> Selection:
    """The best choice by the shopper's objective.

    Args:
        basket: the cart with its margin and the member's points.
        entrants: rewards that apply when alone, in the order in which they apply.
        choice: what the shopper wants; what is pinned and is no entrant is passed over.
    """
    search = _Search(basket, entrants, choice)
    if len(entrants) > NODES_MAX.bit_length() - 1:
        search.start_greedily()
    search.visit(0, [line.gross_minor for line in basket.lines], basket.guard.room)
    return search.best(proven=search.nodes_left >= 0)


_Key = tuple[int, int, int, int, tuple[str, ...]]
"""Pinned wishes missed, exact points missed, two figures of the objective, codes."""


class _Search:
    """Depth first over the sets of entrants; what is taken so far is kept on one stack."""

    def __init__(self, basket: Basket, entrants: Sequence[Entrant], choice: Choice) -> None:
        self.basket = basket
        self.entrants = entrants
        self.wanted = choice.points
        self.by_points = choice.objective is Objective.FEWEST_POINTS
        self.nodes_left = NODES_MAX
        self.taken: list[Taken] = []
        self.discount = 0
        self.points = 0
        self.spent: dict[str, int] = {}
        self.groups: set[str] = set()
        self.missed = 0
        self.best_key: _Key | None = None
        self.best_found: tuple[tuple[Taken, ...], Payment, tuple[int, ...], Room] | None = None
        # The first pinned outweighs all later ones together.
        wishes = list(reversed(choice.pinned))
        self.weights = [
            1 << wishes.index(entrant.reward.code) if entrant.reward.code in wishes else 0
            for entrant in entrants
        ]
        self.tender_weight = 1 << wishes.index(TENDER) if TENDER in wishes else 0
        self.missed = sum(self.weights)
        self._bound_ahead()

    def _bound_ahead(self) -> None:
        """What entrants from each position on can add at most, whatever came before."""
        self.wishes_from = [0] * (len(self.entrants) + 1)
        self.most_from = [0] * (len(self.entrants) + 1)
        strongest: dict[str, int] = {}
        for index in range(len(self.entrants) - 1, -1, -1):
            entrant = self.entrants[index]
            most, group = entrant.most_minor, entrant.reward.exclusive_group
            if group is not None:
                # Of a group only one applies, so only its strongest counts.
                known = strongest.get(group, 0)
                strongest[group] = max(known, most)
                most = max(most - known, 0)
            self.most_from[index] = self.most_from[index + 1] + most
            self.wishes_from[index] = self.wishes_from[index + 1] + self.weights[index]
        tender = self.basket.tender
        self.tender_most = 0
        if tender is not None and self.wanted.mode is not PointsMode.NONE:
            gross = [line.gross_minor for line in self.basket.lines]
            limits = tender_limits(self.basket, tender, gross, self.basket.guard.room, 0)
            most = limits.value(max(limits.available, 0))
            if self.wanted.mode is PointsMode.EXACT:
                most = min(most, limits.value(self.wanted.points))
            self.tender_most = min(most, limits.share_minor)

    def visit(self, start: int, left: list[int], room: Room) -> None:
        """Judge what is taken so far, then try to add each entrant from ``start`` on."""
        self._judge(left, room)
        for index in range(start, len(self.entrants)):
            if self.best_key is not None and self._bound(index, left, room) > self.best_key:
                return
            if self.nodes_left <= 0:
                self.nodes_left = -1
                return
            added = self._add(index, left, room)
            if added is not None:
                self.visit(index + 1, *added)
                self._drop(index)

    def start_greedily(self) -> None:
        """A first good choice: add what gives most, as long as all of it still applies."""
        order = sorted(
            range(len(self.entrants)),
            key=lambda index: (-self.weights[index], -self.entrants[index].most_minor, index),
        )
        kept: list[int] = []
        for index in order:
            if self._judge_set(sorted([*kept, index])):
                kept.append(index)

    def best(self, *, proven: bool) -> Selection:
        assert self.best_found is not None
        taken, payment, left, room = self.best_found
        return Selection(taken, payment, left, room, proven)

    def _judge_set(self, members: Sequence[int]) -> bool:
        left, room = [line.gross_minor for line in self.basket.lines], self.basket.guard.room
        added: list[int] = []
        for index in members:
            after = self._add(index, left, room)
            if after is None:
                break
            left, room = after
            added.append(index)
        fits = len(added) == len(members)
        if fits:
            self._judge(left, room)
        for index in reversed(added):
            self._drop(index)
        return fits

    def _add(self, index: int, left: list[int], room: Room) -> tuple[list[int], Room] | None:
        """Take one more entrant; None, and nothing taken, when it cannot be."""
        entrant = self.entrants[index]
        reward = entrant.reward
        kind = reward.point_type or ""
        spent = self.spent.get(kind, 0)
        if reward.points and spent + reward.points > self.basket.available.get(kind, 0):
            return None
        if reward.exclusive_group is not None and reward.exclusive_group in self.groups:
            return None
        self.nodes_left -= 1
        taken, room = take(self.basket, entrant, left, room)
        if not taken.given:
            return None
        left = left.copy()
        for position, part in zip(entrant.covered, taken.parts, strict=True):
            left[position] -= part
        self.taken.append(taken)
        self.discount += taken.given
        self.points += reward.points
        self.spent[kind] = spent + reward.points
        self.missed -= self.weights[index]
        if reward.exclusive_group is not None:
            self.groups.add(reward.exclusive_group)
        return left, room

    def _drop(self, index: int) -> None:
        taken = self.taken.pop()
        reward = taken.entrant.reward
        self.discount -= taken.given
        self.points -= reward.points
        self.spent[reward.point_type or ""] -= reward.points
        self.missed += self.weights[index]
        if reward.exclusive_group is not None:
            self.groups.remove(reward.exclusive_group)

    def _judge(self, left: list[int], room: Room) -> None:
        payment, is_missed = self._payment(left, room)
        missed = self.missed + (self.tender_weight if not payment.points else 0)
        key = self._key(missed, int(is_missed), payment.minor, payment.points)
        if self.best_key is None or key < self.best_key:
            self.best_key = key
            self.best_found = tuple(self.taken), payment, tuple(left), room

    def _payment(self, left: list[int], room: Room) -> tuple[Payment, bool]:
        """What points pay, and whether an exact wish for them is missed."""
        tender = self.basket.tender
        if tender is None or self.wanted.mode is PointsMode.NONE:
            return NO_PAYMENT, False
        spent = self.spent.get(tender.point_type, 0)
        limits = tender_limits(self.basket, tender, left, room, spent)
        if self.wanted.mode is PointsMode.ALL:
            return limits.most(), False
        exact = limits.exactly(self.wanted.points)
        return exact or NO_PAYMENT, exact is None

    def _key(self, missed: int, is_missed: int, paid_minor: int, paid_points: int) -> _Key:
        codes = tuple(taken.entrant.reward.code for taken in self.taken)
        saved = self.discount + paid_minor
        if self.by_points:
            return missed, is_missed, self.points, -saved, codes
        return missed, is_missed, -saved, self.points + paid_points, codes

    def _bound(self, index: int, left: list[int], room: Room) -> _Key:
        """No choice that keeps what is taken and adds from ``index`` on has a smaller key.

        Each figure is a lower bound of its own, so their tuple is one; codes only get longer.
        """
        rest = min(self.most_from[index], room.known + room.unknown, self._most_off(index, left))
        whole = sum(left) + self.basket.shipping_minor
        return self._key(
            self.missed - self.wishes_from[index], 0, min(rest + self.tender_most, whole), 0
        )

    def _most_off(self, index: int, left: list[int]) -> int:
        """What the entrants from ``index`` on take off in a row when each covers every line.

        A percentage takes no more than its rate of what is still left, so two of 50 % never
        take everything, which the plain sum of their amounts does not see.
        """
        whole = remaining = sum(left)
        for entrant in self.entrants[index:]:
            most = entrant.most_minor
            rate_bp = entrant.reward.does.percent_bp
            if rate_bp is not None:
                most = min(most, -(-remaining * rate_bp // _UNIT_BP))
            remaining = max(remaining - most, 0)
        return whole - remaining
