"""``loyalty tenant``: the shops of this installation."""

from __future__ import annotations

from typing import Annotated

import typer

from loyalty.cli.context import AsJson, Folder, opened, print_json, print_table, run, settings_of

app = typer.Typer(help="Tenants: each is one shop, and everything belongs to exactly one.")


@app.command()
def create(
    code: Annotated[str, typer.Argument(help="Short name: letters, digits and _.")],
    name: Annotated[str, typer.Option(help="Name as people write it.")],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a tenant; publish its program next."""
    from loyalty.clock import SystemClock
    from loyalty.services.tenants import Tenant, Tenants

    async def work() -> Tenant:
        async with opened(settings_of(folder)) as database:
            return await Tenants(database, SystemClock()).create(code, name)

    made = run(work())
    if as_json:
        print_json({"id": made.id, "code": made.code, "name": made.name})
    else:
        print(f"made tenant {made.code}; next: loyalty program publish FILE --tenant {made.code}")


@app.command("list")
def listed(folder: Folder = None, as_json: AsJson = False) -> None:
    """List the tenants."""
    from loyalty.clock import SystemClock
    from loyalty.services.tenants import Tenant, Tenants

    async def work() -> list[Tenant]:
        async with opened(settings_of(folder)) as database:
            return await Tenants(database, SystemClock()).all()

    found = run(work())
    if as_json:
        print_json([{"id": one.id, "code": one.code, "name": one.name} for one in found])
    else:
        print_table(["code", "name"], [[one.code, one.name] for one in found])
