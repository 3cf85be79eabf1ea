"""``loyalty issuer``: whose word on who a shopper is a tenant takes, and how it is signed."""

from __future__ import annotations

from pathlib import Path
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

    from loyalty.services.issuers import Issuer, Issuers
    from loyalty.services.tenants import Tenant

T = TypeVar("T")

app = typer.Typer(help="Signers of shoppers' tokens: the shop's backend, or its identity server.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What its tokens say in `iss`.")]
KEY_BYTES_MAX = 65_536
"""Largest file that a public key is read from; one of 4,096 bits takes 800 bytes."""


@app.command("list")
def listed(tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the issuers whose tokens are taken."""

    async def work(issuers: Issuers, found: Tenant) -> list[Issuer]:
        return await issuers.all(found.id)

    known = _with_issuers(folder, tenant, work)
    if as_json:
        print_json([_fields(one) for one in known])
        return
    rows = [[one.name, one.algorithm, one.audience or "", _kept(one)] for one in known]
    print_table(["name", "algorithm", "audience", "key"], rows)


@app.command()
def show(
    name: Name, tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False
) -> None:
    """Print what its tokens are checked with: the shared secret of HS256, or the public key."""

    async def work(issuers: Issuers, found: Tenant) -> tuple[Issuer, str | None]:
        issuer = await issuers.one(found.id, name)
        if issuer.public_key is not None:
            return issuer, None
        return issuer, await issuers.secret(found.id, name)

    issuer, secret = _with_issuers(folder, tenant, work)
    if as_json:
        print_json(_fields(issuer) | {"publicKey": issuer.public_key, "secret": secret})
        return
    # Alone on standard output, so that it can be piped to where it is kept.
    print(secret or (issuer.public_key or "").strip())
    audience = f" and aud {issuer.audience!r}" if issuer.audience else ""
    note(f"its tokens are signed with {issuer.algorithm}, with iss {issuer.name!r}{audience}")


@app.command()
def add(
    name: Name,
    algorithm: Annotated[
        str,
        typer.Option(help="RS256, ES256 or EdDSA with a key pair of its own, or HS256."),
    ],
    public_key: Annotated[
        Path | None,
        typer.Option(
            help="PEM file of the public key; none for HS256.",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    audience: Annotated[
        str | None, typer.Option(help="Take only tokens that say this in `aud`.")
    ] = None,
    tenant: TenantCode = None,
    folder: Folder = None,
) -> None:
    """Take an issuer's word from now on."""
    key = None if public_key is None else _text(public_key)

    async def work(issuers: Issuers, found: Tenant) -> None:
        await issuers.add(found.id, name, algorithm, key, audience)

    _with_issuers(folder, tenant, work)
    print(f"added {name}")
    if key is None:
        note("for the secret that it signs with: loyalty issuer show NAME")


@app.command()
def remove(name: Name, tenant: TenantCode = None, folder: Folder = None) -> None:
    """Take its word no longer. Running servers refuse its tokens within 5 seconds."""

    async def work(issuers: Issuers, found: Tenant) -> None:
        await issuers.remove(found.id, name)

    _with_issuers(folder, tenant, work)
    print(f"removed {name}")


def _fields(issuer: Issuer) -> dict[str, object]:
    return {"name": issuer.name, "algorithm": issuer.algorithm, "audience": issuer.audience}


def _kept(issuer: Issuer) -> str:
    return "shared secret" if issuer.public_key is None else "public key"


def _text(file: Path) -> str:
    """Raises BadInput: too much for a key, or no text."""
    from loyalty.errors import BadInput

    with file.open("rb") as opened_file:
        content = opened_file.read(KEY_BYTES_MAX + 1)
    if len(content) > KEY_BYTES_MAX:
        raise BadInput(f"{file} has more than {KEY_BYTES_MAX:,} bytes, wanted a key as PEM text")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not PEM text: byte {error.start} cannot be read") from error


def _with_issuers(
    folder: Path | None, tenant: str | None, work: Callable[[Issuers, Tenant], Awaitable[T]]
) -> T:
    from loyalty.clock import SystemClock
    from loyalty.services.credentials import Credentials
    from loyalty.services.issuers import Issuers

    async def whole() -> T:
        settings = settings_of(folder)
        secret = secret_of(settings)
        async with opened(settings) as database:
            found = await tenant_of(database, tenant)
            credentials = Credentials(database, SystemClock(), secret, settings.environment)
            return await work(Issuers(database, SystemClock(), credentials), found)

    return run(whole())
