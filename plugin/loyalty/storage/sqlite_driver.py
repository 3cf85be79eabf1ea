"""SQLite: one writer on a thread of its own, a few readers on theirs, WAL between them."""

import asyncio
import re
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson

from loyalty.errors import Unavailable
from loyalty.storage.bulk import parts, sqlite_text
from loyalty.storage.problems import DatabaseProblem, DuplicateKey, NotStorable, RowsMissing
from loyalty.storage.schema import constraint_name, tables
from loyalty.storage.statements import Row, Sql, Statement, Together, together
from loyalty.storage.units import (
    Collision,
    MakeUnit,
    Request,
    driven,
    finished,
    retried_blocking,
)
from loyalty.storage.values import stored

T = TypeVar("T")

SQLITE_LEAST: Final = (3, 37)
"""STRICT tables and RETURNING."""

BUSY_TIMEOUT_MS: Final = 5_000
TRIES: Final = 3
TRIES_OPEN: Final = 20
_PING: Final = Sql("SELECT 1")

_WRITER_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    # Else INSERT OR REPLACE deletes rows without waking the delete triggers.
    "recursive_triggers = ON",
    # What is deleted or written over is overwritten with zeros: erasing a member means it.
    "secure_delete = ON",
    "cache_size = -65536",
)
_READER_PRAGMAS = ("query_only = ON", "cache_size = -65536")

_BUSY = ("SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_RECOVERY", "SQLITE_LOCKED")
_UNBINDABLE = (UnicodeEncodeError, OverflowError)
_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")
_LENGTH = re.compile(r"CHECK constraint failed: (\w+)_length$")


class SqliteDriver:
    """Statements and units of work on one file.

    Args:
        readers: threads that read, each with a connection of its own.
        busy_timeout_ms: how long one try waits for another process's write.
    """

    def __init__(self, path: Path, *, readers: int, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        if sqlite3.sqlite_version_info < SQLITE_LEAST:
            raise DatabaseProblem(
                f"SQLite {sqlite3.sqlite_version} found, {'.'.join(map(str, SQLITE_LEAST))} or "
                "later wanted: use a Python that brings a newer one, or PostgreSQL"
            )
        self.path = path
        self._busy_timeout_ms = busy_timeout_ms
        self._connections: list[sqlite3.Connection] = []
        self._local = threading.local()
        self._writer = ThreadPoolExecutor(1, "sqlite-writer")
        self._readers = ThreadPoolExecutor(readers, "sqlite-reader")

    async def open(self) -> None:
        """Connect, so that a file that cannot be opened is found out at once.

        Raises:
            DatabaseProblem: it is no SQLite database, or may not be written.
        """
        try:
            # Two that make a new file at once meet a lock that SQLite does not wait for.
            await self._on(self._writer, lambda connection: None, TRIES_OPEN)
        except (sqlite3.Error, Unavailable) as error:
            await self.close()
            raise DatabaseProblem(f"cannot open the SQLite file {self.path}: {error}") from error

    async def close(self) -> None:
        """Finish what was begun and close every connection."""
        for pool in (self._readers, self._writer):
            await asyncio.to_thread(pool.shutdown)
        while self._connections:
            self._connections.pop().close()

    async def ping(self) -> None:
        await self.read(_PING())

    async def vacuum(self) -> None:
        """Rewrite the file."""
        await self._on(self._writer, lambda connection: connection.execute("VACUUM").fetchall())
        await self.checkpoint()

    async def checkpoint(self) -> None:
        """Write the log back and empty it, as far as readers let."""
        await self._on(
            self._writer,
            lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall(),
        )

    async def write(self, make_unit: MakeUnit[T]) -> T:
        def work(connection: sqlite3.Connection) -> T:
            return _transaction(connection, make_unit, "IMMEDIATE")

        return await finished(self._on(self._writer, work))

    async def read(self, statement: Statement) -> list[Row]:
        return await self._on(self._readers, lambda connection: _rows(connection, statement))

    async def read_at_once(self, statements: tuple[Statement, ...]) -> Sequence[list[Row]]:
        return await self.read_unit(lambda: together(*statements))

    async def read_unit(self, make_unit: MakeUnit[T]) -> T:
        def work(connection: sqlite3.Connection) -> T:
            return _transaction(connection, make_unit, "DEFERRED")

        return await finished(self._on(self._readers, work))

    def _on(
        self,
        pool: ThreadPoolExecutor,
        work: Callable[[sqlite3.Connection], T],
        tries: int = TRIES,
    ) -> asyncio.Future[T]:
        """Have a thread do it, again if it collides; one hop there and back."""

        def run() -> T:
            try:
                return work(self._connection(for_writing=pool is self._writer))
            except sqlite3.Error as error:
                raise _translated(error) from error

        return asyncio.get_running_loop().run_in_executor(
            pool, lambda: retried_blocking(run, tries)
        )

    def _connection(self, *, for_writing: bool) -> sqlite3.Connection:
        """This thread's connection, made when the thread needs it first."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = connected(
                self.path, for_writing=for_writing, busy_timeout_ms=self._busy_timeout_ms
            )
            self._connections.append(connection)
            self._local.connection = connection
        return connection


def connected(
    path: Path, *, for_writing: bool, busy_timeout_ms: int = BUSY_TIMEOUT_MS
) -> sqlite3.Connection:
    """A connection set up as every one of ours is."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        connection.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
        for pragma in _WRITER_PRAGMAS if for_writing else _READER_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _transaction(connection: sqlite3.Connection, make_unit: MakeUnit[T], mode: str) -> T:
    try:
        connection.execute(f"BEGIN {mode}")
        outcome = driven(make_unit(), lambda request: _execute(connection, request))
        connection.execute("COMMIT")
        return outcome
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _execute(connection: sqlite3.Connection, request: Request) -> list[Row]:
    if isinstance(request, Statement):
        return _rows(connection, request)
    if isinstance(request, Together):
        return [tuple([_rows(connection, statement) for statement in request.statements])]
    for part, rows in parts(request):
        try:
            found = connection.executemany(sqlite_text(part), rows).rowcount
        except _UNBINDABLE as error:
            raise NotStorable(f"a value cannot be stored: {error}") from error
        if part.must_find and found != len(rows):
            raise RowsMissing(part.what, len(rows), found)
    return []


def _rows(connection: sqlite3.Connection, statement: Statement) -> list[Row]:
    parameters = [_bound(value) for value in statement.parameters]
    try:
        return connection.execute(statement.sql.sqlite, parameters).fetchall()
    except _UNBINDABLE as error:
        raise NotStorable(f"a value cannot be stored: {error}") from error


def _bound(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        try:
            return orjson.dumps([stored(item) for item in value]).decode()
        except TypeError as error:
            # Half a character, as a lone surrogate is; numbers and texts are all there is else.
            raise NotStorable(f"a value cannot be stored: {error}") from error
    return stored(value)


def _translated(error: sqlite3.Error) -> Exception:
    name = getattr(error, "sqlite_errorname", "")
    text = str(error)
    if name in _BUSY:
        return Collision("another process was writing to the database file for too long")
    if unique := _UNIQUE.search(text):
        return _duplicate(unique.group(1))
    if length := _LENGTH.search(text):
        return NotStorable(f"a text is longer than {length.group(1)} may be")
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return Unavailable(f"the database file cannot be written: {text}; nothing happened")
    return error


def _duplicate(columns: str) -> DuplicateKey:
    """``columns`` as SQLite lists them: ``member.tenant_id, member.external_id``."""
    table, _, _ = columns.partition(".")
    names = tuple(name.partition(".")[2] for name in columns.split(", "))
    return DuplicateKey(table, names, constraint_name(tables()[table], names))
