"""An order that its shop reports as paid before its checkout is committed."""

from datetime import timedelta
from typing import NamedTuple

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import ALL_POINTS, Choice, Quote
from loyalty.services.books.desk import Verdict
from loyalty.services.orders.orders import BookOrder
from loyalty.storage.statements import Sql

from .conftest import PROGRAM, Shop

pytestmark = pytest.mark.anyio
PAID = 1_500
NOTHING = Choice()
TENDER = (
    PROGRAM
    + """[tender]
point_type = "points"
points = 100
minor = 100
"""
)
ORDER = Sql(
    """SELECT state, points_redeemed, points_earned, tender_points, discount_minor, total_minor,
              mismatch, reservation_id IS NOT NULL
         FROM shop_order WHERE tenant_id = $1 AND external_id = 'o-1'"""
)
LOTS = Sql(
    """SELECT unit, amount - reversed, remaining, available_at, ends_at FROM lot
        WHERE tenant_id = $1 ORDER BY unit, id"""
)
RESERVATIONS = Sql("SELECT state FROM reservation WHERE tenant_id = $1 ORDER BY id")


class Booked(NamedTuple):
    """``lots``: unit, what counts, what is left, and the two dates."""

    order: tuple[object, ...]
    lots: list[tuple[object, ...]]
    reservations: list[tuple[object, ...]]
    points: tuple[int, int, int]


async def offered(shop: Shop, choice: Choice = NOTHING) -> Quote:
    """A cart of 20.00 of ann, who has 300 points."""
    await shop.rich_member("ann", 300)
    basket = Cart("cart", "EUR", (CartLine("1", "tea", 1, 2_000),))
    facts = (await shop.member("ann")).facts()
    ruleset = await shop.rulesets.current(shop.tenant_id)
    return quote(ruleset, facts, basket, choice, shop.clock.now())


async def reserved(shop: Shop, found: Quote) -> int:
    verdict = await shop.reserve(found)
    assert verdict.outcome is not None
    return int(verdict.outcome["reservation"])


async def report(
    shop: Shop,
    line: OrderLine,
    *,
    member: str | None = "ann",
    reservation: int | None = None,
    paid_minor: int | None = None,
) -> Verdict:
    order = PaidOrder(
        "o-1", member, "EUR", (line,), shop.clock.now(),
        reservation_id=reservation, paid_minor=paid_minor,
    )  # fmt: skip
    return await shop.door.submit(BookOrder(shop.tenant_id, order, "test"))


async def booked(shop: Shop) -> Booked:
    assert await shop.problems() == []
    ((*order, flag, has_reservation),) = await shop.database.read(ORDER(shop.tenant_id))
    return Booked(
        (*order, bool(flag), bool(has_reservation)),
        await shop.database.read(LOTS(shop.tenant_id)),
        await shop.database.read(RESERVATIONS(shop.tenant_id)),
        await shop.points("ann"),
    )


AS_QUOTED = OrderLine("tea", 1, 2_000, 500)


async def in_both_orders(
    shops: tuple[Shop, Shop], choice: Choice, line: OrderLine
) -> tuple[Booked, Booked]:
    """One shop commits and then reports, the other reports and then commits."""
    found = []
    for shop, reports_first in zip(shops, (False, True), strict=True):
        promise = await offered(shop, choice)
        reservation = await reserved(shop, promise)
        for is_report in (reports_first, not reports_first):
            if is_report:
                verdict = await report(shop, line)
            else:
                verdict = await shop.commit(reservation, "o-1", promise.payable_minor)
            assert verdict.refusal is None
        found.append(await booked(shop))
    return found[0], found[1]


async def test_it_does_not_matter_which_came_first(shops: tuple[Shop, Shop]) -> None:
    committed, reported = await in_both_orders(shops, NOTHING, AS_QUOTED)

    assert reported == committed
    assert reported.order == ("PAID", 100, 15, 0, 500, PAID, False, True)
    assert reported.reservations == [("COMMITTED",)]
    assert reported.points == (200, 15, 0)


async def test_points_that_paid_earn_nothing_whichever_came_first(
    shops: tuple[Shop, Shop],
) -> None:
    for shop in shops:
        await shop.rulesets.publish(shop.tenant_id, TENDER, "test")

    committed, reported = await in_both_orders(shops, Choice(ALL_POINTS), AS_QUOTED)

    assert reported == committed
    assert reported.order == ("PAID", 300, 13, 200, 500, PAID, False, True)
    assert reported.points == (0, 13, 0)


@pytest.mark.parametrize("minor", [3_000, 700])
async def test_the_balance_is_the_promised_one_whatever_was_reported(
    shops: tuple[Shop, Shop], minor: int
) -> None:
    committed, reported = await in_both_orders(shops, NOTHING, OrderLine("tea", 1, minor))

    assert reported.points == committed.points == (200, 15, 0)
    assert reported.order == ("PAID", 100, 15, 0, 500, minor, True, True)


async def test_a_refund_brings_everything_back(shop: Shop) -> None:
    await shop.rulesets.publish(shop.tenant_id, TENDER, "test")
    promise = await offered(shop, Choice(ALL_POINTS))
    reservation = await reserved(shop, promise)
    await report(shop, AS_QUOTED)
    await shop.commit(reservation, "o-1", promise.payable_minor)

    assert (await shop.refund("o-1", "r-1")).refusal is None

    assert await shop.points("ann") == (300, 0, 0)
    assert await shop.problems() == []


async def test_a_guest_too(shop: Shop) -> None:
    ruleset = await shop.rulesets.current(shop.tenant_id)
    basket = Cart("cart", "EUR", (CartLine("1", "tea", 1, 2_000),))
    promise = quote(ruleset, None, basket, NOTHING, shop.clock.now())
    reservation = await reserved(shop, promise)
    await report(shop, OrderLine("tea", 1, 2_000), member=None)

    verdict = await shop.commit(reservation, "o-1", 2_000)

    assert verdict.outcome is not None
    assert verdict.outcome["booked"]
    assert await shop.database.read(RESERVATIONS(shop.tenant_id)) == [("COMMITTED",)]


async def test_a_second_report_may_name_the_reservation(shop: Shop) -> None:
    reservation = await reserved(shop, await offered(shop))
    await report(shop, AS_QUOTED)

    verdict = await report(shop, AS_QUOTED, reservation=reservation)

    assert verdict.outcome is not None
    assert verdict.outcome["booked"]
    again = await report(shop, AS_QUOTED, reservation=reservation)
    assert again.outcome is not None
    assert not again.outcome["booked"]
    assert (await booked(shop)).order == ("PAID", 100, 15, 0, 500, PAID, False, True)


async def test_a_second_report_of_another_sum_is_flagged(shop: Shop) -> None:
    reservation = await reserved(shop, await offered(shop))
    await report(shop, OrderLine("tea", 1, 1_400))

    await report(shop, OrderLine("tea", 1, 1_400), reservation=reservation)

    found = await booked(shop)
    assert found.order == ("PAID", 100, 14, 0, 500, 1_400, True, True)
    assert found.points == (200, 14, 0)


async def test_a_second_report_with_a_reservation_given_back_is_flagged_once(shop: Shop) -> None:
    reservation = await reserved(shop, await offered(shop))
    await report(shop, AS_QUOTED)
    await shop.release(reservation)

    for _ in range(2):
        verdict = await report(shop, AS_QUOTED, reservation=reservation)
        assert verdict.outcome is not None
        assert not verdict.outcome["booked"]

    found = await booked(shop)
    assert found.order == ("PAID", 0, 15, 0, 500, PAID, True, False)
    assert found.points == (300, 15, 0)


async def test_a_commit_of_anothers_order_is_refused(shop: Shop) -> None:
    reservation = await reserved(shop, await offered(shop))
    await shop.enrol("bob")
    await shop.paid("o-2", "bob", PAID)

    verdict = await shop.commit(reservation, "o-2", PAID)

    assert getattr(verdict.refusal, "code", None) == "ALREADY_EXISTS"
    assert await shop.points("ann") == (200, 0, 100)
    shop.clock.advance(timedelta(hours=1))
    assert await shop.points("ann") == (300, 0, 0)
    assert await shop.problems() == []


async def test_a_late_commit_of_a_reported_order_holds_again(shop: Shop) -> None:
    reservation = await reserved(shop, await offered(shop))
    await report(shop, AS_QUOTED)
    shop.clock.advance(timedelta(hours=1))

    assert (await shop.commit(reservation, "o-1", PAID)).refusal is None

    assert (await booked(shop)).order == ("PAID", 100, 15, 0, 500, PAID, False, True)
