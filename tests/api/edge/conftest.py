"""A small schema of the tests' own, and clients for it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import date, datetime

import httpx2
import pytest
import strawberry
from graphql import GraphQLSchema
from starlette.requests import HTTPConnection
from strawberry.permission import BasePermission

from loyalty.domain.points import Points
from loyalty.errors import InsufficientPoints, NotFound, Unavailable
from loyalty_graphql.errors import AuthenticationFailed, public_error
from loyalty_graphql.limits import Limits
from loyalty_graphql.money import Money, MoneyInput
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.scalars import (
    BigInt,
    CurrencyCode,
    DecimalText,
    ExternalId,
    IdempotencyKey,
    schema_config,
)
from loyalty_graphql.transport import GraphQLEndpoint, Origins

SECRET = "postgres://loyalty:hunter2@db/loyalty"
"""Text of an exception that no caller may read."""


@strawberry.type(description="A node with others below it.")
class Item:
    name: str = strawberry.field(description="Its name.")

    @strawberry.field(description="One more.")
    def child(self) -> "Item":
        return Item(name=self.name + ".")

    @strawberry.field(description="Three more.")
    def children(self) -> list["Item"]:
        return [Item(name=f"{self.name}.{place}") for place in range(3)]


class ServicesOnly(BasePermission):
    message = "services only"

    def has_permission(self, source: object, info: strawberry.Info, **kwargs: object) -> bool:
        return False


class KnownOnly(ServicesOnly):
    message = "log in first"
    error_extensions = {"code": "UNAUTHENTICATED"}  # noqa: RUF012 (Strawberry declares it so)


@strawberry.type(description="Questions.")
class Query:
    @strawberry.field(description="Says hello.")
    def hello(self, name: str = "world") -> str:
        return f"hello {name}"

    @strawberry.field(description="Who asks.")
    def viewer(self, info: strawberry.Info) -> str:
        return str(info.context["viewer"])

    @strawberry.field(description="One node.")
    def item(self) -> Item:
        return Item(name="i")

    @strawberry.field(description="A list of nodes.")
    def items(self, first: int | None = None, after: str | None = None) -> Connection[Item]:
        wanted = page("items", first, after, (int,))
        start = 0 if wanted.after is None else int(wanted.after[0]) + 1
        rows = list(range(start, 250))[: wanted.limit]
        return wanted.connection(rows, lambda row: Item(name=f"i{row}"), lambda row: (row,))

    @strawberry.field(description="Twice the amount.")
    def doubled(self, money: MoneyInput) -> Money:
        return Money.of(money.to_domain() * 2)

    @strawberry.field(description="Gives a value back.")
    def points(self, value: Points) -> Points:
        return value

    @strawberry.field(description="Gives a value back.")
    def big(self, value: BigInt) -> BigInt:
        return value

    @strawberry.field(description="Gives a value back.")
    def decimal(self, value: DecimalText) -> DecimalText:
        return value

    @strawberry.field(description="Gives a value back.")
    def currency(self, value: CurrencyCode) -> CurrencyCode:
        return value

    @strawberry.field(description="Gives a value back.")
    def moment(self, value: datetime) -> datetime:
        return value

    @strawberry.field(description="Gives a value back.")
    def day(self, value: date) -> date:
        return value

    @strawberry.field(description="Gives a value back.")
    def external(self, value: ExternalId) -> ExternalId:
        return value

    @strawberry.field(description="Gives a value back.")
    def key(self, value: IdempotencyKey) -> IdempotencyKey:
        return value

    @strawberry.field(description="A bug.")
    def bug(self) -> str | None:
        raise RuntimeError(SECRET)

    @strawberry.field(description="A bug of a required field.")
    def required_bug(self) -> str:
        raise RuntimeError(SECRET)

    @strawberry.field(description="A value no JSON holds.")
    def lone_surrogate(self) -> str:
        return "\ud800"

    @strawberry.field(description="A refusal.")
    def missing(self) -> str | None:
        raise NotFound("member", "m-1")

    @strawberry.field(description="A refusal with numbers.")
    def short(self) -> str | None:
        raise InsufficientPoints(requested=100, available=7)

    @strawberry.field(description="Not for shoppers.", permission_classes=[ServicesOnly])
    def guarded(self) -> str | None:
        return "secret"

    @strawberry.field(description="Not for strangers.", permission_classes=[KnownOnly])
    def coded(self) -> str | None:
        return "secret"

    @strawberry.field(description="Not for this caller.")
    def forbidden(self) -> str | None:
        raise public_error("not for you", "FORBIDDEN")


@strawberry.type(description="Changes.")
class Mutation:
    @strawberry.mutation(description="Counts calls.")
    def touch(self, info: strawberry.Info) -> int:
        info.context["touched"].append(1)
        return len(info.context["touched"])


@strawberry.type(description="Events.")
class Subscription:
    @strawberry.subscription(description="Counts up.")
    async def count(self, to: int = 3) -> AsyncGenerator[int, None]:
        for number in range(to):
            yield number

    @strawberry.subscription(description="Never says a word.")
    async def silence(self, info: strawberry.Info) -> AsyncGenerator[int, None]:
        info.context["listening"].append(1)
        try:
            await asyncio.Event().wait()
            yield 0
        finally:
            info.context["listening"].pop()

    @strawberry.subscription(description="Breaks after one event.")
    async def broken(self) -> AsyncGenerator[int, None]:
        yield 1
        raise RuntimeError(SECRET)


SCHEMA = strawberry.Schema(Query, Mutation, Subscription, config=schema_config())


class Edge:
    """An endpoint over the small schema and what its resolvers left behind."""

    def __init__(self, limits: Limits | None = None, origins: Origins | None = None) -> None:
        self.touched: list[int] = []
        self.listening: list[int] = []
        self.endpoint = GraphQLEndpoint(
            SCHEMA,
            self.context,
            limits=limits,
            allow_introspection=lambda context: context["viewer"] != "anonymous",
            origins=origins,
        )

    async def context(
        self, connection: HTTPConnection, authorization: str | None
    ) -> dict[str, object]:
        del connection
        if authorization == "Bearer stale":
            raise AuthenticationFailed("TOKEN_EXPIRED", "the token ran out; ask for a new one")
        if authorization == "Bearer down":
            raise Unavailable("the database does not answer")
        if authorization == "Bearer bug":
            raise RuntimeError(SECRET)
        viewer = (authorization or "Bearer anonymous").removeprefix("Bearer ")
        return {"viewer": viewer, "touched": self.touched, "listening": self.listening}

    def client(self) -> httpx2.AsyncClient:
        """A client speaking to the endpoint itself, without a network."""
        transport = httpx2.ASGITransport(self.endpoint)
        return httpx2.AsyncClient(transport=transport, base_url="http://edge")


Asked = Callable[..., Awaitable[httpx2.Response]]


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.fixture
def make_edge() -> type[Edge]:
    return Edge


@pytest.fixture
async def ask(edge: Edge) -> AsyncGenerator[Asked, None]:
    """Post a document; answers the response."""
    async with edge.client() as client:

        async def post(query: str, token: str | None = None, **more: object) -> httpx2.Response:
            headers = {"accept": "application/graphql-response+json"}
            if token:
                headers["authorization"] = f"Bearer {token}"
            return await client.post("/", json={"query": query, **more}, headers=headers)

        yield post


@pytest.fixture
def core_schema() -> GraphQLSchema:
    return SCHEMA._schema
