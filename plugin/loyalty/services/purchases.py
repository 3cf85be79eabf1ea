"""A tenant's purchases as columns of numbers, read page by page.

A line becomes three numbers as soon as its page is there, so that no more Python objects live at
once than a page has.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from loyalty.storage import interactions as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Sql
from loyalty_recommender.arrays import AnyArray, Indices
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.vocabulary import Vocabulary

PAGE_ROWS = 20_000
"""Rows read at once: on PostgreSQL a page is unpacked on the event loop, in about 10 ms."""
MICROS = 1_000_000

Rows = list[tuple[Any, ...]]


@dataclass(slots=True)
class _Columns:
    """Pages of equally long columns, joined at the end."""

    pages: list[tuple[AnyArray, ...]] = field(default_factory=list)

    def joined(self, number: int) -> AnyArray:
        found = [page[number] for page in self.pages]
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


async def purchases(
    database: Database,
    tenant_id: int,
    *,
    utc_offset_s: int,
    departments: Collection[str] | None,
    read: Callable[[int], None],
) -> Interactions:
    """All purchases of members that the catalogue knows, as the recommender learns from them.

    Members go by their internal id: a member that is erased leaves a number behind that names
    nobody, so no model has to be trained again.

    Args:
        utc_offset_s: the shop's time minus UTC in seconds.
        departments: only products of these; None for all.
        read: told after each page how many lines have been read.

    Raises:
        BadInteractions: there are none.
    """
    position, products = await _products(database, tenant_id, departments)
    orders = _Columns()
    await _paged(database, sql.ORDERS, tenant_id, lambda rows: _add_orders(orders, rows))
    ids, member_ids, times = (orders.joined(number) for number in range(3))
    members, member_of_order = await asyncio.to_thread(Vocabulary.encode, member_ids)
    lines = _Columns()
    count = 0

    def add(rows: Rows) -> None:
        nonlocal count
        count += len(rows)
        _add_lines(lines, rows, ids, position)
        read(count)

    await _paged(database, sql.LINES, tenant_id, add)

    def built() -> Interactions:
        of_order, product = lines.joined(0), lines.joined(1)
        return Interactions.from_indices(
            members,
            products,
            member_of_order[of_order],
            product,
            times[of_order],
            utc_offset_s=utc_offset_s,
        )

    return await asyncio.to_thread(built)


async def _paged(
    database: Database, statement: Sql, tenant_id: int, add: Callable[[Rows], None]
) -> None:
    """Hand over every page in turn, in a thread; the first column is the key they are read by."""
    after = 0
    while rows := await database.read(statement(tenant_id, after, PAGE_ROWS)):
        after = rows[-1][0]
        await asyncio.to_thread(add, rows)
        if len(rows) < PAGE_ROWS:
            return


async def _products(
    database: Database, tenant_id: int, departments: Collection[str] | None
) -> tuple[dict[str, int], Vocabulary]:
    """Position of each product that may be learned, and the vocabulary it is a position in."""
    wanted = None if departments is None else frozenset(departments)
    names: list[str] = []

    def add(rows: Rows) -> None:
        names.extend(row[1] for row in rows if wanted is None or row[2] in wanted)

    await _paged(database, sql.PRODUCTS, tenant_id, add)

    def ordered() -> tuple[dict[str, int], Vocabulary]:
        vocabulary = Vocabulary.of(names)
        return {name: at for at, name in enumerate(vocabulary.texts())}, vocabulary

    return await asyncio.to_thread(ordered)


def _add_orders(orders: _Columns, rows: Rows) -> None:
    table = np.array(rows, dtype=np.int64)
    orders.pages.append((table[:, 0], table[:, 1], table[:, 2] // MICROS))


def _add_lines(lines: _Columns, rows: Rows, order_ids: AnyArray, position: dict[str, int]) -> None:
    """Keep the lines whose order and product are known, as positions of both."""
    if not len(order_ids):
        return
    wanted = np.fromiter((row[1] for row in rows), np.int64, len(rows))
    product = np.fromiter((position.get(row[2], -1) for row in rows), np.int32, len(rows))
    order = np.minimum(np.searchsorted(order_ids, wanted), len(order_ids) - 1)
    kept = (order_ids[order] == wanted) & (product >= 0)
    lines.pages.append((_indices(order[kept]), product[kept]))


def _indices(column: AnyArray) -> Indices:
    return column.astype(np.int32)
