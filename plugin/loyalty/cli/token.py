"""``loyalty token``: shoppers' tokens, as the shop's own backend would mint them."""

from __future__ import annotations

from typing import Annotated

import typer

from loyalty.cli.context import (
    AsJson,
    Folder,
    TenantCode,
    note,
    opened,
    print_json,
    run,
    secret_of,
    settings_of,
    tenant_of,
)

app = typer.Typer(help="Short-lived tokens of shoppers, for trying things out.")

TTL_S_MAX = 86_400
"""Longest lifetime of a token, in seconds: past it the server refuses it."""


@app.callback()
def _group() -> None:
    pass


@app.command()
def member(
    external_id: Annotated[str, typer.Argument(metavar="ID", help="The member's external id.")],
    ttl: Annotated[
        int | None,
        typer.Option(
            help="Lifetime in seconds; LOYALTY_SHOPPER_TOKEN_TTL_S by default.",
            min=1,
            max=TTL_S_MAX,
        ),
    ] = None,
    tenant: TenantCode = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Print a JWT for a member: `Authorization: Bearer JWT`."""
    from datetime import datetime

    from loyalty.clock import SystemClock
    from loyalty.errors import BadInput
    from loyalty.services.credentials import Credentials
    from loyalty.storage.members import ID_AND_VERSION

    if not 1 <= len(external_id) <= 128 or not external_id.isprintable():
        raise BadInput(f"found {external_id!r:.80}, wanted an external id: 1 to 128 printable")

    async def work() -> tuple[str, datetime, bool]:
        settings = settings_of(folder)
        secret = secret_of(settings)
        async with opened(settings) as database:
            found = await tenant_of(database, tenant)
            credentials = Credentials(database, SystemClock(), secret, settings.environment)
            text, expires = await credentials.mint(
                found.id, external_id, ttl or settings.shopper_token_ttl_s
            )
            known = await database.read(ID_AND_VERSION(found.id, external_id))
            return text, expires, bool(known)

    text, expires, is_known = run(work())
    if not is_known:
        note(f"note: there is no member {external_id!r} yet; with this token the shopper may enrol")
    if as_json:
        print_json({"token": text, "expiresAt": expires.isoformat()})
    else:
        print(text)
        note(f"valid until {expires:%Y-%m-%d %H:%M} UTC")
