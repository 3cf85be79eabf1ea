"""SQL as values: one text for both databases, and the shape of a unit of work."""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    from loyalty.storage.effects import Effects

Dialect = Literal["sqlite", "postgres"]
Value: TypeAlias = str | int | bytes | datetime | None
"""What a column holds. bool and StrEnum are among them; a datetime is stored as microseconds."""
Row: TypeAlias = tuple[Any, ...]
T = TypeVar("T")

_ANY = re.compile(r"=\s*ANY\s*\(\s*\$(\d+)\s*(?:::\s*\w+\[\])?\s*\)", re.IGNORECASE)
_CAST = re.compile(r"::\s*\w+(?:\[\])?")
_LOCK = re.compile(
    r"\bFOR\s+(?:(?:NO\s+)?KEY\s+)?(?:UPDATE|SHARE)(?:\s+OF\s+\w+)?(?:\s+SKIP\s+LOCKED|\s+NOWAIT)?",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r"\$(\d+)")


class Sql:
    """One statement in PostgreSQL's words; SQLite's are derived from it or given.

    Args:
        postgres: text with ``$1`` … parameters. A list goes into ``= ANY($n::type[])``.
        sqlite: the text for SQLite (``?1`` …) where the derived one would not do.
    """

    __slots__ = ("postgres", "sqlite")

    def __init__(self, postgres: str, *, sqlite: str | None = None) -> None:
        self.postgres = postgres
        self.sqlite = _for_sqlite(postgres) if sqlite is None else sqlite

    def __call__(self, *parameters: Value | Sequence[Value]) -> "Statement":
        return Statement(self, parameters)

    def __repr__(self) -> str:
        return f"Sql({self.postgres!r})"


@dataclass(frozen=True, slots=True)
class Statement:
    """A text with its parameters, ready to run on either database."""

    sql: Sql
    parameters: tuple[Value | Sequence[Value], ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Statements asked in one go: on PostgreSQL one round trip instead of one for each.

    They see the rows of one moment, so none may rely on a lock that another of them takes. What
    comes back is one row with a list of rows for each statement; ``together`` unpacks it.
    """

    statements: tuple[Statement, ...]


Unit: TypeAlias = Generator["Statement | Together | Effects", list[Row], T]
"""A unit of work: yields what it wants done, is sent the rows, returns its outcome.

It runs in one transaction and may be run again from the start, so it keeps no state outside.
"""


def together(*statements: Statement) -> Unit[Sequence[list[Row]]]:
    """The rows of each statement, asked in one go; see ``Together``."""
    if len(statements) < 2:
        rows = []
        for statement in statements:
            rows.append((yield statement))
        return rows
    (found,) = yield Together(statements)
    return found


def side_by_side(*units: Unit[Any]) -> Unit[tuple[Any, ...]]:
    """Units that only read, run in step: what all of them want next is asked in one go.

    None may rely on a lock that another takes in the same step. In each step the first goes on
    before the second; one that needs fewer steps is done earlier. Returns their outcomes.
    """
    outcomes: dict[int, Any] = {}
    asked: dict[int, Statement | Together | Effects] = {}

    def go_on(number: int, rows: list[Row] | None) -> None:
        try:
            # Sent None, a generator begins.
            asked[number] = units[number].send(rows)  # type: ignore[arg-type]
        except StopIteration as stop:
            asked.pop(number, None)
            outcomes[number] = stop.value

    for number in range(len(units)):
        go_on(number, None)
    while asked:
        wanted = {number: _each(request) for number, request in asked.items()}
        found = iter((yield from together(*(each for some in wanted.values() for each in some))))
        for number, statements in wanted.items():
            rows = tuple(islice(found, len(statements)))
            go_on(number, [rows] if isinstance(asked[number], Together) else rows[0])
    return tuple(outcomes[number] for number in range(len(units)))


def _each(request: "Statement | Together | Effects") -> tuple[Statement, ...]:
    if isinstance(request, Together):
        return request.statements
    assert isinstance(request, Statement), "units that run side by side only read"
    return (request,)


@lru_cache(maxsize=1024)
def merged(statements: tuple[Sql, ...], counts: tuple[int, ...]) -> str:
    """One text for PostgreSQL whose columns are the statements' rows, as arrays of records.

    Args:
        counts: how many parameters each statement takes; the text takes them one after another.
    """
    first = 0
    columns: list[str] = []
    for statement, count in zip(statements, counts, strict=True):
        columns.append(f"ARRAY(SELECT q FROM ({_shifted(statement.postgres, first)}) AS q)")
        first += count
    return f"SELECT {', '.join(columns)}"


def _shifted(text: str, by: int) -> str:
    """The text with each parameter's number raised."""
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", text)


def _for_sqlite(text: str) -> str:
    text = _ANY.sub(r"IN (SELECT value FROM json_each($\1))", text)
    text = _CAST.sub("", _LOCK.sub("", text))
    return _PARAMETER.sub(r"?\1", text)
