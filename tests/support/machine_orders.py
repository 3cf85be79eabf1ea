"""The machine's orders that shops report."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from driven_shop import Driven
from hypothesis import strategies as st
from hypothesis.stateful import rule
from machine_base import AMOUNTS, NAMES, ORDERS, SHOPS, MachineBase

from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.services.door import outcome_of
from loyalty.services.orders import BookOrder


class OrderRules(MachineBase):
    @rule(
        n=SHOPS, order=ORDERS, name=st.one_of(st.none(), NAMES),
        nets=st.lists(AMOUNTS, min_size=1, max_size=2), days_ago=st.sampled_from([0, 0, 2]),
    )  # fmt: skip
    def paid(self, n: int, order: str, name: str | None, nets: list[int], days_ago: int) -> None:
        """A shop's webhook says that an order was paid."""
        self.run(self._paid(self.shops[n], order, name, nets, days_ago))

    async def _paid(
        self, shop: Driven, order: str, name: str | None, nets: list[int], days_ago: int
    ) -> None:
        now = self.clock.now()
        at = now - timedelta(days=days_ago)
        lines = tuple(OrderLine("tea", 1, net) for net in nets)
        command = BookOrder(shop.tenant_id, PaidOrder(order, name, "EUR", lines, at), "test")

        async def ask() -> dict[str, Any]:
            return outcome_of(await shop.services.door.submit(command))

        answer, is_new = await shop.do(ask, lambda m, _: m.paid(now, order, name, nets, at))
        assert answer["booked"] is is_new
        shop.done.pop()
