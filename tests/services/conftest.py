"""A small shop on a real database, driven through the services."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from corner_program import CORNER

from loyalty.cache.null import NullCache
from loyalty.clock import FixedClock
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import Money
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import Choice, Quote
from loyalty.domain.registry import built_in
from loyalty.ledger_verifier import Bad, Export
from loyalty.services.books.desk import Idempotent, MemberChanged, Verdict
from loyalty.services.books.door import Door
from loyalty.services.checkout.commit import Commit
from loyalty.services.checkout.reservations import Extend, Release, Reserve
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.members.summary import Member, Summaries
from loyalty.services.orders.orders import BookOrder
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.services.proof.ledger_export import export
from loyalty.services.proof.verify import verify
from loyalty.services.rulesets import Rulesets
from loyalty.services.tenants import Tenants
from loyalty.storage.database import Database, open_database

START = datetime(2026, 3, 1, 12, tzinfo=UTC)

PROGRAM = CORNER


class NoCache:
    """Keeps nothing."""

    async def get(self, tenant_id: int, member_id: int) -> bytes | None:
        return None

    async def put(self, tenant_id: int, member_id: int, version: int, value: bytes) -> None:
        return None


@dataclass
class Shop:
    """One tenant; every method is one thing a shop does."""

    tenant_id: int
    clock: FixedClock
    database: Database
    door: Door
    rulesets: Rulesets
    summaries: Summaries
    told: list[MemberChanged] = field(default_factory=list)
    keys: "count[int]" = field(default_factory=count)

    def key(self, operation: str, text: str | None = None, body: str = "") -> Idempotent:
        return Idempotent("till", operation, text or f"k{next(self.keys)}", body.ljust(64, "0"))

    async def enrol(self, name: str) -> Verdict:
        return await self.door.submit(Enrol(self.tenant_id, None, name, Profile()))

    async def paid(
        self, order: str, member: str | None, minor: int, at: datetime | None = None
    ) -> Verdict:
        lines = (OrderLine("tea", 1, minor),)
        paid = PaidOrder(order, member, "EUR", lines, at or self.clock.now())
        return await self.door.submit(BookOrder(self.tenant_id, paid, "test"))

    async def refund(self, order: str, refund: str, *, may_wait: bool = False) -> Verdict:
        command = RefundOrder(self.tenant_id, order, refund, None, None, may_wait=may_wait)
        return await self.door.submit(command)

    async def quote(self, member: str, cart: str, minor: int) -> Quote:
        ruleset = await self.rulesets.current(self.tenant_id)
        facts = (await self.member(member)).facts()
        basket = Cart(cart, "EUR", (CartLine("1", "tea", 1, minor),))
        return quote(ruleset, facts, basket, Choice(), self.clock.now())

    async def reserve(self, offered: Quote, key: Idempotent | None = None) -> Verdict:
        command = Reserve(self.tenant_id, key or self.key("reserve"), offered, None)
        return await self.door.submit(command)

    async def commit(
        self, reservation: object, order: str, minor: int, key: Idempotent | None = None
    ) -> Verdict:
        assert isinstance(reservation, int)
        once = key or self.key("commit")
        paid = Money(minor, "EUR")
        return await self.door.submit(Commit(self.tenant_id, once, reservation, order, paid, None))

    async def release(self, reservation: object) -> Verdict:
        assert isinstance(reservation, int)
        return await self.door.submit(Release(self.tenant_id, self.key("release"), reservation))

    async def extend(self, reservation: object, ttl_s: int) -> Verdict:
        assert isinstance(reservation, int)
        command = Extend(self.tenant_id, self.key("extend"), reservation, ttl_s)
        return await self.door.submit(command)

    async def member(self, name: str) -> Member:
        return await self.summaries.shown(self.tenant_id, name)

    async def points(self, name: str) -> tuple[int, int, int]:
        """Available, pending, held."""
        found = (await self.member(name)).balance("points")
        return found.available, found.pending, found.held

    async def rich_member(self, name: str, points: int) -> None:
        """A member with active points."""
        await self.enrol(name)
        await self.paid(f"seed-{name}", name, points * 100, self.clock.now() - timedelta(days=30))

    async def problems(self) -> Sequence[str]:
        """What is wrong with the books: by our own check and, where that finds nothing, by what a
        third party finds in an export."""
        found = (await verify(self.database, self.tenant_id)).problems
        if not found:
            text = b"".join([part async for part in export(self.database, self.tenant_id)])
            try:
                Export(text.splitlines(keepends=True), {}).check()
            except Bad as bad:
                return [f"export: {bad}"]
        return found


@pytest.fixture
async def shops(migrated_url: str) -> AsyncIterator[tuple[Shop, Shop]]:
    """Two tenants of one server."""
    clock = FixedClock(START)
    database = await open_database(migrated_url, clock)
    rulesets = Rulesets(database, NullCache(), built_in(), clock)
    made: list[Shop] = []
    for code in ("corner", "other"):
        tenant = await Tenants(database, clock).create(code, code)
        await rulesets.publish(tenant.id, PROGRAM, "test")
        told: list[MemberChanged] = []

        async def tell(changed: Sequence[MemberChanged], told: list[MemberChanged] = told) -> None:
            told.extend(changed)

        door = Door(database, clock, rulesets.known, tell)
        summaries = Summaries(database, clock, rulesets, NoCache())
        made.append(Shop(tenant.id, clock, database, door, rulesets, summaries, told))
    yield made[0], made[1]
    await database.close()


@pytest.fixture
def shop(shops: tuple[Shop, Shop]) -> Shop:
    return shops[0]
