"""Whether the process answers, and whether it can serve."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx2
import pytest

from loyalty.app import create_app
from loyalty.cli.embedded import PostgresServer, ValkeyServer
from loyalty.clock import FixedClock, SystemClock
from loyalty.settings import Settings
from loyalty.storage.database import open_database

pytestmark = pytest.mark.anyio


async def test_a_started_application_is_live_and_ready(shop) -> None:
    live = await shop.http.get("/health/live")
    ready = await shop.http.get("/health/ready")

    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ready", "database": "up", "cache": "up"},
    )
    assert ready.headers["cache-control"] == "no-store"


async def test_before_its_lifespan_it_says_what_the_host_has_to_do(make_settings) -> None:
    app = create_app(make_settings("sqlite:////nowhere/loyalty.sqlite3"))
    transport = httpx2.ASGITransport(app)

    async with httpx2.AsyncClient(transport=transport, base_url="http://shop.test") as http:
        live = await http.get("/health/live")
        ready = await http.get("/health/ready")
        other = await http.post("/graphql", json={"query": "{ __typename }"})

    assert live.json() == {"status": "live"}
    assert (ready.status_code, ready.json()) == (
        503,
        {"status": "unready", "reason": "not started"},
    )
    assert other.status_code == 503
    assert other.json()["error"]["code"] == "NOT_STARTED"
    assert "app.router.lifespan_context(app)" in other.json()["error"]["message"]


async def test_without_its_database_it_is_live_but_not_ready(
    make_settings, servers_folder, anyio_backend
) -> None:
    with PostgresServer(servers_folder / "postgres-away") as server:
        settings = make_settings(server.create_database("away"))
        clock = FixedClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
        await (await open_database(settings.database_url, clock, migrate=True)).close()
        app = create_app(settings)
        transport = httpx2.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://shop.test") as http,
        ):
            server.kill()
            live = await http.get("/health/live")
            unready = await http.get("/health/ready")
            server.start()
            ready = await http.get("/health/ready")

    assert live.status_code == 200
    assert (unready.status_code, unready.json()) == (
        503,
        {"status": "unready", "reason": "database away", "cache": "up"},
    )
    assert ready.status_code == 200


async def test_without_its_cache_it_stays_ready(
    make_settings, sqlite_path, valkey_server: ValkeyServer
) -> None:
    settings: Settings = make_settings(f"sqlite://{sqlite_path}", redis_url=valkey_server.url)
    await (await open_database(settings.database_url, SystemClock(), migrate=True)).close()
    app = create_app(settings)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://shop.test") as http,
    ):
        valkey_server.kill()
        response = await http.get("/health/ready")

    assert (response.status_code, response.json()) == (
        200,
        {"status": "ready", "database": "up", "cache": "down"},
    )
