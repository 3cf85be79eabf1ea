"""What happens to a few members of a shop, drawn at random and driven through the real door."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import orjson
from corner_program import CORNER

from loyalty.domain.quotes.quote_codec import from_dict
from loyalty.errors import LoyaltyError
from loyalty.services.checkout.commit import payable
from loyalty.storage.statements import Sql

MEMBERS = ("ann", "bob", "cid", "dan")
QUOTE = Sql("SELECT quote FROM reservation WHERE tenant_id = $1 AND id = $2")
KINDS = [
    *("paid", "paid", "late", "reserve", "reserve", "reserve", "commit", "commit", "release"),
    *("refund", "wait", "wait", "long", "back"),
]

BRISK = (
    CORNER.replace(
        "pending_days = 14\nexpires_after_months = 12", "pending_days = 1\nexpires_after_months = 1"
    )
    .replace(
        "is_spendable = false\nexpires_after_months = 12",
        "is_spendable = false\nexpires_after_months = 2",
    )
    .replace("threshold = 500", "threshold = 300")
    .replace("grace_days = 30", "grace_days = 10")
    + """
[refunds]
clawback = "allow_deficit"
expired_lot_grace_days = 3
"""
)
"""The corner shop where a month brings what elsewhere takes a year."""


@dataclass
class Story:
    """Does one thing after the other with the members of a shop.

    Args:
        shop: a ``Shop`` of the services' tests.
        seed: the same one tells the same story.
        steps_back: whether the clock may be stepped back for a while.
    """

    shop: Any
    seed: int
    steps_back: bool = True
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.orders: list[str] = []
        self.reservations: list[int] = []
        self.number = 0

    async def begin(self) -> None:
        await self.shop.rulesets.publish(self.shop.tenant_id, BRISK, "test")
        for name in MEMBERS:
            await self.shop.enrol(name)

    async def step(self) -> None:
        """One more thing; what is refused is refused."""
        kind = self.random.choice(KINDS)
        self.number += 1
        try:
            await getattr(self, kind)()
        except LoyaltyError as refusal:
            kind += f" ({refusal.code})"
        self.done.append(kind)

    async def paid(self, days_ago: int = 0) -> None:
        order = f"o-{self.number}"
        at = self.shop.clock.now() - timedelta(days=days_ago)
        minor = self.random.randint(5, 40) * 1_000
        await self.shop.paid(order, self.random.choice(MEMBERS), minor, at)
        self.orders.append(order)

    async def late(self) -> None:
        await self.paid(self.random.randint(1, 20))

    async def reserve(self) -> None:
        minor = self.random.randint(10, 90) * 100
        cart = f"c-{self.random.randint(1, 9)}"
        verdict = await self.shop.reserve(
            await self.shop.quote(self.random.choice(MEMBERS), cart, minor)
        )
        if verdict.outcome is not None:
            self.reservations.append(int(verdict.outcome["reservation"]))

    async def commit(self) -> None:
        if self.reservations:
            id = self.reservations.pop(self.random.randrange(len(self.reservations)))
            statement = QUOTE(self.shop.tenant_id, id)
            ((quote,),) = await self.shop.database.read(statement)
            order = f"o-{self.number}"
            await self.shop.commit(id, order, payable(from_dict(orjson.loads(quote))).minor)
            self.orders.append(order)

    async def release(self) -> None:
        if self.reservations:
            await self.shop.release(self.reservations.pop())

    async def refund(self) -> None:
        if self.orders:
            await self.shop.refund(self.random.choice(self.orders), f"r-{self.number}")

    async def wait(self) -> None:
        self.shop.clock.advance(timedelta(minutes=self.random.choice((1, 7, 20, 600, 1_500))))

    async def long(self) -> None:
        self.shop.clock.advance(timedelta(days=self.random.choice((2, 2, 9, 25))))

    async def back(self) -> None:
        if self.steps_back:
            self.shop.clock.advance(timedelta(hours=-1))
