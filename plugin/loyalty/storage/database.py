"""The way in to the database: opened once, then units of work and reads."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar
from urllib.parse import unquote, urlsplit

from loyalty.clock import Clock
from loyalty.ids import NODES, IdSource
from loyalty.storage.migrate import brought_up, is_current
from loyalty.storage.postgres_driver import PostgresDriver
from loyalty.storage.problems import BadUrl, NotMigrated
from loyalty.storage.server_lock import FileLock
from loyalty.storage.sqlite_driver import SqliteDriver
from loyalty.storage.statements import Dialect, Row, Sql, Statement, Unit
from loyalty.storage.units import MakeUnit

T = TypeVar("T")

_LEASE: Final = Sql(
    "UPDATE id_lease SET next_node = next_node + 1 WHERE id = 1 RETURNING next_node"
)


class Database:
    """One open database. Made by ``open_database``."""

    def __init__(self, url: str, driver: SqliteDriver | PostgresDriver, clock: Clock) -> None:
        self._url = url
        self._driver = driver
        self._clock = clock
        self._ids: IdSource | None = None
        self._server_lock: FileLock | None = None

    @property
    def dialect(self) -> Dialect:
        return "sqlite" if isinstance(self._driver, SqliteDriver) else "postgres"

    @property
    def ids(self) -> IdSource:
        """Makes row ids that no other process makes."""
        if self._ids is None:
            raise NotMigrated("the database has no tables yet; run: loyalty migrate")
        return self._ids

    async def write(self, make_unit: MakeUnit[T]) -> T:
        """Run a unit of work in one transaction; its outcome is returned when it is durable.

        The unit may be run several times, each time from a fresh generator, until it meets no
        conflict; only the last run has effect. A cancelled caller waits for the end.

        Raises:
            LoyaltyError: the unit raised it; nothing was booked.
            Unavailable: busy or away.
            DuplicateKey: a unique key was taken; nothing was booked.
            RowsMissing: a bug of the unit; nothing was booked.
        """
        return await self._driver.write(make_unit)

    async def read(self, statement: Statement) -> list[Row]:
        """The rows of one statement, without waiting for writers."""
        return await self._driver.read(statement)

    async def read_at_once(self, *statements: Statement) -> Sequence[list[Row]]:
        """The rows of each statement, all of one instant."""
        return await self._driver.read_at_once(statements)

    async def read_unit(self, make_unit: MakeUnit[T]) -> T:
        """Several statements on one snapshot; nothing may be written."""
        return await self._driver.read_unit(make_unit)

    async def wiped(self) -> None:
        """Leave nothing of what was deleted in files that this process writes.

        SQLite overwrites what it deletes, so only its write-ahead log is emptied. PostgreSQL does
        both in its own time (VACUUM, recycled log files).
        """
        if isinstance(self._driver, SqliteDriver):
            await self._driver.checkpoint()

    async def vacuum(self) -> None:
        """Write an SQLite file anew, without what deleted rows left; nobody writes meanwhile.

        PostgreSQL does so by itself (autovacuum).

        Raises:
            Unavailable: others kept the file busy.
        """
        if isinstance(self._driver, SqliteDriver):
            await self._driver.vacuum()

    async def ping(self) -> None:
        """Ask the database for an answer.

        Raises:
            Unavailable: there is none.
        """
        await self._driver.ping()

    async def migrate(self) -> None:
        """Bring the schema up to this version; processes that do so at once take turns."""
        if not await is_current(self.read):
            await brought_up(self._url)
        if self._ids is None:
            await self._lease_node()

    def claim_server(self) -> None:
        """Be the one server process of an SQLite file; any number may serve a PostgreSQL.

        Raises:
            ServerAlreadyRunning: another process is.
        """
        if isinstance(self._driver, SqliteDriver):
            lock = self._server_lock or FileLock(_beside(self._driver.path, "server-lock"))
            lock.claim()
            self._server_lock = lock

    async def close(self) -> None:
        await self._driver.close()
        if self._server_lock is not None:
            self._server_lock.give_up()

    async def check_migrated(self) -> None:
        """Compare the schema with this version's.

        Raises:
            NotMigrated: they differ.
        """
        if not await is_current(self.read):
            raise NotMigrated("the database has not this version's tables; run: loyalty migrate")
        await self._lease_node()

    async def _lease_node(self) -> None:
        def lease() -> Unit[int]:
            rows = yield _LEASE()
            return int(rows[0][0]) % NODES

        self._ids = IdSource(self._clock, await self.write(lease))

    async def __aenter__(self) -> "Database":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


async def open_database(
    url: str,
    clock: Clock,
    *,
    migrate: bool = False,
    pool_size: int = 10,
    readers: int = 4,
) -> Database:
    """Connect and check the schema.

    Args:
        url: ``sqlite:///absolute/path`` or ``postgresql://user:password@host:port/name``.
        migrate: bring the schema up first instead of refusing an old one.
        pool_size: PostgreSQL connections for units of work. SQLite has one writer.
        readers: connections for reads.

    Raises:
        BadUrl: it is neither.
        NotMigrated: the schema is not this version's and ``migrate`` is False.
        DatabaseProblem: the database cannot be reached.
    """
    database = Database(url, await _driver(url, pool_size, readers), clock)
    try:
        if migrate:
            await database.migrate()
        else:
            await database.check_migrated()
    except BaseException:
        await database.close()
        raise
    return database


async def _driver(url: str, pool_size: int, readers: int) -> SqliteDriver | PostgresDriver:
    parts = urlsplit(url)
    driver: SqliteDriver | PostgresDriver
    if parts.scheme == "sqlite":
        driver = SqliteDriver(sqlite_path(url), readers=readers)
    elif parts.scheme in ("postgresql", "postgres"):
        driver = PostgresDriver(url, writers=pool_size, readers=readers)
    else:
        raise BadUrl(
            f"database URL of kind {parts.scheme or 'nothing'!r} found; "
            "sqlite:///absolute/path or postgresql://user:password@host:port/name wanted"
        )
    await driver.open()
    return driver


def sqlite_path(url: str) -> Path:
    """The file that an ``sqlite:///…`` URL names.

    Raises:
        BadUrl: the path is not absolute, or its folder is not there.
    """
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.netloc or not path.is_absolute() or path == Path("/"):
        raise BadUrl(f"{url!r} found; sqlite:///absolute/path (three slashes) wanted")
    if not path.parent.is_dir():
        raise BadUrl(f"the folder {path.parent} of the SQLite file is not there")
    return path


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f"{path.name}.{what}")
