"""Law 13: in whatever sequence events of different members, or of one order, come, the end is one.

Each may come twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.services.books.door import Door, outcome_of
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.members.summary import Summaries
from loyalty.services.orders.orders import BookOrder
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.services.tenants import Tenants
from loyalty.storage.statements import Sql

from .conftest import PROGRAM, START, NoCache, Shop
from .test_two_processes import nobody

pytestmark = pytest.mark.anyio

Event = Callable[[Shop], Awaitable[object]]

LOTS = Sql(
    """SELECT m.external_id, l.unit, l.amount - l.reversed, l.remaining, l.available_at, l.ends_at
         FROM lot l JOIN member m ON m.tenant_id = l.tenant_id AND m.id = l.member_id
        WHERE l.tenant_id = $1 AND l.amount > l.reversed ORDER BY 1, 2, 3, 4, 5, 6"""
)
ORDERS = Sql(
    """SELECT external_id, state, total_minor, points_earned, points_redeemed, shortfall, mismatch
         FROM shop_order WHERE tenant_id = $1 ORDER BY external_id"""
)
REFUNDED = Sql(
    """SELECT order_external_id, SUM(money_minor), SUM(points_reversed), SUM(points_returned)
         FROM order_refund WHERE tenant_id = $1 GROUP BY order_external_id
        ORDER BY order_external_id"""
)
RESERVED = Sql("SELECT id FROM reservation WHERE tenant_id = $1")
MEMBERS = Sql("SELECT external_id, state FROM member WHERE tenant_id = $1 ORDER BY external_id")


def reported(order: str, member: str | None, *nets: int) -> Event:
    lines = tuple(OrderLine("tea", 3, net) for net in nets)
    paid = PaidOrder(order, member, "EUR", lines, START - timedelta(days=1))

    async def event(shop: Shop) -> object:
        return outcome_of(await shop.door.submit(BookOrder(shop.tenant_id, paid, "test")))

    return event


def refunded(order: str, refund: str, *asks: LineAsk) -> Event:
    async def event(shop: Shop) -> object:
        command = RefundOrder(
            shop.tenant_id, order, refund, None, START, may_wait=True, lines=asks or None
        )
        return outcome_of(await shop.door.submit(command))

    return event


def enrolled(member: str) -> Event:
    async def event(shop: Shop) -> object:
        command = Enrol(shop.tenant_id, None, member, Profile(), START, or_update=True)
        return outcome_of(await shop.door.submit(command))

    return event


async def committed(shop: Shop) -> object:
    """The checkout of dan's order ends; the shop's report of it is an event of its own."""
    ((held,),) = await shop.database.read(RESERVED(shop.tenant_id))
    return outcome_of(await shop.commit(held, "o-4", 1_500))


EVENTS: list[Event] = [
    enrolled("ann"),
    reported("o-1", "ann", 9_999, 3_333),
    refunded("o-1", "r-1", LineAsk("1", 1)),
    refunded("o-1", "r-2", LineAsk("1", 0, 1_111), LineAsk("2", 2)),
    reported("o-2", "bob", 5_001),
    refunded("o-2", "r-3", LineAsk("1", 1)),
    refunded("o-2", "r-4"),
    enrolled("bob"),
    reported("o-3", None, 4_000),
    refunded("o-3", "r-5", LineAsk("1", 0, 999)),
    committed,
    reported("o-4", "dan", 1_500),
    refunded("o-4", "r-6", LineAsk("1", 0, 500)),
    refunded("o-4", "r-7", LineAsk("1", 0, 333)),
]


async def end_state(base: Shop, code: str, events: list[Event]) -> Any:
    """A new tenant after these events, a minute between each two."""
    clock, database, rulesets = base.clock, base.database, base.rulesets
    clock.set(START)
    tenant = await Tenants(database, clock).create(code, code)
    await rulesets.publish(tenant.id, PROGRAM, "test")
    door = Door(database, clock, rulesets.known, nobody)
    shop = Shop(
        tenant.id, clock, database, door, rulesets,
        Summaries(database, clock, rulesets, NoCache()),
    )  # fmt: skip
    await shop.rich_member("dan", 300)
    await shop.reserve(await shop.quote("dan", "cart", 2_000))
    for event in events:
        await event(shop)
        clock.advance(timedelta(seconds=5))
    clock.set(START + timedelta(hours=1))
    assert await shop.problems() == []
    balances = [
        [(item.unit, item.available, item.pending, item.held, item.deficit) for item in m.balances]
        for m in [await shop.member(name) for name in ("ann", "bob", "dan")]
    ]
    rows = [await database.read(sql(tenant.id)) for sql in (MEMBERS, LOTS, ORDERS, REFUNDED)]
    return balances, [[tuple(map(str, row)) for row in each] for each in rows]


async def test_arrival_order_does_not_matter(shop: Shop, is_soak: bool) -> None:
    random = Random(13)
    usual = await end_state(shop, "usual", EVENTS)

    for number in range(300 if is_soak else 8):
        events = [*EVENTS, *random.sample(EVENTS, 3)]
        random.shuffle(events)
        assert await end_state(shop, f"shuffled_{number}", events) == usual
