"""What a shopper's home page costs: card, tier, balance, three windows and the history.

    python benchmarks/home_query.py [--rounds 20] [--calls 25]

The published document, through the endpoint and its limits, without a network. On SQLite and
PostgreSQL, with the cache switched off, in the process, and in Valkey. All kinds take turns within
each round, so the ratios carry over from machine to machine; the milliseconds do not. The yardstick
is a raw ASGI application that answers with the same bytes after one look-up in Valkey.
"""

import argparse
import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time
from typing import Any

import orjson
import structlog
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from loyalty.cache import Cache, open_cache
from loyalty.cli.embedded import embedded_postgres, embedded_valkey
from loyalty.clock import FixedClock
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.product import ProductFacts
from loyalty.domain.registry import built_in
from loyalty.secrets import SecretKey
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.orders.orders import BookOrder
from loyalty.services.services import Services, wire
from loyalty.settings import Settings
from loyalty.storage.database import open_database
from loyalty_graphql.context import context_factory
from loyalty_graphql.storefront.schema import schema
from loyalty_graphql.transport import GraphQLEndpoint

ROOT = Path(__file__).resolve().parent.parent
HOME = (ROOT / "graphql/operations/storefront/home.graphql").read_text(encoding="utf-8")
PROGRAM = (ROOT / "examples/grocery.toml").read_text(encoding="utf-8")
SECRET = "a key for measurements, of more than 32 characters"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MEMBERS, PRODUCTS, VISITS = 60, 400, 40


class Caller:
    """One shopper that asks the same again and again."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._body = orjson.dumps({"query": HOME})
        self._headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(self._body)).encode()),
            (b"authorization", b"Bearer " + token.encode()),
        ]
        self.wall_ms: list[float] = []
        self.cpu_ms: list[float] = []

    async def ask(self) -> bytes:
        """The answer's body."""
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": self._body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "POST", "path": "/", "query_string": b"",
            "headers": self._headers,
        }  # fmt: skip
        await self._app(scope, receive, send)
        assert sent[0]["status"] == 200, sent
        return b"".join(message.get("body", b"") for message in sent[1:])

    async def round(self, calls: int) -> None:
        began_cpu = process_time()
        for _ in range(calls):
            began = perf_counter()
            await self.ask()
            self.wall_ms.append((perf_counter() - began) * 1e3)
        self.cpu_ms.append((process_time() - began_cpu) / calls * 1e3)


class Yardstick:
    """The same bytes after one look-up."""

    def __init__(self, cache: Cache, key: str) -> None:
        self._cache = cache
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        body = await self._cache.get(self._key)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body or b""})


@asynccontextmanager
async def serving(url: str, cache: Cache, data_dir: Path) -> AsyncIterator[Services]:
    clock = FixedClock(NOW)
    settings = Settings(data_dir=data_dir, secret_key=SecretStr(SECRET))
    async with await open_database(url, clock, migrate=True) as database:
        yield wire(
            settings,
            clock=clock,
            database=database,
            cache=cache,
            registry=built_in(),
            secret=SecretKey(SECRET),
        )
        await cache.close()


async def filled(services: Services) -> None:
    """A shop with habits to learn from, and a model that learned them."""
    tenant = await services.tenants.create("demo", "Demo")
    await services.rulesets.publish(tenant.id, PROGRAM, "benchmark")
    products = [
        ProductFacts(f"p-{n}", f"Product {n}", NOW, "USD", category=f"C{n % 20}", price_minor=499)
        for n in range(PRODUCTS)
    ]
    await services.catalogue.upsert(tenant.id, products)
    profile = Profile({"name": "Ann"}, {"profiling": True})
    began = NOW - timedelta(days=300)
    await services.door.execute(
        tenant.id, [Enrol(tenant.id, None, f"m-{n}", profile, began) for n in range(MEMBERS)]
    )
    for visit in range(VISITS):
        at = began + timedelta(days=7 * visit)
        orders = [
            PaidOrder(
                f"o-{member}-{visit}",
                f"m-{member}",
                "USD",
                tuple(
                    OrderLine(f"p-{(member * 13 + step * (1 + visit % 5)) % PRODUCTS}", 1, 1_250)
                    for step in range(6)
                ),
                at,
            )
            for member in range(MEMBERS)
        ]
        commands = [BookOrder(tenant.id, each, "benchmark", as_of_order=True) for each in orders]
        await services.door.execute(tenant.id, commands)
    await services.trainer.train(tenant.id)


async def main(rounds: int, calls: int) -> None:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        valkey = stack.enter_context(embedded_valkey(folder / "valkey"))
        server = stack.enter_context(embedded_postgres(folder / "postgres", durable=True))
        callers: dict[str, Caller] = {}
        for name, url in (
            ("SQLite", f"sqlite://{folder / 'loyalty.sqlite3'}"),
            ("PostgreSQL", server.create_database("home")),
        ):
            async with serving(url, open_cache("off"), folder / name) as services:
                await filled(services)
            for kind, cache_url in (("off", "off"), ("in process", None), ("Valkey", valkey)):
                cache = open_cache(cache_url)
                services = await stack.enter_async_context(serving(url, cache, folder / name))
                token, _ = await services.credentials.mint(1, "m-7", 86_400)
                app = GraphQLEndpoint(schema, context_factory(services))
                callers[f"{name}, cache {kind}"] = Caller(app, token)
        answer = await next(iter(callers.values())).ask()
        check(answer)
        cache = open_cache(valkey)
        await cache.put("l1:other:yardstick", answer, 3_600)
        yardstick = Caller(Yardstick(cache, "l1:other:yardstick"), "")
        callers["raw ASGI, one look-up"] = yardstick
        for caller in callers.values():
            await caller.round(20)
            caller.wall_ms.clear()
            caller.cpu_ms.clear()
        for _ in range(rounds):
            for caller in callers.values():
                await caller.round(calls)
        await cache.close()
        show(callers, yardstick, len(answer))


def check(answer: bytes) -> None:
    """A home page without its parts would be cheap."""
    data = orjson.loads(answer)["data"]
    assert len(data["member"]["history"]["nodes"]) == 10
    for window in ("forYou", "buyAgain", "trending"):
        assert data[window]["strategy"] != "popularity" or window != "forYou", data[window]
        assert data[window]["items"], window


def show(callers: dict[str, Caller], yardstick: Caller, size: int) -> None:
    print(f"the home page, {size} bytes; milliseconds, and throughput as a ratio to the yardstick")
    print(f"{'':28} {'p50':>7} {'p95':>7} {'p99':>7} {'CPU':>7} {'ratio':>7}")
    base = median(yardstick.cpu_ms)
    for name, caller in callers.items():
        cuts = quantiles(caller.wall_ms, n=100)
        cpu = median(caller.cpu_ms)
        print(
            f"{name:28} {cuts[49]:7.2f} {cuts[94]:7.2f} {cuts[98]:7.2f} {cpu:7.2f} "
            f"{base / cpu:7.3f}"
        )


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--calls", type=int, default=25)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    asyncio.run(main(given.rounds, given.calls))
