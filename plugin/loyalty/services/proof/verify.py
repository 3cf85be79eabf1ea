"""Check a tenant's ledger from end to end: sums, lots, holds, orders, every member's chain.

Everything is computed anew from the entries and compared with what is stored beside them.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from loyalty.domain.books.ledger import (
    GENESIS,
    Account,
    Cause,
    Entry,
    LotTerms,
    TransactionKind,
    chained,
    instant,
    micros,
    sums,
)
from loyalty.domain.books.lots import NEVER
from loyalty.domain.units import is_gift
from loyalty.services.proof.roots import RootReader
from loyalty.services.proof.verify_orders import Spent, check_checkouts, check_orders
from loyalty.storage import verify as sql
from loyalty.storage.database import Database
from loyalty.storage.ledger import MEMBER
from loyalty.storage.statements import Unit

SPENDING = (TransactionKind.REDEEM, TransactionKind.RETURN)
PAGE = 200
"""Members looked at together, at most."""
PAGE_TRANSACTIONS = 1_000
"""Transactions looked at together: rows of a page are unpacked on the event loop in about 10 ms.
A member that has more alone is a page."""
PROBLEMS_MAX = 100
"""Problems told at most; the rest is counted."""


@dataclass(slots=True)
class Verification:
    """What a check saw. ``problems`` are sentences that name the row."""

    members: int = 0
    transactions: int = 0
    entries: int = 0
    problems: list[str] = field(default_factory=list)
    problems_more: int = 0

    @property
    def ok(self) -> bool:
        return not self.problems

    def wrong(self, problem: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(problem)
        else:
            self.problems_more += 1


async def verify(
    database: Database, tenant_id: int, progress: Callable[[int], None] = lambda members: None
) -> Verification:
    """Check every member of a tenant; each page of members is read at one instant.

    Args:
        progress: told how many members are done.
    """
    result = Verification()
    orphans = (await database.read(sql.ORPHANS(tenant_id)))[0][0]
    if orphans:
        result.wrong(f"{orphans} entries belong to no transaction")
    await check_checkouts(result.wrong, database, tenant_id)
    differing = await RootReader(database).differing(tenant_id)
    if differing:
        result.wrong(differing)
    after = 0
    while True:
        page = await database.read_unit(partial(_page, tenant_id, after))
        if not page.members:
            return result
        # In a thread: a page takes long enough to hold up a server's other answers.
        await asyncio.to_thread(_check_page, result, tenant_id, page)
        after = page.members[-1][0]
        progress(result.members)


@dataclass(slots=True)
class _Page:
    """Rows of some members, grouped by member."""

    members: list[tuple[Any, ...]]
    transactions: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    entries: dict[int, dict[int, list[tuple[Any, ...]]]] = field(default_factory=dict)
    lots: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    accounts: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    held: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    orders: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    elsewhere: list[tuple[Any, ...]] = field(default_factory=list)


def _check_page(result: Verification, tenant_id: int, page: _Page) -> None:
    for row in page.members:
        _check_member(result, tenant_id, row, page)


def _page(tenant_id: int, after: int) -> Unit[_Page]:
    page = _Page(members=_few((yield sql.MEMBERS(tenant_id, after, PAGE))))
    ids = [row[0] for row in page.members]
    if ids:
        page.transactions = _grouped((yield sql.TRANSACTIONS(tenant_id, ids)), 1)
        page.entries = {
            member: _grouped(rows, 2)
            for member, rows in _grouped((yield sql.ENTRIES(tenant_id, ids)), 0).items()
        }
        page.lots = _grouped((yield sql.LOTS(tenant_id, ids)), 0)
        page.accounts = _grouped((yield sql.ACCOUNTS(tenant_id, ids)), 0)
        page.held = _grouped((yield sql.HELD(tenant_id, ids)), 0)
        page.orders = _grouped((yield sql.ORDERS(tenant_id, ids)), 0)
        page.elsewhere = yield from _elsewhere(tenant_id, ids)
    return page


def _few(members: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The first members, as many as a page has room for; one at least."""
    room = PAGE_TRANSACTIONS
    for number, (_, transactions, *_) in enumerate(members):
        room -= transactions
        if room < 0:
            return members[: max(number, 1)]
    return members


def _elsewhere(tenant_id: int, ids: Sequence[int]) -> Unit[list[tuple[Any, ...]]]:
    """What members who were merged, at any time, redeemed for each other's orders."""
    known: set[int] = set()
    asked = list(ids)
    while asked:
        found = {id for pair in (yield sql.RELATIVES(tenant_id, asked)) for id in pair}
        asked = sorted(found - known - set(ids))
        known |= found
    return (yield sql.SPENT_ELSEWHERE(tenant_id, sorted(known))) if known else []


def _grouped(rows: Sequence[tuple[Any, ...]], by: int) -> dict[int, list[tuple[Any, ...]]]:
    groups: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        groups[row[by]].append(row)
    return dict(groups)


def _check_member(result: Verification, tenant_id: int, row: tuple[Any, ...], page: _Page) -> None:
    member_id, seq, end, holder_kind = row
    result.members += 1
    by_transaction = page.entries.get(member_id, {})
    previous = GENESIS
    entries: list[Entry] = []
    spent: dict[int, Spent] = defaultdict(Spent)
    number = booked_at = 0
    for number, transaction in enumerate(page.transactions.get(member_id, []), start=1):
        mine = [entry_of(item) for item in by_transaction.pop(transaction[0], [])]
        previous = _check_transaction(result, tenant_id, transaction, number, mine, previous)
        entries += mine
        if transaction[9] < booked_at:
            result.wrong(f"transaction {transaction[0]}: it is booked before the one before it")
        booked_at = transaction[9]
        _, _, _, kind, order_id, reservation_id, *_ = transaction
        is_gift_card = any(is_gift(entry.unit) for entry in mine)
        if kind in SPENDING and order_id is not None and not is_gift_card:
            spent[order_id].add(kind, reservation_id, mine)
    for chain, owner, order_id, kind, reservation_id, unit, points in page.elsewhere:
        if chain == member_id:
            spent.pop(order_id, None)
        elif owner == member_id:
            spent[order_id].count(kind, reservation_id, unit, int(points))
    if (number, previous) != (seq, bytes(end)):
        result.wrong(f"member {member_id}: the chain ends at {number}, the member says {seq}")
    _check_lots(result, member_id, page, entries)
    _check_sums(result, member_id, page, entries)
    if holder_kind != MEMBER:
        # A gift card pays for orders of others.
        return
    lots = {lot[1] for lot in page.lots.get(member_id, ())}
    check_orders(result.wrong, member_id, page.orders.get(member_id, ()), lots, spent)


def _check_transaction(
    result: Verification,
    tenant_id: int,
    row: tuple[Any, ...],
    number: int,
    entries: list[Entry],
    previous: bytes,
) -> bytes:
    id, member_id, seq, kind, order, reservation, refund, version, effective, booked, end = row
    result.transactions += 1
    result.entries += len(entries)
    if seq != number:
        result.wrong(f"transaction {id}: found sequence {seq}, wanted {number}")
    for unit, total in sums(entries).items():
        if total:
            result.wrong(f"transaction {id}: entries of {unit} sum to {total}, wanted 0")
    found = chained(
        previous,
        tenant_id,
        id,
        member_id,
        seq,
        kind,
        Cause(order, reservation, refund),
        version,
        instant(effective),
        instant(booked),
        entries,
    )
    if found != bytes(end):
        result.wrong(f"transaction {id}: its hash does not follow from what is stored")
    return bytes(end)


def _check_lots(result: Verification, member_id: int, page: _Page, entries: list[Entry]) -> None:
    """Every lot holds what its entries sum to, opened as its first entry says."""
    remaining: dict[int, int] = defaultdict(int)
    opened: dict[int, tuple[int, LotTerms]] = {}
    for entry in entries:
        if entry.account is Account.MEMBER and entry.lot_id is not None:
            remaining[entry.lot_id] += entry.amount
            if entry.opens is not None:
                opened[entry.lot_id] = (entry.amount, entry.opens)
    for row in page.lots.get(member_id, []):
        _, id, _unit, amount, left, _reversed, _expired, available_at, ends_at = row
        if remaining.pop(id, None) != left:
            result.wrong(f"lot {id}: {left} remain, its entries say otherwise")
        terms = opened.get(id)
        if terms is None:
            result.wrong(f"lot {id}: no entry opens it")
            continue
        wanted = (terms[0], micros(terms[1].available_at), micros(terms[1].expires_at or NEVER))
        if (amount, available_at, ends_at) != wanted:
            result.wrong(f"lot {id}: amount or dates differ from the entry that opened it")
    for id in remaining:
        result.wrong(f"lot {id}: entries move it, but it is not there")


def _check_sums(result: Verification, member_id: int, page: _Page, entries: list[Entry]) -> None:
    """Balances, deficits and holds are the sums of their entries."""
    balance: dict[str, int] = defaultdict(int)
    deficit: dict[str, int] = defaultdict(int)
    held: dict[str, int] = defaultdict(int)
    for entry in entries:
        if entry.account is Account.HELD:
            held[entry.unit] += entry.amount
        elif entry.account is Account.MEMBER:
            balance[entry.unit] += entry.amount
            if entry.lot_id is None:
                deficit[entry.unit] -= entry.amount
    for _, unit, stored, owed in page.accounts.get(member_id, []):
        if (stored, owed) != (balance.pop(unit, 0), deficit[unit]):
            result.wrong(f"member {member_id}: account {unit} differs from its entries")
    for unit, total in balance.items():
        if total:
            result.wrong(f"member {member_id}: no account for {total} of {unit}")
    open_holds = {unit: int(total) for _, unit, total in page.held.get(member_id, [])}
    for unit in sorted(set(held) | set(open_holds)):
        if held.get(unit, 0) != open_holds.get(unit, 0):
            result.wrong(
                f"member {member_id}: {held.get(unit, 0)} of {unit} are held, "
                f"open reservations say {open_holds.get(unit, 0)}"
            )


def entry_of(row: tuple[Any, ...]) -> Entry:
    """An entry from the columns of ``storage.verify.ENTRIES``."""
    _, id, _transaction, account, unit, amount, lot_id, available_at, expires_at = row
    opens = None
    if available_at is not None:
        expires = None if expires_at is None else instant(expires_at)
        opens = LotTerms(instant(available_at), expires)
    return Entry(id, Account(account), unit, amount, lot_id, opens)
