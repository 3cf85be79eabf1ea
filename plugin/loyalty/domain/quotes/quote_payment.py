"""What pays for a set of rewards: points, and the credit that an exact wish sets aside."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from loyalty.domain.quotes.quote_basket import Basket
from loyalty.domain.quotes.quote_margin import Room
from loyalty.domain.quotes.quote_tender import NO_PAYMENT, Payment, TenderLimits, tender_limits
from loyalty.domain.quotes.quote_terms import Choice, CreditMode, PointsMode

_UNIT_BP = 10_000


class Option(NamedTuple):
    """One way of paying: points, the credit set aside, and which exact wishes it misses (0, 1)."""

    payment: Payment
    reserved_minor: int
    points_missed: int
    credit_missed: int


class Paying:
    """The ways of paying that are worth comparing for one set of rewards."""

    def __init__(self, basket: Basket, choice: Choice) -> None:
        self.basket = basket
        self.wanted = choice.points
        self.credit = choice.credit.minor if choice.credit.mode is CreditMode.EXACT else 0

    def options(
        self, left: Sequence[int], room: Room, spent: Mapping[str, int]
    ) -> Iterator[Option]:
        """With the credit set aside where the order allows it, and without.

        Where no exact credit is wanted there is one option, the most or the exact points.
        """
        if not self.credit:
            yield self._option(left, room, spent, 0, 0)
            return
        total = self.basket.total(left)
        if self.credit <= self._credit_most(total):
            yield self._option(left, room, spent, self.credit, 0)
        yield self._option(left, room, spent, 0, 1)

    def _credit_most(self, total_minor: int) -> int:
        share = total_minor * self.basket.credit_share_bp // _UNIT_BP
        return min(self.basket.credit_minor, share)

    def _option(
        self,
        left: Sequence[int],
        room: Room,
        spent: Mapping[str, int],
        reserved_minor: int,
        credit_missed: int,
    ) -> Option:
        tender = self.basket.tender
        if tender is None or self.wanted.mode is PointsMode.NONE:
            return Option(NO_PAYMENT, reserved_minor, 0, credit_missed)
        limits: TenderLimits = tender_limits(
            self.basket, tender, left, room, spent.get(tender.point_type, 0), reserved_minor
        )
        if self.wanted.mode is PointsMode.ALL:
            return Option(limits.most(), reserved_minor, 0, credit_missed)
        exact = limits.exactly(self.wanted.points)
        return Option(exact or NO_PAYMENT, reserved_minor, int(exact is None), credit_missed)
