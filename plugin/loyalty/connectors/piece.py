"""Rows of one piece as meanings, with what could not be understood set aside.

What the files of orders, members and products have in common.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from loyalty.connectors.cells import Bad, Inexact
from loyalty.connectors.mapping import Mapping as FileMapping
from loyalty.connectors.opening import open_rows
from loyalty.connectors.rows import Column, RowFile, Rows


class Reject(NamedTuple):
    """A row that is not imported, or an order as a whole.

    Args:
        row: its position in the file, counted from 0.
        line: what to call it: its line in a CSV file, its number in a Parquet file, or a range.
        code: to count by.
        reason: what was found and what was wanted.
        cells: as they stand in the file, in the order of ``RowReader.names``.
    """

    row: int
    line: str
    code: str
    reason: str
    cells: tuple[str, ...]


class Block(NamedTuple):
    """Some of what a file holds, what was refused among its rows, and how far it is dealt with.

    ``rows_done`` counts rows from the file's beginning; a run that goes on from there misses
    and repeats nothing. ``inexact`` and ``capped`` count cells that were taken with a change:
    amounts rounded off a binary fraction's residue, discounts cut to their line's amount.
    """

    items: list[Any]
    rejects: list[Reject]
    rows_done: int
    inexact: int = 0
    capped: int = 0


@dataclass(slots=True)
class Piece:
    """Consecutive rows: a list of values per column of ours, and the rows to leave out.

    ``inexact`` counts the amounts that were rounded off a binary fraction's residue.
    """

    rows: Rows
    names: Sequence[str]
    values: dict[str, list[Any]]
    rejects: dict[int, Reject]
    inexact: int

    def refuse(self, row: int, bad: Bad) -> None:
        """Leave a row out; the first reason stands."""
        if row not in self.rejects:
            columns = self.rows.columns
            cells = tuple([columns[name].text(row) for name in self.names])
            line = str(self.rows.numbers[row])
            self.rejects[row] = Reject(self.rows.start + row, line, bad.code, bad.text, cells)


class RowReader:
    """Reads a file's columns by their meanings.

    Args:
        meanings: reader of the cells of each of our columns; given whether the column is
            binary floating point.
        required: which of them a file must have.

    Raises:
        BadInput: the file is not readable, or a column is missing.
    """

    def __init__(
        self,
        path: Path,
        mapping: FileMapping,
        required: Mapping[str, bool],
        meanings: Mapping[str, Callable[[bool], Callable[[str | None], object]]],
    ) -> None:
        self._file: RowFile = open_rows(path, mapping.delimiter)
        self._mapping = mapping
        self._places = mapping.places(self._file, required, path)
        self.names = tuple(dict.fromkeys(self._places.values()))
        self._readers = {
            ours: make(ours in self._places and self._file.is_inexact(self._places[ours]))
            for ours, make in meanings.items()
        }

    @property
    def total(self) -> int | None:
        """Rows in the file, where known."""
        return self._file.total

    @property
    def counted(self) -> str:
        return self._file.counted

    def has(self, ours: str) -> bool:
        """Whether the file or the mapping gives this column."""
        return ours in self._places or ours in self._mapping.constants

    def pieces(self, skip: int) -> Iterator[Piece]:
        """Every row after the first ``skip``, a piece at a time."""
        for rows in self._file.pieces(self.names, skip):
            yield self._piece(rows)

    def blocks(
        self, skip: int, rows_max: int, item_of: Callable[[int, str, dict[str, Any]], Any]
    ) -> Iterator[Block]:
        """Items of one row each, made of its position, its line and its values."""
        for piece in self.pieces(skip):
            columns, values = tuple(piece.values), zip(*piece.values.values(), strict=True)
            block = Block([], [], piece.rows.start, piece.inexact)
            for row, cells in enumerate(values):
                if row in piece.rejects:
                    block.rejects.append(piece.rejects[row])
                else:
                    line = str(piece.rows.numbers[row])
                    found = dict(zip(columns, cells, strict=True))
                    block.items.append(item_of(piece.rows.start + row, line, found))
                if (row + 1) % rows_max == 0:
                    yield block._replace(rows_done=piece.rows.start + row + 1)
                    block = Block([], [], 0)
            yield block._replace(rows_done=piece.rows.start + len(piece.rows))

    def _piece(self, rows: Rows) -> Piece:
        piece = Piece(rows, self.names, {}, {}, 0)
        for row, why in rows.broken.items():
            piece.refuse(row, Bad("broken_row", why))
        for ours, meaning in self._readers.items():
            column = self._column(ours, rows)
            distinct = [meaning(text) for text in column.texts]
            kinds = {type(value) for value in distinct}
            places = column.places
            if Bad in kinds:
                for row, place in enumerate(places):
                    value = distinct[place]
                    if isinstance(value, Bad):
                        piece.refuse(row, value)
            if Inexact in kinds:
                inexact = {n for n, value in enumerate(distinct) if type(value) is Inexact}
                piece.inexact += sum(1 for place in places if place in inexact)
                distinct = [int(v) if isinstance(v, Inexact) else v for v in distinct]
            piece.values[ours] = [distinct[place] for place in places]
        return piece

    def _column(self, ours: str, rows: Rows) -> Column:
        if ours in self._places:
            return rows.columns[self._places[ours]]
        return Column([self._mapping.constants.get(ours)], [0] * len(rows))
