"""What is in a database after its server, or it, was killed; and how soon it answers again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from time import monotonic

import httpx2

from loyalty.app import opened
from loyalty.clock import SystemClock
from loyalty.services.books.desk import Command
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.proof.verify import verify
from loyalty.services.tenants import Tenants
from loyalty.settings import Settings
from loyalty.storage.database import open_database
from loyalty.storage.statements import Sql

POINTS_OF_AN_ORDER = 10
"""What an order of ``Checkout.pay`` earns by the rules of ``examples/minimal.toml``."""

BOOKED = Sql(
    """SELECT o.external_id, count(t.id)
         FROM shop_order o
         LEFT JOIN ledger_transaction t
           ON t.tenant_id = o.tenant_id AND t.order_id = o.id AND t.kind = 'EARN'
        GROUP BY o.external_id"""
)


async def enrolled(settings: Settings, members: int) -> list[str]:
    """Names of new members of the tenant ``north``."""
    names = [f"m-{number}" for number in range(members)]
    async with opened(settings) as services:
        tenant = await services.tenants.named("north")
        joining: list[Command] = [Enrol(tenant.id, None, name, Profile({}, {})) for name in names]
        await services.door.execute(tenant.id, joining)
    return names


async def booked(url: str) -> dict[str, int]:
    """Orders in the database, and how often each earned."""
    async with await open_database(url, SystemClock()) as database:
        return dict(await database.read(BOOKED()))  # type: ignore[arg-type]  # rows of two


async def points(settings: Settings, names: Iterable[str]) -> int:
    """All that these members have, pending too."""
    async with opened(settings) as services:
        tenant = await services.tenants.named("north")
        members = [await services.summaries.exact(tenant.id, name) for name in names]
    balances = [member.balance("points") for member in members]
    return sum(balance.available + balance.pending for balance in balances)


async def is_whole(settings: Settings) -> bool:
    """Whether nothing is booked by halves: sums, lots, holds, chains, orders."""
    clock = SystemClock()
    async with await open_database(settings.database_url, clock) as database:
        tenant = await Tenants(database, clock).named("north")
        return not (await verify(database, tenant.id)).problems


async def until_ready(http: httpx2.AsyncClient, since: float) -> float:
    """Seconds until it can serve again."""
    while True:
        try:
            if (await http.get("/health/ready")).status_code == 200:
                return monotonic() - since
        except httpx2.TransportError:
            pass
        await asyncio.sleep(0.02)
