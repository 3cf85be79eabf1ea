"""A shop's checkout service over HTTP, one that asks again when it got no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

OPERATIONS = Path(__file__).parents[2] / "graphql" / "operations" / "storefront"
QUOTE, RESERVE, COMMIT, RELEASE = (
    (OPERATIONS / f"checkout_{step}.graphql").read_text(encoding="utf-8")
    for step in ("quote", "reserve", "commit", "release")
)


class Gone(Exception):
    """The server went away before it answered, or said that the database is away."""


@dataclass
class Checkout:
    """Quote, reserve and commit, each once per order.

    ``steps`` are the answers by order: a step that was answered is not asked again, one that was
    not is, with the same body.
    """

    http: httpx2.AsyncClient
    key: str
    steps: dict[str, dict[str, str]] = field(default_factory=dict)

    async def ask(self, query: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The payload of one call, refusals included."""
        body = {"query": query, "variables": {"input": given}}
        headers = {"authorization": f"Bearer {self.key}"}
        try:
            response = await self.http.post("/graphql", json=body, headers=headers)
        except httpx2.TransportError as error:
            raise Gone from error
        answer = response.json()
        payload = (answer.get("data") or {}).get(name)
        if payload is None:
            codes = {each["extensions"]["code"] for each in answer["errors"]}
            assert codes <= {"UNAVAILABLE"}, answer
            raise Gone
        found: dict[str, Any] = payload
        if [error["code"] for error in found["userErrors"]] == ["UNAVAILABLE"]:
            raise Gone
        return found

    async def done(self, query: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The payload of a call that nothing speaks against."""
        payload = await self.ask(query, name, given)
        assert payload["userErrors"] == [], payload
        return payload

    async def pay(self, order: str, member: str) -> bool:
        """Take an order through all its steps; whether its commit was a repeat."""
        steps = self.steps.setdefault(order, {})
        if "token" not in steps:
            steps["token"] = await self.token(f"cart-{order}", member, "10.00")
        if "reservation" not in steps:
            reserved = await self.reserve(f"reserve-{order}", steps["token"])
            assert reserved["userErrors"] == [], reserved
            steps["reservation"] = str(reserved["reservation"]["id"])
        return await self.commit(order, steps["reservation"])

    async def token(self, cart: str, member: str, price: str, **more: Any) -> str:
        """A binding quote's, for one piece of one product."""
        line = {
            "id": "1",
            "product": "p-1",
            "quantity": 1,
            "unitPrice": {"amount": price, "currencyCode": "EUR"},
        }
        asked = {"cartId": cart, "member": member, "lines": [line], **more}
        quoted = await self.done(QUOTE, "checkoutQuote", asked)
        return str(quoted["quote"]["token"])

    async def reserve(self, key: str, token: str) -> dict[str, Any]:
        asked = {"idempotencyKey": key, "quoteToken": token}
        return await self.ask(RESERVE, "checkoutReserve", asked)

    async def release(self, key: str, reservation: str) -> None:
        asked = {"idempotencyKey": key, "reservationId": reservation}
        await self.done(RELEASE, "checkoutRelease", asked)

    async def commit(self, order: str, reservation: str) -> bool:
        """Commit; whether this was a repeat."""
        committed = await self.done(
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


async def paid(
    checkout: Checkout,
    orders: dict[str, str],
    clients: int,
    note: Callable[[str], None] = lambda order: None,
    *,
    asks_again: bool = False,
) -> dict[str, bool]:
    """Pay orders of members with so many clients; whether each commit was a repeat.

    Raises:
        ExceptionGroup: of what the clients met, when they were not to ask again.
    """
    repeats: dict[str, bool] = {}
    waiting = list(orders.items())

    async def client() -> None:
        while waiting:
            order, member = waiting.pop()
            try:
                repeats[order] = await checkout.pay(order, member)
            except Gone:
                if not asks_again:
                    raise
                waiting.append((order, member))
                await asyncio.sleep(0.05)
            else:
                note(order)

    ends = await asyncio.gather(*(client() for _ in range(clients)), return_exceptions=True)
    failures = [end for end in ends if isinstance(end, Exception)]
    if failures:
        raise ExceptionGroup("clients that did not come to their end", failures)
    return repeats
