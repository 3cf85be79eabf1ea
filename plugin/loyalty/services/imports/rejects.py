"""The CSV file of rows that an import refused."""

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from loyalty.connectors.piece import Reject
from loyalty.errors import BadInput

REJECT_COLUMNS = ("rejected_line", "rejected_code", "rejected_reason", "rejected_row")
"""Before the imported file's own columns, so that what was put right can be imported again."""

_ROW = 3


class RejectsFile:
    """Written block by block, begun with the first reject.

    A block's lines are written just before its transaction ends: a stop in between leaves
    lines too many, never too few, and going on cuts those off.

    Args:
        names: columns of the imported file, after those that say why.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()
        self._header = (*REJECT_COLUMNS, *names)
        self._end = 0

    def go_on(self, rows_done: int) -> None:
        """Keep what an earlier start refused among the first ``rows_done`` rows.

        Raises:
            BadInput: the file cannot be written.
        """
        self._check_own()
        try:
            kept = self._kept(rows_done)
            # Beside it first: what is booked is not told again, so a kill here may lose no line.
            # And that nothing can be written is found out now, not at the first bad row.
            beside = self.path.with_name(f"{self.path.name}.part")
            beside.unlink(missing_ok=True)
            beside.touch()
            self._append(kept, beside)
            beside.replace(self.path)
            if not kept:
                self.path.unlink()
        except OSError as problem:
            raise BadInput(
                f"cannot write rejected rows to {self.path}: {problem.strerror}; name another "
                "file with --rejects"
            ) from problem
        self.counts = Counter(row[1] for row in kept)
        self._end = self._size()

    def write(self, rejects: Iterable[Reject]) -> None:
        """Write a block's rejects; doing it again before ``keep`` replaces them."""
        if self._size() > self._end:
            with self.path.open("r+b") as file:
                file.truncate(self._end)
        rows = [[r.line, r.code, r.reason, str(r.row), *r.cells] for r in rejects]
        self._append(rows, self.path)

    def keep(self, rejects: Iterable[Reject]) -> None:
        """The block is booked: its rejects stay."""
        self.counts.update(reject.code for reject in rejects)
        self._end = self._size()

    def _check_own(self) -> None:
        """Only a file of rejects is ever written over."""
        if not self.path.exists():
            return
        mark = REJECT_COLUMNS[0].encode()
        try:
            with self.path.open("rb") as file:
                is_own = file.read(len(mark)) in (mark, b"")
        except OSError:
            is_own = False
        if not is_own:
            raise BadInput(
                f"found {self.path}, which holds no rejected rows; wanted another name with "
                "--rejects"
            )

    def _kept(self, rows_done: int) -> list[list[str]]:
        if not rows_done or not self.path.exists():
            return []
        with self.path.open(encoding="utf-8", newline="", errors="replace") as file:
            rows = list(csv.reader(file))[1:]
        return [
            row
            for row in rows
            if len(row) > _ROW and row[_ROW].isdecimal() and int(row[_ROW]) < rows_done
        ]

    def _append(self, rows: Sequence[Sequence[str]], path: Path) -> None:
        if rows:
            with path.open("a", encoding="utf-8", newline="", errors="replace") as file:
                writer = csv.writer(file)
                if file.tell() == 0:
                    writer.writerow(self._header)
                writer.writerows(rows)

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0
