"""Paid orders that differ from the checkout they name: booked, and flagged."""

from datetime import timedelta

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import ALL_POINTS, Choice
from loyalty.errors import BadInput, NotFound
from loyalty.services.books.desk import Verdict
from loyalty.services.orders.orders import BookOrder
from loyalty.storage.statements import Sql

from .conftest import PROGRAM, Shop

pytestmark = pytest.mark.anyio
ORDERS = Sql(
    """SELECT m.external_id, o.points_redeemed, o.mismatch FROM shop_order o
         JOIN member m ON m.tenant_id = o.tenant_id AND m.id = o.member_id
        WHERE o.tenant_id = $1 AND o.external_id = 'o-1'"""
)

AS_PAID = Sql(
    """SELECT o.total_minor, o.points_earned, l.amount_minor FROM shop_order o
         JOIN order_line l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
        WHERE o.tenant_id = $1 AND o.external_id = 'o-1'"""
)


async def held(shop: Shop) -> int:
    """A reservation of 100 of ann's 300 points, for 5.00 off a cart of 20.00."""
    await shop.rich_member("ann", 300)
    verdict = await shop.reserve(await shop.quote("ann", "cart", 2_000))
    assert verdict.outcome is not None
    return int(verdict.outcome["reservation"])


async def paid(shop: Shop, member: str | None, minor: int, reservation: int) -> Verdict:
    lines = (OrderLine("tea", 1, minor),)
    now = shop.clock.now()
    order = PaidOrder("o-1", member, "EUR", lines, now, reservation_id=reservation)
    return await shop.door.submit(BookOrder(shop.tenant_id, order, "test"))


async def booked(shop: Shop) -> tuple[str, int, bool]:
    """Whose order it became, the points it redeemed, and whether it is flagged."""
    ((member, points, flag),) = await shop.database.read(ORDERS(shop.tenant_id))
    return member, points, bool(flag)


@pytest.mark.parametrize(
    ("case", "member", "minor", "wanted"),
    [
        ("as quoted", "ann", 1_500, ("ann", 100, False)),
        ("without a member", None, 1_500, ("ann", 100, False)),
        ("another total", "ann", 1_499, ("ann", 100, True)),
        ("another member", "bob", 1_500, ("ann", 100, True)),
    ],
)
async def test_what_differs_from_the_checkout_is_flagged(
    shop: Shop, case: str, member: str | None, minor: int, wanted: tuple[str, int, bool]
) -> None:
    reservation = await held(shop)

    verdict = await paid(shop, member, minor, reservation)

    assert verdict.refusal is None
    assert await booked(shop) == wanted
    assert await shop.problems() == []


@pytest.mark.parametrize(("minor", "earned"), [(4_000, 40), (700, 7), (0, 0)])
async def test_what_was_paid_otherwise_is_booked_as_paid(
    shop: Shop, minor: int, earned: int
) -> None:
    reservation = await held(shop)

    await paid(shop, "ann", minor, reservation)

    assert await booked(shop) == ("ann", 100, True)
    assert await shop.database.read(AS_PAID(shop.tenant_id)) == [(minor, earned, minor)]
    assert await shop.points("ann") == (200, earned, 0)
    assert await shop.problems() == []


async def test_what_was_paid_otherwise_and_refunded_leaves_nothing_behind(shop: Shop) -> None:
    reservation = await held(shop)
    await paid(shop, "ann", 4_000, reservation)

    verdict = await shop.refund("o-1", "r-1")

    assert verdict.refusal is None
    assert await shop.points("ann") == (300, 0, 0)
    assert await shop.problems() == []


async def test_points_that_paid_earn_nothing_of_an_order_paid_otherwise(shop: Shop) -> None:
    tender = '[tender]\npoint_type = "points"\npoints = 100\nminor = 100\n'
    await shop.rulesets.publish(shop.tenant_id, PROGRAM + tender, "test")
    await shop.rich_member("ann", 300)
    ruleset = await shop.rulesets.current(shop.tenant_id)
    facts = (await shop.member("ann")).facts()
    basket = Cart("cart", "EUR", (CartLine("1", "tea", 1, 2_000),))
    offered = quote(ruleset, facts, basket, Choice(ALL_POINTS), shop.clock.now())
    verdict = await shop.reserve(offered)
    assert verdict.outcome is not None

    await paid(shop, "ann", 1_000, verdict.outcome["reservation"])
    assert await shop.points("ann") == (0, 8, 0)
    await shop.refund("o-1", "r-1")

    assert await shop.points("ann") == (300, 0, 0)


async def test_a_late_report_of_another_sum_holds_again(shop: Shop) -> None:
    reservation = await held(shop)
    shop.clock.advance(timedelta(hours=1))
    taken = await shop.reserve(await shop.quote("ann", "other", 2_000))
    assert taken.refusal is None

    await paid(shop, "ann", 700, reservation)

    assert await booked(shop) == ("ann", 100, True)
    assert await shop.points("ann") == (100, 7, 100)
    assert await shop.problems() == []


async def test_a_name_that_a_redeemed_order_gives_enrols_nobody(shop: Shop) -> None:
    reservation = await held(shop)

    await paid(shop, "stranger", 1_500, reservation)

    assert await booked(shop) == ("ann", 100, True)
    with pytest.raises(NotFound):
        await shop.member("stranger")


async def test_an_order_whose_hold_is_gone_enrols_whom_it_names(shop: Shop) -> None:
    reservation = await held(shop)
    await shop.release(reservation)

    await paid(shop, "stranger", 1_500, reservation)

    assert await booked(shop) == ("stranger", 0, True)
    assert (await shop.member("stranger")).state == "PROSPECT"
    assert await shop.points("stranger") == (0, 15, 0)


async def test_a_refused_order_enrols_nobody(shop: Shop) -> None:
    order = PaidOrder("o-1", "ann", "USD", (OrderLine("tea", 1, 1),), shop.clock.now())

    verdict = await shop.door.submit(BookOrder(shop.tenant_id, order, "test"))

    assert isinstance(verdict.refusal, BadInput)
    with pytest.raises(NotFound):
        await shop.member("ann")


async def test_a_reservation_that_is_not_there_is_flagged(shop: Shop) -> None:
    reservation = await held(shop)

    await paid(shop, "ann", 1_500, reservation + 1)

    assert await booked(shop) == ("ann", 0, True)
    assert await shop.points("ann") == (200, 15, 100)


async def test_a_reservation_that_was_given_back_is_flagged(shop: Shop) -> None:
    reservation = await held(shop)
    await shop.release(reservation)

    await paid(shop, "ann", 1_500, reservation)

    assert await booked(shop) == ("ann", 0, True)
    assert await shop.points("ann") == (300, 15, 0)


async def test_an_order_past_what_an_amount_can_hold_is_refused(shop: Shop) -> None:
    lines = (OrderLine("tea", 1, AMOUNT_MINOR_MAX), OrderLine("tea", 1, 1))
    order = PaidOrder("o-1", None, "EUR", lines, shop.clock.now())

    verdict = await shop.door.submit(BookOrder(shop.tenant_id, order, "test"))

    assert isinstance(verdict.refusal, BadInput)
