"""What every command needs: its settings, an open database, the tenant meant, a way to print.

Heavy modules are imported inside the functions, so that a command pays for what it uses.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from loyalty.cli.bad_settings import BadSettings, setting_problems
from loyalty.errors import BadInput, NotFound

if TYPE_CHECKING:
    from loyalty.secrets import SecretKey
    from loyalty.services.access import Viewer
    from loyalty.services.services import Services
    from loyalty.services.tenants import Tenant
    from loyalty.settings import Settings
    from loyalty.storage.database import Database

T = TypeVar("T")

Folder = Annotated[
    Path | None,
    typer.Option(
        "--dir", help="State folder of a demo shop, instead of the settings in the environment."
    ),
]
TenantCode = Annotated[
    str | None, typer.Option("--tenant", help="Code of the tenant; not needed if there is one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def settings_of(folder: Path | None) -> Settings:
    """The settings of the environment, or of a demo shop's state folder.

    Raises:
        BadSettings: a value is not one, or the folder holds no demo shop.
    """
    if folder is not None:
        from loyalty.cli.demo.folder import DemoFolder

        return DemoFolder(folder).settings()
    from pydantic import ValidationError

    from loyalty.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        raise BadSettings("; ".join(setting_problems(error))) from error


def secret_of(settings: Settings) -> SecretKey:
    """The server's key. Raises BadSettings when it is missing or too short."""
    from loyalty.secrets import SecretKey

    text = settings.secret_key.get_secret_value()
    try:
        return SecretKey(text)
    except ValueError as error:
        advice = "" if text else "; make one with: openssl rand -hex 32"
        raise BadSettings(f"LOYALTY_SECRET_KEY: {error}{advice}") from error


@asynccontextmanager
async def opened(settings: Settings, *, migrate: bool = False) -> AsyncIterator[Database]:
    """The database for one command; SQLite's file is made only when ``migrate``.

    Raises:
        DatabaseProblem: it cannot be used as it is.
    """
    from loyalty.clock import SystemClock
    from loyalty.storage.database import open_database

    if not migrate:
        _check_file(settings.database_url)
    # A command does one thing after the other.
    database = await open_database(
        settings.database_url, SystemClock(), migrate=migrate, pool_size=1, readers=1
    )
    try:
        yield database
    finally:
        await database.close()


def _check_file(url: str) -> None:
    """Opening SQLite makes the file; a command that only looks leaves none behind."""
    from urllib.parse import unquote, urlsplit

    from loyalty.storage.problems import NotMigrated

    path = Path(unquote(urlsplit(url).path))
    if url.startswith("sqlite:///") and not path.exists():
        raise NotMigrated(f"there is no database {path} yet; run: loyalty migrate")


@asynccontextmanager
async def wired(settings: Settings, *, migrate: bool = False) -> AsyncIterator[Services]:
    """Every use case, with the cache that running servers share: they learn of what changes."""
    from loyalty.cache import open_cache
    from loyalty.clock import SystemClock
    from loyalty.domain.registry import installed
    from loyalty.services.services import wire

    log_warnings(settings)
    secret = secret_of(settings)
    try:
        cache = open_cache(settings.redis_url, deadline_s=settings.cache_timeout_ms / 1_000)
    except ValueError as error:
        raise BadSettings(f"LOYALTY_REDIS_URL: {error}") from error
    try:
        async with opened(settings, migrate=migrate) as database:
            yield wire(
                settings,
                clock=SystemClock(),
                database=database,
                cache=cache,
                registry=installed(),
                secret=secret,
            )
    finally:
        await cache.close()


@asynccontextmanager
async def merchant(folder: Path | None, code: str | None) -> AsyncIterator[tuple[Services, Viewer]]:
    """Every use case of the tenant, for whoever may use this machine."""
    from loyalty.services.access import Scope, Viewer, ViewerKind
    from loyalty.services.audit import COMMAND_LINE

    async with wired(settings_of(folder)) as services:
        tenant = await tenant_of(services.database, code)
        scopes = frozenset({Scope.ADMIN.value})
        yield services, Viewer(tenant.id, ViewerKind.MERCHANT, None, scopes, COMMAND_LINE)


def log_warnings(settings: Settings) -> None:
    """A command says itself what it does; the log, on standard error, only what went wrong."""
    from loyalty.web.logs import configure_logging

    if settings.log_level in ("debug", "info"):
        settings = settings.model_copy(update={"log_level": "warning"})
    configure_logging(settings)


async def tenant_of(database: Database, code: str | None) -> Tenant:
    """The tenant of that code, or the only one there is.

    Raises:
        NotFound: no such tenant. BadInput: no code given, and there is none or more than one.
    """
    from loyalty.clock import SystemClock
    from loyalty.services.tenants import Tenants

    known = {tenant.code: tenant for tenant in await Tenants(database, SystemClock()).all()}
    if code is not None:
        if code not in known:
            raise NotFound("tenant", code)
        return known[code]
    if not known:
        raise BadInput("there is no tenant yet; make one: loyalty tenant create CODE --name NAME")
    if len(known) > 1:
        raise BadInput(
            f"there are {len(known)} tenants, choose one with --tenant: {', '.join(sorted(known))}"
        )
    return next(iter(known.values()))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one command to its end; Ctrl-C cancels it in good order."""
    return asyncio.run(work)


def print_json(value: object) -> None:
    """For scripts: one JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: list[str], rows: list[list[str]]) -> None:
    """For people: a table as wide as it needs to be."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        # As it is: a name in square brackets is no markup.
        table.add_row(*map(Text, row))
    console = Console()
    if not console.is_terminal:
        console.width = 500
    console.print(table)


def note(text: str) -> None:
    """A word to whoever reads along; standard output holds only the answer."""
    print(text, file=sys.stderr)
