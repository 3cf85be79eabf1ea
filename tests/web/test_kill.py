"""kill -9 of the server in the middle of 200 commits: what was acknowledged is there, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from server_process import ServerProcess

from loyalty.app import opened
from loyalty.clock import SystemClock
from loyalty.services.desk import Command
from loyalty.services.members import Enrol, Profile
from loyalty.settings import Settings
from loyalty.storage.database import open_database
from loyalty.storage.statements import Sql

pytestmark = pytest.mark.anyio

OPERATIONS = Path(__file__).parents[2] / "graphql" / "operations" / "storefront"
QUOTE, RESERVE, COMMIT = (
    (OPERATIONS / f"checkout_{step}.graphql").read_text(encoding="utf-8")
    for step in ("quote", "reserve", "commit")
)
MEMBERS = 8
COMMITS = 200
POINTS_OF_AN_ORDER = 10

BOOKED = Sql(
    """SELECT o.external_id, count(t.id)
         FROM shop_order o
         LEFT JOIN ledger_transaction t
           ON t.tenant_id = o.tenant_id AND t.order_id = o.id AND t.kind = 'EARN'
        GROUP BY o.external_id"""
)


class Gone(Exception):
    """The server went away before it answered."""


class Checkout:
    """A shop's checkout service: quote, reserve and commit, each once per order."""

    def __init__(
        self, http: httpx2.AsyncClient, key: str, steps: dict[str, dict[str, str]]
    ) -> None:
        self.steps = steps
        self._http = http
        self._headers = {"authorization": f"Bearer {key}"}

    async def ask(self, query: str, field: str, given: dict[str, Any]) -> dict[str, Any]:
        body = {"query": query, "variables": {"input": given}}
        try:
            response = await self._http.post("/graphql", json=body, headers=self._headers)
        except httpx2.TransportError as error:
            raise Gone from error
        answer: dict[str, Any] = response.json()["data"][field]
        assert answer["userErrors"] == [], answer
        return answer

    async def pay(self, order: str, member: str) -> bool:
        """Take an order through all its steps; whether its commit was a repeat.

        A step that was answered is not asked again, one that was not is, with the same body.
        """
        steps = self.steps.setdefault(order, {})
        if "token" not in steps:
            steps["token"] = await self._token(order, member)
        if "reservation" not in steps:
            reserving = {"idempotencyKey": f"reserve-{order}", "quoteToken": steps["token"]}
            reserved = await self.ask(RESERVE, "checkoutReserve", reserving)
            steps["reservation"] = str(reserved["reservation"]["id"])
        return await self.commit(order, steps["reservation"])

    async def _token(self, order: str, member: str) -> str:
        line = {
            "id": "1",
            "product": "p-1",
            "quantity": 1,
            "unitPrice": {"amount": "10.00", "currencyCode": "EUR"},
        }
        cart = {"cartId": f"cart-{order}", "member": member, "lines": [line]}
        return str((await self.ask(QUOTE, "checkoutQuote", cart))["quote"]["token"])

    async def commit(self, order: str, reservation: str) -> bool:
        """Commit; whether this was a repeat."""
        committed = await self.ask(
            COMMIT,
            "checkoutCommit",
            {
                "idempotencyKey": f"commit-{order}",
                "reservationId": reservation,
                "orderExternalId": order,
                "paid": {"amount": "10.00", "currencyCode": "EUR"},
            },
        )
        assert committed["order"]["externalId"] == order
        return bool(committed["replayed"])


async def enrolled(settings: Settings) -> list[str]:
    names = [f"m-{number}" for number in range(MEMBERS)]
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
    async with opened(settings) as services:
        tenant = await services.tenants.named("north")
        members = [await services.summaries.exact(tenant.id, name) for name in names]
    balances = [member.balance("points") for member in members]
    return sum(balance.available + balance.pending for balance in balances)


async def test_what_was_acknowledged_is_there_once(
    settings, prepared, tmp_path, is_soak: bool
) -> None:
    names = await enrolled(settings)
    server = ServerProcess(prepared.settings, tmp_path / "log")
    rounds = 10 if is_soak else 1
    for number in range(rounds):
        orders = {f"o-{number}-{place}": names[place % MEMBERS] for place in range(COMMITS)}
        steps: dict[str, dict[str, str]] = {}
        kill_at = COMMITS // 4 + number * COMMITS // (2 * rounds)

        with server:
            async with httpx2.AsyncClient(base_url=server.url, timeout=20) as http:
                checkout = Checkout(http, prepared.service_key, steps)
                acknowledged = await hammered(server, checkout, orders, kill_at)

        survived = await booked(settings.database_url)
        assert kill_at <= len(acknowledged) < COMMITS
        assert acknowledged <= survived.keys()
        assert set(survived.values()) == {1}

        # Every call again with its own key, as a shop does that got no answer.
        with server:
            async with httpx2.AsyncClient(base_url=server.url, timeout=20) as http:
                checkout = Checkout(http, prepared.service_key, steps)
                repeats = await paid(checkout, orders)
            assert server.stop() == 0

        assert repeats == {name: name in survived for name in orders}
        everything = await booked(settings.database_url)
        assert len(everything) == (number + 1) * COMMITS
        assert set(everything.values()) == {1}
        assert await points(settings, names) == (number + 1) * COMMITS * POINTS_OF_AN_ORDER


async def hammered(
    server: ServerProcess, checkout: Checkout, orders: dict[str, str], kill_at: int
) -> set[str]:
    """Pay, and kill the server at one of the acknowledgements; all of them."""
    acknowledged: set[str] = set()

    def note(order: str) -> None:
        acknowledged.add(order)
        if len(acknowledged) == kill_at:
            server.kill()

    with pytest.raises(ExceptionGroup) as ends:
        await paid(checkout, orders, note)
    assert [end for end in ends.value.exceptions if not isinstance(end, Gone)] == []
    return acknowledged


async def paid(
    checkout: Checkout, orders: dict[str, str], note: Callable[[str], None] = lambda order: None
) -> dict[str, bool]:
    """Pay with as many clients as members; whether each commit was a repeat."""
    repeats: dict[str, bool] = {}
    waiting = list(orders.items())

    async def client() -> None:
        while waiting:
            order, member = waiting.pop()
            repeats[order] = await checkout.pay(order, member)
            note(order)

    ends = await asyncio.gather(*(client() for _ in range(MEMBERS)), return_exceptions=True)
    failures = [end for end in ends if isinstance(end, Exception)]
    if failures:
        raise ExceptionGroup("clients that did not come to their end", failures)
    return repeats
