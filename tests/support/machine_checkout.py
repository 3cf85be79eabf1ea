"""The machine's checkouts: quoted, held, paid, given up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from driven_shop import Driven
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from machine_base import AMOUNTS, NAMES, ORDERS, PICKS, SHOPS, MachineBase

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import Money
from loyalty.domain.quotes.quote_terms import ALL_CREDIT, ALL_POINTS, NO_CREDIT, NO_POINTS, Choice
from loyalty.errors import NotFound


class CheckoutRules(MachineBase):
    @rule(
        n=SHOPS, name=st.one_of(st.none(), NAMES), cart=st.sampled_from(["c-1", "c-2"]),
        units=st.lists(AMOUNTS, min_size=1, max_size=2), quantity=st.integers(1, 3),
        points=st.booleans(), credit=st.booleans(), cards=st.booleans(),
        ttl=st.sampled_from([None, 60]), buys=st.booleans(),
    )  # fmt: skip
    def reserve(
        self, n: int, name: str | None, cart: str, units: list[int], quantity: int,
        points: bool, credit: bool, cards: bool, ttl: int | None, buys: bool,
    ) -> None:  # fmt: skip
        """Quote a cart and hold what the quote takes, or buy it at once."""
        shop = self.shops[n]
        coupons = [code for kind, code in shop.model.counters if kind == "COUPON"]
        choice = Choice(
            points=ALL_POINTS if points else NO_POINTS,
            credit=ALL_CREDIT if credit else NO_CREDIT,
            codes=(*coupons, *(shop.codes.values() if cards else ())),
        )
        lines = tuple(
            CartLine(str(at), f"p{at}", quantity, unit) for at, unit in enumerate(units, 1)
        )
        name = None if shop.model.whose(name) not in shop.model.members else name
        quoted = self.run(
            shop.services.checkout.quote(shop.viewer, Cart(cart, "EUR", lines), name, choice)
        )
        assert quoted.quote.ruleset_version == max(shop.versions), "a quote of old rules"
        shop.quotes.append(quoted)
        id = self._reserve(shop, quoted, ttl)
        if id is not None and buys:
            order = f"b-{shop.number}"
            self.commit_as(shop, id, order, quoted.quote.payable_minor)

    @precondition(lambda self: any(shop.quotes for shop in self.shops))
    @rule(pick=PICKS)
    def reserve_later(self, pick: int) -> None:
        """Hold what was quoted some time ago: it may be too late, or used up."""
        shops = [shop for shop in self.shops if shop.quotes]
        shop = shops[pick % len(shops)]
        self._reserve(shop, shop.quotes[pick % len(shop.quotes)], None)

    def _reserve(self, shop: Driven, quoted: Any, ttl: int | None) -> int | None:
        now, key, offer = self.clock.now(), shop.key(), shop.offer(quoted.quote)
        done, _ = self.run(
            shop.do(
                lambda: shop.services.checkout.reserve(shop.viewer, key, quoted.token, ttl),
                lambda model, done: model.reserve(
                    now, offer, done.outcome["reservation"] if done else 0,
                    timedelta(seconds=ttl or 900),
                ),
            )
        )  # fmt: skip
        return None if done is None else done.outcome["reservation"]

    @precondition(lambda self: any(shop.model.reservations for shop in self.shops))
    @rule(pick=PICKS, order=ORDERS, off=st.sampled_from([0, 0, 0, 1]))
    def commit(self, pick: int, order: str, off: int) -> None:
        shop, id = self.picked(pick)
        known = shop.model.orders.get(order)
        if known is not None and known.reservation is None and known.told != id:
            return
        if known is not None and known.reservation is None and known.change is not None:
            return
        self.commit_as(shop, id, order, shop.model.reservations[id].offer["payable"] + off)

    @precondition(lambda self: any(shop.model.reservations for shop in self.shops))
    @rule(pick=PICKS)
    def release(self, pick: int) -> None:
        shop, id = self.picked(pick)
        now, key = self.clock.now(), shop.key()
        answer, state = self.run(
            shop.do(
                lambda: shop.services.checkout.release(shop.viewer, key, id),
                lambda model, _: model.release(now, id),
            )
        )
        assert answer is None or answer.outcome["state"] == state

    @precondition(lambda self: any(shop.model.reservations for shop in self.shops))
    @rule(pick=PICKS, ttl=st.sampled_from([60, 3_600, 172_800]))
    def extend(self, pick: int, ttl: int) -> None:
        shop, id = self.picked(pick)
        now, key = self.clock.now(), shop.key()
        self.run(
            shop.do(
                lambda: shop.services.checkout.extend(shop.viewer, key, id, ttl),
                lambda model, _: model.extend(now, id, timedelta(seconds=ttl)),
            )
        )

    @precondition(lambda self: any(shop.model.reservations for shop in self.shops))
    @rule(pick=PICKS)
    def reach_across(self, pick: int) -> None:
        """The other shop's reservation is as unknown as one that never was."""
        shop, id = self.picked(pick)
        other = self.shops[1 - self.shops.index(shop)]

        async def ask() -> None:
            checkout = other.services.checkout
            with pytest.raises(NotFound):
                await checkout.release(other.viewer, other.key(), id)
            with pytest.raises(NotFound):
                await checkout.commit(other.viewer, other.key(), id, "o-9", Money(1, "EUR"), None)

        self.run(ask())
