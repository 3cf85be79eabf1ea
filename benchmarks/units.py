"""Units of work per second, as a ratio to the same writes by the bare driver in the same run.

A unit locks a member, reads its lots, and books a transaction with two entries, a lot, the
account, the member and an idempotency key, durably. "grouped" books 32 of them in one unit.

    .venv/bin/python benchmarks/units.py
"""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg

from loyalty.cli.embedded import embedded_postgres
from loyalty.clock import SystemClock
from loyalty.storage.bulk import parts, postgres_text, sqlite_text
from loyalty.storage.database import Database, open_database, sqlite_path
from loyalty.storage.effects import Effects
from loyalty.storage.postgres_driver import SESSION
from loyalty.storage.sqlite_driver import connected
from loyalty.storage.statements import Sql, Unit

MEMBERS = 256
GROUP = 32
SECONDS = 2
ROUNDS = 3

LOCK = Sql(
    "SELECT id, seq FROM member WHERE tenant_id = $1 AND id = ANY($2::bigint[])"
    " ORDER BY id FOR NO KEY UPDATE"
)
LOTS = Sql(
    "SELECT id, remaining FROM lot"
    " WHERE tenant_id = $1 AND member_id = ANY($2::bigint[]) AND ends_at > $3"
)
FAR = 253_000_000_000_000_000


def shop(members: list[int]) -> Unit[None]:
    effects = Effects()
    effects.insert("tenant", {"id": 1, "code": "bench", "name": "Bench", "created_at": 0})
    for id in members:
        effects.insert(
            "member",
            {
                "id": id, "tenant_id": 1, "external_id": f"m{id}", "state": "ACTIVE",
                "joined_at": 0, "hash": bytes(32), "settled_at": 0, "booked_at": 0,
                "next_change_at": FAR, "tier": "basic", "tier_since": 0,
            },
        )  # fmt: skip
        effects.insert("account", (id, 1, id, "points", 0, 0))
    yield effects


def booked(effects: Effects, next_id: Callable[[], int], member: int, seq: int) -> None:
    transaction, lot = next_id(), next_id()
    effects.insert(
        "ledger_transaction",
        (transaction, 1, member, seq, "EARN", None, None, None, None, 1, 0, 0, bytes(32)),
    )
    for account, amount, in_lot in (("MEMBER", 100, lot), ("ISSUED", -100, None)):
        effects.insert(
            "ledger_entry",
            (next_id(), 1, transaction, account, "points", amount, in_lot, None, None),
        )
    # Ended long ago, so that reading the lots costs the same from first to last.
    effects.insert("lot", (lot, 1, member, "points", 100, 100, 0, 0, 0, 0, 1, None))
    effects.update("account", 1, member, balance=100 * seq)
    effects.update("member", 1, member, seq=seq, version=seq, hash=bytes(32), booked_at=seq)
    effects.insert(
        "idempotency", (next_id(), 1, "shop", "earn", f"k{transaction}", "0" * 64, "{}", 0)
    )


def unit(next_id: Callable[[], int], members: list[int]) -> Unit[None]:
    rows = yield LOCK(1, members)
    yield LOTS(1, members, 1)
    effects = Effects()
    for id, seq in rows:
        booked(effects, next_id, id, seq + 1)
    yield effects


async def per_second(clients: int, of_client: Callable[[int], Awaitable[None]]) -> int:
    """Runs of ``of_client(number)`` per second, by that many clients at once."""
    done = 0
    until = time.perf_counter() + SECONDS

    async def client(number: int) -> None:
        nonlocal done
        while time.perf_counter() < until:
            await of_client(number)
            done += 1

    await asyncio.gather(*(client(number) for number in range(clients)))
    return round(done / SECONDS)


async def ours(database: Database, members: list[int], clients: int, group: int) -> int:
    async def run(number: int) -> None:
        first = number * group % MEMBERS
        chosen = members[first : first + group]
        await database.write(lambda: unit(database.ids.next, chosen))

    return group * await per_second(clients, run)


def bare_sqlite(url: str, members: list[int], group: int, next_id: Callable[[], int]) -> int:
    connection = connected(sqlite_path(url), for_writing=True)
    done, until = 0, time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        connection.execute("BEGIN IMMEDIATE")
        effects = Effects()
        for member in members[:group]:
            query = "SELECT id, seq FROM member WHERE tenant_id = ? AND id = ?"
            (row,) = connection.execute(query, (1, member)).fetchall()
            query = "SELECT id FROM lot WHERE tenant_id = ? AND member_id = ? AND ends_at > ?"
            connection.execute(query, (1, member, 1)).fetchall()
            booked(effects, next_id, row[0], row[1] + 1)
        for part, rows in parts(effects):
            for values in rows:
                connection.execute(sqlite_text(part), values)
        connection.execute("COMMIT")
        done += group
    connection.close()
    return round(done / SECONDS)


async def bare_postgres(
    url: str, members: list[int], clients: int, group: int, next_id: Callable[[], int]
) -> int:
    """The same texts, prepared, one connection per client."""
    connections = [
        await asyncpg.connect(url, server_settings=SESSION) for _ in range(min(clients, 10))
    ]
    idle: asyncio.LifoQueue[asyncpg.Connection] = asyncio.LifoQueue()
    for connection in connections:
        idle.put_nowait(connection)

    async def run(number: int) -> None:
        first = number * group % MEMBERS
        chosen = members[first : first + group]
        connection = await idle.get()
        await connection.execute("BEGIN")
        rows = await connection.fetch(LOCK.postgres, 1, chosen)
        await connection.fetch(LOTS.postgres, 1, chosen, 1)
        effects = Effects()
        for id, seq in rows:
            booked(effects, next_id, id, seq + 1)
        shapes, of_shape = zip(*parts(effects), strict=True)
        arrays = [column for rows in of_shape for column in zip(*rows, strict=True)]
        await connection.fetch(postgres_text(shapes), *arrays)
        await connection.execute("COMMIT")
        idle.put_nowait(connection)

    result = group * await per_second(clients, run)
    for connection in connections:
        await connection.close()
    return result


async def measured(url: str) -> None:
    async with await open_database(url, SystemClock(), migrate=True) as database:
        members = list(itertools.islice(iter(database.ids.next, None), MEMBERS))
        await database.write(lambda: shop(members))
        for clients, group in ((1, 1), (64, 1), (1, GROUP)):
            # In turns and the best of each, because other work comes and goes on the machine.
            found = bare = 0
            for _ in range(ROUNDS):
                found = max(found, await ours(database, members, clients, group))
                if database.dialect == "sqlite":
                    again = bare_sqlite(url, members, group, database.ids.next)
                else:
                    again = await bare_postgres(url, members, clients, group, database.ids.next)
                bare = max(bare, again)
            print(
                f"{database.dialect:9} {clients:3} clients, {group:2} a unit: {found:6}/s,"
                f" bare driver {bare:6}/s, ratio {found / bare:.2f}"
            )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measured(f"sqlite://{folder}/bench.sqlite3"))
        with embedded_postgres(Path(folder) / "pg", durable=True) as server:
            asyncio.run(measured(server.create_database("bench")))


if __name__ == "__main__":
    main()
