"""Bringing a database up to date, and saying so when it is not."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from tortoise.context import TortoiseContext
from tortoise.migrations.autodetector import MigrationAutodetector

from loyalty.clock import SystemClock
from loyalty.errors import LoyaltyError
from loyalty.storage.database import Database, open_database
from loyalty.storage.migrate import tortoise_config
from loyalty.storage.problems import BadUrl, DatabaseProblem, NotMigrated
from loyalty.storage.statements import Sql, Unit

pytestmark = pytest.mark.anyio


async def opened(url: str, *, migrate: bool = False) -> Database:
    return await open_database(url, SystemClock(), migrate=migrate)


async def test_tortoise_finds_nothing_to_migrate(sqlite_path: Path) -> None:
    config = tortoise_config(f"sqlite://{sqlite_path}")
    async with TortoiseContext() as context:
        await context.init(config=config)
        assert context.apps is not None
        changes = await MigrationAutodetector(context.apps, config["apps"]).changes()

    assert [change.operations for change in changes] == []


async def test_an_empty_database_says_what_to_do(database_url: str) -> None:
    with pytest.raises(NotMigrated, match="run: loyalty migrate"):
        await opened(database_url)


async def test_migrating_twice_and_at_once_is_harmless(database_url: str) -> None:
    async def one() -> None:
        database = await opened(database_url, migrate=True)
        await database.close()

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(one)

    async with await opened(database_url) as database:
        await database.migrate()
        assert await database.read(Sql("SELECT app, name FROM tortoise_migrations")()) == [
            ("loyalty", "0001_initial"),
            ("loyalty", "0002_checkout"),
            ("loyalty", "0003_recommendations"),
            ("loyalty", "0004_offers"),
            ("loyalty", "0005_early_access"),
            ("loyalty", "0006_recommendation_purchases"),
            ("loyalty", "0007_product_types"),
        ]


async def test_a_migration_that_was_not_recorded_is_repeated(database: Database) -> None:
    def forget() -> Unit[None]:
        yield Sql("DELETE FROM tortoise_migrations")()

    await database.write(forget)

    await database.migrate()

    assert await database.read(Sql("SELECT name FROM tortoise_migrations")()) == [
        ("0001_initial",),
        ("0002_checkout",),
        ("0003_recommendations",),
        ("0004_offers",),
        ("0005_early_access",),
        ("0006_recommendation_purchases",),
        ("0007_product_types",),
    ]


async def test_a_database_of_a_later_version_is_left_alone(
    database: Database, migrated_url: str
) -> None:
    def later() -> Unit[None]:
        yield Sql(
            "INSERT INTO tortoise_migrations (app, name, applied_at)"
            " VALUES ('loyalty', '9999_later', '2030-01-01')"
        )()

    await database.write(later)

    for migrate in (False, True):
        with pytest.raises(NotMigrated, match="9999_later, which this version does not know"):
            await opened(migrated_url, migrate=migrate)


@pytest.mark.parametrize(
    ("url", "problem", "words"),
    [
        ("mysql://x/y", BadUrl, "'mysql' found"),
        ("", BadUrl, "'nothing' found"),
        ("/var/lib/loyalty.db", BadUrl, "'nothing' found"),
        ("sqlite://relative.db", BadUrl, "three slashes"),
        ("sqlite:///", BadUrl, "three slashes"),
        ("sqlite:///no/such/folder/x.db", BadUrl, "folder /no/such/folder"),
        ("sqlite:////proc/self/mem", DatabaseProblem, "cannot open"),
        ("postgresql://nobody@127.0.0.1:1/x", DatabaseProblem, "cannot reach PostgreSQL"),
        ("postgresql://127.0.0.1:port/x", DatabaseProblem, "PostgreSQL"),
    ],
)
async def test_a_bad_url_says_what_is_wrong(
    url: str, problem: type[LoyaltyError], words: str
) -> None:
    with pytest.raises(problem, match=words):
        await opened(url)


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    return path


async def test_a_file_that_is_no_database_is_said_to_be_none(text_file: Path) -> None:
    with pytest.raises(DatabaseProblem, match="file is not a database"):
        await opened(f"sqlite://{text_file}")


async def test_a_postgres_that_refuses_says_why(postgres_database: str) -> None:
    with pytest.raises(DatabaseProblem, match="does not exist"):
        await opened(postgres_database + "x")
