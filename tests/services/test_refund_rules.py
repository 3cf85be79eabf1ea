"""A refund runs the rules that its order was quoted by, whatever was published since."""

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import Choice
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.storage.statements import Sql

from .conftest import PROGRAM, Shop

pytestmark = pytest.mark.anyio

MINIMUM = """conditions = [{ kind = "minimum_purchase", minor = 3000 }]
"""
RULES = PROGRAM + MINIMUM
REVERSED = """[refunds]
broken_minimum = "reverse"
"""
MONEY = Sql("SELECT money_minor FROM order_refund WHERE tenant_id = $1")


@pytest.mark.parametrize("published", [None, PROGRAM + REVERSED])
async def test_a_minimum_is_that_of_the_quote(shop: Shop, published: str | None) -> None:
    """Five off from 30.00 on; then one of two lines of 20.00 comes back, and breaks it."""
    await shop.rulesets.publish(shop.tenant_id, RULES + REVERSED, "test")
    await shop.rich_member("ann", 200)
    ruleset = await shop.rulesets.current(shop.tenant_id)
    lines = tuple(CartLine(name, "tea", 1, 2_000) for name in ("1", "2"))
    facts = (await shop.member("ann")).facts()
    offered = quote(ruleset, facts, Cart("c-1", "EUR", lines), Choice(), shop.clock.now())
    assert offered.payable_minor == 3_500
    held = (await shop.reserve(offered)).outcome
    assert held is not None
    if published is not None:
        await shop.rulesets.publish(shop.tenant_id, published, "test")

    await shop.commit(held["reservation"], "o-1", 3_500)
    command = RefundOrder(
        shop.tenant_id, "o-1", "r-1", None, None, lines=(LineAsk("1", quantity=1),)
    )
    await shop.door.submit(command)

    # 17.50 of the line, less the 2.50 that the kept one would have cost more.
    assert await shop.database.read(MONEY(shop.tenant_id)) == [(1_500,)]
    assert await shop.problems() == []
