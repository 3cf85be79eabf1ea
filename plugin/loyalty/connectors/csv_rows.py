"""CSV: UTF-8 with or without a byte order mark, a header line, cells that may be quoted."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from loyalty.connectors.rows import PIECE_ROWS, Column, Rows
from loyalty.errors import BadInput

if TYPE_CHECKING:
    from _csv import Reader

HEADER_CELLS_MAX = 1_000


class CsvFile:
    """Rows of a CSV file; a row is named by the line it ends on."""

    counted = "line"
    total: int | None = None

    def __init__(self, path: Path, delimiter: str) -> None:
        self._path = path
        self._delimiter = delimiter
        with self._open() as file:
            try:
                header = next(self._reader(file), None)
            except csv.Error as problem:
                raise BadInput(f"{path}: found a header that is no CSV ({problem})") from problem
        if not header or not any(header):
            raise BadInput(f"{path}: found no header line, wanted one with the columns' names")
        if len(header) > HEADER_CELLS_MAX or "\0" in "".join(header):
            raise BadInput(f"{path}: found no CSV header, wanted a CSV or Parquet file")
        twice = {name for name in header if name and header.count(name) > 1}
        if twice:
            raise BadInput(f"{path}: found the column {', '.join(sorted(twice))} twice")
        self.names: Sequence[str] = header

    def is_inexact(self, name: str) -> bool:
        return False

    def pieces(self, names: Sequence[str], skip: int) -> Iterator[Rows]:
        wanted = [(name, self.names.index(name)) for name in names]
        with self._open() as file:
            reader = self._reader(file)
            next(reader)
            done = 0
            for rows, numbers, broken in self._lists(reader):
                first = max(skip - done, 0)
                if first < len(rows):
                    kept = rows[first:]
                    yield Rows(
                        done + first,
                        numbers[first:],
                        {name: _column(kept, place) for name, place in wanted},
                        {row - first: why for row, why in broken.items() if row >= first},
                    )
                done += len(rows)

    def _lists(
        self, reader: "Reader"
    ) -> Iterator[tuple[list[list[str]], list[int], dict[int, str]]]:
        """Pieces of the file as lists of cells, line numbers, and what is wrong with which."""
        width = len(self.names)
        nothing = [""] * width
        rows: list[list[str]] = []
        numbers: list[int] = []
        broken: dict[int, str] = {}
        while True:
            try:
                row = next(reader)
            except StopIteration:
                break
            except csv.Error as problem:
                broken[len(rows)] = f"the line is no CSV: {problem}"
                row = nothing
            if not row:
                continue
            if len(row) != width:
                broken[len(rows)] = f"found {len(row)} cells, wanted {width} as in the header"
                row = (row + nothing)[:width]
            rows.append(row)
            numbers.append(reader.line_num)
            if len(rows) == PIECE_ROWS:
                yield rows, numbers, broken
                rows, numbers, broken = [], [], {}
        if rows:
            yield rows, numbers, broken

    def _open(self) -> TextIO:
        # Bytes that are no UTF-8 become surrogates, which no cell may hold: the row is
        # refused, the others go on.
        return self._path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")

    def _reader(self, file: TextIO) -> "Reader":
        return csv.reader(file, delimiter=self._delimiter, strict=True)


def _column(rows: list[list[str]], place: int) -> Column:
    cells = [row[place] for row in rows]
    texts = list(dict.fromkeys(cells))
    places = {text: number for number, text in enumerate(texts)}
    return Column([text or None for text in texts], [places[text] for text in cells])
