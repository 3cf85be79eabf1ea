"""``loyalty ledger``: the proof that the books are right."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from loyalty.cli.context import (
    AsJson,
    Folder,
    TenantCode,
    note,
    opened,
    print_json,
    run,
    settings_of,
    tenant_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loyalty.services.proof.roots import Root
    from loyalty.services.proof.verify import Verification

app = typer.Typer(help="The ledger of points, and the proof that it is right.")


@app.callback()
def _group() -> None:
    pass


@app.command()
def verify(tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """Recompute every balance, lot, hold and chain from the entries; exit code 1 if one is off."""
    from rich.console import Console

    from loyalty.services.proof import verify as verifier

    async def work() -> Verification:
        console = Console(stderr=True)
        async with opened(settings_of(folder)) as database:
            found = await tenant_of(database, tenant)
            with console.status(f"checking the ledger of {found.code}") as status:
                return await verifier.verify(
                    database,
                    found.id,
                    lambda members: status.update(f"{members:,} members checked"),
                )

    seen = run(work())
    if as_json:
        print_json(
            {
                "ok": seen.ok,
                "members": seen.members,
                "transactions": seen.transactions,
                "entries": seen.entries,
                "problems": seen.problems,
                "problemsMore": seen.problems_more,
            }
        )
    else:
        for problem in seen.problems:
            print(f"wrong: {problem}")
        if seen.problems_more:
            print(f"… and {seen.problems_more:,} more")
        looked_at = (
            f"{seen.members:,} members, {seen.transactions:,} transactions, "
            f"{seen.entries:,} entries"
        )
        verdict = "all of it holds" if seen.ok else "it does NOT hold"
        print(f"looked at {looked_at}: {verdict}")
    if not seen.ok:
        raise typer.Exit(1)


@app.command()
def root(
    tenant: TenantCode = None,
    last: Annotated[
        int, typer.Option("--last", min=1, help="How many of the latest roots to print.")
    ] = 1,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make the roots of days that have ended, and print the latest as DAY:HEX to be published."""
    from loyalty.clock import SystemClock
    from loyalty.services.proof.roots import Roots

    async def work() -> tuple[list[Root], list[Root]]:
        async with opened(settings_of(folder)) as database:
            found = await tenant_of(database, tenant)
            roots = Roots(database, SystemClock())
            return await roots.make(found.id), await roots.newest(found.id, last)

    made, newest = run(work())
    note(f"{len(made):,} roots made")
    if as_json:
        print_json(
            [
                {
                    "day": each.day.isoformat(),
                    "root": each.root.hex(),
                    "holders": each.holders,
                    "transactions": each.transactions,
                }
                for each in newest
            ]
        )
        return
    for each in reversed(newest):
        print(each.published)
    if not newest:
        note("there is none yet: no day has ended since the first booking")


@app.command()
def export(
    tenant: TenantCode = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; standard output unless told."),
    ] = None,
    folder: Folder = None,
) -> None:
    """Write the whole ledger as JSON lines for a third party to check; no personal data."""
    from rich.console import Console

    from loyalty.services.proof import ledger_export

    async def work() -> None:
        async with opened(settings_of(folder)) as database:
            found = await tenant_of(database, tenant)
            status = Console(stderr=True).status(f"exporting the ledger of {found.code}")
            with status, _written(output) as write:
                async for text in ledger_export.export(
                    database,
                    found.id,
                    lambda holders: status.update(f"{holders:,} holders exported"),
                ):
                    write(text.decode())

    run(work())


@contextmanager
def _written(output: Path | None) -> Iterator[Callable[[str], object]]:
    """Where an export goes; a file takes its name when it is whole."""
    if output is None:
        yield sys.stdout.write
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as file:
            yield file.write
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


@app.command()
def verifier() -> None:
    """Print the stand-alone verifier: one Python file that needs nothing of this installation."""
    from importlib.resources import files

    sys.stdout.write(files("loyalty").joinpath("ledger_verifier.py").read_text(encoding="utf-8"))
