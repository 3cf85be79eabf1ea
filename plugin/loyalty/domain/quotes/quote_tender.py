"""Paying with points: how many may pay what is left of an order, and what of each line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from loyalty.domain.money import allocated
from loyalty.domain.quotes.quote_basket import Basket
from loyalty.domain.quotes.quote_margin import Room, fits, payable
from loyalty.domain.rates import tender_points, tender_value_minor
from loyalty.domain.reasons import Gap, Reason, Unmet
from loyalty.domain.rulesets.ruleset import PointsTender

_UNIT_BP = 10_000


class Payment(NamedTuple):
    """Points and the minor units they pay."""

    points: int
    minor: int


NO_PAYMENT = Payment(0, 0)


@dataclass(frozen=True, slots=True)
class TenderLimits:
    """What bounds a payment with points.

    ``available``: points not taken by rewards. ``total_minor``: of the order, with shipping.
    ``margin_minor``: what the margin allows, None for no limit. ``reserved_minor`` of the total
    are to be left to be paid with credit.
    """

    tender: PointsTender
    available: int
    total_minor: int
    margin_minor: int | None
    reserved_minor: int = 0

    @property
    def share_minor(self) -> int:
        """What the ruleset lets points pay of the total."""
        return self.total_minor * self.tender.share_bp_max // _UNIT_BP

    def most(self) -> Payment:
        """The most that can be paid, with the fewest points that pay it."""
        available = max(self.available, 0)
        limit = min(self.share_minor, tender_value_minor(self.tender, available))
        limit = min(limit, self.total_minor - self.reserved_minor)
        if self.margin_minor is not None:
            limit = min(limit, self.margin_minor)
        points = tender_points(self.tender, limit)
        minor = tender_value_minor(self.tender, points)
        if not minor:
            return NO_PAYMENT
        if points < self.tender.points_min:
            # More points than the sum needs may pay no more than it, and reach the minimum.
            fewest = self.tender.points_min
            points, minor = fewest, tender_value_minor(self.tender, fewest)
            if points > available or minor > limit:
                return NO_PAYMENT
        return Payment(points, minor)

    def exactly(self, points: int) -> Payment | None:
        """A payment of just that many points; None when it is not possible."""
        if self.unmet(points) or self.value(points) > self.total_minor - self.reserved_minor:
            return None
        return Payment(points, self.value(points))

    def value(self, points: int) -> int:
        return tender_value_minor(self.tender, points)

    def unmet(self, points: int) -> Unmet | None:
        """What stands in the way of paying with that many points."""
        if points > self.available:
            return Unmet(Reason.INSUFFICIENT_POINTS, Gap(points=points - self.available))
        if points < self.fewest:
            return Unmet(Reason.TOO_FEW_POINTS, Gap(points=self.fewest - points))
        excess = self.value(points) - self.share_minor
        if excess > 0:
            return Unmet(Reason.TENDER_LIMIT, Gap(money_minor=excess))
        if self.margin_minor is not None and self.value(points) > self.margin_minor:
            return Unmet(
                Reason.MARGIN_LIMIT, Gap(money_minor=self.value(points) - self.margin_minor)
            )
        return None

    def unmet_at_all(self) -> Unmet:
        """Why not even the fewest points can pay; only where ``most`` is nothing."""
        found = self.unmet(self.fewest)
        assert found is not None, self
        return found

    @property
    def fewest(self) -> int:
        """The fewest points that are accepted and worth anything."""
        return max(self.tender.points_min, -(-self.tender.points // self.tender.minor))


def tender_limits(
    basket: Basket,
    tender: PointsTender,
    left: Sequence[int],
    room: Room,
    spent: int,
    reserved_minor: int = 0,
) -> TenderLimits:
    """What bounds paying with points once ``spent`` points went into rewards."""
    most = None
    if basket.guard.guards_points:
        parts = payable(basket.guard, left, basket.owed(left), room)
        most = None if parts is None else sum(parts)
    return TenderLimits(
        tender,
        basket.available.get(tender.point_type, 0) - spent,
        basket.total(left),
        most,
        reserved_minor,
    )


def points_shares(
    basket: Basket, left: Sequence[int], room: Room, paid_minor: int
) -> tuple[list[int], bool]:
    """What points pay of each line and of shipping, and whether the margin had a say in it.

    The goods first, in proportion to what is charged for them; what they do not take pays
    shipping. Where the margin forbids that, in proportion to what it lets points pay of each.
    """
    owed = basket.owed(left)
    plain = shares(owed, paid_minor)
    most = payable(basket.guard, left, owed, room) if paid_minor else None
    if most is None or fits(basket.guard, plain, most, room):
        return plain, False
    return shares(most, paid_minor), True


def shares(owed: Sequence[int], paid_minor: int) -> list[int]:
    """A payment spread over what is owed: the goods first, then shipping, which is the last.

    The shares add up to the payment and none is more than what is owed there, as long as the
    payment is no more than all of it.
    """
    goods = owed[:-1]
    on_goods = min(paid_minor, sum(goods))
    return [*allocated(on_goods, goods), paid_minor - on_goods]
