"""The machine's orders that shops report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from driven_shop import Driven
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from machine_base import AMOUNTS, NAMES, ORDERS, PICKS, SHOPS, MachineBase
from shop_orders import paid_line

from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.services.books.door import outcome_of
from loyalty.services.orders.orders import BookOrder


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
        at = self.clock.now() - timedelta(days=days_ago)
        lines = [paid_line(str(n), 1, net, net) for n, net in enumerate(nets, 1)]
        await self._told(shop, order, name, lines, at, None)

    @precondition(lambda self: any(shop.model.reservations for shop in self.shops))
    @rule(pick=PICKS, order=ORDERS, names=st.booleans(), commits=st.booleans())
    def paid_first(self, pick: int, order: str, names: bool, commits: bool) -> None:
        """The webhook of an order that is still in its checkout, and does not name it."""
        shop, id = self.picked(pick)
        if order in shop.model.orders:
            return
        offer = self.told_as_held(shop, id, order, names)
        # One that a change waited for is flagged for the merchant: not of this model.
        if commits and shop.model.orders[order].change is None:
            self.commit_as(shop, id, order, offer["payable"])

    def told_as_held(self, shop: Driven, id: int, order: str, names: bool) -> dict[str, Any]:
        """Report an order with the lines that a reservation holds; what that was offered."""
        offer = shop.model.reservations[id].offer
        lines = [
            paid_line(line["id"], line["quantity"], line["gross"], line["net"])
            for line in offer["lines"]
        ]
        name = offer["member"] if names else None
        self.run(self._told(shop, order, name, lines, self.clock.now(), id))
        return offer

    async def _told(
        self, shop: Driven, order: str, name: str | None, lines: list[dict[str, Any]],
        at: datetime, told: int | None,
    ) -> None:  # fmt: skip
        now = self.clock.now()
        bought = tuple(
            OrderLine("tea", line["quantity"], line["gross"], line["gross"] - line["net"])
            for line in lines
        )
        command = BookOrder(shop.tenant_id, PaidOrder(order, name, "EUR", bought, at), "test")

        async def ask() -> dict[str, Any]:
            return outcome_of(await shop.services.door.submit(command))

        answer, is_new = await shop.do(
            ask, lambda model, _: model.paid(now, order, name, lines, at, told)
        )
        assert answer["booked"] is is_new
        shop.done.pop()
