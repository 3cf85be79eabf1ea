"""One key from sixty-four clients at once: one effect, sixty-four equal answers.

On PostgreSQL with Valkey the clients spread over two server processes; an SQLite file has one.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from server_process import ServerProcess

from loyalty.app import opened
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.orders.orders import BookOrder
from loyalty.services.proof.verify import verify
from loyalty.settings import Settings

pytestmark = pytest.mark.anyio

OPERATIONS = Path(__file__).parents[2] / "graphql" / "operations"
CLIENTS = 64


class Crowd:
    """Sixty-four clients of a shop's checkout, each asking one of the servers."""

    def __init__(self, servers: list[httpx2.AsyncClient], key: str) -> None:
        self._servers = servers
        self._headers = {"authorization": f"Bearer {key}"}

    async def ask(self, server: int, name: str, given: dict[str, Any]) -> dict[str, Any]:
        document = (OPERATIONS / f"storefront/{name}.graphql").read_text(encoding="utf-8")
        body = {"query": document, "variables": {"input": given}}
        http = self._servers[server % len(self._servers)]
        response = await http.post("/graphql", json=body, headers=self._headers)
        (answer,) = response.json()["data"].values()
        assert answer["userErrors"] == [], answer
        return answer

    async def hammer(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """The one answer that all get; one of them is the first, the rest are repeats."""
        answers = await asyncio.gather(*(self.ask(n, name, given) for n in range(CLIENTS)))
        replayed = [answer.pop("replayed") for answer in answers]
        assert sorted(replayed) == [False] + [True] * (CLIENTS - 1)
        assert all(answer == answers[0] for answer in answers)
        return answers[0]


async def seeded(settings: Settings) -> None:
    """Ann has 300 points."""
    async with opened(settings) as services:
        tenant = await services.tenants.named("north")
        await services.door.submit(Enrol(tenant.id, None, "ann", Profile()))
        lines = (OrderLine("tea", 1, 30_000),)
        paid = PaidOrder("seed", "ann", "EUR", lines, services.clock.now())
        await services.door.submit(BookOrder(tenant.id, paid, "test"))


async def test_one_effect_and_equal_answers(settings: Settings, prepared, tmp_path) -> None:
    await seeded(settings)
    processes = 1 if settings.database_url.startswith("sqlite") else 2
    line = {
        "id": "1",
        "product": "p-1",
        "quantity": 1,
        "unitPrice": {"amount": "10.00", "currencyCode": "EUR"},
    }
    with ExitStack() as stack:
        servers = [
            stack.enter_context(ServerProcess(prepared.settings, tmp_path / f"log-{n}"))
            for n in range(processes)
        ]
        clients = [httpx2.AsyncClient(base_url=each.url, timeout=30) for each in servers]
        crowd = Crowd(clients, prepared.service_key)
        cart = {"cartId": "cart", "member": "ann", "lines": [line]}
        token = (await crowd.ask(0, "checkout_quote", cart))["quote"]["token"]

        reserved = await crowd.hammer(
            "checkout_reserve", {"idempotencyKey": "reserve", "quoteToken": token}
        )
        paid = {
            "idempotencyKey": "commit",
            "reservationId": reserved["reservation"]["id"],
            "orderExternalId": "o-1",
            "paid": {"amount": "10.00", "currencyCode": "EUR"},
        }
        await crowd.hammer("checkout_commit", paid)
        refund = {
            "idempotencyKey": "refund",
            "orderExternalId": "o-1",
            "refundExternalId": "r-1",
        }
        await crowd.hammer("order_refund", refund)
        for client in clients:
            await client.aclose()

    async with opened(settings) as services:
        tenant = await services.tenants.named("north")
        orders = await services.views.orders_of(
            tenant.id, (await services.summaries.exact(tenant.id, "ann")).id, 10
        )
        checked = await verify(services.database, tenant.id)
    assert sorted((order.external_id, order.state) for order in orders) == [
        ("o-1", "REFUNDED"),
        ("seed", "PAID"),
    ]
    assert checked.problems == []
