"""A database of the first schema, with a shop's life in it, brought up to date."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import asyncpg
import pytest

from loyalty.cli.embedded import PostgresServer
from loyalty.clock import SystemClock
from loyalty.storage import migrations
from loyalty.storage.database import open_database
from loyalty.storage.frozen_sql import statements
from loyalty.storage.statements import Sql

pytestmark = pytest.mark.anyio

FOLDER = Path(migrations.__file__).parent
RECORD = """CREATE TABLE tortoise_migrations (
    app VARCHAR(100) NOT NULL, name VARCHAR(255) NOT NULL, applied_at TIMESTAMPTZ NOT NULL)"""
RECORDED = "INSERT INTO tortoise_migrations VALUES ('loyalty', '0001_initial', '2026-03-01')"
LIFE = [
    "INSERT INTO tenant VALUES (1, 'corner', 'Corner', 0, 0, 1)",
    """INSERT INTO member (id, tenant_id, external_id, state, version, consent_email, consent_sms,
         consent_profiling, joined_at, seq, hash, settled_at, booked_at, next_change_at, tier,
         tier_since)
       VALUES (10, 1, 'ann', 'ACTIVE', 1, {no}, {no}, {no}, 1, 0, {hash}, 1, 1, 1, 'base', 1)""",
    "INSERT INTO lot VALUES (20, 1, 10, 'points', 100, 40, 0, 0, 1, 1, 9, NULL)",
    *(
        f"""INSERT INTO reservation VALUES ({30 + n}, 1, 10, 'c-{n}', '{state}', 'null', NULL,
              1, 2, 3)"""
        for n, state in enumerate(("HELD", "COMMITTED", "RELEASED", "EXPIRED", "REFUNDED"))
    ),
    *(f"INSERT INTO draw VALUES ({40 + n}, 1, {30 + n}, 20, 'points', 10, 0)" for n in range(5)),
]
DRAWS = Sql("SELECT id, holder_id, state FROM draw ORDER BY id")
WANTED = [
    (40, 10, "HELD"),
    (41, 10, "SPENT"),
    (42, 10, "GIVEN_BACK"),
    (43, 10, "GIVEN_BACK"),
    (44, 10, "SPENT"),
]


async def test_draws_learn_whose_they_are_on_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements((FOLDER / "0001_initial.sqlite.sql").read_text()):
        connection.execute(statement)
    for statement in (RECORD, RECORDED, *LIFE):
        connection.execute(statement.format(no=0, hash=f"x'{'00' * 32}'"))
    connection.close()

    async with await open_database(f"sqlite://{path}", SystemClock(), migrate=True) as opened:
        assert await opened.read(DRAWS()) == WANTED
        assert await opened.read(Sql("SELECT kind FROM member")()) == [("MEMBER",)]


async def test_draws_learn_whose_they_are_on_postgresql(postgres_server: PostgresServer) -> None:
    url = postgres_server.create_database("storage_old")
    connection = await asyncpg.connect(url)
    await connection.execute((FOLDER / "0001_initial.postgres.sql").read_text())
    for statement in (RECORD, RECORDED, *LIFE):
        await connection.execute(statement.format(no="FALSE", hash=f"'\\x{'00' * 32}'"))
    await connection.close()

    async with await open_database(url, SystemClock(), migrate=True) as opened:
        assert await opened.read(DRAWS()) == WANTED
        assert await opened.read(Sql("SELECT kind FROM member")()) == [("MEMBER",)]
    postgres_server.drop_database("storage_old")
