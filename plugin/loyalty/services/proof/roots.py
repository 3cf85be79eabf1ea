"""The root of each day: one hash that everything booked up to its end is bound by.

A day is one of UTC. It is closed before its root is made, and nothing is ever booked into a
closed day:

1. ``Roots.make`` waits until the day has been over for ``MARGIN``, so that in the ordinary course
   no process still books into it.
2. It moves the tenant's mark ``ledger_closed_until`` to the day's end and commits. Every unit of
   work reads that mark in its first statement and books at the mark or later, whatever its clock
   says (``domain.book``): one that was stepped back, or runs behind, books at the day's end.
3. It waits for every transaction that was under way at that commit, the only ones that may not
   have seen the mark. On SQLite there is none: whoever writes has the file to itself.

What was booked before the mark is then there and can not become more, so holders may be read page
by page while the shop goes on.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant, micros
from loyalty.domain.books.merkle import (
    BEFORE_ALL,
    ChainEnd,
    Summit,
    Tree,
    day_of,
    end_of,
    leaf_of,
    root_hash,
)
from loyalty.errors import Unavailable
from loyalty.storage import roots as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.problems import DuplicateKey
from loyalty.storage.statements import Unit

MARGIN = timedelta(minutes=5)
"""How long a day has to be over before it is closed."""
WAIT_MAX = timedelta(seconds=30)
"""Units of work take milliseconds; what is open for longer is somebody's session."""
_LOOK_AGAIN = timedelta(milliseconds=20)
PAGE = 500
"""Holders read together."""
AFTER_ALL = "9999-99-99"
"""A day after every day."""


@dataclass(frozen=True, slots=True)
class Root:
    """What the whole ledger came to at the end of a day.

    ``holders`` with ``transactions`` between them had anything booked by then.
    """

    day: date
    root: bytes
    holders: int
    transactions: int
    made_at: datetime

    @property
    def published(self) -> str:
        """As it is published, and handed to the verifier."""
        return f"{self.day.isoformat()}:{self.root.hex()}"


class RootReader:
    """Reads roots, and what they are made of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, tenant_id: int, first: int, before: str = AFTER_ALL) -> list[Root]:
        """The latest roots, newest first; ``before`` a day as text."""
        rows = await self._database.read(sql.NEWEST(tenant_id, before, first))
        return [root_of(row) for row in rows]

    async def first_from(self, tenant_id: int, day: date) -> Root | None:
        """The root of the first day from ``day`` on that has one."""
        rows = await self._database.read(sql.FIRST_FROM(tenant_id, day.isoformat()))
        return root_of(rows[0]) if rows else None

    async def before(self, tenant_id: int, day: date) -> bytes:
        """The root before the one of ``day``."""
        rows = await self._database.read(sql.LATEST(tenant_id, day.isoformat()))
        return bytes(rows[0][1]) if rows else BEFORE_ALL

    async def ends(self, tenant_id: int, day: date) -> AsyncIterator[list[ChainEnd]]:
        """The ends of all chains at the end of a closed day, in pages and in order."""
        after, end = 0, end_of(day)
        while True:
            holders = await self._database.read(sql.CHAIN_ENDS(tenant_id, after, PAGE))
            if not holders:
                return
            after = holders[-1][0]
            found = {
                id: ChainEnd(id, seq, bytes(hash))
                for id, seq, hash, booked_at in holders
                if booked_at < micros(end)
            }
            moved = [row[0] for row in holders if row[0] not in found]
            if moved:
                for id, seq, hash in await self._database.read(
                    sql.ENDS_BEFORE(tenant_id, moved, end)
                ):
                    found[id] = ChainEnd(id, seq, bytes(hash))
            yield [found[id] for id in sorted(found)]

    async def summit(self, tenant_id: int, day: date) -> Summit:
        """The tree of a closed day, from the chains as they are stored."""
        tree, transactions = Tree(), 0
        async for page in self.ends(tenant_id, day):
            for end in page:
                tree.add(leaf_of(tenant_id, end))
                transactions += end.seq
        return Summit(tree.top, tree.size, transactions)

    async def differing(self, tenant_id: int) -> str | None:
        """What is wrong with the latest root, computed anew; None where it holds."""
        for root in await self.newest(tenant_id, 1):
            summit = await self.summit(tenant_id, root.day)
            previous = await self.before(tenant_id, root.day)
            found = root_hash(tenant_id, root.day, summit, previous)
            if (found, summit.holders, summit.transactions) != (
                root.root, root.holders, root.transactions,
            ):  # fmt: skip
                return f"root of {root.day}: the chains do not lead to it any more"
        return None


class Roots(RootReader):
    """Makes the roots of days that have ended.

    Args:
        wait_max: how long to wait for transactions that were under way when a day was closed.
    """

    def __init__(self, database: Database, clock: Clock, *, wait_max: timedelta = WAIT_MAX) -> None:
        super().__init__(database)
        self._clock = clock
        self._wait_max = wait_max

    async def make(self, tenant_id: int) -> list[Root]:
        """Make the roots that are due; returns those that were made now.

        After the first one every day gets its root, also days on which nobody came by. The
        first is that of the last day that is over: it covers all that came before it.

        Raises:
            Unavailable: a transaction from before the day was closed is still open.
        """
        now = self._clock.now()
        last = day_of(now - MARGIN) - timedelta(days=1)
        latest = await self._database.read(sql.LATEST(tenant_id, AFTER_ALL))
        day = date.fromisoformat(latest[0][0]) + timedelta(days=1) if latest else last
        previous = bytes(latest[0][1]) if latest else BEFORE_ALL
        if day > last:
            return []
        await self._close(tenant_id, end_of(last))
        made: list[Root] = []
        while day <= last:
            root = await self._made(tenant_id, day, previous, now)
            if root is None:
                break
            made.append(root)
            previous, day = root.root, day + timedelta(days=1)
        return made

    async def _close(self, tenant_id: int, end: datetime) -> None:
        """See to it that nothing more is booked before ``end``."""

        def unit() -> Unit[None]:
            yield sql.CLOSE(tenant_id, end)

        await self._database.write(unit)
        before = await self._under_way()
        deadline = asyncio.get_running_loop().time() + self._wait_max.total_seconds()
        while before & await self._under_way():
            if asyncio.get_running_loop().time() > deadline:
                raise Unavailable(
                    "a transaction that began before the day was closed is still open, so no root "
                    "was made; try again"
                )
            await asyncio.sleep(_LOOK_AGAIN.total_seconds())

    async def _under_way(self) -> set[str]:
        return {row[0] for row in await self._database.read(sql.UNDER_WAY())}

    async def _made(self, tenant_id: int, day: date, previous: bytes, now: datetime) -> Root | None:
        """The root of a closed day; None where there is nothing yet, or another was faster."""
        summit = await self.summit(tenant_id, day)
        if not summit.holders:
            return None
        hash = root_hash(tenant_id, day, summit, previous)
        root = Root(day, hash, summit.holders, summit.transactions, now)
        try:
            await self._database.write(lambda: self._kept(tenant_id, root))
        except DuplicateKey:
            return None
        return root

    def _kept(self, tenant_id: int, root: Root) -> Unit[None]:
        effects = Effects()
        effects.insert(
            "ledger_root",
            {
                "id": self._database.ids.next(),
                "tenant_id": tenant_id,
                "day": root.day.isoformat(),
                "root": root.root,
                "holders": root.holders,
                "transactions": root.transactions,
                "made_at": root.made_at,
            },
        )
        yield effects


def root_of(row: tuple[Any, ...]) -> Root:
    """A root from the columns of ``storage.roots.ROOTS``."""
    day, root, holders, transactions, made_at = row
    return Root(date.fromisoformat(day), bytes(root), holders, transactions, instant(made_at))
