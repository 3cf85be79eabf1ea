"""The real application, started, on SQLite with its own cache and on PostgreSQL with Valkey."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from senders import Sender
from starlette.applications import Starlette

from loyalty.app import create_app, opened, services_of
from loyalty.clock import FixedClock
from loyalty.services.access import Scope
from loyalty.services.services import Services
from loyalty.settings import Settings

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECRET = "a secret key of forty characters, made up"
RULES = (Path(__file__).parents[2] / "examples" / "minimal.toml").read_text(encoding="utf-8")

MakeSettings = Callable[..., Settings]


@dataclass
class Shop:
    """A started application with two tenants that have one webhook source each."""

    app: Starlette
    services: Services
    clock: FixedClock
    http: httpx2.AsyncClient
    north: Sender
    south: Sender

    async def points(self, sender: Sender, member: str) -> int:
        """A member's available points."""
        tenant = await self.services.tenants.named(sender.source)
        return (await self.services.summaries.exact(tenant.id, member)).balance("points").available


@pytest.fixture
def make_settings(tmp_path: Path) -> MakeSettings:
    """Settings that the environment has no say in but for the names given."""

    def make(database_url: str, **more: Any) -> Settings:
        given = {
            "environment": "development",
            "secret_key": SECRET,
            "data_dir": tmp_path,
            "redis_url": None,
            **more,
        }
        return Settings(database_url=database_url, **given)

    return make


@pytest.fixture
def settings(
    migrated_url: str, make_settings: MakeSettings, request: pytest.FixtureRequest
) -> Settings:
    """SQLite with a cache in the process, or PostgreSQL with Valkey."""
    is_sqlite = migrated_url.startswith("sqlite")
    redis_url = None if is_sqlite else request.getfixturevalue("valkey_url")
    return make_settings(migrated_url, redis_url=redis_url)


@asynccontextmanager
async def started(settings: Settings, clock: FixedClock) -> AsyncIterator[Shop]:
    """The application with its lifespan running, on a migrated database."""
    app = create_app(settings, clock=clock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        http = await stack.enter_async_context(
            httpx2.AsyncClient(transport=transport, base_url="http://shop.test")
        )
        services = services_of(app)
        senders = [await _tenant(services, http, code) for code in ("north", "south")]
        yield Shop(app, services, clock, http, *senders)


async def _tenant(services: Services, http: httpx2.AsyncClient, code: str) -> Sender:
    tenant = await services.tenants.create(code, code.title())
    await services.rulesets.publish(tenant.id, RULES, "test")
    source = await services.webhook_sources.create(tenant.id, code)
    return Sender(http, code, source.secret_text, NOW)


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    async with started(settings, FixedClock(NOW)) as shop:
        yield shop


@pytest.fixture
async def local_shop(
    make_settings: MakeSettings, sqlite_path: Path, migrated_file: Path
) -> AsyncIterator[Shop]:
    """The same on SQLite alone, for what no database has a say in."""
    shutil.copy(migrated_file, sqlite_path)
    async with started(make_settings(f"sqlite://{sqlite_path}"), FixedClock(NOW)) as shop:
        yield shop


@dataclass(frozen=True)
class Prepared:
    """A migrated database with a tenant, its webhook source, and keys, for a server process."""

    settings: dict[str, object]
    webhook_secret: str
    service_key: str
    merchant_key: str
    member_token: str


@pytest.fixture
async def prepared(settings: Settings) -> Prepared:
    """By the machine's clock, as the process that is to run on it."""
    async with opened(settings) as services:
        tenant = await services.tenants.create("north", "North")
        await services.rulesets.publish(tenant.id, RULES, "test")
        source = await services.webhook_sources.create(tenant.id, "north")
        scopes = [each for each in Scope if each is not Scope.ADMIN]
        service = await services.credentials.create_key(tenant.id, "checkout", scopes)
        merchant = await services.credentials.create_key(tenant.id, "merchant", [Scope.ADMIN])
        token, _ = await services.credentials.mint(tenant.id, "ann-external-id", 3_600)
    given: dict[str, object] = {
        "environment": settings.environment,
        "secret_key": SECRET,
        "database_url": settings.database_url,
        "data_dir": settings.data_dir,
    }
    if settings.redis_url is not None:
        given["redis_url"] = settings.redis_url
    return Prepared(given, source.secret_text, service.text, merchant.text, token)
