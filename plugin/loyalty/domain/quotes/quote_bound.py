"""How much more a choice can save at most: what lets the search skip most of the sets.

Each figure is an upper bound of its own, so the least of them is one. None of them applies a
reward, which is what makes them cheap beside doing so.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from loyalty.domain.quotes.quote_basket import Basket, Entrant
from loyalty.domain.quotes.quote_margin import Room
from loyalty.domain.quotes.quote_terms import PointsMode, PointsWanted
from loyalty.domain.rates import tender_value_minor
from loyalty.domain.rulesets.ruleset import UnknownCost

_UNIT_BP = 10_000


_MONEY = 1 << 30
"""The place of paying with points among what they can buy: past all entrants."""


class _Buy(NamedTuple):
    """What points can buy: an entrant, or money; and what it is worth at most."""

    place: int
    points: int
    most: int


class _Purse(NamedTuple):
    """Points of one type, and what they can buy, best value for a point first."""

    point_type: str
    available: int
    buys: tuple[_Buy, ...]


class Ahead:
    """What a set of rewards leaves, and what the entrants still to come can take off of it.

    ``total`` of the order; ``payable``: what points not yet spent can pay of it at most, but for
    their share of the total; ``goods``: what the margin lets anything take off the goods, None
    for no limit; ``cap``: what the caps let rewards take off them. ``most`` of each entrant, and
    ``sums`` of them from each position on, of an exclusive group only the strongest counted;
    ``free``: the same of those for which points never lack.
    """

    __slots__ = (
        "cap",
        "free",
        "goods",
        "left",
        "most",
        "payable",
        "room",
        "sums",
        "total",
        "whole",
    )

    def __init__(self, left: Sequence[int], room: Room) -> None:
        self.left, self.cap = left, room.cap
        self.whole = self.total = sum(left)
        self.payable = 0
        self.goods: int | None = None
        self.most: list[int] = []
        self.sums: list[int] = []
        self.free: list[int] = []


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
        self._looks = [
            (entrant.of_covered, entrant.most_minor, rate)
            for entrant, rate in zip(entrants, self._rates, strict=True)
        ]
        self._groups = [entrant.reward.exclusive_group for entrant in entrants]
        self._tax_is_added = basket.taxes.is_added
        self._points_take_room = guard.guards_points and not basket.taxes.is_added
        self._share_bp = 0 if basket.tender is None else basket.tender.share_bp_max
        self._all_purses = self._purses()
        lacking = {purse.point_type for purse in self._all_purses}
        self._is_free = [
            not item.reward.points or item.reward.point_type not in lacking for item in entrants
        ]
        self._static = self._sums([entrant.most_minor for entrant in entrants])

    def ahead(self, left: Sequence[int], room: Room, spent: Mapping[str, int]) -> Ahead:
        """What is left, and what points can pay of it."""
        ahead, guard = Ahead(left, room), self.basket.guard
        if self._tax_is_added:
            ahead.total += self.basket.taxes.added(left)
        if guard.policy is not None:
            ahead.goods = room.known // self._weight_min + self._unknown_room(left, room)
        tender = self.basket.tender
        if self.tender_most and tender is not None:
            kind = tender.point_type
            free = self.basket.available.get(kind, 0) - spent.get(kind, 0)
            most = min(self.tender_most, tender_value_minor(tender, free)) if free > 0 else 0
            if most and guard.guards_points and not self._tax_is_added:
                known = room.known // self._pay_weight_min
                most = min(most, known + self._unknown_room(left, room) + left[-1])
            ahead.payable = most
        return ahead

    def look(self, ahead: Ahead, first: int) -> None:
        """Find what entrants from ``first`` on can take off at most."""
        left, most = ahead.left, [0] * len(self.entrants)
        for index in range(first, len(most)):
            of_covered, own, rate_bp = self._looks[index]
            rest = sum(of_covered(left))
            if rate_bp != _UNIT_BP:
                rest = -(-rest * rate_bp // _UNIT_BP)
            most[index] = rest if rest < own else own
        ahead.most, ahead.sums = most, self._sums(most, first)
        if self._all_purses:
            free = [own if flag else 0 for own, flag in zip(most, self._is_free, strict=True)]
            ahead.free = self._sums(free, first)

    def at_most(self, index: int, ahead: Ahead) -> int:
        """Money that entrants from ``index`` on and points can still save together, found
        without looking at what is left of their lines.
        """
        return self._with_points(self._static[index], ahead)

    def saved(self, index: int, ahead: Ahead, enough: int) -> int:
        """The same once ``look`` has, as closely as is needed: less than ``enough`` will do."""
        most = self._with_points(ahead.sums[index], ahead)
        if most < enough:
            return most
        return min(most, self._with_points(self._chain(index, ahead), ahead))

    def bought(self, index: int, ahead: Ahead, spent: Mapping[str, int]) -> int:
        """The same, of what there are points for."""
        if not self._all_purses:
            return ahead.total
        paid = min(ahead.payable, self._share(ahead.total))
        return self.basket.taxes.worth(self._bought(index, ahead, spent, paid))

    def paid(self, ahead: Ahead) -> int:
        """Money that points not yet spent can pay."""
        return min(ahead.payable, self._share(ahead.total)) if ahead.payable else 0

    def _with_points(self, rest: int, ahead: Ahead) -> int:
        goods, shipping, total = ahead.goods, ahead.left[-1], ahead.total
        # Shipping is nobody's room.
        if ahead.cap + shipping < rest:
            rest = ahead.cap + shipping
        if goods is not None and goods + shipping < rest:
            rest = goods + shipping
        off = self.basket.taxes.worth(rest) if self._tax_is_added else rest
        if off >= total:
            return total
        if not ahead.payable:
            return off
        # The more is taken off, the less is left for points to pay, but never by more than that.
        paid = (total - off) * self._share_bp // _UNIT_BP
        most = off + (paid if paid < ahead.payable else ahead.payable)
        if goods is not None and self._points_take_room and goods + shipping < most:
            # Points take of the same room, but for what they pay of shipping.
            most = goods + shipping
        return most if most < total else total

    def _share(self, total_minor: int) -> int:
        return total_minor * self._share_bp // _UNIT_BP

    def _unknown_room(self, left: Sequence[int], room: Room) -> int:
        """What the margin lets anything take off the goods of unknown cost."""
        if self._limits_unknown:
            return room.unknown
        return sum([left[at] for at in self._unknown]) - left[-1]

    def _chain(self, index: int, ahead: Ahead) -> int:
        """What rewards applied in a row take off at most if each covered everything."""
        remaining = ahead.whole
        for rate_bp, most in zip(self._rates[index:], ahead.most[index:], strict=True):
            off = most
            if rate_bp != _UNIT_BP:
                rest = -(-remaining * rate_bp // _UNIT_BP)
                off = rest if rest < most else most
            remaining -= off
            if remaining <= 0:
                return ahead.whole
        return ahead.whole - remaining

    def _sums(self, most: Sequence[int], first: int = 0) -> list[int]:
        """The sum from each position on; of an exclusive group only the strongest counts."""
        sums, below, groups = [0] * (len(most) + 1), 0, self._groups
        strongest: dict[str, int] = {}
        for index in range(len(most) - 1, first - 1, -1):
            own, group = most[index], groups[index]
            if group is not None:
                before = strongest.get(group, 0)
                if own > before:
                    strongest[group] = own
                    own -= before
                else:
                    own = 0
            below += own
            sums[index] = below
        return sums

    def _purses(self) -> list[_Purse]:
        """What points of each type can buy, best value for a point first.

        A type whose points never lack is left out, and so is one that buys nothing.
        """
        purses = []
        tender = self.basket.tender if self.tender_most else None
        paid_with = "" if tender is None else tender.point_type
        for kind in dict.fromkeys([*(x.reward.point_type or "" for x in self.entrants), paid_with]):
            buys = [
                _Buy(index, item.reward.points, item.most_minor)
                for index, item in enumerate(self.entrants)
                if item.reward.points and item.reward.point_type == kind
            ]
            rate = Fraction(0)
            if tender is not None and kind == paid_with:
                rate = Fraction(tender.minor, tender.points)
                buys.append(_Buy(_MONEY, 0, 0))
            available = self.basket.available.get(kind, 0)
            if rate or sum(buy.points for buy in buys) > available:
                buys.sort(key=lambda buy: -Fraction(buy.most, buy.points) if buy.points else -rate)
                purses.append(_Purse(kind, available, tuple(buys)))
        return purses

    def _bought(self, index: int, ahead: Ahead, spent: Mapping[str, int], payable: int) -> int:
        """The fractional knapsack: no set of whole rewards gets more for the points."""
        most, tender = ahead.free[index], self.basket.tender
        for kind, available, buys in self._all_purses:
            left = available - spent.get(kind, 0)
            for buy, points, worth in buys:
                if buy < index:
                    continue
                if left <= 0:
                    break
                if buy == _MONEY and tender is not None:
                    paid = min(payable, -(-left * tender.minor // tender.points))
                    most += paid
                    left -= paid * tender.points // tender.minor
                elif points <= left:
                    most += worth
                    left -= points
                else:
                    most += -(-worth * left // points)
                    left = 0
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
