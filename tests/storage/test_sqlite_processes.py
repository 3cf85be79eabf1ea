"""Several processes on one SQLite file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import pytest

from loyalty.clock import SystemClock
from loyalty.errors import Unavailable
from loyalty.storage.database import Database, open_database
from loyalty.storage.problems import ServerAlreadyRunning
from loyalty.storage.sqlite_driver import SqliteDriver
from loyalty.storage.statements import Sql, Unit

pytestmark = pytest.mark.anyio

HOLD_THE_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE id_lease SET next_node = next_node + 100")
print("held", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
print("done", flush=True)
"""
CLAIM = """
import asyncio, sys
from loyalty.clock import SystemClock
from loyalty.storage.database import open_database

async def main():
    async with await open_database(sys.argv[1], SystemClock()) as database:
        database.claim_server()
        print("claimed", flush=True)
        sys.stdin.readline()

asyncio.run(main())
"""
NODE = """
import asyncio, sys
from loyalty.clock import FixedClock
from loyalty.storage.database import open_database
from datetime import datetime, UTC

async def main():
    clock = FixedClock(datetime(2026, 11, 21, tzinfo=UTC))
    async with await open_database(sys.argv[1], clock, migrate=True) as database:
        print(*(database.ids.next() for _ in range(1500)))

asyncio.run(main())
"""

LEASE = Sql("UPDATE id_lease SET next_node = next_node + 1 WHERE id = 1 RETURNING next_node")
NEXT = Sql("SELECT next_node FROM id_lease")


def lease() -> Unit[int]:
    ((node,),) = yield LEASE()
    return int(node)


class Process:
    """A Python process that we talk with line by line."""

    def __init__(self, code: str, argument: str) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-c", code, argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    @property
    def pid(self) -> int:
        return self._child.pid

    def said(self) -> str:
        assert self._child.stdout
        return self._child.stdout.readline().strip()

    def go_on(self) -> None:
        assert self._child.stdin
        self._child.stdin.write("\n")
        self._child.stdin.flush()

    def kill(self) -> None:
        self._child.kill()
        self._child.communicate()


@pytest.fixture
def file(migrated_file: Path, sqlite_path: Path) -> Path:
    shutil.copy(migrated_file, sqlite_path)
    return sqlite_path


@pytest.fixture
def holder(file: Path) -> Iterator[Process]:
    """Another program that is in the middle of a write."""
    process = Process(HOLD_THE_LOCK, str(file))
    assert process.said() == "held"
    yield process
    process.kill()


@pytest.fixture
async def driver(file: Path) -> AsyncIterator[SqliteDriver]:
    opened = SqliteDriver(file, readers=1, busy_timeout_ms=50)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    async with await open_database(f"sqlite://{file}", SystemClock()) as opened:
        yield opened


async def test_a_writer_that_never_ends_is_not_waited_for_without_end(
    driver: SqliteDriver, holder: Process
) -> None:
    before = await driver.read(NEXT())

    with pytest.raises(Unavailable, match=r"another process was writing .* nothing happened"):
        await driver.write(lease)

    assert await driver.read(NEXT()) == before
    holder.go_on()
    assert holder.said() == "done"
    assert await driver.write(lease) == before[0][0] + 101


async def test_a_short_write_of_another_process_is_waited_for(
    database: Database, holder: Process
) -> None:
    before = await database.read(NEXT())
    async with anyio.create_task_group() as group:
        group.start_soon(database.write, lease)
        await database.ping()
        holder.go_on()

    assert await database.read(NEXT()) == [(before[0][0] + 101,)]


@pytest.fixture
def serving(file: Path) -> Iterator[Process]:
    process = Process(CLAIM, f"sqlite://{file}")
    assert process.said() == "claimed"
    yield process
    process.kill()


async def test_a_second_server_is_refused_and_a_command_is_not(
    serving: Process, database: Database
) -> None:
    with pytest.raises(ServerAlreadyRunning, match=rf"\(process {serving.pid}\)"):
        database.claim_server()

    assert await database.write(lease) > 0
    serving.kill()
    database.claim_server()
    database.claim_server()


async def test_a_server_that_ended_leaves_the_file_free(file: Path) -> None:
    url = f"sqlite://{file}"
    async with await open_database(url, SystemClock()) as first:
        first.claim_server()
        async with await open_database(url, SystemClock()) as second:
            with pytest.raises(ServerAlreadyRunning, match=str(os.getpid())):
                second.claim_server()
    async with await open_database(url, SystemClock()) as third:
        third.claim_server()


def test_processes_that_start_at_once_make_different_ids(database_url: str) -> None:
    """Also when they all have to make the schema first."""
    children = [Process(NODE, database_url) for _ in range(4)]
    ids = [id for child in children for id in child.said().split()]
    for child in children:
        child.kill()

    assert (len(ids), len(set(ids))) == (6000, 6000)
