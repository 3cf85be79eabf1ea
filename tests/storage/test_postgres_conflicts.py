"""What PostgreSQL does to a unit: deadlocks, waits, lost connections, restarts."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import asyncpg
import pytest

from loyalty.cli.embedded import PostgresServer
from loyalty.clock import SystemClock
from loyalty.errors import Unavailable
from loyalty.storage.database import Database, open_database
from loyalty.storage.effects import Effects
from loyalty.storage.postgres_driver import PostgresDriver
from loyalty.storage.statements import Sql, Unit

pytestmark = pytest.mark.anyio

TENANTS = (1, 2)
LOCK = Sql("SELECT catalogue_version FROM tenant WHERE id = $1 FOR UPDATE")
VERSIONS = Sql("SELECT catalogue_version FROM tenant ORDER BY id")


def two_tenants() -> Unit[None]:
    effects = Effects()
    for id in TENANTS:
        effects.insert("tenant", {"id": id, "code": f"t{id}", "name": "T", "created_at": 0})
    yield effects


def one_more(id: int) -> Unit[None]:
    ((version,),) = yield LOCK(id)
    effects = Effects()
    effects.update("tenant", id, catalogue_version=version + 1)
    yield effects


@pytest.fixture
async def url(postgres_server: PostgresServer, migrated_name: str) -> AsyncIterator[str]:
    name = "storage_conflicts"
    yield postgres_server.create_database(name, template=migrated_name)
    postgres_server.drop_database(name)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    async with await open_database(url, SystemClock()) as opened:
        await opened.write(two_tenants)
        yield opened


async def test_units_that_lock_in_opposite_order_both_succeed(database: Database) -> None:
    tries = []

    def both(first: int, second: int) -> Unit[None]:
        tries.append(first)
        yield from one_more(first)
        # Long enough for the other to have its first lock as well.
        yield Sql("SELECT pg_sleep(0.2)")()
        yield from one_more(second)

    async with anyio.create_task_group() as group:
        group.start_soon(database.write, lambda: both(1, 2))
        group.start_soon(database.write, lambda: both(2, 1))

    assert len(tries) == 3
    assert await database.read(VERSIONS()) == [(2,), (2,)]


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03"])
async def test_what_the_database_undoes_is_run_again(database: Database, code: str) -> None:
    tries = []

    def unit() -> Unit[None]:
        yield from one_more(1)
        tries.append(1)
        if len(tries) < 3:
            yield Sql(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$")()

    await database.write(unit)

    assert (len(tries), await database.read(VERSIONS())) == (3, [(1,), (0,)])


async def test_a_lock_that_others_hold_too_long_is_waited_for_again(
    database: Database, url: str
) -> None:
    other = await asyncpg.connect(url)
    driver = PostgresDriver(url, writers=1, readers=1, lock_timeout_ms=50)
    await driver.open()
    tries: list[int] = []
    tried_twice = anyio.Event()

    def unit() -> Unit[None]:
        tries.append(1)
        if len(tries) == 3:
            tried_twice.set()
        yield from one_more(1)

    await other.execute("BEGIN; UPDATE tenant SET name = 'held' WHERE id = 1")
    async with anyio.create_task_group() as group:
        group.start_soon(driver.write, unit)
        await tried_twice.wait()
        await other.execute("COMMIT")

    assert len(tries) >= 3
    assert await database.read(VERSIONS()) == [(1,), (0,)]
    await other.close()
    await driver.close()


async def test_a_connection_lost_in_the_middle_is_not_noticed(database: Database) -> None:
    tries = []

    def unit() -> Unit[None]:
        yield from one_more(1)
        tries.append(1)
        if len(tries) == 1:
            yield Sql("SELECT pg_terminate_backend(pg_backend_pid())")()

    await database.write(unit)

    assert (len(tries), await database.read(VERSIONS())) == (2, [(1,), (0,)])


async def test_a_connection_lost_in_the_commit_leaves_the_outcome_to_the_key(
    database: Database, url: str
) -> None:
    other = await asyncpg.connect(url)
    await other.execute(
        """CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
           CREATE CONSTRAINT TRIGGER die AFTER UPDATE ON tenant DEFERRABLE INITIALLY DEFERRED
           FOR EACH ROW WHEN (NEW.id = 2) EXECUTE FUNCTION die()"""
    )
    tries = []

    def unit() -> Unit[None]:
        tries.append(1)
        yield from one_more(2)

    with pytest.raises(Unavailable, match="outcome is not known; ask again with the same key"):
        await database.write(unit)

    assert len(tries) == 1
    await database.write(lambda: one_more(1))
    assert await database.read(VERSIONS()) == [(1,), (0,)]
    await other.close()


async def test_no_connection_is_left_in_a_transaction_by_cancelled_callers(
    database: Database, url: str
) -> None:
    for _ in range(20):
        async with anyio.create_task_group() as group:
            for id in (1, 2, 1, 2):
                group.start_soon(database.write, lambda id=id: one_more(id))
            await database.ping()
            group.cancel_scope.cancel()
    other = await asyncpg.connect(url)

    left = await other.fetch(
        "SELECT state FROM pg_stat_activity"
        " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
    )

    assert left == []
    await other.close()


@pytest.fixture
async def own_server(servers_folder: Path) -> AsyncIterator[PostgresServer]:
    folder = servers_folder / "storage-restart"
    with PostgresServer(folder, durable=True) as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)


async def test_a_server_that_is_away_is_said_to_be_and_found_again(
    own_server: PostgresServer,
) -> None:
    url = own_server.create_database("restart")
    async with await open_database(url, SystemClock(), migrate=True) as database:
        await database.write(two_tenants)
        own_server.kill()

        with pytest.raises(Unavailable, match="try again"):
            await database.write(lambda: one_more(1))
        with pytest.raises(Unavailable):
            await database.read(VERSIONS())
        with pytest.raises(Unavailable):
            await database.ping()

        own_server.start()
        await database.write(lambda: one_more(1))
        assert await database.read(VERSIONS()) == [(1,), (0,)]
