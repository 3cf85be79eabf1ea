"""What the machine's shops take back."""

from __future__ import annotations

from functools import partial

from driven_shop import Driven
from hypothesis import strategies as st
from hypothesis.stateful import rule
from machine_base import PICKS, SHOPS, MachineBase

from loyalty.domain.refund_asks import LineAsk

ASKS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2"]),
        st.one_of(
            st.tuples(st.integers(1, 2), st.just(0)), st.tuples(st.just(0), st.integers(1, 3_000))
        ),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda ask: ask[0],
)
"""Pieces or amounts of lines."""


class RefundRules(MachineBase):
    @rule(n=SHOPS, pick=PICKS, previews=st.booleans(), asks=ASKS)
    def refund_lines(
        self, n: int, pick: int, previews: bool, asks: list[tuple[str, tuple[int, int]]]
    ) -> None:
        shop = self.shops[n]
        self.run(self._refund(shop, self._order(shop, pick), asks, False, previews))

    @rule(n=SHOPS, pick=PICKS, cancels=st.booleans(), previews=st.booleans())
    def refund_rest(self, n: int, pick: int, cancels: bool, previews: bool) -> None:
        shop = self.shops[n]
        self.run(self._refund(shop, self._order(shop, pick), None, cancels, previews))

    def _order(self, shop: Driven, pick: int) -> str:
        """Mostly one of the latest orders; at times one that nobody knows."""
        names = list(shop.model.orders)
        return "o-none" if pick > 95 or not names else names[-1 - pick % min(len(names), 4)]

    async def _refund(
        self,
        shop: Driven,
        order: str,
        asks: list[tuple[str, tuple[int, int]]] | None,
        cancels: bool,
        previews: bool,
    ) -> None:
        known = shop.model.orders.get(order)
        lines = {line["id"] for line in known.lines} if known else {"1", "2"}
        given = None if asks is None else [(id, *part) for id, part in asks if id in lines]
        if given == []:
            return
        wanted = None if given is None else tuple(LineAsk(*ask) for ask in given)
        now, key = self.clock.now(), shop.key()
        checkout, foreseen = shop.services.checkout, None
        if previews and known is not None and known.state not in ("CANCELLED", "REFUNDED"):
            moved = await shop.moved()
            try:
                row = (await checkout.refund_preview(shop.viewer, order, wanted)).refund
                foreseen = {"money": row["money_minor"], "reversed": row["points_reversed"]}
            except Exception as problem:
                foreseen = getattr(problem, "code", problem)
            assert await shop.moved() == moved
        if cancels:
            ask = partial(checkout.cancel, shop.viewer, key, order, None)
        else:
            ask = partial(checkout.refund, shop.viewer, key, order, f"r-{key}", None, wanted)
        done, told = await shop.do(
            ask, lambda model, _: model.refund(now, order, given, cancels=cancels)
        )
        if done is not None and told is not None:
            ((money, reversed_),) = await shop.services.database.read(
                shop.refund_row(done.outcome["refund"])
            )
            booked = {"money": money or 0, "reversed": reversed_ or 0}
            assert booked == told
            assert foreseen in (None, booked)
        elif done is None:
            assert foreseen in (None, "REFUND_TOO_LARGE")
