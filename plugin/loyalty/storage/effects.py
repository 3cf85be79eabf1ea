"""What a unit of work wants written, gathered by table so that it is booked in one go."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from loyalty.domain.books.ledger import micros
from loyalty.storage.schema import APPEND_ONLY, Table, tables
from loyalty.storage.values import stored

Key = tuple[int, ...]


class Effects:
    """Rows to insert, change and delete. Yield it from a unit to have it booked.

    Rows of one Effects may refer to each other in any order. A row is named by its primary
    key: ``(tenant_id, id)``, or ``(id,)`` where a table has no tenant.
    """

    __slots__ = ("deletes", "inserts", "updates", "upserts")

    def __init__(self) -> None:
        self.inserts: dict[str, dict[Key, tuple[Any, ...]]] = {}
        self.updates: dict[str, dict[Key, dict[str, Any]]] = {}
        self.upserts: dict[tuple[str, tuple[str, ...]], dict[Key, tuple[Any, ...]]] = {}
        self.deletes: dict[str, set[Key]] = {}

    def __bool__(self) -> bool:
        return bool(self.inserts or self.updates or self.upserts or self.deletes)

    def insert(self, table: str, row: Mapping[str, Any] | Sequence[Any]) -> None:
        """Add one row: by column name, or every column in the model's order (faster)."""
        shape = tables()[table]
        known = self.inserts.setdefault(table, {})
        made = _row(shape, row)
        key = shape.key_of(made)
        if key in known:
            raise ValueError(f"{table}: row {key} is inserted twice")
        known[key] = made

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, Any] | Sequence[Any]]) -> None:
        """Add many rows of one table."""
        if not rows:
            return
        shape = tables()[table]
        known = self.inserts.setdefault(table, {})
        before = len(known)
        made = _rows(shape, rows)
        known.update(zip(shape.keys_of(made), made, strict=True))
        if len(known) != before + len(rows):
            raise ValueError(f"{table}: one of {len(rows)} rows is inserted twice")

    def update(self, table: str, *key: int, **columns: Any) -> None:
        """Set columns of one row. Later settings of the same row win, column by column."""
        if table in APPEND_ONLY:
            raise ValueError(f"{table} is append-only")
        new = {name: stored(value) for name, value in columns.items()}
        inserted = self.inserts.get(table)
        if inserted is not None and key in inserted:
            shape = tables()[table]
            row = list(inserted[key])
            for name, value in new.items():
                row[shape.position(name)] = value
            inserted[key] = tuple(row)
            return
        self.updates.setdefault(table, {}).setdefault(key, {}).update(new)

    def upsert(
        self, table: str, row: Mapping[str, Any] | Sequence[Any], key: Sequence[str]
    ) -> None:
        """Insert, or where ``key`` (a unique key's columns) is there, overwrite all but ids."""
        if table in APPEND_ONLY:
            raise ValueError(f"{table} is append-only")
        shape = tables()[table]
        values = _row(shape, row)
        name = tuple([values[shape.position(column)] for column in key])
        self.upserts.setdefault((table, tuple(key)), {})[name] = values

    def delete(self, table: str, *key: int) -> None:
        if table in APPEND_ONLY:
            raise ValueError(f"{table} is append-only")
        self.deletes.setdefault(table, set()).add(key)


def _rows(
    shape: Table, rows: Sequence[Mapping[str, Any] | Sequence[Any]]
) -> Sequence[tuple[Any, ...]]:
    """Rows as they are kept. Those that are so already, by far the most, are only looked at."""
    kinds, widths = set(map(type, rows)), set(map(len, rows))
    if kinds == {tuple} and widths == {len(shape.names)}:
        if not shape.instants:
            return cast(Sequence[tuple[Any, ...]], rows)
        return [_stored(shape, row) for row in cast(Sequence[tuple[Any, ...]], rows)]
    return [_row(shape, row) for row in rows]


def _row(shape: Table, row: Mapping[str, Any] | Sequence[Any]) -> tuple[Any, ...]:
    if not isinstance(row, tuple) and isinstance(row, Mapping):
        return _named(shape, row)
    if len(row) != len(shape.columns):
        raise ValueError(f"{shape.name}: {len(row)} values found, {len(shape.columns)} wanted")
    return _stored(shape, row)


def _named(shape: Table, row: Mapping[str, Any]) -> tuple[Any, ...]:
    if not shape.required <= row.keys() <= shape.known:
        unknown = row.keys() - shape.known
        if unknown:
            raise ValueError(f"{shape.name} has no column {', '.join(sorted(unknown))}")
        missing = next(name for name in shape.names if name in shape.required - row.keys())
        raise ValueError(f"{shape.name}: a value for {missing} wanted")
    get = row.get
    return _stored(shape, [get(name, default) for name, default in shape.defaults])


def _stored(shape: Table, row: Sequence[Any]) -> tuple[Any, ...]:
    """The row as it is kept: its moments as microseconds."""
    if not shape.instants:
        return tuple(row)
    values = row if type(row) is list else list(row)
    for position in shape.instants:
        value = values[position]
        if isinstance(value, datetime):
            values[position] = micros(value)
    return tuple(values)
