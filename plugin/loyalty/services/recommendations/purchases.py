"""A tenant's purchases as columns of numbers, read page by page.

A line becomes two numbers as soon as its page is there, so that no more Python objects live at
once than a page has. Where there is room for so many lines only, the oldest days make way.
"""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from loyalty.storage import interactions as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Sql
from loyalty_recommender.arrays import DAY_S, AnyArray, Indices, Mask
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.vocabulary import Vocabulary

PAGE_ROWS = 20_000
"""Rows read at once: on PostgreSQL a page is unpacked on the event loop, in about 10 ms."""
PAGE_ORDERS = 2_000
"""Orders of which something came back, looked at together."""
MICROS = 1_000_000

Rows = list[tuple[Any, ...]]

LinesMax = Callable[[int, int], int]
"""From how many members and products there are to how many lines there is room for."""


@dataclass(frozen=True, slots=True)
class Purchases:
    """What was read, and what there was no room for."""

    interactions: Interactions
    visits_left_out: int
    """Visits (one member on one day) that were too old to fit."""
    lines_left_out: int
    """Their lines."""


@dataclass(slots=True)
class _Orders:
    """Pages of orders; columns are ``id``, ``member_id``, epoch seconds, and whether something came
    back.
    """

    pages: list[AnyArray] = field(default_factory=list)

    def add(self, rows: Rows) -> None:
        table = np.array(rows, dtype=np.int64)
        table[:, 2] //= MICROS
        self.pages.append(table)

    def joined(self) -> AnyArray:
        return np.concatenate(self.pages) if self.pages else np.empty((0, 4), dtype=np.int64)


@dataclass(slots=True)
class _Newest:
    """Lines as positions of their order and product, those of the newest days only."""

    order_ids: AnyArray
    member: Indices
    """(orders,)"""
    day: Indices
    """(orders,)"""
    position: dict[str, int]
    """Of each product that may be learned."""
    lines_max: int | None
    returned: AnyArray
    """Ids of lines that came back whole."""
    pages: list[tuple[Indices, Indices]] = field(default_factory=list)
    from_day: int = np.iinfo(np.int32).min
    """Lines of earlier days do not fit."""
    held: int = 0
    dropped: int = 0
    too_old: Mask = field(init=False)
    """(orders,) whether an order had lines that were left out."""

    def __post_init__(self) -> None:
        self.too_old = np.zeros(len(self.order_ids), dtype=np.bool_)

    def add(self, rows: Rows) -> None:
        """Keep the lines whose order and product are known."""
        if not len(self.order_ids):
            return
        wanted = np.fromiter((row[1] for row in rows), np.int64, len(rows))
        product = np.fromiter((self.position.get(row[2], -1) for row in rows), np.int32, len(rows))
        order = np.minimum(np.searchsorted(self.order_ids, wanted), len(self.order_ids) - 1)
        known = (self.order_ids[order] == wanted) & (product >= 0)
        if len(self.returned):
            ids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
            known &= ~np.isin(ids, self.returned)
        self._hold(order[known].astype(np.int32), product[known])
        # A quarter more than there is room for, so that the sorting out is seldom.
        if self.lines_max is not None and self.held > self.lines_max + self.lines_max // 4:
            self.make_room()

    def make_room(self) -> None:
        """Leave out the oldest days, whole, until the rest fits."""
        if self.lines_max is None or self.held <= self.lines_max:
            return
        order, product = self.columns()
        days, counts = np.unique(self.day[order], return_counts=True)
        newer = np.cumsum(counts[::-1])[::-1]
        fits = days[newer <= self.lines_max]
        self.from_day = int(fits[0]) if len(fits) else int(days[-1]) + 1
        self.pages.clear()
        self.held = 0
        self._hold(order, product)

    def columns(self) -> tuple[Indices, Indices]:
        """Order and product of every line held."""
        if not self.pages:
            return np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32)
        orders, products = zip(*self.pages, strict=True)
        return np.concatenate(orders), np.concatenate(products)

    def visits_left_out(self) -> int:
        """Visits of the lines that were left out."""
        rows = np.stack((self.member[self.too_old], self.day[self.too_old]))
        return len(np.unique(rows, axis=1).T)

    def _hold(self, order: Indices, product: Indices) -> None:
        fits = self.day[order] >= self.from_day
        self.too_old[order[~fits]] = True
        self.dropped += int((~fits).sum())
        self.held += int(fits.sum())
        self.pages.append((order[fits], product[fits]))


async def purchases(
    database: Database,
    tenant_id: int,
    *,
    utc_offset_s: int,
    departments: Collection[str] | None,
    read: Callable[[int, int], None],
    lines_max: LinesMax | None = None,
) -> Purchases:
    """All purchases of members that the catalogue knows, as the recommender learns from them.

    Members go by their internal id: a member that is erased leaves a number behind that names
    nobody, so no model has to be trained again.

    Args:
        utc_offset_s: the shop's time minus UTC in seconds.
        departments: only products of these; None for all.
        read: told after each page how many lines have been read, of how many.
        lines_max: how many lines there is room for; the oldest days beyond are left out.

    Raises:
        BadInteractions: there are none.
    """
    position, products, attributes = await _products(database, tenant_id, departments)
    orders = _Orders()
    await _paged(database, sql.ORDERS, tenant_id, orders.add)
    table = await asyncio.to_thread(orders.joined)
    orders.pages.clear()
    members, member = await asyncio.to_thread(Vocabulary.encode, table[:, 1])
    day = ((table[:, 2] + utc_offset_s) // DAY_S).astype(np.int32)
    room = None if lines_max is None else lines_max(len(members), len(products))
    returned = await _returned(database, tenant_id, table[table[:, 3] != 0, 0])
    lines = _Newest(table[:, 0].copy(), member.astype(np.int32), day, position, room, returned)
    whole = (await database.read(sql.LINES_COUNT(tenant_id)))[0][0]
    count = 0

    def add(rows: Rows) -> None:
        nonlocal count
        count += len(rows)
        lines.add(rows)
        read(count, max(whole, count))

    await _paged(database, sql.LINES, tenant_id, add)

    def built() -> Purchases:
        lines.make_room()
        of_order, product = lines.columns()
        interactions = Interactions.from_indices(
            members,
            products,
            lines.member[of_order],
            product,
            table[of_order, 2],
            utc_offset_s=utc_offset_s,
        )
        return Purchases(
            replace(interactions, attributes=attributes), lines.visits_left_out(), lines.dropped
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


async def _returned(database: Database, tenant_id: int, orders: AnyArray) -> AnyArray:
    """Of orders of which something came back, the lines that came back whole."""
    found: list[int] = []
    for start in range(0, len(orders), PAGE_ORDERS):
        ids = orders[start : start + PAGE_ORDERS].tolist()
        found += [id for (id,) in await database.read(sql.RETURNED(tenant_id, ids))]
    return np.array(found, dtype=np.int64)


async def _products(
    database: Database, tenant_id: int, departments: Collection[str] | None
) -> tuple[dict[str, int], Vocabulary, Attributes]:
    """Position of each product that may be learned, the vocabulary it is a position in, and what
    the products are."""
    wanted = None if departments is None else frozenset(departments)
    kinds: dict[str, tuple[str | None, ...]] = {}

    def add(rows: Rows) -> None:
        for _, name, *told in rows:
            if wanted is None or told[0] in wanted:
                kinds[name] = tuple(told)

    await _paged(database, sql.PRODUCTS, tenant_id, add)

    def ordered() -> tuple[dict[str, int], Vocabulary, Attributes]:
        vocabulary = Vocabulary.of(kinds)
        names = vocabulary.texts()
        told = [kinds[name] for name in names]
        department, category, type_, brand = ([each[at] for each in told] for at in range(4))
        attributes = Attributes.of_names(department, category, type_, brand)
        return {name: at for at, name in enumerate(names)}, vocabulary, attributes

    return await asyncio.to_thread(ordered)
