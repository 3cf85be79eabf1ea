"""Paid orders that differ from the checkout they name: booked, and flagged."""

import pytest

from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.errors import BadInput
from loyalty.services.desk import Verdict
from loyalty.services.orders import BookOrder
from loyalty.storage.statements import Sql

from .conftest import Shop

pytestmark = pytest.mark.anyio
ORDERS = Sql(
    """SELECT m.external_id, o.points_redeemed, o.mismatch FROM shop_order o
         JOIN member m ON m.tenant_id = o.tenant_id AND m.id = o.member_id
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
