"""Coupon uses and gift cards come back with the order that they paid for."""

from dataclasses import replace

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_holdings import CouponFacts, GiftCardFacts, Holdings
from loyalty.domain.quotes.quote_terms import Choice
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.secrets import SecretKey
from loyalty.services.coupons.coupons import Coupons
from loyalty.services.coupons.gift_cards import GiftCards
from loyalty.services.orders.orders import BookOrder

from .conftest import Shop
from .test_refunds import refund
from .test_shared_value import RULES, Desk, reservation

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(shop: Shop) -> Desk:
    await shop.rulesets.publish(shop.tenant_id, RULES, "test")
    coupons = Coupons(shop.database, shop.door, shop.clock)
    key = SecretKey("a secret key of more than 32 characters")
    return Desk(shop, coupons, GiftCards(shop.database, shop.door, shop.summaries, key))


@pytest.mark.parametrize("sequence", [("commit", "back"), ("report", "back", "commit")])
async def test_uses_and_cards_come_back_with_what_they_paid_for(
    sequence: tuple[str, ...], desk: Desk
) -> None:
    shop = desk.shop
    await shop.enrol("ann")
    use, card = await desk.coupon("LAST", uses_max=1), await desk.card(1_000)
    assert use.coupon_id is not None
    ruleset = await shop.rulesets.current(shop.tenant_id)
    lines = (CartLine("a", "tea", 1, 1_000), CartLine("b", "pot", 1, 1_000))
    holdings = Holdings(
        coupons=(CouponFacts(use.coupon_id, "LAST", "ten-off", left_total=1),),
        gift_cards=(GiftCardFacts(card.holder_id, card.label, "EUR", 1_000),),
    )
    facts = replace((await shop.member("ann")).facts(), is_active=True)
    cart = Cart("c", "EUR", lines)
    found = quote(
        ruleset, facts, cart, Choice(codes=("LAST",)), shop.clock.now(), holdings=holdings
    )
    assert (found.total_minor, found.payable_minor) == (1_800, 800)
    held = reservation(await shop.reserve(found))
    told = tuple(OrderLine(line.product, 1, 1_000, 100, id=line.id) for line in lines)
    for step in sequence:
        if step == "commit":
            assert (await shop.commit(held, "o-1", 800)).refusal is None
        elif step == "report":
            order = PaidOrder("o-1", "ann", "EUR", told, shop.clock.now(), paid_minor=800)
            await shop.door.submit(BookOrder(shop.tenant_id, order, "test"))
        else:
            await refund(shop, "r-1", LineAsk("a"))
    assert (await desk.left(card), await desk.uses("LAST")) == ((500, 0), (1, 0))
    await refund(shop, "r-2", LineAsk("b"))

    assert (await desk.left(card), await desk.uses("LAST")) == ((1_000, 0), (0, 0))
    assert await shop.problems() == []
