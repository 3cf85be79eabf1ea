"""Rows of a file, whatever its format: text by column, read a piece at a time.

A format's reader yields ``Rows``; what a cell means is decided in ``cells``, once for all
formats. Files hold few different texts in millions of rows, so a column keeps each text once
and every text is understood once per piece.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

PIECE_ROWS = 32_768
"""Rows of one piece: some megabytes in memory."""


@dataclass(frozen=True, slots=True)
class Column:
    """Cells of one column: the different texts (None: empty), and which of them each row has."""

    texts: Sequence[str | None]
    places: Sequence[int]

    def text(self, row: int) -> str:
        """One cell as it stands in the file."""
        return self.texts[self.places[row]] or ""


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows of a file.

    Args:
        start: how many rows of the file come before.
        numbers: what to call each row in a message: its line in the file, or its row number.
        columns: cells by the file's own column names.
        broken: why a row could not be split into cells, by position among these rows.
    """

    start: int
    numbers: Sequence[int]
    columns: Mapping[str, Column]
    broken: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)


class RowFile(Protocol):
    """An open file of rows."""

    @property
    def names(self) -> Sequence[str]:
        """The file's column names, in order."""

    @property
    def counted(self) -> str:
        """What ``Rows.numbers`` count: ``line`` or ``row``."""

    @property
    def total(self) -> int | None:
        """Rows in the whole file, where that is known without reading it."""

    def is_inexact(self, name: str) -> bool:
        """Whether a column holds binary floating point, whose decimals are approximate."""

    def pieces(self, names: Sequence[str], skip: int) -> Iterator[Rows]:
        """The rows after the first ``skip``, with the columns named."""
