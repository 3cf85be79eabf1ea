"""What a book records: transactions in the member's chain, and the lots they move.

``Book`` in ``book.py`` is what the rest of the code works with.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from loyalty.domain.books.accounts import Accounts, Changes, Mark
from loyalty.domain.books.ledger import (
    Account,
    Cause,
    Entry,
    LotTerms,
    Transaction,
    TransactionKind,
    chained,
)
from loyalty.domain.books.lots import Draw, Lot


class Recording:
    """The part of ``Book`` that all its moves go through."""

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

    def reversed(self) -> dict[int, int]:
        """By how much more of each lot counts for no tier; below zero, by how much less."""
        lots, changes = self.accounts.lots, self.changes
        grown = {
            id: lots[id].reversed - before
            for id, before in changes.reversed_before.items()
            if id not in changes.lots_opened
        }
        grown |= {id: lots[id].reversed for id in changes.lots_opened}
        return {id: amount for id, amount in grown.items() if amount}

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
                list(c.tier_changes), list(c.holds_opened), dict(c.holds_closed),
                list(c.holds_expired), dict(c.holds_moved), dict(c.reversed_before),
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
        before = self.accounts.lots.get(lot.id)
        if before is not None and before.reversed != lot.reversed:
            self.changes.reversed_before.setdefault(lot.id, before.reversed)
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
