"""Sixty-four clients of one balance and of one coupon, through every server there may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from checkout_client import Checkout
from corner_program import CORNER
from server_process import ServerProcess
from survivors import is_whole

from loyalty.app import opened
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.services.books.desk import Command
from loyalty.services.coupons.coupon_commands import CouponTerms
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.orders.orders import BookOrder
from loyalty.settings import Settings

pytestmark = pytest.mark.anyio

CLIENTS = 64
CLAIMS, USES = 200, 10
AFFORDABLE = 3
RULES = (
    CORNER.replace("pending_days = 14\n", "")
    + """
[[rewards]]
code = "ten-off"
name = "10 % off"
needs_coupon = true
does = { kind = "percentage_off", rate_bp = 1000 }
"""
)


@pytest.fixture
async def checkouts(settings: Settings, prepared: Any, tmp_path: Path) -> AsyncIterator[Any]:
    """One checkout for each server: two on PostgreSQL, one on SQLite."""
    async with opened(settings) as services:
        tenant = await services.tenants.named("north")
        await services.rulesets.publish(tenant.id, RULES, "test")
        now = services.clock.now()
        lines = (OrderLine("p-1", 1, AFFORDABLE * 10_000),)
        joining: list[Command] = [
            Enrol(tenant.id, None, f"m-{number}", Profile()) for number in range(CLAIMS)
        ]
        await services.door.execute(tenant.id, joining)
        order = PaidOrder("seed", "m-0", "EUR", lines, now)
        await services.door.submit(BookOrder(tenant.id, order, "test"))
        terms = CouponTerms("ten-off", uses_max=USES)
        await services.coupons.issue(tenant.id, None, terms, "test", codes=["TEN"])
    servers = 1 if settings.database_url.startswith("sqlite") else 2
    async with AsyncExitStack() as stack:
        made = []
        for number in range(servers):
            process = ServerProcess(prepared.settings, tmp_path / f"log-{number}")
            server = stack.enter_context(process)
            http = await stack.enter_async_context(
                httpx2.AsyncClient(base_url=server.url, timeout=60)
            )
            made.append(Checkout(http, prepared.service_key))
        yield made


def codes(answers: Sequence[dict[str, Any]]) -> list[str]:
    """What was refused, sorted."""
    return sorted(error["code"] for answer in answers for error in answer["userErrors"])


async def test_never_more_than_affordable(
    checkouts: list[Checkout], settings: Settings, is_soak: bool
) -> None:
    tills = [checkouts[client % len(checkouts)] for client in range(CLIENTS)]
    tokens = await asyncio.gather(
        *(till.token(f"cart-{n}", "m-0", "20.00") for n, till in enumerate(tills))
    )

    for number in range(50 if is_soak else 2):
        answers = await asyncio.gather(
            *(till.reserve(f"r-{number}-{n}", tokens[n]) for n, till in enumerate(tills))
        )
        won = {
            n: str(answer["reservation"]["id"])
            for n, answer in enumerate(answers)
            if answer["reservation"]
        }
        assert len(won) == AFFORDABLE
        assert codes(answers) == ["INSUFFICIENT_POINTS"] * (CLIENTS - AFFORDABLE)
        # Given back by the other server, where there is one.
        await asyncio.gather(
            *(tills[n - 1].release(f"g-{number}-{n}", held) for n, held in won.items())
        )

    assert await whole_after(checkouts, settings)


async def test_a_coupon_of_ten_uses_is_held_ten_times(
    checkouts: list[Checkout], settings: Settings
) -> None:
    tills = [checkouts[claim % len(checkouts)] for claim in range(CLAIMS)]
    tokens = await asyncio.gather(
        *(till.token(f"c-{n}", f"m-{n}", "10.00", codes=["ten"]) for n, till in enumerate(tills))
    )

    answers = await asyncio.gather(
        *(till.reserve(f"r-{n}", tokens[n]) for n, till in enumerate(tills))
    )

    assert sum(answer["reservation"] is not None for answer in answers) == USES
    assert codes(answers) == ["QUOTE_CHANGED"] * (CLAIMS - USES)
    assert await whole_after(checkouts, settings)


async def whole_after(checkouts: list[Checkout], settings: Settings) -> bool:
    """Whether the books are right, read beside the servers that run."""
    for checkout in checkouts:
        assert (await checkout.http.get("/health/ready")).status_code == 200
    return await is_whole(settings)
