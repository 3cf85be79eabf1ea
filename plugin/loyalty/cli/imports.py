"""``loyalty import``: orders, members and products from CSV and Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loyalty.cli.context import AsJson, Folder, TenantCode, print_json, run, settings_of, wired

if TYPE_CHECKING:
    from loyalty.connectors.mapping import Kind, Mapping
    from loyalty.services.imports.imports import ImportFile, ImportReport
    from loyalty.services.services import Services

app = typer.Typer(
    help="Take in files of orders, members and products, CSV or Parquet. "
    "Stopped, an import goes on where it was."
)

File = Annotated[Path, typer.Argument(help="CSV (with a header line) or Parquet.")]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", help="TOML file that says what the columns are called."),
]
Rejects = Annotated[
    Path | None,
    typer.Option("--rejects", help="Where refused rows are written; else FILE.rejected.csv."),
]
Shift = Annotated[
    int | None,
    typer.Option("--shift-weeks", help="Add so many weeks to every time; kept with the import."),
]


@app.command()
def orders(
    file: File,
    tenant: TenantCode = None,
    mapping: MappingFile = None,
    shift_weeks: Shift = None,
    rejects: Rejects = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Book paid orders, one row per line. An order that is booked already is left alone."""
    _import("orders", file, tenant, mapping, shift_weeks, rejects, folder, as_json)


@app.command()
def members(
    file: File,
    tenant: TenantCode = None,
    mapping: MappingFile = None,
    shift_weeks: Shift = None,
    rejects: Rejects = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Enrol members, or update those who are enrolled."""
    _import("members", file, tenant, mapping, shift_weeks, rejects, folder, as_json)


@app.command()
def products(
    file: File,
    tenant: TenantCode = None,
    mapping: MappingFile = None,
    rejects: Rejects = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write products into the catalogue. Import them before orders that shall count by category."""
    _import("products", file, tenant, mapping, None, rejects, folder, as_json)


def _import(
    what: str,
    path: Path,
    tenant: str | None,
    mapping: Path | None,
    shift_weeks: int | None,
    rejects: Path | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    from loyalty.connectors.mapping import Kind
    from loyalty.services.imports.imports import ImportFile

    kind = Kind(what)
    file = ImportFile(
        kind,
        path.absolute(),
        mapping_of(mapping, kind),
        (rejects or path.with_name(f"{path.name}.rejected.csv")).absolute(),
        shift_weeks=shift_weeks,
    )
    report = run(_taken(file, tenant, folder))
    if as_json:
        print_json(_summary(report))
    else:
        for sentence in sentences(kind, path.name, report):
            print(sentence)


async def _taken(file: ImportFile, code: str | None, folder: Path | None) -> ImportReport:
    from loyalty.cli.context import tenant_of

    async with wired(settings_of(folder)) as services:
        tenant = await tenant_of(services.database, code)
        return await taken(services, tenant.id, file)


async def taken(services: Services, tenant_id: int, file: ImportFile) -> ImportReport:
    """Import with progress shown. Nobody is told of what changes."""
    from loyalty.cli.import_progress import shown
    from loyalty.services.books.door import Door
    from loyalty.services.imports.imports import Imports

    async def nobody(_: object) -> None:
        return None

    door = Door(services.database, services.clock, services.rulesets.known, nobody)
    imports = Imports(
        services.database, services.clock, door, services.rulesets, services.catalogue
    )
    with shown(file.kind) as progress:
        return await imports.take(tenant_id, file, progress)


def mapping_of(path: Path | None, kind: Kind) -> Mapping:
    """The mapping in a file, or the documented columns as they are."""
    from loyalty.connectors.mapping import Mapping, read_mapping
    from loyalty.connectors.members import MEMBER_COLUMNS
    from loyalty.connectors.orders import ORDER_COLUMNS
    from loyalty.connectors.products import PRODUCT_COLUMNS

    columns = {"orders": ORDER_COLUMNS, "members": MEMBER_COLUMNS, "products": PRODUCT_COLUMNS}
    return Mapping() if path is None else read_mapping(path, kind, columns[kind])


def sentences(kind: Kind, name: str, report: ImportReport) -> list[str]:
    """What an import did, in words."""
    run, weeks = report.run, report.run.shifted_weeks
    if report.was_complete:
        return [f"{name} was imported before, all {run.rows_done:,} rows of it; nothing was done."]
    said = [f"{name}: {report.taken:,} {kind} taken in from {run.accepted:,} rows."]
    if report.went_on_from:
        said.append(f"Went on after the {report.went_on_from:,} rows of an earlier start.")
    if weeks:
        said.append(f"All times were shifted by {weeks} weeks.")
    if report.known:
        what = "updated" if kind == "members" else "booked already and left as they were"
        said.append(f"{report.known:,} {kind} were known: {what}.")
    if report.inexact:
        said.append(
            f"Warning: {report.inexact:,} amounts had a residue of binary fractions and were "
            "rounded to whole minor units."
        )
    if report.capped:
        said.append(
            f"Warning: {report.capped:,} discounts above their line's amount were cut to it."
        )
    if run.rejected:
        said.append(f"{run.rejected:,} rows were refused; they are in {report.rejects}:")
        said += [f"  {count:>9,}  {code}" for code, count in sorted(report.refused.items())]
    return said


def _summary(report: ImportReport) -> dict[str, object]:
    run = report.run
    return {
        "wasComplete": report.was_complete,
        "rows": run.rows_done,
        "rowsAccepted": run.accepted,
        "rowsRejected": run.rejected,
        "taken": report.taken,
        "known": report.known,
        "amountsRounded": report.inexact,
        "discountsCut": report.capped,
        "shiftedWeeks": run.shifted_weeks,
        "rejectedBy": report.refused,
        "rejects": str(report.rejects) if run.rejected else None,
    }
