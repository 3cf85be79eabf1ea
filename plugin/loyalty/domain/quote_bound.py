"""How much more a choice can save at most: what lets the search skip most of the sets.

Each figure is an upper bound of its own, so the least of them is one. None of them applies a
reward, which is what makes them cheap beside doing so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from loyalty.domain.quote_basket import Basket, Entrant
from loyalty.domain.quote_margin import Room
from loyalty.domain.quote_terms import PointsMode, PointsWanted
from loyalty.domain.rates import tender_value_minor
from loyalty.domain.ruleset import UnknownCost

_UNIT_BP = 10_000


@dataclass(frozen=True, slots=True)
class _Buy:
    """What points can buy: an entrant, or, at the position past the last, money."""

    index: int
    points: int
    point_type: str
    most: int


class Ahead:
    """What the entrants still to come can take off at most, given what is left of the lines.

    ``sums`` from each position on, of an exclusive group only the strongest counted;
    ``chain``: the same if each covered everything, which sees that percentages of what is left
    never take everything.
    """

    __slots__ = ("first", "left", "most", "sums", "whole")

    def __init__(self, first: int, left: Sequence[int], most: list[int], sums: list[int]) -> None:
        self.first, self.left, self.most, self.sums = first, left, most, sums
        self.whole = sum(left)


class Bound:
    """Bounds for one search.

    Args:
        basket: what is chosen for.
        entrants: in the order in which they apply.
        wanted: whether and how many points may pay.
    """

    def __init__(self, basket: Basket, entrants: Sequence[Entrant], wanted: PointsWanted) -> None:
        self.basket = basket
        self.entrants = entrants
        self.tender_most = _tender_most(basket, wanted)
        guard = basket.guard
        self._weight_min = _least(guard.weights, guard.is_known)
        self._pay_weight_min = _least(guard.pay_weights, guard.is_known)
        policy = guard.policy
        self._limits_unknown = policy is not None and policy.unknown_cost is not UnknownCost.ALLOW
        self._unknown = [at for at, flag in enumerate(guard.is_known) if not flag]
        self._rates = [
            _UNIT_BP if rate is None else rate
            for rate in (entrant.reward.does.percent_bp for entrant in entrants)
        ]
        self._groups = [entrant.reward.exclusive_group for entrant in entrants]
        self._buys = self._sorted_buys(entrants)

    def ahead(self, first: int, left: Sequence[int]) -> Ahead:
        """What entrants from ``first`` on can take off at most."""
        most, entrants = [0] * len(self.entrants), self.entrants
        sums = [0] * (len(entrants) + 1)
        strongest: dict[str, int] = {}
        for index in range(len(entrants) - 1, first - 1, -1):
            entrant, rate_bp = entrants[index], self._rates[index]
            rest = sum([left[at] for at in entrant.covered])
            if rate_bp != _UNIT_BP:
                rest = -(-rest * rate_bp // _UNIT_BP)
            own = most[index] = min(entrant.most_minor, rest)
            group = self._groups[index]
            if group is not None:
                before = strongest.get(group, 0)
                if own <= before:
                    own = 0
                else:
                    strongest[group] = own
                    own -= before
            sums[index] = sums[index + 1] + own
        return Ahead(first, left, most, sums)

    def saved(self, index: int, ahead: Ahead, room: Room, spent: Mapping[str, int]) -> int:
        """Money that entrants from ``index`` on and points can still save together."""
        rest = min(ahead.sums[index], self._chain(index, ahead))
        guard = self.basket.guard
        limit = None
        if not guard.is_open:
            limit = self._goods(ahead, room) if guard.policy is not None else room.cap
            # Shipping is nobody's room.
            rest = min(rest, min(limit, room.cap) + ahead.left[-1])
        taxes = self.basket.taxes
        total = ahead.whole + taxes.added(ahead.left)
        off = min(taxes.worth(rest), total)
        paid = self._paid(ahead.left, room, spent, total - off)
        most = off + paid
        if limit is not None and guard.guards_points and not taxes.is_added:
            # Points take of the same room, but for what they pay of shipping.
            most = min(most, limit + ahead.left[-1])
        if self._buys is not None:
            payable = self._paid(ahead.left, room, spent, total)
            most = min(most, taxes.worth(self._bought(index, ahead, spent, payable)))
        return min(most, total)

    def paid(self, left: Sequence[int], room: Room, spent: Mapping[str, int]) -> int:
        """Money that points not yet spent can pay."""
        if not self.tender_most:
            return 0
        return self._paid(left, room, spent, self.basket.total(left))

    def _paid(
        self, left: Sequence[int], room: Room, spent: Mapping[str, int], total_minor: int
    ) -> int:
        tender = self.basket.tender
        if not self.tender_most or tender is None:
            return 0
        kind = tender.point_type
        free = self.basket.available.get(kind, 0) - spent.get(kind, 0)
        most = min(
            self.tender_most,
            tender_value_minor(tender, max(free, 0)),
            total_minor * tender.share_bp_max // _UNIT_BP,
        )
        if self.basket.guard.guards_points and not self.basket.taxes.is_added:
            known = room.known // self._pay_weight_min
            most = min(most, known + self._unknown_room(left, room) + left[-1])
        return most

    def _goods(self, ahead: Ahead, room: Room) -> int:
        """What the margin lets anything take off the goods."""
        return room.known // self._weight_min + self._unknown_room(ahead.left, room)

    def _unknown_room(self, left: Sequence[int], room: Room) -> int:
        """The same of the goods of unknown cost alone."""
        if self._limits_unknown:
            return room.unknown
        return sum([left[at] for at in self._unknown]) - left[-1]

    def _chain(self, index: int, ahead: Ahead) -> int:
        """What rewards applied in a row take off at most if each covered everything."""
        remaining = ahead.whole
        most = ahead.most
        for later in range(index, len(self._rates)):
            off = -(-remaining * self._rates[later] // _UNIT_BP)
            remaining -= min(off, most[later], remaining)
        return ahead.whole - remaining

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

    def _bought(self, index: int, ahead: Ahead, spent: Mapping[str, int], payable: int) -> int:
        """The fractional knapsack: no set of whole rewards gets more for the points."""
        free = {kind: points - spent.get(kind, 0) for kind, points in self.basket.available.items()}
        most = 0
        tender = self.basket.tender
        for buy in self._buys or ():
            if buy.index < index:
                continue
            left = max(free.get(buy.point_type, 0), 0)
            if buy.index == len(self.entrants) and tender is not None:
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


def _least(weights: Sequence[int], is_known: Sequence[bool]) -> int:
    known = [weight for weight, flag in zip(weights, is_known, strict=True) if flag]
    return min(known, default=1)


def _tender_most(basket: Basket, wanted: PointsWanted) -> int:
    """What points may pay at most before any reward; the margin is left out of it."""
    tender = basket.tender
    if tender is None or wanted.mode is PointsMode.NONE:
        return 0
    points = max(basket.available.get(tender.point_type, 0), 0)
    if wanted.mode is PointsMode.EXACT:
        points = min(points, wanted.points)
    total = basket.total(basket.gross)
    return min(tender_value_minor(tender, points), total * tender.share_bp_max // _UNIT_BP)
