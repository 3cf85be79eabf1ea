"""Bringing the schema up to date with Tortoise's migrations, one process at a time."""

import asyncio
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import asyncpg
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor

from loyalty.storage import migrations
from loyalty.storage.problems import NotMigrated
from loyalty.storage.schema import MODELS
from loyalty.storage.server_lock import FileLock
from loyalty.storage.statements import Row, Sql, Statement

APP: Final = "loyalty"
ADVISORY_LOCK: Final = 0x6C6F79616C7479
"""The word "loyalty" as a number."""

_HAS_TABLE: Final = Sql(
    "SELECT 1 FROM information_schema.tables"
    " WHERE table_schema = current_schema() AND table_name = 'tortoise_migrations'",
    sqlite="SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'tortoise_migrations'",
)
_APPLIED: Final = Sql("SELECT name FROM tortoise_migrations WHERE app = $1")

Read = Callable[[Statement], Awaitable[list[Row]]]


async def is_current(read: Read) -> bool:
    """Whether every migration of this version was applied.

    Raises:
        NotMigrated: the database is newer than this version.
    """
    applied = await _applied(read)
    known = known_migrations()
    if newer := sorted(applied - known):
        raise NotMigrated(
            f"the database has {', '.join(newer)}, which this version does not know; "
            "install the version that wrote it"
        )
    return known <= applied


def known_migrations() -> set[str]:
    return {module.name for module in pkgutil.iter_modules(migrations.__path__)}


async def brought_up(url: str) -> None:
    """Apply every migration that is missing."""
    async with _alone(url), TortoiseContext() as context:
        config = tortoise_config(url)
        await context.init(config=config)
        executor = MigrationExecutor(context.db(), config["apps"])
        await executor.migrate()


def tortoise_config(url: str) -> dict[str, Any]:
    """Tortoise's configuration, also for its own command line."""
    parts = urlsplit(url)
    connection: str | dict[str, Any]
    if parts.scheme == "sqlite":
        connection = {
            "engine": "tortoise.backends.sqlite",
            "credentials": {"file_path": unquote(parts.path), "foreign_keys": "ON"},
        }
    else:
        connection = url.replace("postgresql://", "postgres://", 1)
    modules = sorted({model.__module__ for model in MODELS})
    return {
        "connections": {"default": connection},
        "apps": {
            APP: {
                "models": modules,
                "migrations": migrations.__name__,
                "default_connection": "default",
            }
        },
    }


async def _applied(read: Read) -> set[str]:
    if not await read(_HAS_TABLE()):
        return set()
    return {name for (name,) in await read(_APPLIED(APP))}


@asynccontextmanager
async def _alone(url: str) -> AsyncIterator[None]:
    """Hold the lock of migrations: Tortoise takes none."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = Path(unquote(parts.path))
        lock = FileLock(path.with_name(f"{path.name}.migrate-lock"))
        await asyncio.to_thread(lock.take)
        try:
            yield
        finally:
            lock.give_up()
        return
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", ADVISORY_LOCK)
        yield
    finally:
        await connection.close()
