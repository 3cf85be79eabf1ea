"""How much more a choice can save at most: what lets the search skip most of the sets.

Each figure is an upper bound of its own, so the least of them is one. None of them looks at
single lines, which is what makes them cheap beside applying a reward.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from loyalty.domain.quote_basket import Basket, Entrant
from loyalty.domain.quote_margin import Room, payable_with_points
from loyalty.domain.quote_terms import PointsMode, PointsWanted
from loyalty.domain.rates import tender_value_minor

_UNIT_BP = 10_000


class _Step(NamedTuple):
    """What an entrant takes off at most: in all, of lines of known and of unknown cost.

    ``rate_bp`` of what is left at most, too; 10,000 where its kind names no percentage.
    """

    rate_bp: int
    most: int
    most_known: int
    most_unknown: int


@dataclass(frozen=True, slots=True)
class _Buy:
    """What points can buy: an entrant, or, at the position past the last, money."""

    index: int
    points: int
    point_type: str
    most: int


class Bound:
    """Bounds for one search.

    Args:
        basket: what is chosen for.
        entrants: in the order in which they apply.
        wanted: whether and how many points may pay.
    """

    def __init__(self, basket: Basket, entrants: Sequence[Entrant], wanted: PointsWanted) -> None:
        self.basket = basket
        self.tender_most = _tender_most(basket, wanted)
        lines, is_known = basket.lines, basket.guard.is_known
        self.gross_known = sum(
            line.gross_minor for line, flag in zip(lines, is_known, strict=True) if flag
        )
        self.gross_unknown = sum(line.gross_minor for line in lines) - self.gross_known
        self._steps = [_step(basket, entrant) for entrant in entrants]
        self._group_aware = _group_aware(entrants)
        self._buys = self._sorted_buys(entrants)

    def saved(self, index: int, room: Room, spent: Mapping[str, int]) -> int:
        """Money that entrants from ``index`` on and points can still save together."""
        known, unknown = self._left(room)
        steps = self._steps[index:]
        rest = min(self._group_aware[index], _chain(steps, known + unknown))
        if known:
            # A percentage takes its rate of either side, and either side has its own room.
            of_known = _chain([(step.rate_bp, step.most_known) for step in steps], known)
            of_unknown = _chain([(step.rate_bp, step.most_unknown) for step in steps], unknown)
            rest = min(rest, min(of_known, room.known) + min(of_unknown, room.unknown))
        paid = self.paid(room, spent)
        most = min(rest, room.known + room.unknown) + paid
        if self._buys is not None:
            most = min(most, self._bought(index, spent, paid))
        return min(most, known + unknown + self.basket.shipping_minor)

    def paid(self, room: Room, spent: Mapping[str, int]) -> int:
        """Money that points not yet spent can pay."""
        tender = self.basket.tender
        if not self.tender_most or tender is None:
            return 0
        kind = tender.point_type
        free = self.basket.available.get(kind, 0) - spent.get(kind, 0)
        most = min(self.tender_most, tender_value_minor(tender, max(free, 0)))
        allowed = payable_with_points(self.basket.guard, *self._left(room), room)
        return most if allowed is None else min(most, allowed)

    def _left(self, room: Room) -> tuple[int, int]:
        """What is left of the lines of known cost and of the others: room tells it."""
        start = self.basket.guard.room
        return (
            self.gross_known - start.known + room.known,
            self.gross_unknown - start.unknown + room.unknown,
        )

    def _sorted_buys(self, entrants: Sequence[Entrant]) -> list[_Buy] | None:
        """All that points can buy, best value for a point first; None if points never lack."""
        needed: dict[str, int] = {}
        for entrant in entrants:
            kind = entrant.reward.point_type or ""
            needed[kind] = needed.get(kind, 0) + entrant.reward.points
        available = self.basket.available
        if not self.tender_most and all(
            points <= available.get(kind, 0) for kind, points in needed.items() if points
        ):
            return None
        buys = [
            _Buy(index, item.reward.points, item.reward.point_type or "", item.most_minor)
            for index, item in enumerate(entrants)
        ]
        tender = self.basket.tender
        rate = Fraction(0)
        if tender is not None and self.tender_most:
            buys.append(_Buy(len(entrants), 0, tender.point_type, self.tender_most))
            rate = Fraction(tender.minor, tender.points)

        def value(buy: _Buy) -> tuple[bool, Fraction]:
            if buy.index == len(entrants):
                return True, -rate
            return buy.points > 0, -Fraction(buy.most, buy.points or 1)

        return sorted(buys, key=value)

    def _bought(self, index: int, spent: Mapping[str, int], payable: int) -> int:
        """The fractional knapsack: no set of whole rewards gets more for the points."""
        free = {kind: points - spent.get(kind, 0) for kind, points in self.basket.available.items()}
        most = 0
        tender = self.basket.tender
        for buy in self._buys or ():
            if buy.index < index:
                continue
            left = max(free.get(buy.point_type, 0), 0)
            if buy.index == len(self._steps) and tender is not None:
                paid = min(payable, -(-left * tender.minor // tender.points))
                most += paid
                free[buy.point_type] = left - paid * tender.points // tender.minor
            elif buy.points <= left:
                most += buy.most
                if buy.points:
                    free[buy.point_type] = left - buy.points
            elif left:
                most += -(-buy.most * left // buy.points)
                free[buy.point_type] = 0
        return most


def _chain(steps: Sequence[Sequence[int]], left: int) -> int:
    """What rewards applied in a row take off at most if each covered everything.

    A percentage takes no more than its rate of what is still left, so two of 50 % never take
    everything, which the plain sum of their amounts does not see.
    """
    remaining = left
    for step in steps:
        most = -(-remaining * step[0] // _UNIT_BP)
        remaining -= min(most, step[1], remaining)
    return left - remaining


def _step(basket: Basket, entrant: Entrant) -> _Step:
    known = unknown = 0
    for index, flag in zip(entrant.covered, entrant.is_known, strict=True):
        gross = basket.lines[index].gross_minor
        if flag:
            known += gross
        else:
            unknown += gross
    rate_bp = entrant.reward.does.percent_bp
    if rate_bp is None:
        rate_bp = _UNIT_BP
    return _Step(
        rate_bp,
        entrant.most_minor,
        min(entrant.most_minor, known),
        min(entrant.most_minor, unknown),
    )


def _group_aware(entrants: Sequence[Entrant]) -> list[int]:
    """The plain sum from each position on; of an exclusive group only the strongest counts."""
    sums = [0] * (len(entrants) + 1)
    strongest: dict[str, int] = {}
    for index in range(len(entrants) - 1, -1, -1):
        most, group = entrants[index].most_minor, entrants[index].reward.exclusive_group
        if group is not None:
            before = strongest.get(group, 0)
            strongest[group] = max(before, most)
            most = max(most - before, 0)
        sums[index] = sums[index + 1] + most
    return sums


def _tender_most(basket: Basket, wanted: PointsWanted) -> int:
    """What points may pay at most before any reward; the margin is left out of it."""
    tender = basket.tender
    if tender is None or wanted.mode is PointsMode.NONE:
        return 0
    points = max(basket.available.get(tender.point_type, 0), 0)
    if wanted.mode is PointsMode.EXACT:
        points = min(points, wanted.points)
    total = sum(line.gross_minor for line in basket.lines) + basket.shipping_minor
    return min(tender_value_minor(tender, points), total * tender.share_bp_max // _UNIT_BP)
