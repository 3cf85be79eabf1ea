"""A holder's accounts as they were at a past moment, put together from the ledger.

There are two pasts. As *booked* by a moment is what was known then: the answer that was given
at it. As *effective* by a moment is what is known today of that moment: an order that arrived late
counts from when it was placed. docs/concepts/ledger.md defines both, figure by figure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from loyalty.domain.books.accounts import Accounts, Hold
from loyalty.domain.books.ledger import GENESIS, Account, Entry, TransactionKind, instant
from loyalty.domain.books.lots import NEVER, Draw, Lot
from loyalty.domain.tiers import Standing


class By(StrEnum):
    """Which time decides what had happened."""

    EFFECTIVE = "EFFECTIVE"
    BOOKED = "BOOKED"


class AsOf(NamedTuple):
    """A moment, and by which time."""

    at: datetime
    by: By

    def covers(self, effective_at: datetime, booked_at: datetime) -> bool:
        """Whether something had happened: at the moment itself it had."""
        return (booked_at if self.by is By.BOOKED else effective_at) <= self.at


class Booked(NamedTuple):
    """One transaction."""

    kind: str
    reservation_id: int | None
    order_id: int | None
    effective_at: datetime
    booked_at: datetime
    entries: tuple[Entry, ...]


class Reversed(NamedTuple):
    """Points of a lot that count for no tier any more; negative: that do again."""

    lot_id: int
    points: int
    effective_at: datetime
    booked_at: datetime


class Step(NamedTuple):
    """One change of tier: the tier before it and since when, the one after it and its grace."""

    at: datetime
    booked_at: datetime
    tier_from: str
    since_from: datetime
    after: Standing
    reason: str


@dataclass(frozen=True, slots=True)
class History:
    """All that is known of a holder.

    ``holds_end`` are the ends of reservations by id, ``standing`` and ``settled_at`` those of now.
    Transactions are in the chain's sequence, steps in theirs.
    """

    tenant_id: int
    holder_id: int
    transactions: tuple[Booked, ...]
    reversals: tuple[Reversed, ...]
    steps: tuple[Step, ...]
    holds_end: Mapping[int, datetime]
    standing: Standing
    settled_at: datetime


@dataclass(frozen=True, slots=True)
class Past:
    """Accounts of a past moment.

    ``judges_tier``: what time did to the tier since ``accounts.settled_at`` is still to be seen;
    else the standing is the one of the record.
    """

    accounts: Accounts
    judges_tier: bool


def accounts_as_of(history: History, as_of: AsOf) -> Past:
    """The accounts with what had happened by then; ``settle`` them up to the moment to look."""
    happened = [t for t in history.transactions if as_of.covers(t.effective_at, t.booked_at)]
    steps = [step for step in history.steps if as_of.covers(step.at, step.booked_at)]
    settled_at, judges = _settled(history, as_of, happened, steps)
    accounts = Accounts(
        tenant_id=history.tenant_id,
        member_id=history.holder_id,
        seq=len(happened),
        hash=GENESIS,
        settled_at=settled_at,
        booked_at=max((t.booked_at for t in happened), default=instant(0)),
        standing=_standing(history, steps),
    )
    _fill(accounts, happened)
    for reversal in history.reversals:
        lot = accounts.lots.get(reversal.lot_id)
        if lot is not None and as_of.covers(reversal.effective_at, reversal.booked_at):
            accounts.lots[lot.id] = replace(lot, reversed=lot.reversed + reversal.points)
    _hold(accounts, history, happened)
    return Past(accounts, judges)


def _settled(
    history: History, as_of: AsOf, happened: Iterable[Booked], steps: Iterable[Step]
) -> tuple[datetime, bool]:
    """Up to where the standing had been judged, and whether more is to be judged."""
    if as_of.at >= history.settled_at:
        return history.settled_at, True
    if as_of.by is By.EFFECTIVE:
        # All that time did up to then is on record by now.
        return as_of.at, False
    began = history.steps[0].since_from if history.steps else history.standing.since
    # A booking settles to its own moment or later, so this is where it had been judged at least;
    # judging the time since then once more comes to the same.
    moments = [began, *(t.effective_at for t in happened), *(step.at for step in steps)]
    return min(max(moments), as_of.at), True


def _standing(history: History, steps: list[Step]) -> Standing:
    if steps:
        return steps[-1].after
    if history.steps:
        first = history.steps[0]
        return Standing(first.tier_from, first.since_from, None)
    return history.standing


def _fill(accounts: Accounts, happened: Iterable[Booked]) -> None:
    """Lots, balances and deficits, as the entries sum."""
    lots = accounts.lots
    for transaction in happened:
        for entry in transaction.entries:
            if entry.account is not Account.MEMBER:
                continue
            unit, amount = entry.unit, entry.amount
            accounts.balances[unit] = accounts.balances.get(unit, 0) + amount
            if entry.lot_id is None:
                accounts.deficits[unit] = accounts.deficits.get(unit, 0) - amount
            elif entry.opens is not None:
                lots[entry.lot_id] = Lot(
                    entry.lot_id, unit, amount, amount, 0, 0, transaction.effective_at,
                    entry.opens.available_at, entry.opens.expires_at, transaction.order_id,
                )  # fmt: skip
            elif entry.lot_id in lots:
                expires = transaction.kind == TransactionKind.EXPIRE
                lots[entry.lot_id] = _moved(lots[entry.lot_id], amount, expires=expires)


def _moved(lot: Lot, by: int, *, expires: bool) -> Lot:
    # By effective time some moves may be there whose causes are not: no law holds half-way.
    return Lot(
        lot.id, lot.unit, lot.amount, lot.remaining + by, lot.reversed,
        lot.expired - by if expires else lot.expired, lot.earned_at, lot.available_at,
        lot.expires_at, lot.order_id,
    )  # fmt: skip


def _hold(accounts: Accounts, history: History, happened: list[Booked]) -> None:
    """Open holds: what was drawn for a reservation and neither given back nor spent."""
    open_: dict[int, dict[int, Draw]] = {}
    for transaction in happened:
        if transaction.reservation_id is None:
            continue
        draws = open_.setdefault(transaction.reservation_id, {})
        if transaction.kind == TransactionKind.HOLD:
            for entry in transaction.entries:
                if entry.lot_id is not None:
                    draws[entry.lot_id] = Draw(entry.lot_id, entry.unit, -entry.amount)
        elif transaction.kind in (TransactionKind.RELEASE, TransactionKind.REDEEM):
            draws.clear()
    ends = _ends(history, {id(each) for each in happened})
    for reservation_id, draws in open_.items():
        if draws:
            accounts.holds[reservation_id] = Hold(
                reservation_id, ends.get(reservation_id, NEVER), tuple(draws.values())
            )


def _ends(history: History, happened: set[int]) -> dict[int, datetime]:
    """Until when holds stood, as far as it matters before they came to their end.

    One that was given back later stood until then, whether time gave it back or somebody. One
    that was spent later was alive when it was; of one that is open still the reservation tells.
    """
    ends = dict(history.holds_end)
    later: dict[int, datetime] = {}
    for transaction in history.transactions:
        reservation = transaction.reservation_id
        if reservation is None or id(transaction) in happened or reservation in later:
            continue
        if transaction.kind == TransactionKind.RELEASE:
            later[reservation] = transaction.effective_at
        elif transaction.kind == TransactionKind.REDEEM:
            later[reservation] = NEVER
    return ends | later
