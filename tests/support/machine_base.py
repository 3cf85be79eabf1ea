"""What all parts of the machine of two shops stand on: shops, clock, and what is drawn."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from driven_shop import Driven
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from loyalty.clock import FixedClock
from loyalty.domain.money import Money

# Two days before the clocks go forward in Budapest.
START = datetime(2026, 3, 27, 21, 30, tzinfo=UTC)

SHOPS = st.integers(0, 1)
NAMES = st.sampled_from(["ann", "bob", "guest"])
ORDERS = st.sampled_from([f"o-{n}" for n in range(1, 7)])
AMOUNTS = st.integers(100, 6_000)
PICKS = st.integers(0, 99)


class MachineBase(RuleBasedStateMachine):
    """Each rule of its parts is one thing that a shop, a shopper, a merchant or the clock does."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FixedClock(START)
        self.shops: list[Driven] = []

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    def picked(self, pick: int) -> tuple[Driven, int]:
        shops = [shop for shop in self.shops if shop.model.reservations]
        shop = shops[pick % len(shops)]
        # Mostly the latest.
        held = list(reversed(shop.model.reservations))
        return shop, held[(pick // 2) % min(len(held), 3)]

    def commit_as(self, shop: Driven, id: int, order: str, paid: int) -> None:
        now, key = self.clock.now(), shop.key()
        answer, is_new = self.run(
            shop.do(
                lambda: shop.services.checkout.commit(
                    shop.viewer, key, id, order, Money(paid, "EUR"), None
                ),
                lambda model, _: model.commit(now, id, order, paid),
            )
        )
        assert answer is None or answer.outcome["booked"] is is_new
