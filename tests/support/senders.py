"""A shop's side of webhooks: events as our reference documents them, signed by somebody else's
library."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import httpx2
from standardwebhooks.webhooks import Webhook

Json = dict[str, Any]


@dataclass
class Sender:
    """One webhook source of one tenant, and the shop behind it."""

    http: httpx2.AsyncClient
    source: str
    secret: str
    now: datetime
    prefix: str = ""
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def headers(self, body: str, delivery: str, at: datetime | None = None) -> dict[str, str]:
        at = at or self.now
        signature = Webhook(self.secret).sign(delivery, at, body)
        return {
            "content-type": "application/json",
            "webhook-id": delivery,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }

    async def post(self, body: str | bytes, headers: dict[str, str]) -> httpx2.Response:
        address = f"{self.prefix}/webhooks/generic/{self.source}"
        return await self.http.post(address, content=body, headers=headers)

    async def send(self, type_: str, data: Json, delivery: str | None = None) -> httpx2.Response:
        """Deliver one event; a repeat names the first one's delivery."""
        body = json.dumps({"type": type_, "data": data})
        name = delivery or f"{self.source}-{next(self._numbers)}"
        return await self.post(body, self.headers(body, name))


def order(name: str, member: str | None, amount: str, at: datetime, **more: Any) -> Json:
    """Data of ``order.paid``: one line of one product."""
    lines = [{"productId": "p-1", "quantity": 1, "amount": amount, "category": "TEA"}]
    return {
        "id": name,
        "memberId": member,
        "currency": "EUR",
        "occurredAt": at.isoformat(),
        "lines": lines,
        **more,
    }


def refund(name: str, of: str, at: datetime) -> Json:
    """Data of ``order.refunded``."""
    return {"id": name, "orderId": of, "reason": "damaged", "occurredAt": at.isoformat()}


def customer(id_: str, at: datetime, **profile: Any) -> Json:
    """Data of ``customer.changed``."""
    return {"id": id_, "occurredAt": at.isoformat(), **profile}


def product(name: str, price: str, at: datetime, **more: Any) -> Json:
    """Data of ``product.changed``."""
    return {
        "id": name,
        "name": f"Product {name}",
        "currency": "EUR",
        "price": price,
        "occurredAt": at.isoformat(),
        **more,
    }
