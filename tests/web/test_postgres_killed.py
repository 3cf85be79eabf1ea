"""kill -9 of PostgreSQL itself under load: the shop waits, asks again, and loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx2
import pytest
from checkout_client import Checkout, paid
from server_process import ServerProcess
from survivors import POINTS_OF_AN_ORDER, booked, enrolled, is_whole, points, until_ready

from loyalty.cli.embedded import PostgresServer
from loyalty.clock import SystemClock
from loyalty.storage.database import open_database

pytestmark = pytest.mark.anyio

MEMBERS = 8
COMMITS = 100
READY_S_MAX = 5
"""How soon after its start everything answers again, on a machine that does nothing else."""


@pytest.fixture
def postgres(servers_folder: Path) -> Iterator[PostgresServer]:
    """One that writes through to the disk, to be killed and started on the same data."""
    with PostgresServer(servers_folder / "killed", durable=True) as server:
        yield server


@pytest.fixture
async def migrated_url(postgres: PostgresServer) -> str:
    url = postgres.create_database("killed")
    await (await open_database(url, SystemClock(), migrate=True)).close()
    return url


async def test_what_was_acknowledged_outlives_the_database(
    settings, prepared, postgres, tmp_path, is_soak: bool
) -> None:
    names = await enrolled(settings, MEMBERS)
    rounds = 50 if is_soak else 1
    ready_s: list[float] = []
    with ServerProcess(prepared.settings, tmp_path / "log") as server:
        async with httpx2.AsyncClient(base_url=server.url, timeout=30) as http:
            for number in range(rounds):
                orders = {f"o-{number}-{place}": names[place % MEMBERS] for place in range(COMMITS)}
                checkout = Checkout(http, prepared.service_key)
                kill_at = COMMITS // 4 + number * COMMITS // (2 * rounds)
                ready_s.append(await survived(postgres, checkout, orders, kill_at))

                everything = await booked(settings.database_url)
                assert len(everything) == (number + 1) * COMMITS
                assert set(everything.values()) == {1}
        assert server.stop() == 0
    assert await points(settings, names) == rounds * COMMITS * POINTS_OF_AN_ORDER
    assert await is_whole(settings)
    middle_s = sorted(ready_s)[rounds // 2]
    print(f"ready again after {middle_s:.2f} s in the middle, {max(ready_s):.2f} s at most")
    assert not is_soak or middle_s < READY_S_MAX, ready_s


async def survived(
    postgres: PostgresServer, checkout: Checkout, orders: dict[str, str], kill_at: int
) -> float:
    """Pay, and kill PostgreSQL at one of the acknowledgements; seconds until it serves again."""
    acknowledged: set[str] = set()
    restarts: list[asyncio.Task[float]] = []

    def note(order: str) -> None:
        acknowledged.add(order)
        if len(acknowledged) == kill_at:
            postgres.kill()
            restarts.append(asyncio.create_task(restarted(postgres, checkout.http)))

    await paid(checkout, orders, MEMBERS, note, asks_again=True)

    assert acknowledged == orders.keys()
    return await restarts[0]


async def restarted(postgres: PostgresServer, http: httpx2.AsyncClient) -> float:
    """Start it again; seconds from there until the server can serve."""
    since = monotonic()
    await asyncio.to_thread(postgres.start)
    return await until_ready(http, since)
