"""Orders of the machine that come back before their checkout is committed."""

from __future__ import annotations

from driven_shop import Driven
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from machine_base import ORDERS, PICKS
from machine_orders import OrderRules
from machine_refunds import ASKS, RefundRules


def held(shops: list[Driven]) -> list[tuple[Driven, int]]:
    """Shops with their reservations that were neither spent nor given back."""
    return [
        (shop, id)
        for shop in shops
        for id, reservation in shop.model.reservations.items()
        if reservation.state == "HELD"
    ]


class LateRules(OrderRules, RefundRules):
    @precondition(lambda self: held(self.shops))
    @rule(pick=PICKS, order=ORDERS, names=st.booleans(), cancels=st.booleans(),
          asks=st.one_of(st.none(), ASKS), more=st.one_of(st.none(), ASKS))  # fmt: skip
    def back_before_its_commit(
        self, pick: int, order: str, names: bool, cancels: bool,
        asks: list[tuple[str, tuple[int, int]]] | None,
        more: list[tuple[str, tuple[int, int]]] | None,
    ) -> None:  # fmt: skip
        found = held(self.shops)
        shop, id = found[pick % len(found)]
        if order in shop.model.orders:
            return
        offer = self.told_as_held(shop, id, order, names)
        if shop.model.orders[order].change is not None:
            return
        for step in (asks, more):
            self.run(self._refund(shop, order, step, False, False))
        if cancels:
            self.run(self._refund(shop, order, None, True, False))
        self.commit_as(shop, id, order, offer["payable"])
