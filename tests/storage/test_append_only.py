"""The database itself refuses to change what was booked."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from loyalty.cli.embedded import PostgresServer
from loyalty.clock import SystemClock
from loyalty.storage.database import Database, open_database
from loyalty.storage.effects import Effects
from loyalty.storage.schema import APPEND_ONLY, tables
from loyalty.storage.statements import Sql, Unit

pytestmark = pytest.mark.anyio

TABLES = sorted(APPEND_ONLY)


KEYS = [
    (table, "_".join(key))
    for table in TABLES
    for key in (tables()[table].key, *tables()[table].uniques)
]


def everything(rows: dict[str, dict[str, Any]]) -> Unit[None]:
    effects = Effects()
    for table, row in rows.items():
        effects.insert(table, row)
    yield effects


@pytest.fixture(scope="module")
async def bare_sqlite(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory, rows: dict[str, dict[str, Any]]
) -> AsyncIterator[sqlite3.Connection]:
    """A connection without any of our settings, as another program would open it."""
    sqlite_path = tmp_path_factory.mktemp("append-only") / "loyalty.sqlite3"
    shutil.copy(migrated_file, sqlite_path)
    async with await open_database(f"sqlite://{sqlite_path}", SystemClock()) as database:
        await database.write(lambda: everything(rows))
    connection = sqlite3.connect(sqlite_path, isolation_level=None)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
async def bare_postgres(
    postgres_server: PostgresServer, migrated_name: str, rows: dict[str, dict[str, Any]]
) -> AsyncIterator[Any]:
    """A connection of another program."""
    url = postgres_server.create_database("storage_append_only", template=migrated_name)
    async with await open_database(url, SystemClock()) as database:
        await database.write(lambda: everything(rows))
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()
    postgres_server.drop_database("storage_append_only")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", ["UPDATE {} SET tenant_id = 7", "DELETE FROM {}"])
async def test_a_unit_cannot_change_what_was_booked(
    filled: Database, table: str, change: str
) -> None:
    before = await filled.read(Sql(f"SELECT * FROM {table}")())

    def unit() -> Unit[None]:
        yield Sql(change.format(table))()

    with pytest.raises((sqlite3.IntegrityError, asyncpg.RestrictViolationError)) as caught:
        await filled.write(unit)

    assert f"{table} is append-only: {change[:6]} refused" in str(caught.value)
    assert await filled.read(Sql(f"SELECT * FROM {table}")()) == before


@pytest.mark.parametrize(("table", "key"), KEYS)
@pytest.mark.parametrize("recursive", ["ON", "OFF"])
async def test_sqlite_refuses_to_replace_by_any_key(
    bare_sqlite: sqlite3.Connection,
    rows: dict[str, dict[str, Any]],
    table: str,
    key: str,
    recursive: str,
) -> None:
    bare_sqlite.execute(f"PRAGMA recursive_triggers = {recursive}")
    before = bare_sqlite.execute(f"SELECT * FROM {table}").fetchall()
    # By another key than the primary: the same seq or version under another id.
    row = rows[table] if key == "tenant_id_id" else rows[table] | {"id": rows[table]["id"] + 1}
    names, marks = ", ".join(row), ", ".join("?" * len(row))

    for words in ("INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE"):
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE constraint failed"):
            bare_sqlite.execute(f"{words} INTO {table} ({names}) VALUES ({marks})", [*row.values()])

    assert bare_sqlite.execute(f"SELECT * FROM {table}").fetchall() == before


@pytest.mark.parametrize("table", TABLES)
async def test_sqlite_refuses_an_upsert_and_an_update_or_replace(
    bare_sqlite: sqlite3.Connection, rows: dict[str, dict[str, Any]], table: str
) -> None:
    row = rows[table]
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    upsert = (
        f"INSERT INTO {table} ({names}) VALUES ({marks})"
        " ON CONFLICT (tenant_id, id) DO UPDATE SET tenant_id = 8"
    )

    with pytest.raises(sqlite3.IntegrityError):
        bare_sqlite.execute(upsert, [*row.values()])
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        bare_sqlite.execute(f"UPDATE OR REPLACE {table} SET id = id + 1")
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        bare_sqlite.execute(f"SELECT rowid FROM {table}")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("role", ["origin", "replica"])
async def test_postgres_refuses_every_other_way(bare_postgres: Any, table: str, role: str) -> None:
    await bare_postgres.execute(f"SET session_replication_role = {role}")
    for change in (
        f"TRUNCATE {table} CASCADE",
        f"DELETE FROM {table} WHERE false",
        f"UPDATE {table} SET id = id + 1",
        f"INSERT INTO {table} SELECT * FROM {table}"
        " ON CONFLICT (tenant_id, id) DO UPDATE SET id = excluded.id",
        f"MERGE INTO {table} t USING {table} s ON t.id = s.id WHEN MATCHED THEN DELETE",
    ):
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await bare_postgres.execute(change)
    assert await bare_postgres.fetchval(f"SELECT count(*) FROM {table}") == 1
