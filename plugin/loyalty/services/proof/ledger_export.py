"""A tenant's ledger as JSON lines that a third party can check (``ledger_verifier.py``).

The format is docs/reference/ledger-export.md. Same state, same bytes: there is nothing in it that
does not follow from the ledger, no time of writing and no personal data. Holders come in pages,
each as it stood at one instant; roots are read first, so that every chain reaches them.
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from loyalty.domain.books.ledger import micros
from loyalty.domain.books.lots import NEVER
from loyalty.services.proof.roots import Root, root_of
from loyalty.storage import ledger_export as sql
from loyalty.storage import roots as roots_sql
from loyalty.storage import verify as ledger_sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Unit

FORMAT = "loyalty-ledger-export-1"
PAGE = 200
"""Holders read together, at one instant."""

_ENDLESS = micros(NEVER)


@dataclass(slots=True)
class Written:
    """What an export holds so far; its last line says so."""

    roots: int = 0
    holders: int = 0
    transactions: int = 0
    entries: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def count(self, lines: Iterable[bytes]) -> bytes:
        """Lines as they are written, counted into the digest."""
        text = b"".join(line + b"\n" for line in lines)
        self.digest.update(text)
        return text


async def export(
    database: Database,
    tenant_id: int,
    progress: Callable[[int], None] = lambda holders: None,
) -> AsyncIterator[bytes]:
    """The lines of an export, many at a time.

    Args:
        progress: told how many holders are done.
    """
    roots = [root_of(row) for row in await database.read(roots_sql.ROOTS(tenant_id))]
    written = Written(roots=len(roots))
    header = orjson.dumps({"format": FORMAT, "tenant": tenant_id})
    yield written.count([header, *map(_root_line, roots)])
    after = 0
    while True:
        page = await database.read_unit(partial(_page, tenant_id, after))
        if not page.holders:
            break
        # In a thread: writing a page takes long enough to hold up a server's other answers.
        yield await asyncio.to_thread(_text, page, written)
        after = page.holders[-1][0]
        progress(written.holders)
    yield _end(written)


def _end(written: Written) -> bytes:
    counts = {
        "roots": written.roots,
        "holders": written.holders,
        "transactions": written.transactions,
        "entries": written.entries,
    }
    return orjson.dumps({"end": counts, "sha256": written.digest.hexdigest()}) + b"\n"


@dataclass(slots=True)
class _Page:
    """Rows of some holders, by holder."""

    holders: list[tuple[Any, ...]]
    transactions: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    entries: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    lots: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    held: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)
    accounts: dict[int, list[tuple[Any, ...]]] = field(default_factory=dict)


def _page(tenant_id: int, after: int) -> Unit[_Page]:
    page = _Page(holders=(yield sql.HOLDERS(tenant_id, after, PAGE)))
    ids = [row[0] for row in page.holders]
    if ids:
        page.transactions = _grouped((yield ledger_sql.TRANSACTIONS(tenant_id, ids)), 1)
        page.entries = _grouped((yield ledger_sql.ENTRIES(tenant_id, ids)), 2)
        page.lots = _grouped((yield ledger_sql.LOTS(tenant_id, ids)), 0)
        page.held = _grouped((yield sql.HELD(tenant_id, ids)), 0)
        page.accounts = _grouped((yield ledger_sql.ACCOUNTS(tenant_id, ids)), 0)
    return page


def _grouped(rows: Sequence[tuple[Any, ...]], by: int) -> dict[int, list[tuple[Any, ...]]]:
    groups: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        groups[row[by]].append(row)
    return groups


def _text(page: _Page, written: Written) -> bytes:
    return written.count(_lines(page, written))


def _root_line(root: Root) -> bytes:
    return orjson.dumps(
        {
            "root": root.day.isoformat(),
            "hash": root.root.hex(),
            "holders": root.holders,
            "transactions": root.transactions,
        }
    )


def _lines(page: _Page, written: Written) -> Iterator[bytes]:
    for holder, _, end in page.holders:
        transactions = page.transactions.get(holder, [])
        header = {"holder": holder, "transactions": len(transactions), "end": bytes(end).hex()}
        yield orjson.dumps(header)
        for row in transactions:
            entries = page.entries.get(row[0], [])
            yield _transaction_line(row, entries)
            written.entries += len(entries)
        yield from _state_lines(holder, page)
        written.holders += 1
        written.transactions += len(transactions)


def _transaction_line(row: tuple[Any, ...], entries: Iterable[tuple[Any, ...]]) -> bytes:
    id, _, seq, kind, order, reservation, refund, version, effective, booked, hash = row
    return orjson.dumps(
        {
            "transaction": id,
            "seq": seq,
            "kind": kind,
            "order": order,
            "reservation": reservation,
            "refund": refund,
            "ruleset": version,
            "effective": effective,
            "booked": booked,
            "entries": [_entry(entry) for entry in entries],
            "hash": bytes(hash).hex(),
        }
    )


def _entry(row: tuple[Any, ...]) -> Sequence[Any]:
    """As short as it can be: no lot, no terms where there are none."""
    _, id, _, account, unit, amount, lot, available, expires = row
    if lot is None:
        return (id, account, unit, amount)
    if available is None:
        return (id, account, unit, amount, lot)
    return (id, account, unit, amount, lot, available, expires)


def _state_lines(holder: int, page: _Page) -> Iterator[bytes]:
    """What is stored beside the entries, and follows from them."""
    for row in sorted(page.lots.get(holder, ()), key=lambda row: int(row[1])):
        _, id, unit, amount, remaining, _reversed, _expired, available, ends = row
        lot = {"lot": id, "unit": unit, "amount": amount, "remaining": remaining}
        expires = None if ends == _ENDLESS else ends
        yield orjson.dumps({**lot, "available": available, "expires": expires})
    for _, reservation, lot_id, unit, amount in page.held.get(holder, ()):
        yield orjson.dumps({"hold": reservation, "lot": lot_id, "unit": unit, "amount": amount})
    for row in sorted(page.accounts.get(holder, ()), key=lambda row: str(row[1])):
        _, unit, balance, deficit = row
        yield orjson.dumps({"account": unit, "balance": balance, "deficit": deficit})
