"""Two processes on one database that book at the same moment."""

import asyncio
from collections.abc import Sequence

import pytest

from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.services.desk import MemberChanged
from loyalty.services.door import Door
from loyalty.services.orders import BookOrder, RefundOrder
from loyalty.storage.statements import Sql

from .conftest import Shop

pytestmark = pytest.mark.anyio
PAIRS = 40
STATES = Sql(
    """SELECT r.state, o.state, count(*) FROM order_refund r
         JOIN shop_order o ON o.tenant_id = r.tenant_id AND o.external_id = r.order_external_id
        WHERE r.tenant_id = $1 GROUP BY r.state, o.state"""
)


async def test_an_order_and_its_refund_do_not_overlook_each_other(shop: Shop) -> None:
    async def tell(changed: Sequence[MemberChanged]) -> None:
        return None

    other = Door(shop.database, shop.clock, shop.rulesets.known, tell)
    lines = (OrderLine("tea", 1, 5_000),)
    await shop.enrol("ann")

    for number in range(PAIRS):
        name = f"o-{number}"
        order = PaidOrder(name, f"m-{number}", "EUR", lines, shop.clock.now())
        refund = RefundOrder(shop.tenant_id, name, f"r-{name}", None, None, may_wait=True)
        await asyncio.gather(
            shop.door.submit(BookOrder(shop.tenant_id, order, "test")), other.submit(refund)
        )

    assert await shop.database.read(STATES(shop.tenant_id)) == [("BOOKED", "REFUNDED", PAIRS)]
    assert await shop.problems() == []
