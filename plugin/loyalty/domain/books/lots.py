"""Lots: points earned together, and which of them pay first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from loyalty.errors import InsufficientPoints

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""Stands for "does not expire" where an order of instants is needed."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Points of one type that were earned together.

    ``remaining`` is what can still be drawn, ``reversed`` what refunds took back of
    ``amount``, ``expired`` what time took; the rest is spent or held. Live in
    ``[available_at, expires_at)``; ``expires_at`` None: never expires. ``order_id`` is the
    order that earned it, None for an adjustment.
    """

    id: int
    unit: str
    amount: int
    remaining: int
    reversed: int
    expired: int
    earned_at: datetime
    available_at: datetime
    expires_at: datetime | None
    order_id: int | None = None

    @property
    def ends_at(self) -> datetime:
        return self.expires_at or NEVER

    @property
    def drawn_by(self) -> tuple[datetime, datetime, int]:
        """What lots are drawn in the sequence of: those that expire first, first."""
        return self.ends_at, self.available_at, self.id

    def is_live(self, at: datetime) -> bool:
        return self.available_at <= at < self.ends_at

    def is_pending(self, at: datetime) -> bool:
        return at < self.available_at

    @property
    def spent(self) -> int:
        """What was drawn from the lot and not returned, holds included."""
        return max(self.amount - self.reversed - self.remaining - self.expired, 0)

    def moved(self, by: int, *, reversed_by: int = 0, expired_by: int = 0) -> "Lot":
        """The lot with ``by`` more remaining; what was taken back or expired is counted."""
        remaining = self.remaining + by
        # A lot is never drawn past its amount (law 7); the ledger asks only for what is there.
        assert 0 <= remaining <= self.amount, (self, by)
        return Lot(
            self.id,
            self.unit,
            self.amount,
            remaining,
            # A refund may take back what an adjustment took from the count already.
            min(self.reversed + reversed_by, self.amount),
            self.expired + expired_by,
            self.earned_at,
            self.available_at,
            self.expires_at,
            self.order_id,
        )


@dataclass(frozen=True, slots=True)
class Draw:
    """Which lot paid how much of a hold; ``returned`` is what refunds gave back.

    ``row_id`` is that of the stored draw; None for one not booked yet.
    """

    lot_id: int
    unit: str
    amount: int
    returned: int = 0
    row_id: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Expiring:
    """Points of one account that expire together."""

    points: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """One account at one moment. ``available`` may be negative only by a deficit."""

    unit: str
    available: int
    pending: int
    held: int
    deficit: int
    next_pending_at: datetime | None
    expiring_soon: tuple[Expiring, ...]


def draws(lots: Iterable[Lot], points: int, at: datetime) -> list[Draw]:
    """Take points from the lots that expire first.

    Args:
        lots: lots of one account, in any order.
        points: how many to take, > 0.
        at: moment of spending; a lot with ``expires_at <= at`` is dead already.

    Returns:
        One draw per touched lot, soonest expiry first; together exactly ``points``.

    Raises:
        InsufficientPoints: the live lots hold fewer.
    """
    live = [lot for lot in lots if lot.remaining > 0 and lot.is_live(at)]
    live.sort(key=lambda lot: lot.drawn_by)
    missing = points
    taken: list[Draw] = []
    for lot in live:
        if missing == 0:
            break
        part = min(lot.remaining, missing)
        taken.append(Draw(lot.id, lot.unit, part))
        missing -= part
    if missing:
        raise InsufficientPoints(points, points - missing)
    return taken


def balance(
    unit: str,
    lots: Sequence[Lot],
    *,
    held: int,
    deficit: int,
    at: datetime,
    soon_days: int,
) -> Balance:
    """What one account holds at ``at``.

    Args:
        lots: the account's lots; those of other units are passed over.
        held: points under open reservations.
        deficit: points owed after a refund took back more than was left.
        soon_days: how far ahead "expiring soon" looks.
    """
    horizon = at + timedelta(days=soon_days)
    active = pending = 0
    next_pending: datetime | None = None
    soon: dict[datetime, int] = {}
    for lot in lots:
        if lot.unit != unit or lot.remaining == 0 or lot.ends_at <= at:
            continue
        if lot.is_pending(at):
            pending += lot.remaining
            if next_pending is None or lot.available_at < next_pending:
                next_pending = lot.available_at
            continue
        active += lot.remaining
        if lot.ends_at <= horizon:
            soon[lot.ends_at] = soon.get(lot.ends_at, 0) + lot.remaining
    return Balance(
        unit=unit,
        available=active - deficit,
        pending=pending,
        held=held,
        deficit=deficit,
        next_pending_at=next_pending,
        expiring_soon=tuple(Expiring(points, when) for when, points in sorted(soon.items())),
    )
