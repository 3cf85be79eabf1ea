"""What a checkout costs: the CPU of a quote, and commits per second, durable.

    python benchmarks/checkout.py [--rounds 5] [--members 2048] [quote sqlite postgresql]

A quote is of 12 candidates and 20 lines. A commit turns a hold of two rewards' points into an order
of three lines with what it earned. It is measured through the service and through HTTP (a server
process, with the clients in another), by one client and by 64.

Yardsticks, in the same run, taking turns with ours in every round: on PostgreSQL its own pgbench,
calling one function that writes the same rows (``support/commit_function.sql``); on SQLite the same
writes, recorded from our units, by bare sqlite3 in one transaction each. What carries over from
machine to machine is the ratio of the medians.
"""

import argparse
import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import asyncpg
import structlog
import uvloop
from support.bench_shop import BenchShop, Waiting, opened_shop
from support.pgbench import PgBench
from support.quote_cost import quote_ms

from loyalty.cli.embedded import PostgresServer, embedded_postgres
from loyalty.services.access import Scope
from loyalty.storage.database import sqlite_path
from loyalty.storage.schema import tables
from loyalty.storage.statements import Sql
from support import bare_sqlite, http_clients

MANY = 64
"""Clients at once."""
ALONE = 256
"""Commits of a round by one client; by many there is one for each member."""
PGBENCH_EACH_MIN = 20
"""Fewest commits of a round by each of pgbench's connections, which are new in every round."""


@dataclass
class Table:
    """Rates by what was measured, a column for each round."""

    name: str
    rates: dict[str, list[float]] = field(default_factory=dict)

    def note(self, what: str, rate: float) -> None:
        self.rates.setdefault(what, []).append(rate)

    def show(self, yardsticks: dict[str, tuple[str, float | None]]) -> None:
        """Print medians, and ratios to the yardstick of each row that has one, with the aim."""
        print(f"{self.name:34} {'commits/s':>10} {'least':>8} {'most':>8} {'ratio':>7} {'aim':>6}")
        for what, rates in self.rates.items():
            ratio = aimed = ""
            if what in yardsticks:
                by, aim = yardsticks[what]
                ratio = f"{median(rates) / median(self.rates[by]):.2f}"
                aimed = "" if aim is None else f"{aim:.2f}"
            print(
                f"{what:34} {median(rates):10.0f} {min(rates):8.0f} {max(rates):8.0f}"
                f" {ratio:>7} {aimed:>6}",
                flush=True,
            )


async def service_rate(shop: BenchShop, waiting: list[Waiting], clients: int) -> float:
    """Commits per second through the service."""
    left = list(waiting)

    async def client() -> None:
        while left:
            await shop.commit(left.pop())

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return len(waiting) / (time.perf_counter() - began)


HttpRate = Callable[[list[Waiting], int], Awaitable[float]]


async def both_ways(table: Table, shop: BenchShop, http: HttpRate, members: int) -> None:
    """One round of ours: through the service and through HTTP, alone and by many."""
    for clients, count in ((1, min(ALONE, members)), (MANY, members)):
        who = "1 client" if clients == 1 else f"{clients} clients"
        table.note(f"service, {who}", await service_rate(shop, await shop.reserved(count), clients))
        table.note(f"HTTP, {who}", await http(await shop.reserved(count), clients))


async def http_rates(shop: BenchShop, port: int) -> HttpRate:
    scopes = [Scope.CHECKOUT_WRITE, Scope.CHECKOUT_QUOTE, Scope.MEMBERS_READ]
    key = await shop.services.credentials.create_key(shop.tenant_id, "bench", scopes)

    async def rate(waiting: list[Waiting], clients: int) -> float:
        return await http_clients.per_second(port, key.text, waiting, clients)

    return rate


async def on_sqlite(folder: Path, rounds: int, members: int) -> None:
    url = f"sqlite://{folder / 'bench.sqlite3'}"
    table, path = Table("SQLite"), sqlite_path(url)
    async with opened_shop(url, folder) as shop:
        with http_clients.serving(url, folder) as port:
            await shop.filled(members, orders=2 + rounds)
            http = await http_rates(shop, port)
            await service_rate(shop, await shop.reserved(members), MANY)
            for number in range(rounds):
                await both_ways(table, shop, http, members)
                waiting = await shop.reserved(min(ALONE, members))
                copy = bare_sqlite.copied(path, folder / f"copy-{number}.sqlite3")
                with bare_sqlite.Recorder(shop.services.database) as recorder:
                    await service_rate(shop, waiting, 1)
                table.note("bare sqlite3", bare_sqlite.per_second(copy, recorder.transactions))
                copy.unlink()
    table.show(
        {
            "service, 1 client": ("bare sqlite3", 0.5),
            f"service, {MANY} clients": ("bare sqlite3", 3),
            "HTTP, 1 client": ("bare sqlite3", None),
            f"HTTP, {MANY} clients": ("bare sqlite3", None),
        }
    )


async def on_postgres(server: PostgresServer, folder: Path, rounds: int, members: int) -> None:
    url = server.create_database("bench")
    table = Table("PostgreSQL")
    async with opened_shop(url, folder) as shop:
        with http_clients.serving(url, folder) as port:
            await shop.filled(members, orders=2 + rounds)
            http = await http_rates(shop, port)
            pgbench = PgBench(server, url, await shop.twin_filled(members), folder)
            await pgbench.prepare()
            await shop.reserved(1)
            many = MANY * max(PGBENCH_EACH_MIN, members // 20)
            for number in range(-1, rounds):
                # The first round is for the tables to have rows and for the plans to be made.
                counted = table if number >= 0 else Table("")
                await pgbench.ready(ALONE + many)
                await _analyzed(url)
                await both_ways(counted, shop, http, members)
                counted.note("pgbench, 1 client", pgbench.per_second(1, ALONE))
                counted.note(f"pgbench, {MANY} clients", pgbench.per_second(MANY, many))
            await _same_rows(shop, pgbench)
    table.show(
        {
            "service, 1 client": ("pgbench, 1 client", 0.35),
            f"service, {MANY} clients": (f"pgbench, {MANY} clients", 0.6),
            "HTTP, 1 client": ("pgbench, 1 client", None),
            f"HTTP, {MANY} clients": (f"pgbench, {MANY} clients", None),
        }
    )


async def _analyzed(url: str) -> None:
    """What autovacuum does within a minute, before each round instead of in the middle of one."""
    connection = await asyncpg.connect(url)
    await connection.execute("ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


async def _same_rows(shop: BenchShop, pgbench: PgBench) -> None:
    """The yardstick must write what ours writes, or it measures something else."""
    await pgbench.ready(1)
    before = await _rows_of(shop, pgbench.tenant_id)
    pgbench.per_second(1, 1)
    theirs = _difference(before, await _rows_of(shop, pgbench.tenant_id))
    (waiting,) = await shop.reserved(1)
    before = await _rows_of(shop, shop.tenant_id)
    await shop.commit(waiting)
    ours = _difference(before, await _rows_of(shop, shop.tenant_id))
    assert ours == theirs, f"a commit of ours adds {ours}, one of the function {theirs}"


async def _rows_of(shop: BenchShop, tenant_id: int) -> dict[str, int]:
    found = {}
    for name, table in tables().items():
        if "tenant_id" in table.names:
            count = Sql(f"SELECT count(*) FROM {name} WHERE tenant_id = $1")
            found[name] = (await shop.services.database.read(count(tenant_id)))[0][0]
    return found


def _difference(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - count for name, count in before.items() if after[name] != count}


def show_quote(rounds: int) -> None:
    taken = quote_ms(200 * rounds)
    cuts = quantiles(taken, n=100)
    print(f"{'a quote, 12 candidates, 20 lines':34} {'p50 ms':>10} {'p99 ms':>8}  of CPU")
    print(f"{'measured':34} {cuts[49]:10.2f} {cuts[98]:8.2f}")
    print(f"{'aim':34} {5:10.2f} {20:8.2f}", flush=True)


async def main(parts: list[str], rounds: int, members: int) -> None:
    if "quote" in parts:
        show_quote(rounds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "sqlite" in parts:
            await on_sqlite(folder, rounds, members)
        if "postgresql" in parts:
            with embedded_postgres(folder / "pg", durable=True) as server:
                await on_postgres(server, folder, rounds, members)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help="quote, sqlite, postgresql; all unless told")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--members", type=int, default=2048)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    chosen = given.parts or ["quote", "sqlite", "postgresql"]
    uvloop.run(main(chosen, given.rounds, given.members))
