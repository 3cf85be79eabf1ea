"""The part of a book that takes back and gives back what orders moved."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from loyalty.domain.books.accounts import Reversal
from loyalty.domain.books.book_record import Recording
from loyalty.domain.books.ledger import Account, Cause, Entry, LotTerms, TransactionKind
from loyalty.domain.books.lots import Draw, Lot
from loyalty.domain.refunds.refund_takes import Owned, Took, retaken


class Refunding(Recording):
    """What ``Book`` does for refunds."""

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

    def spend_again(self, drawn: Sequence[Draw], at: datetime, cause: Cause) -> None:
        """Take points that were given back out of their lots again: ``give_back`` undone."""
        self.accounts.outlook = None
        entries = [self._drawn(draw, -draw.amount) for draw in drawn]
        entries += self._counter(Account.REDEEMED, drawn, 1)
        self._record(TransactionKind.RETURN, entries, at, cause)

    def give_up(self, unit: str, before: Took, at: datetime, cause: Cause) -> tuple[Took, int]:
        """Put back all that an order's refunds took of an account, as far as it is still there.

        Returns:
            What they took by now, and how many points more than before: less than nothing.
        """
        owned = [Owned(lot_id, self.accounts.lots[lot_id].amount, 0) for lot_id in before.reversed]
        return self.retake(unit, owned, before, at, cause, may_owe=False, repays=False)

    def retake(
        self,
        unit: str,
        owned: Sequence[Owned],
        before: Took,
        at: datetime,
        cause: Cause,
        *,
        may_owe: bool,
        repays: bool = True,
    ) -> tuple[Took, int]:
        """Take back what an order earned, decided anew over what its refunds took before.

        Books the net difference: what ends up where it was moves nothing.

        Args:
            owned: the lots of ``unit`` the order earned, with what is to be taken back by now.
            before: what the order's refunds took of this account so far.
            repays: pay a deficit from what is active, as settling would do.

        Returns:
            What they took by now, and how many points more than before.
        """
        known = self.accounts
        again = retaken(
            self._lots(unit), known.deficits.get(unit, 0), before, owned, at,
            may_owe=may_owe, repays=repays,
        )  # fmt: skip
        by_lot = {lot_id: (points, 0) for lot_id, points in again.moved.items()}
        counted = dict(again.after.reversed)
        for item in owned:
            # For tiers these points no longer count, whoever paid for them. What a correction
            # took from the count already is not taken from it twice.
            lot, had = known.lots[item.lot_id], before.reversed.get(item.lot_id, 0)
            others = lot.reversed - had
            counted[item.lot_id] = min(item.target, lot.amount - others)
            more = counted[item.lot_id] - had
            by_lot[item.lot_id] = (again.moved.get(item.lot_id, 0), more)
        for lot_id, (points, more) in by_lot.items():
            if points or more:
                self._put(known.lots[lot_id].moved(points, reversed_by=more))
        entries = [
            self._member_entry(unit, points, lot_id) for lot_id, points in again.moved.items()
        ]
        if again.deficit_by:
            known.deficits[unit] = known.deficits.get(unit, 0) + again.deficit_by
            entries.append(self._member_entry(unit, -again.deficit_by))
        if again.taken:
            entries.append(Entry(self._next_id(), Account.ISSUED, unit, again.taken))
        if entries:
            kind = TransactionKind.REVERSE if again.taken else TransactionKind.REPAY
            self._record(kind, entries, at, cause)
        return replace(again.after, reversed=counted), again.taken

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
        others.sort(key=lambda lot: lot.drawn_by)
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
