"""Two processes on one database that book at the same moment."""

import asyncio
from collections.abc import Sequence

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import Money
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import Choice
from loyalty.services.books.desk import MemberChanged
from loyalty.services.books.door import Door
from loyalty.services.checkout.commit import Commit
from loyalty.services.checkout.reservations import Release
from loyalty.services.orders.orders import BookOrder
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.storage.effects import Effects
from loyalty.storage.problems import DuplicateKey
from loyalty.storage.statements import Sql, Unit

from .conftest import Shop

pytestmark = pytest.mark.anyio
PAIRS = 40
NAMED = Sql("SELECT id FROM shop_order WHERE tenant_id = $1 AND external_id = $2")
STATES = Sql(
    """SELECT r.state, o.state, count(*) FROM order_refund r
         JOIN shop_order o ON o.tenant_id = r.tenant_id AND o.external_id = r.order_external_id
        WHERE r.tenant_id = $1 GROUP BY r.state, o.state"""
)


async def nobody(changed: Sequence[MemberChanged]) -> None:
    return None


def other_door(shop: Shop) -> Door:
    return Door(shop.database, shop.clock, shop.rulesets.known, nobody)


async def guests_reservation(shop: Shop, cart: str) -> int:
    ruleset = await shop.rulesets.current(shop.tenant_id)
    basket = Cart(cart, "EUR", (CartLine("1", "tea", 1, 2_000),))
    verdict = await shop.reserve(quote(ruleset, None, basket, Choice(), shop.clock.now()))
    assert verdict.outcome is not None
    return int(verdict.outcome["reservation"])


async def test_an_order_and_its_refund_do_not_overlook_each_other(shop: Shop) -> None:
    other = other_door(shop)
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


async def test_a_guests_reservation_is_committed_once(shop: Shop) -> None:
    doors = (shop.door, other_door(shop))

    for number in range(PAIRS):
        reservation = await guests_reservation(shop, f"cart-{number}")
        paid = Money(2_000, "EUR")
        verdicts = await asyncio.gather(
            *[
                door.submit(
                    Commit(
                        shop.tenant_id, shop.key("commit"), reservation, f"o-{number}-{place}",
                        paid, None,
                    )
                )
                for place, door in enumerate(doors)
            ]
        )  # fmt: skip
        codes = {getattr(verdict.refusal, "code", "ok") for verdict in verdicts}
        assert codes == {"ok", "CONFLICT"}


async def test_a_guests_reservation_is_either_committed_or_given_back(shop: Shop) -> None:
    other = other_door(shop)

    for number in range(PAIRS):
        reservation = await guests_reservation(shop, f"cart-{number}")
        commit = Commit(
            shop.tenant_id, shop.key("commit"), reservation, f"o-{number}", Money(2_000, "EUR"),
            None,
        )  # fmt: skip
        release = Release(shop.tenant_id, shop.key("release"), reservation)
        verdicts = await asyncio.gather(shop.door.submit(commit), other.submit(release))
        codes = {getattr(verdict.refusal, "code", "ok") for verdict in verdicts}
        assert codes == {"ok", "CONFLICT"}


async def test_a_guests_order_is_refunded_once(shop: Shop) -> None:
    other = other_door(shop)

    for number in range(PAIRS):
        name = f"o-{number}"
        await shop.paid(name, None, 2_000)
        verdicts = await asyncio.gather(
            *[
                door.submit(RefundOrder(shop.tenant_id, name, f"{name}-{place}", None, None))
                for place, door in enumerate((shop.door, other))
            ]
        )
        codes = {getattr(verdict.refusal, "code", "ok") for verdict in verdicts}
        assert codes == {"ok", "CONFLICT"}


async def test_the_database_refuses_a_second_order_of_one_reservation(shop: Shop) -> None:
    reservation = await guests_reservation(shop, "cart")
    await shop.commit(reservation, "o-1", 2_000)
    await shop.paid("o-2", None, 2_000)
    ((second,),) = await shop.database.read(NAMED(shop.tenant_id, "o-2"))

    def unit() -> Unit[None]:
        effects = Effects()
        effects.update("shop_order", shop.tenant_id, second, reservation_id=reservation)
        yield effects

    with pytest.raises(DuplicateKey) as found:
        await shop.database.write(unit)

    assert found.value.columns == ("tenant_id", "reservation_id")
