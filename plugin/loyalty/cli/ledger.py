"""``loyalty ledger``: the proof that the books are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from loyalty.cli.context import (
    AsJson,
    Folder,
    TenantCode,
    opened,
    print_json,
    run,
    settings_of,
    tenant_of,
)

if TYPE_CHECKING:
    from loyalty.services.verify import Verification

app = typer.Typer(help="The ledger of points.")


@app.callback()
def _group() -> None:
    pass


@app.command()
def verify(tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """Recompute every balance, lot, hold and chain from the entries; exit code 1 if one is off."""
    from rich.console import Console

    from loyalty.services import verify as verifier

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
