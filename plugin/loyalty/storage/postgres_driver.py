"""PostgreSQL: two pools of connections, statements prepared once per connection."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, TypeVar

import asyncpg

from loyalty.errors import Unavailable
from loyalty.storage.bulk import postgres_booking
from loyalty.storage.problems import DatabaseProblem, DuplicateKey, NotStorable, RowsMissing
from loyalty.storage.schema import constraint_name, tables
from loyalty.storage.statements import Row, Sql, Statement, Together, merged, together
from loyalty.storage.units import Collision, MakeUnit, Request, driven_async, finished, retried
from loyalty.storage.values import stored

T = TypeVar("T")

LOCK_TIMEOUT_MS: Final = 5_000
ACQUIRE_TIMEOUT_S: Final = 10
SESSION: Final = {
    "application_name": "loyalty",
    "TimeZone": "UTC",
    "idle_in_transaction_session_timeout": "60000",
    "jit": "off",
    # Plans are kept as long as their connection. One made while a table was still empty would
    # read the grown one from end to end, 12 times slower in groups of 32, until the next ANALYZE.
    "enable_seqscan": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Settings of every connection."""
_WRITING: Final = {"enable_hashjoin": "off", "enable_mergejoin": "off"}
"""Units of work find what they work at by its key. A plan made while one of the tables was small
would join by reading the grown other one from end to end, a thousand times slower."""
_PING: Final = Sql("SELECT 1")
TRIES: Final = 12
MERGED_ITEMS_MAX: Final = 128
"""Items in the lists of statements asked together, up to which they are one statement. A round
trip takes some 60 microseconds of our CPU, a row of an array of records 2 more than a plain one."""

_LISTS: Final = (list, tuple, set, frozenset)
_FAILURES: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # A connection that broke between two messages is "in another operation" for ever.
    asyncpg.InternalClientError,
)
_LOST: Final = (
    OSError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)


class PostgresDriver:
    """Statements and units of work on one PostgreSQL database.

    Args:
        writers: connections for units of work.
        readers: connections for reads, apart, so that those waiting for a lock do not take them.
    """

    def __init__(
        self, url: str, *, writers: int, readers: int, lock_timeout_ms: int = LOCK_TIMEOUT_MS
    ) -> None:
        self._url = url
        self._sizes = (writers, readers)
        self._lock_timeout_ms = lock_timeout_ms
        self._pools: list[asyncpg.Pool[asyncpg.Record]] = []

    async def open(self) -> None:
        """Connect.

        Raises:
            DatabaseProblem: nobody answers, or the answer is no.
        """
        try:
            writers, readers = self._sizes
            self._pools.append(await self._pool(writers, _WRITING))
            self._pools.append(await self._pool(readers, {}))
            async with self._pools[0].acquire() as connection:
                await connection.fetchval("SELECT 1")
        except (OSError, TimeoutError, ValueError) as error:
            await self.close()
            raise DatabaseProblem(f"cannot reach PostgreSQL: {error}") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            await self.close()
            raise DatabaseProblem(f"PostgreSQL refused the connection: {error}") from error

    async def _pool(self, size: int, more: dict[str, str]) -> "asyncpg.Pool[asyncpg.Record]":
        return await asyncpg.create_pool(
            self._url,
            min_size=0,
            max_size=size,
            reset=_nothing_to_reset,
            max_inactive_connection_lifetime=0,
            statement_cache_size=1024,
            max_cached_statement_lifetime=0,
            timeout=10,
            server_settings=SESSION | more | {"lock_timeout": str(self._lock_timeout_ms)},
        )

    async def close(self) -> None:
        while self._pools:
            await self._pools.pop().close()

    async def ping(self) -> None:
        await self.read(_PING())

    async def write(self, make_unit: MakeUnit[T]) -> T:
        async def attempt() -> T:
            async with self._acquired(self._pools[0]) as connection:
                return await _transaction(connection, make_unit)

        return await finished(retried(attempt, TRIES))

    async def read(self, statement: Statement) -> list[Row]:
        async def attempt() -> list[Row]:
            async with self._acquired(self._pools[1]) as connection:
                return await _rows(connection, statement)

        return await retried(attempt, TRIES)

    async def read_at_once(self, statements: tuple[Statement, ...]) -> Sequence[list[Row]]:
        if _items(statements) > MERGED_ITEMS_MAX:
            return await self.read_unit(lambda: together(*statements))

        async def attempt() -> Row:
            async with self._acquired(self._pools[1]) as connection:
                return await _together(connection, statements)

        return await retried(attempt, TRIES)

    async def read_unit(self, make_unit: MakeUnit[T]) -> T:
        async def attempt() -> T:
            async with (
                self._acquired(self._pools[1]) as connection,
                connection.transaction(isolation="repeatable_read", readonly=True),
            ):
                return await driven_async(make_unit(), lambda r: _execute(connection, r))

        return await finished(retried(attempt, TRIES))

    @asynccontextmanager
    async def _acquired(self, pool: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[Any]:
        """A connection; the database's errors that come out of its use, in our words."""
        try:
            connection = await pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        except TimeoutError as error:
            raise Unavailable(
                f"no database connection came free in {ACQUIRE_TIMEOUT_S} s; try again"
            ) from error
        except _FAILURES as error:
            raise Collision(f"the database is away: {error}") from error
        try:
            yield connection
        except _FAILURES as error:
            if isinstance(error, _LOST) and not _is_closed(connection):
                connection.terminate()
            raise _translated(error, is_closed=_is_closed(connection)) from error
        finally:
            await pool.release(connection)


def _is_closed(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        # The pool took a lost connection back already.
        return True


async def _nothing_to_reset(connection: object) -> None:
    """Units leave no session state behind, so a released connection costs no round trip."""


async def _transaction(connection: Any, make_unit: MakeUnit[T]) -> T:
    transaction = connection.transaction()
    await transaction.start()
    try:
        outcome = await driven_async(make_unit(), lambda r: _execute(connection, r))
    except BaseException:
        if not _is_closed(connection):
            with suppress(*_FAILURES):
                await transaction.rollback()
        raise
    try:
        await transaction.commit()
    except _FAILURES as error:
        if isinstance(error, _LOST) or _is_closed(connection):
            # Perhaps it was committed: the only one to know is the caller's key.
            raise Unavailable(
                "the database went away while it was committing, so the outcome is not known; "
                "ask again with the same key"
            ) from error
        raise
    return outcome


async def _execute(connection: Any, request: Request) -> list[Row]:
    if isinstance(request, Statement):
        return await _rows(connection, request)
    if isinstance(request, Together):
        return [await _together(connection, request.statements)]
    if not request:
        return []
    text, arguments, wanted = postgres_booking(request)
    counts = await connection.fetchrow(text, *arguments)
    for (what, number), found in zip(wanted, counts, strict=False):
        if number != found:
            raise RowsMissing(what, number, found)
    return []


async def _rows(connection: Any, statement: Statement) -> list[Row]:
    parameters = [_bound(value) for value in statement.parameters]
    return [tuple(row) for row in await connection.fetch(statement.sql.postgres, *parameters)]


async def _together(connection: Any, statements: tuple[Statement, ...]) -> Row:
    """Each statement's rows: in one round trip where they are few, else one after another."""
    if _items(statements) > MERGED_ITEMS_MAX:
        return tuple([await _rows(connection, statement) for statement in statements])
    parameters = [[_bound(value) for value in each.parameters] for each in statements]
    text = merged(
        tuple([each.sql for each in statements]), tuple([len(each) for each in parameters])
    )
    flat = [value for each in parameters for value in each]
    return tuple(await connection.fetchrow(text, *flat))


def _items(statements: tuple[Statement, ...]) -> int:
    """How many there are in all lists that the statements take."""
    return sum(
        len(value)
        for statement in statements
        for value in statement.parameters
        if isinstance(value, _LISTS)
    )


def _bound(value: Any) -> Any:
    if isinstance(value, _LISTS):
        return [stored(item) for item in value]
    return stored(value)


def _translated(error: Exception, *, is_closed: bool) -> Exception:
    match error:
        case asyncpg.DataError(__cause__=OverflowError() | UnicodeEncodeError() as cause):
            return NotStorable(f"a value cannot be stored: {cause}")
        case asyncpg.SerializationError() | asyncpg.DeadlockDetectedError():
            return Collision(f"the database undid the work for the sake of another: {error}")
        case asyncpg.LockNotAvailableError():
            return Collision("others held the rows for too long")
        case asyncpg.UniqueViolationError():
            return _duplicate(error)
        case asyncpg.StringDataRightTruncationError():
            return NotStorable(f"a text is longer than its column may be: {error}")
        case asyncpg.CharacterNotInRepertoireError():
            return NotStorable("a text holds a NUL character, which cannot be stored")
    if is_closed or isinstance(error, _LOST):
        return Collision(f"the database went away: {error}")
    return error


def _duplicate(error: Any) -> DuplicateKey:
    table = tables()[error.table_name or ""]
    for columns in (table.key, *table.uniques):
        if constraint_name(table, columns) == error.constraint_name:
            return DuplicateKey(table.name, columns, error.constraint_name)
    raise AssertionError(f"{error.constraint_name} is no key of the models")
