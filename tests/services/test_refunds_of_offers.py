"""Offers and their budgets come back with what they took off, in however many steps."""

from itertools import count

import pytest
from offer_shop import POOL, OfferShop

from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.services.books.desk import Verdict
from loyalty.services.orders.orders import BookOrder

from .conftest import PROGRAM, Shop
from .test_refunds import refund

pytestmark = pytest.mark.anyio

TEA = 'targets = [{ code = "jam", name = "jam", products = ["jam"] }]'
RULES = PROGRAM + POOL


@pytest.fixture
async def desk(shop: Shop) -> OfferShop:
    await shop.rulesets.publish(shop.tenant_id, RULES, "test")
    await shop.enrol("ann")
    return OfferShop(shop)


def reservation(verdict: Verdict) -> int:
    assert verdict.outcome is not None, verdict.refusal
    return int(verdict.outcome["reservation"])


async def held(desk: OfferShop) -> int:
    """A checkout of three jams for 3 x 10.00 that an offer takes 6.00 off and earns 30 points."""
    await desk.give("ann", offer="bonus", target="jam")
    quote = await desk.quoted("ann", "c-1", 1_000, "jam", pieces=3)
    assert (quote.total_minor, quote.earnings[0].points) == (2_400, 24 + 30)
    return reservation(await desk.shop.reserve(quote))


@pytest.mark.parametrize("steps", [(3,), (1, 2), (2, 1), (1, 1, 1)])
@pytest.mark.parametrize("is_reported_first", [False, True])
async def test_any_split_of_a_refund_gives_all_of_an_offer_back_and_nothing_before(
    desk: OfferShop, steps: tuple[int, ...], is_reported_first: bool
) -> None:
    shop, numbers = desk.shop, count(1)
    found = await held(desk)
    if is_reported_first:
        lines = (OrderLine("jam", 3, 3_000, 600, id="1"),)
        order = PaidOrder("o-1", "ann", "EUR", lines, shop.clock.now(), paid_minor=2_400)
        await shop.door.submit(BookOrder(shop.tenant_id, order, "test"))
        assert await desk.states("ann") == ["HELD"]
    assert (await shop.commit(found, "o-1", 2_400)).refusal is None
    left = 3
    for pieces in steps:
        assert await desk.states("ann") == ["USED"]
        assert await desk.spent("minor:bonus") == (600, 0)
        assert await desk.spent("points:bonus") == (30, 0)
        assert (await shop.points("ann"))[1] == 54 * left // 3
        await refund(shop, f"r-{next(numbers)}", LineAsk("1", quantity=pieces))
        left -= pieces

    assert await desk.states("ann") == ["RESTORED"]
    assert await desk.spent("minor:bonus") == (0, 0)
    assert await desk.spent("points:bonus") == (0, 0)
    assert await shop.points("ann") == (0, 0, 0)
    assert (await desk.quoted("ann", "c-2", 1_000, "jam")).total_minor == 800
    assert await shop.problems() == []


@pytest.mark.parametrize(
    ("policy", "state", "budget"), [("keep", "USED", 600), ("reverse", "RESTORED", 0)]
)
async def test_a_broken_minimum_does_to_an_offer_what_the_program_says(
    desk: OfferShop, policy: str, state: str, budget: int
) -> None:
    shop = desk.shop
    rules = RULES.replace(TEA, TEA + '\nconditions = [{ kind = "minimum_purchase", minor = 2500 }]')
    rules += f'\n[refunds]\nbroken_minimum = "{policy}"\n'
    await shop.rulesets.publish(shop.tenant_id, rules, "test")
    found = await held(desk)
    await shop.commit(found, "o-1", 2_400)

    await refund(shop, "r-1", LineAsk("1", quantity=1))

    assert await desk.states("ann") == [state]
    assert await desk.spent("minor:bonus") == (budget, 0)
    await refund(shop, "r-2", LineAsk("1", quantity=2))
    assert await desk.states("ann") == ["RESTORED"]
    assert await desk.spent("minor:bonus") == (0, 0)
    assert await shop.problems() == []


async def test_a_cancelled_order_gives_its_offer_back_once(desk: OfferShop) -> None:
    shop = desk.shop
    found = await held(desk)
    await shop.commit(found, "o-1", 2_400)

    for number in range(2):
        await shop.refund("o-1", f"r-{number}")

    assert await desk.states("ann") == ["RESTORED"]
    assert await desk.spent("minor:bonus") == (0, 0)


async def test_an_offer_used_again_after_a_refund_is_used(desk: OfferShop) -> None:
    shop = desk.shop
    found = await held(desk)
    await shop.commit(found, "o-1", 2_400)
    await shop.refund("o-1", "r-1")

    quote = await desk.quoted("ann", "c-2", 1_000, "jam")
    again = reservation(await shop.reserve(quote))
    await shop.commit(again, "o-2", 800)

    assert await desk.states("ann") == ["USED"]
    assert await desk.spent("minor:bonus") == (200, 0)
    await shop.refund("o-1", "r-2")
    assert await desk.spent("minor:bonus") == (200, 0)
    assert await shop.problems() == []
