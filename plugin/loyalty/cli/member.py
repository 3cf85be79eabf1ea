"""``loyalty member``: one member as a whole, on the server's own machine."""

from __future__ import annotations

from typing import Annotated

import typer

from loyalty.cli.context import (
    AsJson,
    Folder,
    TenantCode,
    merchant,
    note,
    print_json,
    run,
)

app = typer.Typer(help="One member: export, erase, merge, part.")

Member = Annotated[str, typer.Argument(metavar="ID", help="The member's external id.")]
Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="External id of the guest or duplicate.")
]
Target = Annotated[
    str, typer.Argument(metavar="TARGET", help="External id of the member that stays.")
]


@app.callback()
def _group() -> None:
    pass


@app.command()
def export(external_id: Member, tenant: TenantCode = None, folder: Folder = None) -> None:
    """Print everything held about a member as JSON."""

    async def work() -> dict[str, object]:
        async with merchant(folder, tenant) as (services, viewer):
            return await services.membership.export(viewer, external_id)

    print_json(run(work()))


@app.command()
def erase(
    external_id: Member,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    tenant: TenantCode = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Erase a member for good: nothing personal of it stays, what it still has is forfeited."""
    if not yes:
        typer.confirm(f"Erase {external_id!r} for good?", abort=True, err=True)

    from loyalty.errors import Unavailable

    async def work() -> tuple[dict[str, int], int]:
        async with merchant(folder, tenant) as (services, viewer):
            done = await services.membership.erase(viewer, _key(), external_id)
            try:
                await services.database.vacuum()
            except Unavailable:
                note("a server is at work, so the database file was not written anew")
            left = await services.membership.imports_to_check(viewer)
            return dict(done.outcome["forfeited"]), sum(each.rejected for each in left)

    forfeited, rejected = run(work())
    if as_json:
        print_json({"erased": True, "forfeited": forfeited, "rejectedRows": rejected})
    else:
        lost = ", ".join(f"{amount:,} of {unit}" for unit, amount in sorted(forfeited.items()))
        print(f"erased; forfeited: {lost or 'nothing'}")
    if rejected:
        note(
            f"imports refused {rejected:,} rows; their files FILE.rejected.csv may hold the member "
            "still: delete them"
        )
    note("copies made before, such as backups, still hold the member")


@app.command()
def merge(
    source: Source,
    target: Target,
    tenant: TenantCode = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a guest or a duplicate part of a member."""

    async def work() -> bool:
        async with merchant(folder, tenant) as (services, viewer):
            done = await services.membership.merge(viewer, _key(), source, target)
            return bool(done.outcome["moved"])

    _say(run(work()), "merged", "they were merged already", as_json)


@app.command()
def unmerge(
    source: Source, tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False
) -> None:
    """Part a guest or a duplicate from its member again."""

    async def work() -> bool:
        async with merchant(folder, tenant) as (services, viewer):
            done = await services.membership.unmerge(viewer, _key(), source)
            return bool(done.outcome["moved"])

    _say(run(work()), "parted", "it is part of nobody", as_json)


def _say(moved: bool, done: str, nothing: str, as_json: bool) -> None:
    if as_json:
        print_json({"moved": moved})
    else:
        print(done if moved else f"nothing to do: {nothing}")


def _key() -> str:
    import secrets

    return f"cli-{secrets.token_hex(12)}"
