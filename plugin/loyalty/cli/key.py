"""``loyalty key``: keys of checkout services, connectors and merchants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from loyalty.cli.context import (
    AsJson,
    Folder,
    TenantCode,
    note,
    opened,
    print_json,
    print_table,
    run,
    secret_of,
    settings_of,
    tenant_of,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from loyalty.services.credentials import Credentials, KeyInfo, NewKey
    from loyalty.services.tenants import Tenant

T = TypeVar("T")

app = typer.Typer(help="Keys of services and merchants. Only their hashes are stored.")


@app.command()
def create(
    name: Annotated[
        str, typer.Option(help="Who uses it. A key of the same name replaces it when rotating.")
    ],
    scopes: Annotated[
        str,
        typer.Option(
            help="Comma between: catalogue:read members:read members:write checkout:quote "
            "checkout:write events:write, or admin for the merchant."
        ),
    ],
    tenant: TenantCode = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once."""
    wanted = [scope.strip() for scope in scopes.replace(" ", ",").split(",") if scope.strip()]

    async def work(credentials: Credentials, found: Tenant) -> NewKey:
        return await credentials.create_key(found.id, name, list(dict.fromkeys(wanted)))

    made = _with_credentials(folder, tenant, work)
    if as_json:
        print_json({"id": made.key_id, "key": made.text, "scopes": list(made.scopes)})
    else:
        print(made.text)
        note(f"keep it now: it is never shown again. It may: {', '.join(made.scopes)}")


@app.command("list")
def listed(tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the keys, without their secrets."""

    async def work(credentials: Credentials, found: Tenant) -> list[KeyInfo]:
        return await credentials.keys(found.id)

    keys = _with_credentials(folder, tenant, work)
    if as_json:
        print_json(
            [
                {
                    "id": one.key_id,
                    "name": one.name,
                    "scopes": list(one.scopes),
                    "createdAt": one.created_at.isoformat(),
                    "revokedAt": one.revoked_at and one.revoked_at.isoformat(),
                }
                for one in keys
            ]
        )
        return
    rows = [
        [
            one.key_id,
            one.name,
            " ".join(one.scopes),
            f"{one.created_at:%Y-%m-%d %H:%M}",
            f"{one.revoked_at:%Y-%m-%d %H:%M}" if one.revoked_at else "",
        ]
        for one in keys
    ]
    print_table(["id", "name", "scopes", "created", "revoked"], rows)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As in `loyalty key list`.")],
    tenant: TenantCode = None,
    folder: Folder = None,
) -> None:
    """End a key. Running servers refuse it within 5 seconds."""

    async def work(credentials: Credentials, found: Tenant) -> None:
        await credentials.revoke_key(found.id, key_id)

    _with_credentials(folder, tenant, work)
    print(f"revoked {key_id}")


def _with_credentials(
    folder: Path | None, tenant: str | None, work: Callable[[Credentials, Tenant], Awaitable[T]]
) -> T:
    from loyalty.clock import SystemClock
    from loyalty.services.credentials import Credentials

    async def whole() -> T:
        settings = settings_of(folder)
        secret = secret_of(settings)
        async with opened(settings) as database:
            found = await tenant_of(database, tenant)
            credentials = Credentials(database, SystemClock(), secret, settings.environment)
            return await work(credentials, found)

    return run(whole())
