"""One import of one file: how far it has come, and what was refused on the way.

Progress is booked in the transaction of what it tells of, so a stop at any moment neither
loses nor repeats a row.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from loyalty.clock import Clock
from loyalty.connectors.mapping import Kind, Mapping
from loyalty.connectors.piece import Reject
from loyalty.errors import BadInput, Conflict
from loyalty.services.books.desk import Command, Desk, Idempotent, Needs
from loyalty.services.imports.rejects import RejectsFile
from loyalty.storage import imports as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.problems import DuplicateKey
from loyalty.storage.statements import Unit


@dataclass(frozen=True, slots=True)
class Run:
    """An import as it was found or begun; counts are rows of the file."""

    id: int
    rows_done: int
    accepted: int
    rejected: int
    is_complete: bool
    shifted_weeks: int


class Runs:
    """Finds and begins imports."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def found(self, tenant_id: int, kind: Kind, digest: str) -> Run | None:
        rows = await self._database.read(sql.RUN(tenant_id, kind, digest))
        if not rows:
            return None
        id, rows_done, accepted, rejected, is_complete, weeks = rows[0]
        return Run(id, rows_done, accepted, rejected, bool(is_complete), weeks)

    async def begun(self, tenant_id: int, kind: Kind, digest: str, shift_weeks: int | None) -> Run:
        """The run of this file, begun now if there is none.

        Raises:
            Conflict: it was begun with another shift.
        """
        run = await self.found(tenant_id, kind, digest)
        if run is None:
            # Another process may begin it just now; the natural keys keep the two apart.
            with suppress(DuplicateKey):
                await self._database.write(
                    lambda: self._begin(tenant_id, kind, digest, shift_weeks or 0)
                )
            run = await self.found(tenant_id, kind, digest)
            assert run is not None
        if shift_weeks is not None and shift_weeks != run.shifted_weeks:
            raise Conflict(
                f"this file was begun with its times shifted by {run.shifted_weeks} weeks, "
                f"found {shift_weeks}; wanted the same, or none given"
            )
        return run

    def _begin(self, tenant_id: int, kind: Kind, digest: str, weeks: int) -> Unit[None]:
        now = self._clock.now()
        effects = Effects()
        effects.insert(
            "import_run",
            {
                "id": self._database.ids.next(),
                "tenant_id": tenant_id,
                "kind": kind,
                "file_hash": digest,
                "rows_done": 0,
                "accepted": 0,
                "rejected": 0,
                "is_complete": False,
                "shifted_weeks": weeks,
                "started_at": now,
                "updated_at": now,
            },
        )
        yield effects


@dataclass(slots=True)
class Tally:
    """What became of one block of a file. A unit that is run again writes the same places.

    Args:
        rows: how many the block covers.
        rejects: what its reader refused.
        refused: what booking refused, by position in the block, with the rows it stands for.
        known: positions of what was there already, alike or not.
    """

    rows: int
    rejects: Sequence[Reject] = ()
    refused: dict[int, tuple[Reject, int]] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)

    def all_rejects(self) -> list[Reject]:
        """In the order of the file."""
        refused = [reject for reject, _ in self.refused.values()]
        return sorted([*self.rejects, *refused], key=lambda reject: reject.row)

    @property
    def rejected(self) -> int:
        """Rows refused."""
        return len(self.rejects) + sum(rows for _, rows in self.refused.values())


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the file an item stands, and where to note what became of it.

    Args:
        row: position of its first row in the file.
        lines: what to call its rows in a message.
        rows: how many it has.
    """

    tally: Tally
    position: int
    row: int
    lines: str
    rows: int
    label: str

    def begin(self) -> None:
        """Forget what an earlier run of the unit noted."""
        self.tally.refused.pop(self.position, None)
        self.tally.known.discard(self.position)

    def found(self) -> None:
        """It was there already."""
        self.tally.known.add(self.position)

    def refuse(self, code: str, reason: str) -> None:
        reject = Reject(self.row, self.lines, code, f"{self.label}: {reason}", ())
        self.tally.refused[self.position] = (reject, self.rows)


class Placed(Command, Protocol):
    """A command that stands for something in a file."""

    @property
    def place(self) -> Place: ...


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """The last command of a block: books how far the file has come."""

    tenant_id: int
    run: Run
    tally: Tally
    rejects: RejectsFile
    is_complete: bool
    idempotent: Idempotent | None = None
    at: None = None

    def needs(self) -> Needs:
        return Needs()

    def decide(self, desk: Desk) -> dict[str, Any]:
        after = self.after()
        self.rejects.write(self.tally.all_rejects())
        desk.update(
            "import_run",
            after.id,
            rows_done=after.rows_done,
            accepted=after.accepted,
            rejected=after.rejected,
            is_complete=after.is_complete,
            updated_at=desk.now,
        )
        return {}

    def after(self) -> Run:
        """The run once the block is booked."""
        run, rejected = self.run, self.tally.rejected
        return Run(
            run.id,
            run.rows_done + self.tally.rows,
            run.accepted + self.tally.rows - rejected,
            run.rejected + rejected,
            self.is_complete,
            run.shifted_weeks,
        )


def digest_of(path: Path, mapping: Mapping) -> str:
    """What an import is known by: the file's bytes, and how they were to be read.

    Raises:
        BadInput: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
    except OSError as problem:
        raise BadInput(f"cannot read {path}: {problem.strerror}") from problem
    if mapping.digest:
        digest.update(mapping.digest.encode())
    return digest.hexdigest()
