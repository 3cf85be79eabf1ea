"""``loyalty webhook``: senders of events and their secrets."""

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
    from datetime import datetime
    from pathlib import Path

    from loyalty.services.tenants import Tenant
    from loyalty.services.webhook_sources import WebhookSource, WebhookSources

T = TypeVar("T")

app = typer.Typer(help="Senders of events: each signs with a secret of its own.")


@app.command()
def create(
    source: Annotated[
        str, typer.Argument(help="Its name, part of its address: /webhooks/generic/SOURCE.")
    ],
    tenant: TenantCode = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a source and print the secret that its deliveries are signed with."""

    async def work(sources: WebhookSources, found: Tenant) -> WebhookSource:
        return await sources.create(found.id, source)

    made = _with_sources(folder, tenant, work)
    address = f"/webhooks/{made.kind}/{made.name}"
    if as_json:
        print_json({"source": made.name, "address": address, "secret": made.secret_text})
    else:
        print(made.secret_text)
        note(f"deliveries go to {address}; see docs/reference/webhooks.md for how to sign them")


@app.command("list")
def listed(
    tenant: TenantCode = None,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Print each source's secret too.")
    ] = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List the sources in force."""

    async def work(sources: WebhookSources, found: Tenant) -> list[tuple[WebhookSource, datetime]]:
        return await sources.all(found.id)

    found = _with_sources(folder, tenant, work)
    if as_json:
        print_json(
            [
                {"source": one.name, "kind": one.kind, "createdAt": created.isoformat()}
                | ({"secret": one.secret_text} if show_secrets else {})
                for one, created in found
            ]
        )
        return
    columns = ["source", "kind", "created", *(["secret"] if show_secrets else [])]
    rows = [
        [one.name, one.kind, f"{created:%Y-%m-%d %H:%M}"]
        + ([one.secret_text] if show_secrets else [])
        for one, created in found
    ]
    print_table(columns, rows)


def _with_sources(
    folder: Path | None, tenant: str | None, work: Callable[[WebhookSources, Tenant], Awaitable[T]]
) -> T:
    from loyalty.clock import SystemClock
    from loyalty.services.credentials import Credentials
    from loyalty.services.webhook_sources import WebhookSources

    async def whole() -> T:
        settings = settings_of(folder)
        secret = secret_of(settings)
        clock = SystemClock()
        async with opened(settings) as database:
            found = await tenant_of(database, tenant)
            credentials = Credentials(database, clock, secret, settings.environment)
            return await work(WebhookSources(database, clock, credentials), found)

    return run(whole())
