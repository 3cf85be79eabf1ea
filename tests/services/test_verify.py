"""What a check of the ledger says of orders, reservations and refunds that were tampered with."""

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import Choice
from loyalty.storage.statements import Sql, Unit

from .conftest import Shop

pytestmark = pytest.mark.anyio
ORDER = Sql("SELECT id FROM shop_order WHERE tenant_id = $1 AND external_id = $2")
REFUND = Sql("SELECT id FROM order_refund WHERE tenant_id = $1")
LOT = Sql("SELECT id FROM lot WHERE tenant_id = $1 AND order_id = $2 AND unit = 'points'")


async def changed(shop: Shop, text: str, *parameters: int | str) -> None:
    def unit() -> Unit[None]:
        yield Sql(f"{text} RETURNING id")(shop.tenant_id, *parameters)

    await shop.database.write(unit)


async def committed(shop: Shop) -> tuple[int, int]:
    """Order o-1 of ann, who paid with 100 of 300 points, and its reservation."""
    await shop.rich_member("ann", 300)
    verdict = await shop.reserve(await shop.quote("ann", "cart", 2_000))
    assert verdict.outcome is not None
    reservation = int(verdict.outcome["reservation"])
    await shop.commit(reservation, "o-1", 1_500)
    return await order_id(shop, "o-1"), reservation


async def order_id(shop: Shop, name: str) -> int:
    ((found,),) = await shop.database.read(ORDER(shop.tenant_id, name))
    return int(found)


async def test_nothing_is_wrong_with_what_was_booked(shop: Shop) -> None:
    await committed(shop)
    await shop.refund("o-1", "r-1")
    await shop.refund("o-9", "r-9", may_wait=True)
    await shop.paid("guest", None, 1_000)

    assert await shop.problems() == []


async def test_other_points_than_were_redeemed(shop: Shop) -> None:
    order, _ = await committed(shop)

    await changed(
        shop, "UPDATE shop_order SET points_redeemed = 90 WHERE tenant_id = $1 AND id = $2", order
    )

    assert await shop.problems() == [
        f"order {order}: 100 points are redeemed for it, the order says 90"
    ]


@pytest.mark.parametrize(
    ("is_refunded", "state", "given_back", "held"),
    [(False, "REFUNDED", 0, "committed"), (True, "PAID", 100, "refunded")],
)
async def test_another_state_than_was_given_back(
    shop: Shop, is_refunded: bool, state: str, given_back: int, held: str
) -> None:
    order, reservation = await committed(shop)
    if is_refunded:
        await shop.refund("o-1", "r-1")

    await changed(
        shop, "UPDATE shop_order SET state = $3 WHERE tenant_id = $1 AND id = $2", order, state
    )

    told = state.lower()
    assert await shop.problems() == [
        f"reservation {reservation}: it is {held} and names order {order}, which is {told}",
        f"order {order}: it is {told}, {given_back} of 100 redeemed points are given back",
    ]


async def test_a_reservation_that_lost_its_order(shop: Shop) -> None:
    order, reservation = await committed(shop)

    await changed(
        shop, "UPDATE reservation SET order_id = NULL WHERE tenant_id = $1 AND id = $2", reservation
    )

    assert await shop.problems() == [
        f"reservation {reservation}: it is committed and names no order",
        f"order {order}: it names reservation {reservation}, which names another order "
        "or is of another member",
    ]


async def test_a_spent_reservation_that_says_it_was_given_back(shop: Shop) -> None:
    order, reservation = await committed(shop)

    await changed(
        shop, "UPDATE reservation SET state = 'RELEASED' WHERE tenant_id = $1 AND id = $2",
        reservation,
    )  # fmt: skip

    assert await shop.problems() == [
        f"reservation {reservation}: it is released and names order {order}, which is paid"
    ]


async def test_two_orders_of_one_reservation(shop: Shop) -> None:
    """The key refuses it: what is left is an order that took over another's reservation."""
    order, reservation = await committed(shop)
    await shop.paid("o-2", "ann", 1_500)
    second = await order_id(shop, "o-2")

    await changed(
        shop, "UPDATE shop_order SET reservation_id = NULL WHERE tenant_id = $1 AND id = $2", order
    )
    await changed(
        shop, "UPDATE shop_order SET reservation_id = $3 WHERE tenant_id = $1 AND id = $2",
        second, reservation,
    )  # fmt: skip

    assert await shop.problems() == [
        f"order {second}: it names reservation {reservation}, which names another order "
        "or is of another member",
        f"order {order}: its points are redeemed from a reservation that it does not name",
    ]


async def test_an_order_handed_to_another_member(shop: Shop) -> None:
    order, reservation = await committed(shop)
    await shop.enrol("bob")
    ann, bob = (await shop.member("ann")).id, (await shop.member("bob")).id
    ((lot,),) = await shop.database.read(LOT(shop.tenant_id, order))

    await changed(
        shop, "UPDATE shop_order SET member_id = $3 WHERE tenant_id = $1 AND id = $2", order, bob
    )

    problems = await shop.problems()
    assert problems[:3] == [
        f"order {order}: it names reservation {reservation}, which names another order "
        "or is of another member",
        f"order {order}: points are redeemed for it, it is no order of member {ann}",
        f"order {order}: 0 points are redeemed for it, the order says 100",
    ]
    assert f"order {order}: it earned lot {lot}, which its member does not have" in problems[3:]


async def test_a_lot_that_was_earned_and_is_not_there(shop: Shop) -> None:
    await shop.enrol("ann")
    await shop.paid("o-1", "ann", 1_000)
    order = await order_id(shop, "o-1")
    ((lot,),) = await shop.database.read(LOT(shop.tenant_id, order))

    await changed(
        shop, "UPDATE shop_order SET context = replace(context, $3, '17')"
        " WHERE tenant_id = $1 AND id = $2", order, str(lot),
    )  # fmt: skip

    assert await shop.problems() == [
        f"order {order}: it earned lot 17, which its member does not have"
    ]


async def test_a_context_that_cannot_be_read(shop: Shop) -> None:
    await shop.enrol("ann")
    await shop.paid("o-1", "ann", 1_000)
    order = await order_id(shop, "o-1")

    await changed(shop, "UPDATE shop_order SET context = '[]' WHERE tenant_id = $1")

    assert await shop.problems() == [f"order {order}: its context cannot be read"]


async def test_a_refund_that_waits_for_an_order_that_is_there(shop: Shop) -> None:
    await shop.enrol("ann")
    await shop.paid("o-1", "ann", 1_000)
    await shop.refund("o-2", "r-1", may_wait=True)
    order = await order_id(shop, "o-1")
    ((refund,),) = await shop.database.read(REFUND(shop.tenant_id))

    await changed(shop, "UPDATE order_refund SET order_external_id = 'o-1' WHERE tenant_id = $1")

    assert await shop.problems() == [f"refund {refund}: it waits for order {order}, which is there"]


async def test_a_guests_reservation_too(shop: Shop) -> None:
    ruleset = await shop.rulesets.current(shop.tenant_id)
    basket = Cart("cart", "EUR", (CartLine("1", "tea", 1, 2_000),))
    verdict = await shop.reserve(quote(ruleset, None, basket, Choice(), shop.clock.now()))
    assert verdict.outcome is not None
    reservation = verdict.outcome["reservation"]
    await shop.commit(reservation, "o-1", 2_000)

    await changed(shop, "UPDATE shop_order SET state = 'REFUNDED' WHERE tenant_id = $1")

    assert await shop.problems() == [
        f"reservation {reservation}: it is committed and names order "
        f"{await order_id(shop, 'o-1')}, which is refunded"
    ]
