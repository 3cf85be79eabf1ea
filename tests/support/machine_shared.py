"""What several members of the machine share, money on cards, and the rules that are in force."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from driven_rules import RULES
from driven_shop import Driven
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from machine_base import AMOUNTS, PICKS, SHOPS, MachineBase
from shop_holders import Counter, Holder, Refused
from shop_model import Shop

from loyalty.domain.money import Money
from loyalty.services.coupons.coupons import CouponTerms

CODES = st.sampled_from(["TEN-A", "TEN-B"])


class SharedRules(MachineBase):
    @rule(n=SHOPS, code=CODES, most=st.sampled_from([None, 1, 2]),
          each=st.sampled_from([None, 1]))  # fmt: skip
    def issue(self, n: int, code: str, most: int | None, each: int | None) -> None:
        self.run(self._issue(self.shops[n], code, most, each))

    async def _issue(self, shop: Driven, code: str, most: int | None, each: int | None) -> None:
        terms, once = CouponTerms("ten-off", most, each), shop.once("issue", code)

        def model(model: Shop, _: object) -> None:
            if ("COUPON", code) in model.counters:
                raise Refused("ALREADY_EXISTS")
            model.counters["COUPON", code] = Counter(most, each)

        await shop.do(
            lambda: shop.services.coupons.issue(shop.tenant_id, once, terms, "till", codes=[code]),
            model,
        )

    @rule(n=SHOPS, code=CODES)
    def revoke(self, n: int, code: str) -> None:
        shop = self.shops[n]
        once = shop.once("revoke", code)

        def model(model: Shop, _: object) -> None:
            if ("COUPON", code) not in model.counters:
                raise Refused("NOT_FOUND")
            model.counters["COUPON", code].is_revoked = True

        self.run(shop.do(lambda: shop.services.coupons.revoke(shop.tenant_id, once, code), model))
        shop.done.pop()

    @rule(n=SHOPS, reward=st.sampled_from(["mug", "big"]), total=st.integers(0, 2))
    def stock(self, n: int, reward: str, total: int) -> None:
        self.run(self._stock(self.shops[n], reward, total))

    async def _stock(self, shop: Driven, reward: str, total: int) -> None:
        once = shop.once("stock", str(total))

        def model(model: Shop, _: object) -> None:
            model.counters.setdefault(("STOCK", reward), Counter(total)).total = total

        await shop.do(
            lambda: shop.services.coupons.set_stock(shop.tenant_id, once, reward, total), model
        )
        shop.done.pop()

    @rule(n=SHOPS, minor=AMOUNTS)
    def issue_card(self, n: int, minor: int) -> None:
        self.run(self._issue_card(self.shops[n], minor))

    async def _issue_card(self, shop: Driven, minor: int) -> None:
        now = self.clock.now()
        once = shop.once("card", str(minor))

        def model(model: Shop, issued: Any) -> None:
            card = Holder("ACTIVE", now)
            card.lots.append(model.lot("gift:EUR", minor, now, None))
            model.cards[issued.card.holder_id] = card

        issued, _ = await shop.do(
            lambda: shop.services.gift_cards.issue(
                shop.tenant_id, once, Money(minor, "EUR"), None, "till"
            ),
            model,
        )
        shop.codes[issued.card.holder_id] = issued.code
        shop.done.pop()

    @precondition(lambda self: any(shop.codes for shop in self.shops))
    @rule(pick=PICKS, state=st.sampled_from(["BLOCKED", "ACTIVE"]))
    def block(self, pick: int, state: str) -> None:
        shop = next(shop for shop in self.shops if shop.codes)
        holder = sorted(shop.codes)[pick % len(shop.codes)]
        shop.model.cards[holder].state = state
        cards = shop.services.gift_cards

        async def ask() -> None:
            card = await cards.by_code(shop.tenant_id, shop.codes[holder])
            await cards.set_state(shop.tenant_id, None, card.id, state)

        self.run(ask())

    @rule(n=SHOPS, number=st.integers(0, len(RULES) - 1))
    def publish(self, n: int, number: int) -> None:
        # Never two versions at one instant: what was judged by the first would not be told apart.
        self.clock.advance(timedelta(seconds=1))
        self.run(self.shops[n].publish(number))
