"""The part of a book that a merchant's corrections move."""

from datetime import datetime

from loyalty.domain.books.book_record import Recording
from loyalty.domain.books.ledger import Account, Cause, Entry, LotTerms, TransactionKind
from loyalty.domain.books.lots import Lot, draws
from loyalty.errors import InsufficientPoints


class Adjusting(Recording):
    """What ``Book`` does for adjustments; amounts are points, or minor units of credit."""

    def adjust_up(self, unit: str, amount: int, terms: LotTerms, at: datetime) -> int:
        """Open a lot of ``amount`` > 0 against ADJUSTED; returns its id."""
        lot_id = self._next_id()
        self.accounts.lots[lot_id] = Lot(
            lot_id, unit, amount, amount, 0, 0, at, terms.available_at, terms.expires_at
        )
        self.accounts.outlook = None
        self.changes.lots_opened.add(lot_id)
        entries = [
            self._member_entry(unit, amount, lot_id, terms),
            Entry(self._next_id(), Account.ADJUSTED, unit, -amount),
        ]
        self._record(TransactionKind.ADJUST, entries, at, Cause())
        return lot_id

    def adjust_down(
        self, unit: str, amount: int, at: datetime, *, may_owe: bool, is_counted: bool
    ) -> int:
        """Take ``amount`` > 0 from live lots, those that expire first drawn first.

        Args:
            may_owe: what the lots do not hold becomes a deficit, instead of being refused.
            is_counted: the unit is never spent, only counted: what is taken does not count for
                tiers any more. Taking what can be spent leaves tiers alone, as spending does.

        Returns:
            The deficit that this made.

        Raises:
            InsufficientPoints: less is available; nothing moved.
        """
        lots = self._lots(unit)
        live = sum(lot.remaining for lot in lots if lot.is_live(at))
        available = live - self.accounts.deficits.get(unit, 0)
        if available < amount and not may_owe:
            raise InsufficientPoints(amount, max(available, 0))
        part = min(amount, live)
        entries: list[Entry] = []
        for draw in draws(lots, part, at):
            lot = self.accounts.lots[draw.lot_id]
            back = draw.amount if is_counted else 0
            self._put(lot.moved(-draw.amount, reversed_by=back))
            entries.append(self._member_entry(unit, -draw.amount, draw.lot_id))
        owed = amount - part
        if owed:
            deficits = self.accounts.deficits
            deficits[unit] = deficits.get(unit, 0) + owed
            entries.append(self._member_entry(unit, -owed))
            self.accounts.outlook = None
        entries.append(Entry(self._next_id(), Account.ADJUSTED, unit, amount))
        self._record(TransactionKind.ADJUST, entries, at, Cause())
        return owed
