"""Attributed sales come out alike, whatever is known first and however often it is looked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.clock import FixedClock
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.recommendations.attribution import AttributionTerms, Touch, last_touch
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.secrets import SecretKey
from loyalty.services.books.door import Door, outcome_of
from loyalty.services.checkout.views import Views
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.orders.orders import BookOrder
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.services.recommendations.attribution import Attribution
from loyalty.services.recommendations.recommendation_events import (
    COUNTED,
    EventType,
    RecommendationEvents,
    Reported,
)
from loyalty.services.recommendations.recommendation_id import RecommendationIds
from loyalty.storage.database import open_database
from loyalty.storage.statements import Sql

from .conftest import START, Shop

pytestmark = pytest.mark.anyio

IDS = RecommendationIds(SecretKey("a key for tests, of more than 32 characters"))
SALES = Sql(
    """SELECT o.external_id, s.product, s.touch, s.window_code, s.quantity, s.sales_minor
         FROM recommendation_sale s
         JOIN shop_order o ON o.tenant_id = s.tenant_id AND o.id = s.order_id
        WHERE s.tenant_id = $1 ORDER BY o.external_id, s.product"""
)
MEMBERS, PRODUCTS = ("ann", "bob"), ("tea", "mug", "pot")
WINDOWS = ("FOR_YOU", "CART", "TRENDING")
MINUTE, HOURS = timedelta(minutes=1), 240
TERMS = AttributionTerms()


@dataclass(frozen=True)
class Event:
    member: str
    product: str
    type: EventType
    window: str
    at: datetime


@dataclass(frozen=True)
class Order:
    """``bought``: product to pieces, each for 1.00; ``refunded``: pieces of the first line."""

    id: str
    member: str | None
    bought: dict[str, int]
    at: datetime
    refunded: int


@dataclass(frozen=True)
class Said:
    """What the shop says of an order's product."""

    order: Order
    product: str
    window: str
    at: datetime


@dataclass(frozen=True)
class History:
    events: list[Event]
    orders: list[Order]
    said: list[Said]

    @classmethod
    def of(cls, random: Random) -> History:
        """Ten days of two members and guests; no two things happen at one instant."""
        minutes = iter(random.sample(range(60, HOURS * 60), 70))

        def moment() -> datetime:
            return START + next(minutes) * MINUTE

        events = [
            Event(
                random.choice(MEMBERS), random.choice(PRODUCTS), random.choice(COUNTED),
                random.choice(WINDOWS), moment(),
            )
            for _ in range(random.randint(0, 25))
        ]  # fmt: skip
        orders = []
        for number in range(random.randint(1, 8)):
            some = random.sample(PRODUCTS, random.randint(1, 3))
            bought = {product: random.randint(1, 4) for product in some}
            back = random.choice((0, 0, random.randint(1, bought[some[0]])))
            member = random.choice((*MEMBERS, *MEMBERS, None))
            orders.append(Order(f"o-{number}", member, bought, moment(), back))
        said = {}
        for order in random.sample(orders, len(orders) // 3):
            product = random.choice(PRODUCTS)
            said[order.id, product] = Said(order, product, random.choice(WINDOWS), moment())
        return cls(events, orders, list(said.values()))

    def owed(self) -> list[tuple[Any, ...]]:
        """What is owed, found the long way."""
        found = []
        for order in self.orders:
            for line, (product, pieces) in enumerate(order.bought.items()):
                met = [each for each in self.events
                       if (each.member, each.product) == (order.member, product)
                       and order.at - _life(each.type) < each.at < order.at]  # fmt: skip
                acted = [each for each in met if each.type is not EventType.IMPRESSION]
                last = max(acted or met, key=lambda each: each.at, default=None)
                owed = None if last is None else (last.type.value, last.window)
                for said in self.said:
                    if (said.order, said.product) == (order, product):
                        owed = ("CART", said.window)
                if owed is not None:
                    left = pieces - (0 if line else order.refunded)
                    found.append((order.id, product, *owed, left, left * 100))
        return sorted(found)


def _life(type_: EventType) -> timedelta:
    return timedelta(days=1 if type_ is EventType.IMPRESSION else 7)


class Told:
    """One tenant that is told a history."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        database, clock, rulesets = shop.database, shop.clock, shop.rulesets
        self.events = RecommendationEvents(database, rulesets, clock, IDS)
        views = Views(database, clock)
        self.attribution = Attribution(database, views, rulesets, clock, TERMS)
        self.members: dict[str, int] = {}

    async def enrol(self) -> None:
        for member in MEMBERS:
            profile = Profile(consents={"profiling": True})
            verdict = await self.shop.door.submit(Enrol(self.shop.tenant_id, None, member, profile))
            found = outcome_of(verdict)["member"]
            assert isinstance(found, int)
            self.members[member] = found

    def steps(self, history: History) -> list[tuple[datetime, Callable[[], Awaitable[None]]]]:
        """Everything there is to tell, with its moment."""
        steps: list[tuple[datetime, Callable[[], Awaitable[None]]]] = []
        for event in history.events:
            steps.append((event.at, lambda event=event: self.report(event)))  # type: ignore[misc]
        for order in history.orders:
            steps.append((order.at, lambda order=order: self.book(order)))  # type: ignore[misc]
            if order.refunded:
                at = order.at + 30 * MINUTE
                steps.append((at, lambda order=order: self.refund(order)))  # type: ignore[misc]
        for said in history.said:
            steps.append((said.at, lambda said=said: self.say(said)))  # type: ignore[misc]
        return steps

    async def say(self, said: Said) -> None:
        answered_at = said.order.at - MINUTE
        id = IDS.make(self.shop.tenant_id, said.window, PRODUCTS, answered_at)
        reported = Reported(id, EventType.PURCHASE, said.product, order=said.order.id)
        told = await self.events.record(self.shop.tenant_id, [reported], may_tell_orders=True)
        assert (told.recorded, dict(told.refused)) == (1, {})

    async def report(self, event: Event) -> None:
        id = IDS.make(
            self.shop.tenant_id, event.window, PRODUCTS, event.at - MINUTE,
            member_id=self.members[event.member],
        )  # fmt: skip
        reported = Reported(id, event.type, event.product, occurred_at=event.at)
        told = await self.events.record(self.shop.tenant_id, [reported])
        assert (told.recorded, dict(told.refused)) == (1, {})

    async def book(self, order: Order) -> None:
        lines = tuple(
            OrderLine(product, pieces, pieces * 100) for product, pieces in order.bought.items()
        )
        paid = PaidOrder(order.id, order.member, "EUR", lines, order.at)
        outcome_of(await self.shop.door.submit(BookOrder(self.shop.tenant_id, paid, "test")))

    async def refund(self, order: Order) -> None:
        command = RefundOrder(
            self.shop.tenant_id, order.id, f"r-{order.id}", None, None, may_wait=True,
            lines=(LineAsk("1", order.refunded),),
        )  # fmt: skip
        outcome_of(await self.shop.door.submit(command))

    async def run(self) -> None:
        await self.attribution.due(self.shop.tenant_id)

    async def sales(self) -> list[tuple[Any, ...]]:
        await self.run()
        return await self.shop.database.read(SALES(self.shop.tenant_id))


@pytest.mark.parametrize("seed", range(16))
async def test_any_sequence_of_the_same_is_owed_the_same(
    shops: tuple[Shop, Shop], seed: int
) -> None:
    """One tenant hears of everything at once as it happened and looks once, the other in any
    sequence over days, looks now and then, and looks twice."""
    random = Random(seed)
    history = History.of(random)
    first, other = Told(shops[0]), Told(shops[1])
    shops[0].clock.advance(timedelta(hours=HOURS))
    for told in (first, other):
        await told.enrol()
    for _, step in sorted(first.steps(history), key=lambda step: step[0]):
        await step()
    steps = [step for _, step in other.steps(history)]
    random.shuffle(steps)
    for step in steps:
        shops[1].clock.advance(timedelta(minutes=random.choice((0, 1, 4, 9, 200))))
        await step()
        if random.random() < 0.4:
            await other.run()

    found, again = await first.sales(), await other.sales()

    assert found == again == history.owed()
    assert await other.sales() == again


touches = st.builds(
    Touch,
    recommendation=st.integers(0, 5),
    type=st.sampled_from(("IMPRESSION", "CLICK", "CART", "PURCHASE")),
    at=st.integers(0, 3).map(lambda hours: START + timedelta(hours=hours)),
    window=st.just("FOR_YOU"),
    model=st.just(""),
    variant=st.just(""),
    experiment_id=st.none(),
)


@given(st.lists(touches, min_size=1), st.randoms())
def test_the_last_touch_is_the_same_in_any_sequence(some: list[Touch], random: Any) -> None:
    shuffled = list(some)
    random.shuffle(shuffled)

    assert last_touch(shuffled) == last_touch(some)
    assert last_touch([last_touch(some[:1]), *some]) == last_touch(some)


async def test_what_a_process_with_a_slow_clock_books_is_not_overlooked(
    shops: tuple[Shop, Shop], migrated_url: str
) -> None:
    shop, told = shops[0], Told(shops[0])
    clicked_at = shop.clock.now()
    shop.clock.advance(timedelta(hours=2))
    await told.enrol()
    await told.report(Event("ann", "tea", EventType.CLICK, "FOR_YOU", clicked_at + MINUTE))
    shop.clock.advance(timedelta(hours=2))
    await told.run()
    slow = FixedClock(shop.clock.now() - 4 * MINUTE)

    async with await open_database(migrated_url, slow) as database:
        door = Door(database, slow, shop.rulesets.known, nobody)
        bought = PaidOrder("o-1", "ann", "EUR", (OrderLine("tea", 1, 100),), slow.now())
        outcome_of(await door.submit(BookOrder(shop.tenant_id, bought, "test")))
        await door.drained()

    assert [row[:3] for row in await told.sales()] == [("o-1", "tea", "CLICK")]


async def nobody(changed: object) -> None:
    """Nobody is told."""
