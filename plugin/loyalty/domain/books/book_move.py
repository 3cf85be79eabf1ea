"""The part of a book that moves everything a member has: to another member, or out of the program.

``merge.py`` says which lots move; here is what moving them records.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from loyalty.domain.books.book_record import Recording
from loyalty.domain.books.ledger import Account, Cause, Entry, LotTerms, TransactionKind
from loyalty.domain.books.lots import Lot


class Moving(Recording):
    """What ``Book`` does when two members become one, or one member ends."""

    def part_with(self, lots: Sequence[Lot], owed: Mapping[str, int], at: datetime) -> None:
        """Give lots, and debts by unit, to another member.

        The lots stay behind empty and count for no tier any more: they count once.
        """
        entries: list[Entry] = []
        for lot in lots:
            if lot.remaining:
                entries.append(self._member_entry(lot.unit, -lot.remaining, lot.id))
            self._put(replace(lot, remaining=0, reversed=lot.amount))
        for unit, points in owed.items():
            entries.append(self._member_entry(unit, points))
            self.accounts.deficits[unit] = self.accounts.deficits.get(unit, 0) - points
        self._record_move(entries, at)

    def take_over(
        self, lots: Sequence[Lot], owed: Mapping[str, int], at: datetime
    ) -> dict[int, int]:
        """Take another member's lots and debts; returns the new lots' ids by the old ones'.

        A new lot is the old one's twin in everything but its id: amount, what is left, when it
        was earned, is available and expires, and the order that earned it.
        """
        entries: list[Entry] = []
        twins: dict[int, int] = {}
        for lot in lots:
            id = twins[lot.id] = self._next_id()
            terms = LotTerms(lot.available_at, lot.expires_at)
            self.accounts.lots[id] = replace(lot, id=id)
            self.changes.lots_opened.add(id)
            entries.append(self._member_entry(lot.unit, lot.amount, id, terms))
            if lot.remaining < lot.amount:
                entries.append(self._member_entry(lot.unit, lot.remaining - lot.amount, id))
        self._owe(owed, entries)
        self._record_move(entries, at)
        return twins

    def take_back(self, twins: Mapping[int, Lot], owed: Mapping[str, int], at: datetime) -> None:
        """Take own lots back from another member, each as its twin is now: ``{own id: twin}``."""
        entries: list[Entry] = []
        for id, twin in twins.items():
            if twin.remaining:
                entries.append(self._member_entry(twin.unit, twin.remaining, id))
            self._put(replace(twin, id=id))
        self._owe(owed, entries)
        self._record_move(entries, at)

    def forfeit(self, at: datetime) -> dict[str, int]:
        """End what is left for good: points go, active or not, and debts are written off.

        One correction, for no lot's own time is over. What is forfeited counts as expired, so that
        no later refund calls it spent.

        Returns:
            What was forfeited, by point type or currency.
        """
        entries: list[Entry] = []
        forfeited: dict[str, int] = {}
        for lot in sorted(self.accounts.lots.values(), key=lambda lot: lot.id):
            if lot.remaining:
                forfeited[lot.unit] = forfeited.get(lot.unit, 0) + lot.remaining
                entries.append(self._member_entry(lot.unit, -lot.remaining, lot.id))
                self._put(lot.moved(-lot.remaining, expired_by=lot.remaining))
        for unit, points in self.accounts.deficits.items():
            if points:
                entries.append(self._member_entry(unit, points))
                self.accounts.deficits[unit] = 0
        self._balance(entries, Account.ADJUSTED)
        if entries:
            self._record(TransactionKind.ADJUST, entries, at, Cause())
        return forfeited

    def _owe(self, owed: Mapping[str, int], entries: list[Entry]) -> None:
        for unit, points in owed.items():
            entries.append(self._member_entry(unit, -points))
            self.accounts.deficits[unit] = self.accounts.deficits.get(unit, 0) + points

    def _record_move(self, entries: list[Entry], at: datetime) -> None:
        self._balance(entries, Account.CAUSE)
        if entries:
            self._record(TransactionKind.MERGE, entries, at, Cause())

    def _balance(self, entries: list[Entry], account: Account) -> None:
        """Add the other side, where the member's own does not sum to zero by itself."""
        self.accounts.outlook = None
        net: dict[str, int] = {}
        for entry in entries:
            net[entry.unit] = net.get(entry.unit, 0) + entry.amount
        entries += [
            Entry(self._next_id(), account, unit, -amount) for unit, amount in net.items() if amount
        ]
