"""Parquet: columns of any plain type, streamed, each different value turned into text once."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loyalty.connectors.rows import PIECE_ROWS, Column, Rows
from loyalty.errors import BadInput


class ParquetRows:
    """Rows of a Parquet file; a row is named by its number, counted from 1."""

    counted = "row"

    def __init__(self, path: Path) -> None:
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as problem:
            raise BadInput(f"{path}: found a broken Parquet file ({problem})") from problem
        self._path = path
        self._types = {field.name: field.type for field in self._file.schema_arrow}
        self.names: Sequence[str] = list(self._types)
        self.total: int | None = self._file.metadata.num_rows

    def is_inexact(self, name: str) -> bool:
        return bool(pa.types.is_floating(self._types[name]))

    def pieces(self, names: Sequence[str], skip: int) -> Iterator[Rows]:
        for name in names:
            if not _is_plain(self._types[name]):
                raise BadInput(
                    f"{self._path}: column {name} holds {self._types[name]}, "
                    "wanted text, numbers or times"
                )
        done = 0
        try:
            for batch in self._file.iter_batches(batch_size=PIECE_ROWS, columns=list(names)):
                first = max(skip - done, 0)
                if first < batch.num_rows:
                    kept = batch.slice(first)
                    start = done + first
                    yield Rows(
                        start,
                        range(start + 1, start + 1 + kept.num_rows),
                        {name: _column(kept.column(name)) for name in names},
                    )
                done += batch.num_rows
        except (pa.ArrowException, OSError) as problem:
            raise BadInput(
                f"{self._path}: the Parquet file breaks off after row {done} ({problem})"
            ) from problem


def _is_plain(type: Any) -> bool:
    if pa.types.is_dictionary(type):
        return _is_plain(type.value_type)
    return any(
        test(type)
        for test in (
            pa.types.is_string, pa.types.is_large_string, pa.types.is_integer,
            pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean, pa.types.is_date,
            pa.types.is_timestamp, pa.types.is_null,
        )
    )  # fmt: skip


def _column(array: Any) -> Column:
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    texts: list[str | None] = list(_texts(array.dictionary))
    places = array.indices
    if places.null_count:
        places = places.fill_null(len(texts))
        texts.append(None)
    return Column(texts, places.to_numpy(zero_copy_only=False).tolist())


def _texts(values: Any) -> list[str | None]:
    """Values as text; instants with a zone in UTC, so that the text says which moment."""
    if pa.types.is_timestamp(values.type) and values.type.tz is not None:
        unit = values.type.unit
        naive = values.cast(pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit))
        return [None if text is None else f"{text}Z" for text in _texts(naive)]
    texts: list[str | None] = values.cast(pa.string()).to_pylist()
    return [text or None for text in texts]
