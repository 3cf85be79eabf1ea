"""The best joint choice of rewards, points and credit, found by a bounded search.

Rewards apply in the ruleset's order, each on what the earlier ones left, so a choice is a
set. The search walks the sets depth first and skips those that a bound proves no better than
the best one found. It is bounded by nodes, never by time, so the same question has the same
answer on every machine (law 11). Up to ``EXACT_MAX`` entrants that is exact in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from loyalty.domain.quotes.quote_basket import Basket, Entrant, Taken, take
from loyalty.domain.quotes.quote_bound import Ahead, Bound
from loyalty.domain.quotes.quote_key import Found, Key, Wishes
from loyalty.domain.quotes.quote_margin import Room
from loyalty.domain.quotes.quote_payment import Paying
from loyalty.domain.quotes.quote_tender import Payment
from loyalty.domain.quotes.quote_terms import Choice

EXACT_MAX = 12
"""Entrants of which all sets may be looked at."""

NODES_MAX = 1 << EXACT_MAX
"""Sets looked at before the search gives up proving. Of more entrants it is fewer sets in
proportion, because each costs more.
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """The choice made.

    ``left``: of each line, and of shipping, after discounts. ``credit_reserved``: what an exact
    wish for credit takes, 0 for none. ``gap_minor``: what another choice may save beyond it at
    most; 0 when it is proven that none is better.
    """

    taken: tuple[Taken, ...]
    payment: Payment
    credit_reserved: int
    left: tuple[int, ...]
    room: Room
    gap_minor: int
    proven: bool


def chosen(
    basket: Basket, entrants: Sequence[Entrant], choice: Choice, nodes_max: int = NODES_MAX
) -> Selection:
    """The best choice by the shopper's objective.

    Args:
        basket: the cart with its margin and the member's points.
        entrants: rewards that apply when alone, in the order in which they apply.
        choice: what the shopper wants; what is pinned and is no entrant is passed over.
        nodes_max: sets to look at, of more than ``EXACT_MAX`` entrants.
    """
    search = _Search(basket, entrants, choice)
    if len(entrants) > EXACT_MAX:
        search.nodes_left = nodes_max * EXACT_MAX // len(entrants)
        search.start_greedily(search.nodes_left // 2)
    search.visit(0, list(basket.gross), basket.guard.room)
    return search.best()


class _Search:
    """Depth first over the sets of entrants; what is taken so far is kept on one stack."""

    def __init__(self, basket: Basket, entrants: Sequence[Entrant], choice: Choice) -> None:
        self.basket = basket
        self.entrants = entrants
        self.nodes_left = NODES_MAX
        self.is_cut_short = False
        self.open_most = 0
        self.wishes = Wishes(basket, entrants, choice)
        self.paying = Paying(basket, choice)
        self.bound = Bound(basket, entrants, choice.points)
        self.start_minor = basket.total(basket.gross)
        self.taken: list[Taken] = []
        self.codes: tuple[str, ...] = ()
        self.points = 0
        self.missed = self.wishes.all
        self.ending = 0
        self.spent: dict[str, int] = {}
        self.groups: set[str] = set()
        self.best_key: Key | None = None
        self.best_saved = 0
        # Nothing but money decides: no wish is open, so more saved is better and less is worse.
        self.is_plain = False
        self.best_found: tuple[tuple[Taken, ...], Payment, int, tuple[int, ...], Room] | None = None

    def visit(self, start: int, left: list[int], room: Room) -> None:
        """Judge what is taken so far, then try to add each entrant from ``start`` on."""
        ahead = self.bound.ahead(left, room, self.spent)
        saved = self.start_minor - ahead.total
        self._judge(saved, left, room, ahead)
        is_looked_at = False
        for index in range(start, len(self.entrants)):
            most = saved + self.bound.at_most(index, ahead)
            if self._is_hopeless(index, most):
                return
            if not is_looked_at:
                self.bound.look(ahead, index)
                is_looked_at = True
            most = min(most, saved + self.bound.saved(index, ahead, self.best_saved - saved))
            if self._is_hopeless(index, most):
                return
            most = min(most, saved + self.bound.bought(index, ahead, self.spent))
            if self._is_hopeless(index, most):
                return
            if self.nodes_left <= 0:
                self.is_cut_short = True
                self.open_most = max(self.open_most, most)
                return
            added = self._add(index, left, room)
            if added is not None:
                self.visit(index + 1, *added)
                self._drop(index)

    def start_greedily(self, nodes: int) -> None:
        """A first good choice: add what gives most, as long as that makes it better."""
        self._judge_set(())
        stop_at = self.nodes_left - nodes
        order = sorted(
            range(len(self.entrants)),
            key=lambda index: (
                -self.wishes.weights[index],
                -self.entrants[index].most_minor,
                index,
            ),
        )
        kept: list[int] = []
        for index in order:
            if self.nodes_left < stop_at:
                return
            before = self.best_key
            self._judge_set(sorted([*kept, index]))
            if self.best_key != before:
                kept.append(index)

    def best(self) -> Selection:
        assert self.best_found is not None
        gap = max(self.open_most - self.best_saved, 0) if self.is_cut_short else 0
        return Selection(*self.best_found, gap, not self.is_cut_short)

    def _judge_set(self, members: Sequence[int]) -> None:
        left, room = list(self.basket.gross), self.basket.guard.room
        added: list[int] = []
        for index in members:
            after = self._add(index, left, room)
            if after is None:
                break
            left, room = after
            added.append(index)
        if len(added) == len(members):
            ahead = self.bound.ahead(left, room, self.spent)
            self._judge(self.start_minor - ahead.total, left, room, ahead)
        for index in reversed(added):
            self._drop(index)

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
        budget = entrant.budget_minor
        if not taken.given or (budget is not None and taken.given > budget):
            return None
        left = left.copy()
        for position, part in zip(entrant.covered, taken.parts, strict=True):
            left[position] -= part
        self.taken.append(taken)
        self.codes = (*self.codes, reward.code)
        self.points += reward.points
        self.spent[kind] = spent + reward.points
        self.missed -= self.wishes.weights[index]
        self.ending += entrant.ends_soon
        if reward.exclusive_group is not None:
            self.groups.add(reward.exclusive_group)
        return left, room

    def _drop(self, index: int) -> None:
        entrant = self.taken.pop().entrant
        reward = entrant.reward
        self.codes = self.codes[:-1]
        self.points -= reward.points
        self.spent[reward.point_type or ""] -= reward.points
        self.missed += self.wishes.weights[index]
        self.ending -= entrant.ends_soon
        if reward.exclusive_group is not None:
            self.groups.remove(reward.exclusive_group)

    def _judge(self, saved: int, left: list[int], room: Room, ahead: Ahead) -> None:
        """Keep what is taken, with what pays beside it, if it is the best so far.

        Args:
            saved: by the rewards, without what points pay.
        """
        if self.best_key is not None:
            most = saved + self.bound.paid(ahead)
            if self.is_plain and most < self.best_saved:
                return
            found = Found(most, self.points, 0, self.spent, self.ending, self.codes)
            if self.wishes.hoped_beside(self.missed, found) > self.best_key:
                return
        for option in self.paying.options(left, room, self.spent):
            key = self._key(
                self.wishes.after(self.missed, option),
                option.points_missed,
                option.credit_missed,
                saved + option.payment.minor,
                option.payment.points,
            )
            if self.best_key is None or key < self.best_key:
                self.best_key, self.best_saved = key, saved + option.payment.minor
                self.is_plain = self.wishes.is_by_money and key[:3] == (0, 0, 0)
                self.best_found = (
                    tuple(self.taken), option.payment, option.reserved_minor, tuple(left), room,
                )  # fmt: skip

    def _key(
        self, missed: int, points_missed: int, credit_missed: int, saved: int, points: int
    ) -> Key:
        found = Found(saved, self.points, points, self.spent, self.ending, self.codes)
        return self.wishes.key(missed, points_missed, credit_missed, found)

    def _is_hopeless(self, index: int, most: int) -> bool:
        """Whether no choice that adds something from ``index`` on, and saves no more than
        ``most``, beats the best one found.
        """
        if self.best_key is None:
            return False
        if self.is_plain and most != self.best_saved:
            return most < self.best_saved
        found = Found(most, self.points, 0, self.spent, self.ending, self.codes)
        return self.wishes.hoped(self.missed, index, found) > self.best_key
