"""The best joint choice of rewards and points, found by a bounded search.

Rewards apply in the ruleset's order, each on what the earlier ones left, so a choice is a
set. The search walks the sets depth first and skips those that a bound proves no better than
the best one found. It is bounded by nodes, never by time, so the same question has the same
answer on every machine (law 11). Up to ``EXACT_MAX`` entrants that is exact in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loyalty.domain.quote_basket import Basket, Entrant, Taken, take, tender_limits
from loyalty.domain.quote_bound import Bound
from loyalty.domain.quote_margin import Room
from loyalty.domain.quote_tender import NO_PAYMENT, Payment
from loyalty.domain.quote_terms import TENDER, Choice, Objective, PointsMode

EXACT_MAX = 12
"""Entrants of which all sets may be looked at."""

NODES_MAX = 1 << EXACT_MAX
"""Sets looked at before the search gives up proving. Of more entrants it is fewer sets in
proportion, because each costs more.
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """The choice made. ``left``: of each line after discounts; ``proven``: none is better."""

    taken: tuple[Taken, ...]
    payment: Payment
    left: tuple[int, ...]
    room: Room
    proven: bool


def chosen(basket: Basket, entrants: Sequence[Entrant], choice: Choice) -> Selection:
    """The best choice by the shopper's objective.

    Args:
        basket: the cart with its margin and the member's points.
        entrants: rewards that apply when alone, in the order in which they apply.
        choice: what the shopper wants; what is pinned and is no entrant is passed over.
    """
    search = _Search(basket, entrants, choice)
    if len(entrants) > EXACT_MAX:
        search.start_greedily()
        search.nodes_left = NODES_MAX * EXACT_MAX // len(entrants)
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
        self.codes: tuple[str, ...] = ()
        self.discount = 0
        self.points = 0
        self.spent: dict[str, int] = {}
        self.groups: set[str] = set()
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
        self.bound = Bound(basket, entrants, choice.points)
        # From each position on: wishes that can still come true, and the least code.
        self.wishes_from = [0] * (len(entrants) + 1)
        self.least_code_from = [""] * len(entrants)
        for index in range(len(entrants) - 1, -1, -1):
            code = entrants[index].reward.code
            later = self.least_code_from[index + 1 :]
            self.least_code_from[index] = min(code, *later[:1])
            self.wishes_from[index] = self.wishes_from[index + 1] + self.weights[index]

    def visit(self, start: int, left: list[int], room: Room) -> None:
        """Judge what is taken so far, then try to add each entrant from ``start`` on."""
        self._judge(left, room)
        for index in range(start, len(self.entrants)):
            if self._is_hopeless(index, room):
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
            if self.nodes_left < NODES_MAX // 2:
                return
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
        self.codes = (*self.codes, reward.code)
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
        self.codes = self.codes[:-1]
        self.discount -= taken.given
        self.points -= reward.points
        self.spent[reward.point_type or ""] -= reward.points
        self.missed += self.weights[index]
        if reward.exclusive_group is not None:
            self.groups.remove(reward.exclusive_group)

    def _judge(self, left: list[int], room: Room) -> None:
        """Keep what is taken, with what points pay beside it, if it is the best so far."""
        if self.best_key is not None:
            hoped = self._key(self.missed, 0, self.bound.paid(room, self.spent), 0, self.codes)
            if hoped > self.best_key:
                return
        payment, is_missed = self._payment(left, room)
        missed = self.missed + (0 if payment.points else self.tender_weight)
        key = self._key(missed, int(is_missed), payment.minor, payment.points, self.codes)
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

    def _key(
        self, missed: int, is_missed: int, more_saved: int, more_points: int, codes: tuple[str, ...]
    ) -> _Key:
        saved = self.discount + more_saved
        if self.by_points:
            return missed, is_missed, self.points, -saved, codes
        return missed, is_missed, -saved, self.points + more_points, codes

    def _is_hopeless(self, index: int, room: Room) -> bool:
        """Whether no choice that adds something from ``index`` on beats the best one found.

        Every figure of the key has a lower bound of its own, so their tuple is one; of the
        codes, the next one is at least the least of those that may come.
        """
        if self.best_key is None:
            return False
        more = self.bound.saved(index, room, self.spent)
        codes = (*self.codes, self.least_code_from[index])
        return self._key(self.missed - self.wishes_from[index], 0, more, 0, codes) > self.best_key
