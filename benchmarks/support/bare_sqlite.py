"""The same writes by bare sqlite3: recorded from our own units, played back on a copy."""

import sqlite3
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from loyalty.storage.bulk import parts, sqlite_text
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.sqlite_driver import connected
from loyalty.storage.units import MakeUnit

T = TypeVar("T")
Writes = list[tuple[str, Sequence[tuple[Any, ...]]]]
"""The statements of one transaction, each with its rows."""


class Recorder:
    """Notes what each unit of a database writes."""

    def __init__(self, database: Database) -> None:
        self.transactions: list[Writes] = []
        self._database: Any = database
        self._driver = self._database._driver

    async def write(self, make_unit: MakeUnit[T]) -> T:
        outcome: T = await self._driver.write(lambda: self._noted(make_unit()))
        return outcome

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def __enter__(self) -> "Recorder":
        self._database._driver = self
        return self

    def __exit__(self, *_: object) -> None:
        self._database._driver = self._driver

    def _noted(self, unit: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        try:
            request = next(unit)
            while True:
                if isinstance(request, Effects):
                    written = [(sqlite_text(part), list(rows)) for part, rows in parts(request)]
                    self.transactions.append(written)
                request = unit.send((yield request))
        except StopIteration as stop:
            outcome: T = stop.value
            return outcome


def copied(source: Path, target: Path) -> Path:
    """A copy of a database that others have open."""
    with sqlite3.connect(source) as origin, sqlite3.connect(target) as copy:
        origin.backup(copy)
    origin.close()
    copy.close()
    return target


def per_second(path: Path, transactions: Sequence[Writes]) -> float:
    """Transactions per second, durable, one after the other on a connection set up as ours."""
    connection = connected(path, for_writing=True)
    began = time.perf_counter()
    for writes in transactions:
        connection.execute("BEGIN IMMEDIATE")
        for text, rows in writes:
            connection.executemany(text, rows)
        connection.execute("COMMIT")
    taken = time.perf_counter() - began
    connection.close()
    return len(transactions) / taken
