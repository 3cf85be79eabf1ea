"""Effects as SQL: one statement for PostgreSQL, one executemany per shape for SQLite."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from loyalty.storage.effects import Effects
from loyalty.storage.schema import tables

Kind = Literal["insert", "upsert", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Part:
    """Writes of one kind that share a text.

    ``columns`` are those of a row's values, in order; for an update and a delete the primary
    key comes first. ``conflict`` are the columns of an upsert's key.
    """

    kind: Kind
    table: str
    columns: tuple[str, ...]
    conflict: tuple[str, ...] = ()

    @property
    def must_find(self) -> bool:
        """Whether every row has to be there already."""
        return self.kind in ("update", "delete")

    @property
    def what(self) -> str:
        return f"{self.kind} {self.table}"


def parts(effects: Effects) -> Iterator[tuple[Part, Sequence[tuple[Any, ...]]]]:
    """The writes by shape with their rows: parents before children, inserts before the rest."""
    shapes = tables()
    order = {name: position for position, name in enumerate(shapes)}
    for table in sorted(effects.inserts, key=order.__getitem__):
        yield Part("insert", table, shapes[table].names), list(effects.inserts[table].values())
    for (table, key), rows in effects.upserts.items():
        yield Part("upsert", table, shapes[table].names, key), list(rows.values())
    for table, changed in effects.updates.items():
        by_shape: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for row_key, columns in changed.items():
            names = tuple(sorted(columns))
            values = (*row_key, *[columns[name] for name in names])
            by_shape.setdefault(names, []).append(values)
        for names, rows_of_shape in by_shape.items():
            yield Part("update", table, shapes[table].key + names), rows_of_shape
    for table, keys in effects.deletes.items():
        yield Part("delete", table, shapes[table].key), list(keys)


@lru_cache(maxsize=1024)
def sqlite_text(part: Part) -> str:
    """One row's statement, for executemany."""
    shape = tables()[part.table]
    names = ", ".join(part.columns)
    match part.kind:
        case "insert" | "upsert":
            marks = ", ".join("?" * len(part.columns))
            text = f"INSERT INTO {part.table} ({names}) VALUES ({marks})"
            return text + (_on_conflict(part) if part.kind == "upsert" else "")
        case "update":
            sets = ", ".join(
                f"{name} = ?{position}"
                for position, name in enumerate(part.columns, 1)
                if position > len(shape.key)
            )
            return f"UPDATE {part.table} SET {sets} WHERE {_key_is(shape.key)}"
        case "delete":
            return f"DELETE FROM {part.table} WHERE {_key_is(shape.key)}"


def postgres_booking(effects: Effects) -> tuple[str, list[Any], list[tuple[str, int]]]:
    """One statement for all of the effects, its parameters, and what it has to find.

    The last is of what is updated and deleted, with how many rows: the counts that the statement
    answers, in order.
    """
    shaped = list(parts(effects))
    text = _postgres_text(tuple([(part, len(rows) == 1) for part, rows in shaped]))
    arguments: list[Any] = []
    for _, rows in shaped:
        arguments += rows[0] if len(rows) == 1 else zip(*rows, strict=True)
    return text, arguments, [(part.what, len(rows)) for part, rows in shaped if part.must_find]


@lru_cache(maxsize=1024)
def _postgres_text(shapes: tuple[tuple[Part, bool], ...]) -> str:
    """One statement that books every part; answers one row with the counts of ``must_find``.

    Each column of each part is one parameter, in order: an array, or where the part is of one row
    only (the flag beside it) the value itself, which costs both sides less. Foreign keys and the
    append-only triggers see the statement as a whole.
    """
    first = 1
    bodies: list[str] = []
    counts: list[str] = []
    for number, (part, is_one) in enumerate(shapes):
        types = {column.name: column.type for column in tables()[part.table].columns}
        after = "" if is_one else "[]"
        values = [
            f"${position}::{types[name]}{after}"
            for position, name in enumerate(part.columns, first)
        ]
        first += len(part.columns)
        body = _body_of_one(part, values) if is_one else _body_of_many(part, ", ".join(values))
        bodies.append(f"p{number} AS ({body})")
        if part.must_find:
            counts.append(f"(SELECT count(*) FROM p{number})")
    return f"WITH {', '.join(bodies)} SELECT {', '.join(counts) or '1'}"


def _body_of_one(part: Part, values: Sequence[str]) -> str:
    key = tables()[part.table].key
    where = " AND ".join(f"{name} = {value}" for name, value in zip(key, values, strict=False))
    match part.kind:
        case "insert" | "upsert":
            text = f"INSERT INTO {part.table} ({', '.join(part.columns)})"
            text += f" VALUES ({', '.join(values)})"
            return text + (_on_conflict(part) if part.kind == "upsert" else "")
        case "update":
            named = zip(part.columns[len(key) :], values[len(key) :], strict=True)
            sets = ", ".join(f"{name} = {value}" for name, value in named)
            return f"UPDATE {part.table} SET {sets} WHERE {where} RETURNING 1"
        case "delete":
            return f"DELETE FROM {part.table} WHERE {where} RETURNING 1"


def _body_of_many(part: Part, arrays: str) -> str:
    key = tables()[part.table].key
    names = ", ".join(part.columns)
    match part.kind:
        case "insert" | "upsert":
            text = f"INSERT INTO {part.table} ({names}) SELECT * FROM unnest({arrays})"
            return text + (_on_conflict(part) if part.kind == "upsert" else "")
        case "update":
            sets = ", ".join(f"{name} = s.{name}" for name in part.columns[len(key) :])
            match_key = " AND ".join(f"t.{name} = s.{name}" for name in key)
            return (
                f"UPDATE {part.table} AS t SET {sets} FROM unnest({arrays}) AS s({names})"
                f" WHERE {match_key} RETURNING 1"
            )
        case "delete":
            match_key = " AND ".join(f"t.{name} = s.{name}" for name in key)
            return (
                f"DELETE FROM {part.table} AS t USING unnest({arrays}) AS s({names})"
                f" WHERE {match_key} RETURNING 1"
            )


def _on_conflict(part: Part) -> str:
    kept = {*part.conflict, *tables()[part.table].key}
    sets = ", ".join(f"{name} = excluded.{name}" for name in part.columns if name not in kept)
    return f" ON CONFLICT ({', '.join(part.conflict)}) DO UPDATE SET {sets}"


def _key_is(key: tuple[str, ...]) -> str:
    return " AND ".join(f"{name} = ?{position}" for position, name in enumerate(key, 1))
