"""Files of orders, members and products, taken in a block at a time.

An import may be stopped at any moment and started again: it goes on where it was. Orders go
through the same commands as live ones, judged by the moment they occurred; nobody is told.
"""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from loyalty.clock import Clock
from loyalty.connectors.ahead import ReadAhead
from loyalty.connectors.mapping import Kind, Mapping
from loyalty.connectors.members import MemberReading
from loyalty.connectors.orders import OrderReading
from loyalty.connectors.piece import Block, RowReader
from loyalty.connectors.products import ProductReading
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.errors import BadInput, LoyaltyError, Unavailable
from loyalty.services.books.desk import Command
from loyalty.services.books.door import Door
from loyalty.services.books.loading import Known
from loyalty.services.catalogue import Catalogue
from loyalty.services.imports.import_members import MemberTaking
from loyalty.services.imports.import_orders import OrderTaking
from loyalty.services.imports.import_products import ProductTaking
from loyalty.services.imports.import_run import ImportProgress, Placed, Run, Runs, Tally, digest_of
from loyalty.services.imports.rejects import RejectsFile
from loyalty.services.rulesets import Rulesets
from loyalty.storage import imports as sql
from loyalty.storage.database import Database

PER_UNIT = 1_000
"""Orders, members or products of one transaction; more gain little and hold the writer longer."""
KNOWN_MEMBERS_MAX = 20_000
"""Members whose accounts are kept in memory between blocks."""
LARGE_BYTES = 2_000_000
"""From this size on a file is read in a process of its own, which takes a moment to start."""
MICROS_PER_WEEK = timedelta(weeks=1) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ImportFile:
    """What to import, and how.

    Args:
        rejects: where refused rows are written; begun only when there is one.
        source: what orders name as the place they came from.
        shift_weeks: added to every time; None: what the import of this file began with, else 0.
        per_unit: orders, members or products booked in one transaction.
    """

    kind: Kind
    path: Path
    mapping: Mapping
    rejects: Path
    source: str = "import"
    shift_weeks: int | None = None
    per_unit: int = PER_UNIT

    def shifted(self, weeks: int) -> "ImportFile":
        """The same with another shift."""
        return replace(self, shift_weeks=weeks)


@dataclass(frozen=True, slots=True)
class ImportStep:
    """How far an import is; ``rows_total`` None: not known. ``rows_before``: of earlier starts."""

    rows_done: int
    rows_before: int
    rows_total: int | None
    taken: int


@dataclass(slots=True)
class ImportReport:
    """What an import did.

    Args:
        run: rows of the file as a whole, earlier starts included.
        counted: what the numbers in messages count: ``line`` or ``row``.
        taken: orders, members or products this start took in; ``known`` of them or besides
            them were there already.
        refused: lines of the rejects file by the reason's code, earlier starts included.
        inexact: amounts of this start rounded off a binary fraction's residue.
        capped: discounts of this start cut to their line's amount.
    """

    run: Run
    rejects: Path
    counted: str
    was_complete: bool = False
    went_on_from: int = 0
    taken: int = 0
    known: int = 0
    inexact: int = 0
    capped: int = 0
    refused: dict[str, int] = field(default_factory=dict)


class Reading(Protocol):
    """How to read a file; picklable, for a process of its own."""

    def reader(self) -> RowReader: ...
    def blocks(self, skip: int) -> Iterator[Block]: ...


class Taking(Protocol):
    """How what was read becomes commands."""

    @property
    def reading(self) -> Reading: ...
    async def commands(self, block: Block, tally: Tally) -> Sequence[Placed]: ...


Progress = Callable[[ImportStep], None]


class Imports:
    """Takes files in."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        door: Door,
        rulesets: Rulesets,
        catalogue: Catalogue,
    ) -> None:
        self._database = database
        self._clock = clock
        self._door = door
        self._rulesets = rulesets
        self._catalogue = catalogue
        self._runs = Runs(database, clock)

    async def take(self, tenant_id: int, file: ImportFile, progress: Progress) -> ImportReport:
        """Import a file, or go on with it; one that is complete is left alone.

        Raises:
            BadInput: the file or its mapping cannot be used.
            NotFound: the tenant has published no program.
            Conflict: the file was begun with another shift.
            Unavailable: the database is away; start again to go on.
        """
        ruleset = await self._rulesets.current(tenant_id)
        digest = await asyncio.to_thread(digest_of, file.path, file.mapping)
        earlier = await self._runs.found(tenant_id, file.kind, digest)
        weeks = earlier.shifted_weeks if earlier else file.shift_weeks or 0
        taking = self._taking(tenant_id, file, ruleset, weeks * MICROS_PER_WEEK)
        # Before anything is booked: a file that cannot be read begins no run.
        reader = await asyncio.to_thread(taking.reading.reader)
        run = await self._runs.begun(tenant_id, file.kind, digest, file.shift_weeks)
        report = ImportReport(run, file.rejects, reader.counted, went_on_from=run.rows_done)
        if run.is_complete:
            report.was_complete = True
            return report
        rejects = RejectsFile(file.rejects, reader.names)
        await asyncio.to_thread(rejects.go_on, run.rows_done)
        work = _Import(self._door, tenant_id, taking, rejects, report)
        blocks = _blocks(partial(taking.reading.blocks, run.rows_done), file.path)
        with _collector_resting():
            async with aclosing(blocks):
                async for block in blocks:
                    await work.book(block)
                    rows = report.run.rows_done
                    progress(ImportStep(rows, report.went_on_from, reader.total, report.taken))
            await work.finish()
        report.refused = dict(rejects.counts)
        return report

    async def shift_of(self, tenant_id: int, file: ImportFile) -> int | None:
        """The weeks by which an import of this file was shifted; None: it was not begun yet."""
        digest = await asyncio.to_thread(digest_of, file.path, file.mapping)
        run = await self._runs.found(tenant_id, file.kind, digest)
        return None if run is None else run.shifted_weeks

    async def orders_booked(self, tenant_id: int) -> int:
        """Orders of the tenant, imported or not."""
        rows = await self._database.read(sql.ORDERS_BOOKED(tenant_id))
        return int(rows[0][0])

    def _taking(
        self, tenant_id: int, file: ImportFile, ruleset: Ruleset, shift_micros: int
    ) -> Taking:
        now, mapping = self._clock.now(), file.mapping
        currency, zone = ruleset.currency, ruleset.time_zone
        if (mapping.currency or currency) != currency:
            raise BadInput(
                f"found amounts in {mapping.currency}, wanted the program's currency {currency}"
            )
        match file.kind:
            case Kind.ORDERS:
                orders = OrderReading(
                    file.path, mapping, currency, zone, shift_micros, now, file.per_unit
                )
                return OrderTaking(self._database, tenant_id, orders, file.source)
            case Kind.MEMBERS:
                members = MemberReading(file.path, mapping, zone, shift_micros, now, file.per_unit)
                return MemberTaking(tenant_id, members)
            case Kind.PRODUCTS:
                products = ProductReading(file.path, mapping, currency, zone, file.per_unit)
                return ProductTaking(self._catalogue, tenant_id, products, now)


class _Import:
    """Books blocks one after the other."""

    def __init__(
        self,
        door: Door,
        tenant_id: int,
        taking: Taking,
        rejects: RejectsFile,
        report: ImportReport,
    ) -> None:
        self._door = door
        self._tenant_id = tenant_id
        self._taking = taking
        self._rejects = rejects
        self._report = report
        self._known: Known = {}

    async def book(self, block: Block) -> None:
        report = self._report
        tally = Tally(block.rows_done - report.run.rows_done, block.rejects)
        commands = await self._taking.commands(block, tally)
        await self._booked(commands, tally, is_complete=False)
        report.taken += len(block.items) - len(tally.refused.keys() | tally.known)
        report.known += len(tally.known)
        report.inexact += block.inexact
        report.capped += block.capped

    async def finish(self) -> None:
        await self._booked((), Tally(0), is_complete=True)

    async def _booked(self, commands: Sequence[Placed], tally: Tally, *, is_complete: bool) -> None:
        run = self._report.run
        progress = ImportProgress(self._tenant_id, run, tally, self._rejects, is_complete)
        if len(self._known) > KNOWN_MEMBERS_MAX:
            self._known.clear()
        try:
            await self._execute([*commands, progress])
        except Unavailable:
            raise
        except LoyaltyError:
            # One that no column can hold must not take the others with it.
            for command in commands:
                await self._execute_alone(command)
            await self._execute([progress])
        self._report.run = progress.after()
        self._rejects.keep(tally.all_rejects())

    async def _execute_alone(self, command: Placed) -> None:
        try:
            await self._execute([command])
        except Unavailable:
            raise
        except LoyaltyError as refusal:
            command.place.refuse(refusal.code.lower(), refusal.message)

    async def _execute(self, commands: Sequence[Command]) -> None:
        await self._door.execute(self._tenant_id, commands, known=self._known)


async def _blocks(make: Callable[[], Iterator[Block]], path: Path) -> AsyncGenerator[Block, None]:
    """Blocks of a file, the next one read while the last one is booked."""
    size = (await asyncio.to_thread(path.stat)).st_size
    ahead = ReadAhead(make) if size >= LARGE_BYTES else None
    blocks = iter(ahead if ahead else make())
    fetching = asyncio.create_task(asyncio.to_thread(next, blocks, None))
    try:
        # Shielded: a cancelled import still has to wait for the thread that reads.
        while (block := await asyncio.shield(fetching)) is not None:
            if ahead:
                fetching = asyncio.create_task(asyncio.to_thread(next, blocks, None))
                yield block
            else:
                # Without a second process, reading would only take turns with booking.
                yield block
                fetching = asyncio.create_task(asyncio.to_thread(next, blocks, None))
    finally:
        if ahead is not None:
            await asyncio.to_thread(ahead.stop)
        await asyncio.wait([fetching])
        # Looked at, so that a failure nobody waits for is not reported as forgotten.
        fetching.exception()
        if ahead is not None:
            ahead.close()


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Millions of short-lived values and next to no cycles: looking for them takes long."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
