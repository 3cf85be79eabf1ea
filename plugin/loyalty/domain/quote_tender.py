"""Paying with points: how many may pay what is left of an order."""

from dataclasses import dataclass
from typing import NamedTuple

from loyalty.domain.rates import tender_points, tender_value_minor
from loyalty.domain.reasons import Gap, Reason, Unmet
from loyalty.domain.ruleset import PointsTender

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
    ``margin_minor``: what the margin allows, None for no limit.
    """

    tender: PointsTender
    available: int
    total_minor: int
    margin_minor: int | None

    @property
    def share_minor(self) -> int:
        """What the ruleset lets points pay of the total."""
        return self.total_minor * self.tender.share_bp_max // _UNIT_BP

    def most(self) -> Payment:
        """The most that can be paid, with the fewest points that pay it."""
        available = max(self.available, 0)
        limit = min(self.share_minor, tender_value_minor(self.tender, available))
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
        return None if self.unmet(points) else Payment(points, self.value(points))

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
