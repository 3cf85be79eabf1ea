"""What the machine's shops take back."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

from driven_shop import Driven
from hypothesis import strategies as st
from hypothesis.stateful import rule
from machine_base import AMOUNTS, ORDERS, PICKS, SHOPS, MachineBase
from shop_returns import CANCELS, Report, asked_back, reported

from loyalty.domain.order import OrderLine
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.services.books.door import outcome_of
from loyalty.services.orders.order_edits import EDIT, OrderEdit
from loyalty.services.orders.refund_commands import RefundOrder, cancellation_name, edit_name
from loyalty.services.orders.refunds import CANCELLATION

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


LINES = st.dictionaries(
    st.sampled_from(["1", "2", "3"]), st.tuples(st.integers(1, 4), AMOUNTS), min_size=1, max_size=3
)
"""Pieces and net by line."""
REPORTED = st.one_of(ORDERS, st.none())
"""An order by name, there or not; None: one that is there."""


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

    @rule(n=SHOPS, order=REPORTED, pick=PICKS, asks=st.one_of(st.none(), ASKS),
          cancels=st.booleans())  # fmt: skip
    def report_refund(
        self, n: int, order: str | None, pick: int,
        asks: list[tuple[str, tuple[int, int]]] | None, cancels: bool,
    ) -> None:  # fmt: skip
        """A shop's webhook says that something came back, of an order that may come later."""
        shop = self.shops[n]
        name = f"w-{shop.key()}"
        given = None if asks is None else [(id, *part) for id, part in asks]
        is_all = cancels and given is None
        report = Report(self.clock.now(), CANCELS if is_all else name, given, is_all)
        self._report(shop, order or self._order(shop, pick), name, report)

    @rule(n=SHOPS, order=REPORTED, pick=PICKS, lines=LINES, days_ago=st.sampled_from([0, 0, 0, 2]))
    def report_change(
        self, n: int, order: str | None, pick: int, lines: dict[str, tuple[int, int]],
        days_ago: int,
    ) -> None:  # fmt: skip
        """A shop's webhook says what an order is now; mostly it is the latest word."""
        shop = self.shops[n]
        name = edit_name(f"e-{shop.key()}")
        report = Report(self.clock.now() - timedelta(days=days_ago), name, lines=lines)
        self._report(shop, order or self._order(shop, pick), name, report)

    def _report(self, shop: Driven, order: str, name: str, report: Report) -> None:
        now = self.clock.now()
        asks = None if report.asks is None else tuple(LineAsk(*ask) for ask in report.asks)
        change, kind = None, CANCELLATION if report.cancels else "REFUND"
        if report.lines is not None:
            lines = tuple(
                OrderLine("tea", pieces, net, id=id) for id, (pieces, net) in report.lines.items()
            )
            change, kind = OrderEdit(lines, 0, "EUR"), EDIT
        name = cancellation_name(order) if report.cancels else name
        command = RefundOrder(
            shop.tenant_id, order, name, None, report.at, may_wait=True, lines=asks, kind=kind,
            edit=change,
        )  # fmt: skip

        async def ask() -> dict[str, Any]:
            return outcome_of(await shop.services.door.submit(command))

        async def both() -> None:
            answer, is_booked = await shop.do(ask, lambda m, _: reported(m, now, order, report))
            assert answer["booked"] is is_booked
            shop.done.pop()

        self.run(both())

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
        if known is not None and known.change is not None:
            lines |= known.change.lines.keys()
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
            ask, lambda model, _: asked_back(model, now, order, given, cancels=cancels)
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
