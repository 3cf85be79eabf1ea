"""Two shops on one database, driven at random through their services, against a model.

They use the same names, order ids, codes and idempotency keys. After every step both must show
what the model says, also the one that nothing was asked of (laws 2, 3, 4, 6, 8, 12, 16). What is
refused must be refused by both with one code, and move nothing. At the end the ledger must verify.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from driven_shop import RULES, SPANS, Driven
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pydantic import SecretStr
from shop_model import Counter, Holder, Refused, Shop

from loyalty.cache import Cache, open_cache
from loyalty.cache.memory import MemoryCache
from loyalty.cache.null import NullCache
from loyalty.clock import FixedClock
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import Money
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.quote_terms import ALL_CREDIT, ALL_POINTS, NO_CREDIT, NO_POINTS, Choice
from loyalty.domain.refund_asks import LineAsk
from loyalty.domain.registry import built_in
from loyalty.errors import NotFound
from loyalty.secrets import SecretKey
from loyalty.services.adjustments import Correction
from loyalty.services.coupons import CouponTerms
from loyalty.services.door import outcome_of
from loyalty.services.members import Profile
from loyalty.services.orders import BookOrder
from loyalty.services.services import wire
from loyalty.settings import Settings
from loyalty.storage.database import open_database

# Two days before the clocks go forward in Budapest.
START = datetime(2026, 3, 27, 21, 30, tzinfo=UTC)
SECRET = "a secret key of more than 32 characters"

SHOPS = st.integers(0, 1)
NAMES = st.sampled_from(["ann", "bob", "guest"])
ORDERS = st.sampled_from([f"o-{n}" for n in range(1, 7)])
CODES = st.sampled_from(["TEN-A", "TEN-B"])
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
AMOUNTS = st.integers(100, 6_000)
PICKS = st.integers(0, 99)


def machine_for(
    make_url: Callable[[], str], folder: Path, make_cache: Callable[[], Cache] = NullCache
) -> type[RuleBasedStateMachine]:
    class Machine(RuleBasedStateMachine):
        """Each rule is one thing that a shop, a shopper, a merchant or the clock does."""

        def __init__(self) -> None:
            super().__init__()
            self.runner = asyncio.Runner()
            self.clock = FixedClock(START)
            self.cache = make_cache()
            self.shops: list[Driven] = []

        def run(self, coroutine: Any) -> Any:
            return self.runner.run(coroutine)

        @initialize()
        def open(self) -> None:
            self.run(self._open())

        async def _open(self) -> None:
            url = make_url()
            self.database = await open_database(url, self.clock)
            services = wire(
                Settings(
                    secret_key=SecretStr(SECRET), environment="development", database_url=url,
                    data_dir=folder,
                ),
                clock=self.clock, database=self.database, cache=self.cache,
                registry=built_in(), secret=SecretKey(SECRET),
            )  # fmt: skip
            for code in ("one", "two"):
                tenant = await services.tenants.create(code, code)
                shop = Driven(tenant.id, services, self.clock, Shop({}))
                await shop.publish(0)
                for name in ("ann", "bob"):
                    await self._enrol(shop, name)
                    await self._adjust(shop, name, "credit:EUR", 2_000)
                await self._paid(shop, "o-1", "ann", [9_000], 20)
                self.shops.append(shop)
                await self._issue(shop, "TEN-A", 2, None)
                await self._issue_card(shop, 3_000)
                await self._stock(shop, 2)

        # Members and orders

        @rule(n=SHOPS, name=NAMES)
        def enrol(self, n: int, name: str) -> None:
            self.run(self._enrol(self.shops[n], name))

        async def _enrol(self, shop: Driven, name: str) -> None:
            key, now = shop.key(), self.clock.now()
            await shop.do(
                lambda: shop.services.enrolment.enrol(shop.viewer, key, name, Profile()),
                lambda model, _: model.enrol(now, name),
            )

        @rule(
            n=SHOPS, order=ORDERS, name=st.one_of(st.none(), NAMES),
            nets=st.lists(AMOUNTS, min_size=1, max_size=2), days_ago=st.sampled_from([0, 0, 2]),
        )  # fmt: skip
        def paid(
            self, n: int, order: str, name: str | None, nets: list[int], days_ago: int
        ) -> None:
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

        @rule(n=SHOPS, name=NAMES, unit=st.sampled_from(["points", "credit:EUR"]),
              amount=st.integers(-150, 900).filter(bool))  # fmt: skip
        def adjust(self, n: int, name: str, unit: str, amount: int) -> None:
            self.run(self._adjust(self.shops[n], name, unit, amount))

        async def _adjust(self, shop: Driven, name: str, unit: str, amount: int) -> None:
            now = self.clock.now()
            currency = None if unit == "points" else "EUR"
            correction = Correction(name, amount, "count", currency=currency)
            key = shop.key()
            await shop.do(
                lambda: shop.services.adjustments.adjust(shop.viewer, key, correction),
                lambda model, _: model.adjust(now, name, unit, amount),
            )

        @precondition(lambda self: len(self.shops[0].model.orders) > 2)
        @rule(n=SHOPS, source=NAMES, into=NAMES)
        def merge(self, n: int, source: str, into: str) -> None:
            shop, now, key = self.shops[n], self.clock.now(), self.shops[n].key()
            self.run(
                shop.do(
                    lambda: shop.services.membership.merge(shop.viewer, key, source, into),
                    lambda model, _: model.merge(now, source, into),
                )
            )

        # What several share, and money on cards

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
                lambda: shop.services.coupons.issue(
                    shop.tenant_id, once, terms, "till", codes=[code]
                ),
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

            self.run(
                shop.do(lambda: shop.services.coupons.revoke(shop.tenant_id, once, code), model)
            )
            shop.done.pop()

        @rule(n=SHOPS, total=st.integers(0, 2))
        def stock(self, n: int, total: int) -> None:
            self.run(self._stock(self.shops[n], total))

        async def _stock(self, shop: Driven, total: int) -> None:
            once = shop.once("stock", str(total))

            def model(model: Shop, _: object) -> None:
                model.counters.setdefault(("STOCK", "mug"), Counter(total)).total = total

            await shop.do(
                lambda: shop.services.coupons.set_stock(shop.tenant_id, once, "mug", total), model
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
            self.run(self.shops[n].publish(number))

        # Checkout

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
                self._commit(shop, id, order, quoted.quote.payable_minor)

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

        def _picked(self, pick: int) -> tuple[Driven, int]:
            shops = [shop for shop in self.shops if shop.model.reservations]
            shop = shops[pick % len(shops)]
            # Mostly the latest.
            held = list(reversed(shop.model.reservations))
            return shop, held[(pick // 2) % min(len(held), 3)]

        @precondition(lambda self: any(shop.model.reservations for shop in self.shops))
        @rule(pick=PICKS, order=ORDERS, off=st.sampled_from([0, 0, 0, 1]))
        def commit(self, pick: int, order: str, off: int) -> None:
            shop, id = self._picked(pick)
            known = shop.model.orders.get(order)
            if known is not None and known.reservation is None:
                return
            self._commit(shop, id, order, shop.model.reservations[id].offer["payable"] + off)

        def _commit(self, shop: Driven, id: int, order: str, paid: int) -> None:
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

        @precondition(lambda self: any(shop.model.reservations for shop in self.shops))
        @rule(pick=PICKS)
        def release(self, pick: int) -> None:
            shop, id = self._picked(pick)
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
            shop, id = self._picked(pick)
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
            shop, id = self._picked(pick)
            other = self.shops[1 - self.shops.index(shop)]

            async def ask() -> None:
                checkout = other.services.checkout
                with pytest.raises(NotFound):
                    await checkout.release(other.viewer, other.key(), id)
                with pytest.raises(NotFound):
                    await checkout.commit(
                        other.viewer, other.key(), id, "o-9", Money(1, "EUR"), None
                    )

            self.run(ask())

        # Taking back

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
            names = ["o-none", *shop.model.orders]
            return names[-1 - pick % len(names)]

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

        # Callers who ask again, and time

        @precondition(lambda self: any(shop.done for shop in self.shops))
        @rule(pick=PICKS)
        def again(self, pick: int) -> None:
            shop = next(shop for shop in self.shops if shop.done)
            self.run(shop.again(pick))

        @rule(span=st.sampled_from(SPANS))
        def wait(self, span: timedelta) -> None:
            self.clock.advance(span)

        def teardown(self) -> None:
            async def close() -> None:
                try:
                    for shop in self.shops:
                        assert await shop.problems() == []
                finally:
                    await self.database.close()
                    await self.cache.close()

            self.run(close())
            self.runner.close()

        def check_invariants(self, *args: Any, **words: Any) -> None:
            super().check_invariants(*args, **words)
            for shop in self.shops:
                self.run(shop.agrees())

    return Machine


class StaleCache(MemoryCache):
    """Whatever it was given first it answers for ever: it never hears of a change."""

    async def drop(self, *keys: str) -> bool:
        return True

    async def invalidate(self, key: str, version: int, ttl_s: int) -> bool:
        return True

    async def put(self, key: str, value: bytes, ttl_s: int) -> bool:
        return await super().get(key) is None and await super().put(key, value, ttl_s)

    async def put_versioned(self, key: str, version: int, value: bytes, ttl_s: int) -> bool:
        is_new = await super().get_versioned(key) is None
        return is_new and await super().put_versioned(key, version, value, ttl_s)


CACHES: dict[str, Callable[[], Cache]] = {
    "on": lambda: MemoryCache(monotonic),
    "stale": lambda: StaleCache(monotonic),
    "dead": lambda: open_cache("redis://127.0.0.1:1/0", deadline_s=0.05),
}


def run_machine(machine: type[RuleBasedStateMachine], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_two_shops_on_sqlite(sqlite_urls: Callable[[], str], tmp_path: Path, is_soak: bool) -> None:
    examples, steps = (400, 60) if is_soak else (8, 25)
    run_machine(machine_for(sqlite_urls, tmp_path), examples, steps)


def test_two_shops_on_postgresql(
    postgres_urls: Callable[[], str], tmp_path: Path, is_soak: bool
) -> None:
    examples, steps = (100, 60) if is_soak else (2, 20)
    run_machine(machine_for(postgres_urls, tmp_path), examples, steps)


@pytest.mark.parametrize("cache", CACHES)
def test_no_cache_moves_value(
    cache: str, sqlite_urls: Callable[[], str], tmp_path: Path, is_soak: bool
) -> None:
    """Law 15: with it on, cold, stale or dead, everything comes to what the model says."""
    examples, steps = (40, 60) if is_soak else (2, 20)
    run_machine(machine_for(sqlite_urls, tmp_path, CACHES[cache]), examples, steps)
