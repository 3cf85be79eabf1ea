"""The working copy of one member's accounts while they are locked.

The door loads it, ``settle`` brings it up to the moment, commands move value through it, and
what it recorded is then booked in one go. It does no I/O and reads no clock; the same calls
on the same state record the same transactions.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from loyalty.domain.books.accounts import DrawState, Hold
from loyalty.domain.books.book_adjust import Adjusting
from loyalty.domain.books.book_move import Moving
from loyalty.domain.books.book_refund import Refunding
from loyalty.domain.books.ledger import Account, Cause, Entry, LotTerms, TransactionKind
from loyalty.domain.books.lots import Draw, Lot, draws
from loyalty.domain.tiers import QualifyingLot
from loyalty.errors import InsufficientPoints


class Book(Refunding, Moving, Adjusting):
    """Moves value of one member; see the module's docstring.

    Args:
        accounts: the loaded state; changed in place.
        now: wall-clock moment of booking. Booking time never goes back, so a clock stepped
            back changes nothing.
        next_id: makes row ids.
    """

    # Questions

    def available(self, unit: str, at: datetime) -> int:
        """Points that can be spent at ``at``; negative only by a deficit."""
        lots = self.accounts.lots.values()
        live = sum(lot.remaining for lot in lots if lot.unit == unit and lot.is_live(at))
        return live - self.accounts.deficits.get(unit, 0)

    def held(self, unit: str) -> int:
        return sum(hold.points(unit) for hold in self.accounts.holds.values())

    def qualifying(self, unit: str) -> list[QualifyingLot]:
        """What counts for tiers: points earned and not taken back, spent or not."""
        return [
            QualifyingLot(lot.amount - lot.reversed, lot.available_at, lot.expires_at)
            for lot in self.accounts.lots.values()
            if lot.unit == unit and lot.reversed < lot.amount
        ]

    # Moves

    def earn(
        self,
        earned: Sequence[tuple[str, int, LotTerms]],
        effective_at: datetime,
        cause: Cause,
        *,
        kind: TransactionKind = TransactionKind.EARN,
        against: Account = Account.ISSUED,
    ) -> tuple[int, ...]:
        """Open one lot per ``(unit, points > 0, terms)``; returns their ids."""
        entries: list[Entry] = []
        lots: list[int] = []
        for unit, points, terms in earned:
            lot_id = self._next_id()
            lot = Lot(
                lot_id, unit, points, points, 0, 0, effective_at, terms.available_at,
                terms.expires_at, cause.order_id,
            )  # fmt: skip
            self.accounts.lots[lot_id] = lot
            if self.accounts.outlook is not None:
                self.accounts.outlook.add(lot, self.at)
            self.changes.lots_opened.add(lot_id)
            lots.append(lot_id)
            entries.append(self._member_entry(unit, points, lot_id, terms))
            entries.append(Entry(self._next_id(), against, unit, -points))
        if entries:
            self._record(kind, entries, effective_at, cause)
        return tuple(lots)

    def hold(
        self, reservation_id: int, unit: str, points: int, at: datetime, expires_at: datetime
    ) -> Hold:
        """Set ``points`` aside, lots that expire first drawn first; 0 points hold nothing.

        A reservation that holds already holds this too, of another unit.

        Raises:
            InsufficientPoints: fewer are available; nothing moved.
        """
        taken: list[Draw] = []
        if points:
            available = self.available(unit, at)
            if available < points:
                raise InsufficientPoints(points, max(available, 0))
            taken = draws(self._lots(unit), points, at)
            entries = [self._drawn(draw, -draw.amount) for draw in taken]
            entries.append(Entry(self._next_id(), Account.HELD, unit, points))
            cause = Cause(reservation_id=reservation_id)
            self._record(TransactionKind.HOLD, entries, at, cause)
        before = self.accounts.holds.get(reservation_id)
        hold = Hold(reservation_id, expires_at, (*(before.draws if before else ()), *taken))
        self.accounts.holds[reservation_id] = hold
        self.accounts.outlook = None
        opened = self.changes.holds_opened
        opened[:] = [item for item in opened if item.reservation_id != reservation_id]
        opened.append(hold)
        self.changes.holds_closed.pop(reservation_id, None)
        return hold

    def extend(self, reservation_id: int, expires_at: datetime) -> None:
        hold = self.accounts.holds[reservation_id]
        self.accounts.holds[reservation_id] = Hold(reservation_id, expires_at, hold.draws)
        self.accounts.outlook = None
        self.changes.holds_moved[reservation_id] = expires_at

    def release(self, reservation_id: int, at: datetime, *, reason: str | None = None) -> Hold:
        """Give a hold back to the lots it came from."""
        hold = self._closed(reservation_id, DrawState.GIVEN_BACK)
        entries = [self._drawn(draw, draw.amount) for draw in hold.draws]
        entries += self._counter(Account.HELD, hold.draws, -1)
        if entries:
            cause = Cause(reservation_id=reservation_id, reason=reason)
            self._record(TransactionKind.RELEASE, entries, at, cause)
        return hold

    def redeem(self, reservation_id: int, at: datetime, order_id: int) -> Hold:
        """Turn a hold into a redemption."""
        hold = self._closed(reservation_id, DrawState.SPENT)
        entries = self._counter(Account.HELD, hold.draws, -1)
        entries += self._counter(Account.REDEEMED, hold.draws, 1)
        if entries:
            cause = Cause(order_id=order_id, reservation_id=reservation_id)
            self._record(TransactionKind.REDEEM, entries, at, cause)
        return hold

    def repay(self, lot: Lot, effective_at: datetime) -> None:
        """Use a lot that became active to pay what the account owes."""
        owed = self.accounts.deficits.get(lot.unit, 0)
        points = min(lot.remaining, owed)
        if points:
            self._put(lot.moved(-points))
            self.accounts.deficits[lot.unit] = owed - points
            entries = [
                self._member_entry(lot.unit, -points, lot.id),
                self._member_entry(lot.unit, points),
            ]
            self._record(TransactionKind.REPAY, entries, effective_at, Cause())

    def expire(self, lots: Iterable[Lot], effective_at: datetime) -> None:
        """Take what is left of lots whose time is over."""
        for lot in lots:
            if lot.remaining:
                entries = [
                    self._member_entry(lot.unit, -lot.remaining, lot.id),
                    Entry(self._next_id(), Account.EXPIRED, lot.unit, lot.remaining),
                ]
                self._put(lot.moved(-lot.remaining, expired_by=lot.remaining))
                self._record(TransactionKind.EXPIRE, entries, effective_at, Cause())

    def _closed(self, reservation_id: int, state: DrawState) -> Hold:
        hold = self.accounts.holds.pop(reservation_id)
        self.accounts.outlook = None
        self.changes.holds_closed[reservation_id] = hold, state
        return hold
