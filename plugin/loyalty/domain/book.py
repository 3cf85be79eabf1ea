"""The working copy of one member's accounts while they are locked.

The door loads it, ``settle`` brings it up to the moment, commands move value through it, and
what it recorded is then booked in one go. It does no I/O and reads no clock; the same calls
on the same state record the same transactions.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from loyalty.domain.accounts import Accounts, Changes, Hold, Mark, Reversal
from loyalty.domain.ledger import (
    Account,
    Cause,
    Entry,
    LotTerms,
    Transaction,
    TransactionKind,
    chained,
)
from loyalty.domain.lots import Draw, Lot, draws
from loyalty.domain.tiers import QualifyingLot
from loyalty.errors import InsufficientPoints


class Book:
    """Moves value of one member; see the module's docstring.

    Args:
        accounts: the loaded state; changed in place.
        now: wall-clock moment of booking. Booking time never goes back, so a clock stepped
            back changes nothing.
        next_id: makes row ids.
    """

    def __init__(self, accounts: Accounts, now: datetime, next_id: Callable[[], int]) -> None:
        self.accounts = accounts
        self.changes = Changes()
        self.booked_at = max(now, accounts.booked_at)
        self.ruleset_version = 0
        self._next_id = next_id

    @property
    def at(self) -> datetime:
        """The moment the accounts are settled up to, by which commands are judged."""
        return self.accounts.settled_at

    @property
    def has_changed(self) -> bool:
        """Whether anything has to be booked."""
        c = self.changes
        return any((c.transactions, c.tier_changes, c.holds_opened, c.holds_expired, c.holds_moved))

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
        hold = Hold(reservation_id, expires_at, tuple(taken))
        self.accounts.holds[reservation_id] = hold
        self.accounts.outlook = None
        self.changes.holds_opened.append(hold)
        return hold

    def extend(self, reservation_id: int, expires_at: datetime) -> None:
        hold = self.accounts.holds[reservation_id]
        self.accounts.holds[reservation_id] = Hold(reservation_id, expires_at, hold.draws)
        self.accounts.outlook = None
        self.changes.holds_moved[reservation_id] = expires_at

    def release(self, reservation_id: int, at: datetime, *, reason: str | None = None) -> Hold:
        """Give a hold back to the lots it came from."""
        hold = self.accounts.holds.pop(reservation_id)
        self.accounts.outlook = None
        entries = [self._drawn(draw, draw.amount) for draw in hold.draws]
        entries += self._counter(Account.HELD, hold.draws, -1)
        if entries:
            cause = Cause(reservation_id=reservation_id, reason=reason)
            self._record(TransactionKind.RELEASE, entries, at, cause)
        return hold

    def redeem(self, reservation_id: int, at: datetime, order_id: int) -> Hold:
        """Turn a hold into a redemption."""
        hold = self.accounts.holds.pop(reservation_id)
        self.accounts.outlook = None
        entries = self._counter(Account.HELD, hold.draws, -1)
        entries += self._counter(Account.REDEEMED, hold.draws, 1)
        if entries:
            cause = Cause(order_id=order_id, reservation_id=reservation_id)
            self._record(TransactionKind.REDEEM, entries, at, cause)
        return hold

    def give_back(
        self,
        drawn: Sequence[Draw],
        at: datetime,
        cause: Cause,
        *,
        expired_terms: LotTerms | None,
    ) -> int:
        """Return redeemed points to the lots they came from; returns how many.

        A lot that expired meanwhile stays dead: its points open a new lot with
        ``expired_terms`` (None: they go back to the old lot and expire at the next settling).
        """
        entries: list[Entry] = []
        self.accounts.outlook = None
        for draw in drawn:
            lot = self.accounts.lots[draw.lot_id]
            if lot.ends_at <= at and expired_terms is not None:
                lot_id = self._next_id()
                self.accounts.lots[lot_id] = Lot(
                    lot_id,
                    lot.unit,
                    draw.amount,
                    draw.amount,
                    # It counts for no tier: the points were counted when they were earned.
                    draw.amount,
                    0,
                    at,
                    expired_terms.available_at,
                    expired_terms.expires_at,
                    lot.order_id,
                )
                self.changes.lots_opened.add(lot_id)
                entries.append(self._member_entry(draw.unit, draw.amount, lot_id, expired_terms))
            else:
                entries.append(self._drawn(draw, draw.amount))
        entries += self._counter(Account.REDEEMED, drawn, -1)
        if entries:
            self._record(TransactionKind.RETURN, entries, at, cause)
        return sum(draw.amount for draw in drawn)

    def reverse(
        self,
        lot_id: int,
        points: int,
        at: datetime,
        cause: Cause,
        *,
        may_owe: bool,
    ) -> Reversal:
        """Take back up to ``points`` of an earning: from its own lot, then the account's others.

        What neither holds was already spent: with ``may_owe`` it becomes a deficit, else it
        is left with the member. Either way it is returned as the shortfall.
        """
        origin = self.accounts.lots[lot_id]
        entries: list[Entry] = []
        own, spent = min(origin.remaining, points), origin.spent
        self._put(origin.moved(-own, reversed_by=points))
        if own:
            entries.append(self._member_entry(origin.unit, -own, origin.id))
        # What expired is gone without having been spent, so nobody owes it.
        missing = min(points - own, spent)
        others = [
            lot
            for lot in self._lots(origin.unit)
            if lot.remaining and lot.id != lot_id and at < lot.ends_at
        ]
        others.sort(key=lambda lot: (lot.ends_at, lot.available_at, lot.id))
        for lot in others:
            part = min(lot.remaining, missing)
            if part:
                self._put(lot.moved(-part))
                entries.append(self._member_entry(lot.unit, -part, lot.id))
                missing -= part
        if missing and may_owe:
            deficits = self.accounts.deficits
            deficits[origin.unit] = deficits.get(origin.unit, 0) + missing
            entries.append(self._member_entry(origin.unit, -missing))
        taken = -sum(entry.amount for entry in entries)
        if entries:
            entries.append(Entry(self._next_id(), Account.ISSUED, origin.unit, taken))
            self._record(TransactionKind.REVERSE, entries, at, cause)
        return Reversal(taken, missing)

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

    # Going back

    def mark(self) -> Mark:
        """Where to go back to should a command be refused half-way."""
        a, c = self.accounts, self.changes
        return Mark(
            (
                a.seq, a.hash, a.settled_at, a.standing, dict(a.lots), dict(a.balances),
                dict(a.deficits), dict(a.holds),
            ),
            (
                list(c.transactions), set(c.lots_opened), set(c.lots_moved), set(c.units),
                list(c.tier_changes), list(c.holds_opened), list(c.holds_expired),
                dict(c.holds_moved),
            ),
        )  # fmt: skip

    def back_to(self, mark: Mark) -> None:
        a = self.accounts
        (
            a.seq, a.hash, a.settled_at, a.standing, a.lots, a.balances, a.deficits, a.holds
        ) = mark.accounts  # type: ignore[assignment]  # fmt: skip  # as mark() made it
        a.outlook = None
        self.changes = Changes(*mark.changes)  # type: ignore[arg-type]  # as mark() made it

    # Inside

    def _lots(self, unit: str) -> list[Lot]:
        return [lot for lot in self.accounts.lots.values() if lot.unit == unit]

    def _put(self, lot: Lot) -> None:
        self.accounts.lots[lot.id] = lot
        self.accounts.outlook = None
        if lot.id not in self.changes.lots_opened:
            self.changes.lots_moved.add(lot.id)

    def _member_entry(
        self, unit: str, amount: int, lot_id: int | None = None, opens: LotTerms | None = None
    ) -> Entry:
        return Entry(self._next_id(), Account.MEMBER, unit, amount, lot_id, opens)

    def _drawn(self, draw: Draw, amount: int) -> Entry:
        self._put(self.accounts.lots[draw.lot_id].moved(amount))
        return self._member_entry(draw.unit, amount, draw.lot_id)

    def _counter(self, account: Account, drawn: Sequence[Draw], sign: int) -> list[Entry]:
        by_unit: dict[str, int] = {}
        for draw in drawn:
            by_unit[draw.unit] = by_unit.get(draw.unit, 0) + draw.amount
        return [
            Entry(self._next_id(), account, unit, sign * amount) for unit, amount in by_unit.items()
        ]

    def _record(
        self,
        kind: TransactionKind,
        entries: list[Entry],
        effective_at: datetime,
        cause: Cause,
    ) -> None:
        a = self.accounts
        for entry in entries:
            self.changes.units.add(entry.unit)
            if entry.account is Account.MEMBER:
                a.balances[entry.unit] = a.balances.get(entry.unit, 0) + entry.amount
        id = self._next_id()
        a.seq += 1
        a.hash = chained(
            a.hash, a.tenant_id, id, a.member_id, a.seq, kind, cause, self.ruleset_version,
            effective_at, self.booked_at, entries,
        )  # fmt: skip
        self.changes.transactions.append(
            Transaction(
                id,
                a.member_id,
                a.seq,
                kind,
                cause,
                self.ruleset_version,
                effective_at,
                self.booked_at,
                tuple(entries),
                a.hash,
            )
        )
