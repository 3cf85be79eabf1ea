"""The proof that an entry is part of what a day's published root stands for.

It is the entry's transaction as its chain hashes it, the transactions of its holder after it up to
the day's end, and the path from there to the root. ``ledger_verifier.py`` checks the proof's file.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from loyalty.domain.books.ledger import GENESIS, Cause, chain_text, instant
from loyalty.domain.books.merkle import ChainEnd, day_of, end_of, leaf_of, path
from loyalty.errors import NotFound
from loyalty.services.proof.roots import Root, Roots
from loyalty.services.proof.verify import entry_of
from loyalty.storage import ledger_proof as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Unit

FORMAT = "loyalty-ledger-proof-1"


@dataclass(frozen=True, slots=True)
class Covered:
    """Where the holder's chain stood at the end of a day, and how that leads to its root.

    ``previous`` is the root before it; ``index`` the holder's place among all, from 0; ``path``
    the siblings from the bottom up.
    """

    root: Root
    previous: bytes
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof of one entry. ``links`` are chain texts, the entry's own transaction first.

    Until a root covers it ``covered`` is None, and the links end where the chain does now.
    """

    tenant_id: int
    holder_id: int
    transaction_id: int
    entry_id: int
    links: tuple[str, ...]
    covered: Covered | None

    @property
    def file(self) -> str | None:
        """What the verifier reads: one line of JSON."""
        if self.covered is None:
            return None
        root = self.covered.root
        proof = {
            "format": FORMAT,
            "tenant": self.tenant_id,
            "holder": self.holder_id,
            "transaction": self.transaction_id,
            "entry": self.entry_id,
            "links": self.links,
            "index": self.covered.index,
            "path": [sibling.hex() for sibling in self.covered.path],
            "day": root.day.isoformat(),
            "holders": root.holders,
            "transactions": root.transactions,
            "previous": self.covered.previous.hex(),
            "root": root.root.hex(),
        }
        return orjson.dumps(proof).decode() + "\n"


class Proofs:
    """Makes proofs."""

    def __init__(self, database: Database, roots: Roots) -> None:
        self._database = database
        self._roots = roots

    async def of_entry(self, tenant_id: int, entry_id: int, day: date | None = None) -> Proof:
        """The proof of an entry, against the root of ``day`` or the first that covers it.

        Raises:
            NotFound: no such entry, or no root of that day that covers it.
        """
        rows = await self._database.read(sql.TRANSACTION_OF(tenant_id, entry_id))
        if not rows:
            raise NotFound("entry")
        return await self._proof(tenant_id, rows[0][0], entry_id, day)

    async def of_transaction(self, tenant_id: int, id: int, day: date | None = None) -> Proof:
        """The proof of a transaction, by its first entry. Raises NotFound."""
        ((entry_id,),) = await self._database.read(sql.FIRST_ENTRY(tenant_id, id))
        if entry_id is None:
            raise NotFound("transaction")
        return await self._proof(tenant_id, id, entry_id, day)

    async def _proof(self, tenant_id: int, id: int, entry_id: int, day: date | None) -> Proof:
        ((holder_id, seq, booked_at),) = await self._database.read(sql.PLACE(tenant_id, id))
        booked_on = day_of(instant(booked_at))
        root = await self._roots.first_from(tenant_id, day or booked_on)
        if day is not None and (root is None or root.day != day or day < booked_on):
            raise NotFound("root that covers the entry", day.isoformat())
        links = await self._database.read_unit(
            lambda: _links(tenant_id, holder_id, seq, None if root is None else root.day)
        )
        covered = None
        if root is not None:
            ends = [end async for page in self._roots.ends(tenant_id, root.day) for end in page]
            index, siblings = await asyncio.to_thread(_way, tenant_id, holder_id, ends)
            previous = await self._roots.before(tenant_id, root.day)
            covered = Covered(root, previous, index, siblings)
        return Proof(tenant_id, holder_id, id, entry_id, links, covered)


def _way(tenant_id: int, holder_id: int, ends: list[ChainEnd]) -> tuple[int, tuple[bytes, ...]]:
    index = [end.holder_id for end in ends].index(holder_id)
    return index, path([leaf_of(tenant_id, end) for end in ends], index)


def _links(tenant_id: int, holder_id: int, seq: int, day: date | None) -> Unit[tuple[str, ...]]:
    """Chain texts from the transaction ``seq`` on, up to the end of ``day``."""
    until = 2**62 if day is None else end_of(day)
    before = yield sql.HASH(tenant_id, holder_id, seq - 1)
    previous = bytes(before[0][0]) if before else GENESIS
    rows = yield sql.LINKS(tenant_id, holder_id, seq, until)
    entries: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for entry in (yield sql.ENTRIES(tenant_id, holder_id, [row[0] for row in rows])):
        entries[entry[2]].append(entry)
    texts = []
    for (
        id,
        holder,
        place,
        kind,
        order,
        reservation,
        refund,
        version,
        effective,
        booked,
        end,
    ) in rows:
        texts.append(
            chain_text(
                previous, tenant_id, id, holder, place, kind, Cause(order, reservation, refund),
                version, instant(effective), instant(booked), map(entry_of, entries[id]),
            )
        )  # fmt: skip
        previous = bytes(end)
    return tuple(texts)
