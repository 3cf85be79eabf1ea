"""A shop with two programs behind the GraphQL endpoints, and the callers it has."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import httpx2
from corner_program import CORNER
from pydantic import SecretStr

from loyalty.cache import Cache, Event, open_cache
from loyalty.cache.memory import MemoryCache
from loyalty.clock import FixedClock
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.product import ProductFacts
from loyalty.domain.registry import built_in
from loyalty.secrets import SecretKey
from loyalty.services.access import Scope
from loyalty.services.books.door import outcome_of
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.orders.orders import BookOrder
from loyalty.services.services import Services, wire
from loyalty.settings import Settings
from loyalty.storage.database import Database, open_database
from loyalty.storage.statements import Row, Statement, Unit
from loyalty_graphql.admin.schema import schema as admin_schema
from loyalty_graphql.context import admin_context_factory, context_factory, may_introspect
from loyalty_graphql.documents import Documents
from loyalty_graphql.limits import Limits
from loyalty_graphql.storefront.schema import schema as storefront_schema
from loyalty_graphql.transport import GraphQLEndpoint

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = ROOT / "graphql/operations"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "a key for tests, of more than 32 characters"

PROGRAM = (
    CORNER.replace(
        "multiplier_bp = 20000",
        'multiplier_bp = 20000\nbenefits = [{ code = "line", name = "Own line" }]',
    )
    + """
[[rewards]]
code = "gold-ten"
name = "10 % for Gold"
does = { kind = "percentage_off", rate_bp = 1000 }
conditions = [{ kind = "tier_at_least", tier = "gold" }]
[tender]
point_type = "points"
points = 100
minor = 100
points_min = 10
[margin]
floor_bp = 1000
unknown_cost = "allow"
"""
)


class CountingDatabase(Database):
    """A database that counts what it is asked, statements asked at once as one."""

    reads = 0
    texts: list[str]

    @classmethod
    def over(cls, opened: Database) -> "CountingDatabase":
        """The same open database, counted."""
        counting = cls.__new__(cls)
        counting.__dict__ = opened.__dict__
        counting.texts = []
        return counting

    async def read(self, statement: Statement) -> list[Row]:
        self._count(statement)
        return await super().read(statement)

    async def read_at_once(self, *statements: Statement) -> Sequence[list[Row]]:
        """One question, whatever of."""
        self._count(statements[0])
        return await super().read_at_once(*statements)

    async def read_unit(self, make_unit: Any) -> Any:
        def counted() -> Unit[Any]:
            unit = make_unit()
            rows: list[Row] | None = None
            while True:
                try:
                    asked = unit.send(rows)
                except StopIteration as end:
                    return end.value
                self._count(asked)
                rows = yield asked

        return await super().read_unit(counted)

    def _count(self, statement: Any) -> None:
        self.reads += 1
        self.texts.append(str(getattr(statement, "sql", statement))[:120])


class ListenedCache(MemoryCache):
    """A cache that says when somebody listens, and when nobody does any more."""

    def __init__(self) -> None:
        super().__init__(monotonic)
        self.is_listened_to = asyncio.Event()
        self.is_left = asyncio.Event()

    @asynccontextmanager
    async def subscribe(self, *channels: str) -> AsyncIterator[AsyncIterator[Event]]:
        try:
            async with super().subscribe(*channels) as events:
                self.is_listened_to.set()
                yield events
        finally:
            self.is_left.set()


@dataclass
class Caller:
    """Somebody with these credentials, or none."""

    client: httpx2.AsyncClient
    headers: Mapping[str, str]

    async def post(self, query: str, variables: Any = None, **more: Any) -> httpx2.Response:
        body = {"query": query, "variables": variables or {}, **more}
        return await self.client.post("/", json=body, headers=self.headers)

    async def ask(self, query: str, variables: Any = None, **more: Any) -> dict[str, Any]:
        """The whole answer."""
        answer: dict[str, Any] = (await self.post(query, variables, **more)).json()
        return answer

    async def data(self, query: str, variables: Any = None) -> Any:
        """The data of an answer without errors."""
        answer = await self.ask(query, variables)
        assert "errors" not in answer, answer
        return answer["data"]

    async def run(self, name: str, **variables: Any) -> Any:
        """A published document: the data of its one field."""
        (value,) = (await self.data(document(name), variables)).values()
        return value


@dataclass
class Program:
    """One tenant, its callers, and what happens in its shop."""

    shop: "ApiShop"
    tenant_id: int
    code: str
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def till(self) -> Caller:
        """A checkout service with every scope but the merchant's."""
        return self.caller(self.tokens["till"])

    @property
    def merchant(self) -> Caller:
        """The merchant, at the admin schema."""
        return self.caller(self.tokens["merchant"], admin=True)

    @property
    def anonymous(self) -> Caller:
        return Caller(self.shop.storefront, {"x-loyalty-program": self.code})

    def caller(self, token: str, *, admin: bool = False) -> Caller:
        client = self.shop.admin if admin else self.shop.storefront
        return Caller(client, {"authorization": f"Bearer {token}"})

    async def service(self, *scopes: str) -> Caller:
        """A service with these scopes."""
        name = "-".join(scopes).replace(":", "-")
        key = await self.shop.services.credentials.create_key(self.tenant_id, name, scopes)
        return self.caller(key.text)

    async def shopper(self, member: str) -> Caller:
        token, _ = await self.shop.services.credentials.mint(self.tenant_id, member, 3_600)
        return self.caller(token)

    async def enrol(self, member: str) -> None:
        profile = Profile({"name": member.title()}, {"profiling": True})
        command = Enrol(self.tenant_id, None, member, profile)
        outcome_of(await self.shop.services.door.submit(command))

    async def paid(
        self, order: str, member: str | None, minor: int, *, days_ago: int = 0, product: str = "tea"
    ) -> None:
        """An order that the shop reports as paid."""
        at = self.shop.clock.now() - timedelta(days=days_ago)
        paid = PaidOrder(order, member, "EUR", (OrderLine(product, 1, minor),), at)
        outcome_of(await self.shop.services.door.submit(BookOrder(self.tenant_id, paid, "test")))

    async def rich(self, member: str, points: int) -> Caller:
        """A member with points that can be spent, and its shopper."""
        await self.enrol(member)
        await self.paid(f"seed-{member}", member, points * 100, days_ago=20)
        return await self.shopper(member)

    async def checked_out(self, order: str, key: str, **cart: Any) -> dict[str, Any]:
        """An order by quote, reserve and commit, each with this key; the quote.

        Args:
            cart: what ``checkoutQuote`` takes.
        """
        quoted = await self.till.run("checkout_quote", input=cart)
        assert quoted["userErrors"] == [], quoted
        quote: dict[str, Any] = quoted["quote"]
        held = await self.till.run(
            "checkout_reserve", input={"idempotencyKey": key, "quoteToken": quote["token"]}
        )
        paid = {name: quote["payable"][name] for name in ("amount", "currencyCode")}
        done = await self.till.run(
            "checkout_commit",
            input={"idempotencyKey": key, "reservationId": held["reservation"]["id"],
                   "orderExternalId": order, "paid": paid},
        )  # fmt: skip
        assert done["userErrors"] == [], done
        return quote

    async def stock(self, *products: ProductFacts) -> None:
        await self.shop.services.catalogue.upsert(self.tenant_id, products)

    def product(self, name: str, **more: Any) -> ProductFacts:
        facts: dict[str, Any] = {"name": name.title(), "price_minor": 1_000, "currency": "EUR"}
        return ProductFacts(external_id=name, said_at=self.shop.clock.now(), **facts | more)


@dataclass
class ApiShop:
    """Both endpoints over one set of services, with two programs."""

    services: Services
    clock: FixedClock
    database: CountingDatabase
    cache: Cache
    storefront_endpoint: GraphQLEndpoint
    storefront: httpx2.AsyncClient
    admin: httpx2.AsyncClient
    programs: list[Program] = field(default_factory=list)

    async def reads(self, caller: Caller, query: str, variables: Any = None) -> int:
        """How many statements an answer takes."""
        before = self.database.reads
        self.database.texts.clear()
        await caller.data(query, variables)
        return self.database.reads - before


DOCUMENTS = {
    name: Documents(schema._schema, Limits())
    for name, schema in (("storefront", storefront_schema), ("admin", admin_schema))
}
"""What the shops of this process have read: reading a document takes longer than answering it."""

SCOPES = [scope for scope in Scope if scope is not Scope.ADMIN]


@asynccontextmanager
async def api_shop(
    database_url: str,
    data_dir: Path,
    *,
    cache: Cache | None = None,
    environment: str = "production",
) -> AsyncIterator[ApiShop]:
    """A shop on an empty database, open until the end of the block."""
    clock = FixedClock(START)
    settings = Settings(
        environment=environment,  # type: ignore[arg-type]  # pydantic checks it
        data_dir=data_dir,
        secret_key=SecretStr(SECRET),
    )
    cache = cache or open_cache(None)
    async with await open_database(database_url, clock, migrate=True) as opened:
        database = CountingDatabase.over(opened)
        services = wire(
            settings,
            clock=clock,
            database=database,
            cache=cache,
            registry=built_in(),
            secret=SecretKey(SECRET),
        )
        allow = may_introspect(services)
        storefront = GraphQLEndpoint(
            storefront_schema, context_factory(services), allow_introspection=allow
        )
        admin = GraphQLEndpoint(
            admin_schema, admin_context_factory(services), allow_introspection=allow
        )
        storefront.engine.documents = DOCUMENTS["storefront"]
        admin.engine.documents = DOCUMENTS["admin"]
        async with _client(storefront) as one, _client(admin) as two:
            shop = ApiShop(services, clock, database, cache, storefront, one, two)
            for code in ("corner", "other"):
                shop.programs.append(await _program(shop, code))
            try:
                yield shop
            finally:
                await services.door.drained()
                await cache.close()


def document(name: str, schema: str = "storefront") -> str:
    """The text of a published document."""
    return (OPERATIONS / schema / f"{name}.graphql").read_text(encoding="utf-8")


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currencyCode": "EUR"}


def line(id: str, product: str, quantity: int, price: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "product": product, "quantity": quantity, "unitPrice": eur(price), **more}


def _client(endpoint: GraphQLEndpoint) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(endpoint), base_url="http://shop")


async def _program(shop: ApiShop, code: str) -> Program:
    services = shop.services
    tenant = await services.tenants.create(code, code.title())
    await services.rulesets.publish(tenant.id, PROGRAM, "test")
    program = Program(shop, tenant.id, code)
    for name, scopes in (("till", SCOPES), ("merchant", [Scope.ADMIN])):
        key = await services.credentials.create_key(tenant.id, name, scopes)
        program.tokens[name] = key.text
    return program
