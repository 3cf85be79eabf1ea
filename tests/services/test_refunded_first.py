"""An order that its shop reports, and takes back, before its checkout is committed."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.order import OrderLine
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import ALL_POINTS, Choice, exactly
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.services.books.desk import Verdict
from loyalty.services.orders.order_edits import EDIT, OrderEdit
from loyalty.services.orders.refund_commands import RefundOrder, cancellation_name, edit_name
from loyalty.services.orders.refunds import CANCELLATION
from loyalty.storage.statements import Sql, Unit

from .conftest import START, Shop
from .test_reported_first import AS_QUOTED, PAID, TENDER, booked, offered, report, reserved

pytestmark = pytest.mark.anyio
REFUNDS = Sql(
    """SELECT kind, state, points_returned, points_reversed, shortfall, money_minor
         FROM order_refund WHERE tenant_id = $1 ORDER BY id"""
)
WITHOUT_AN_ACCOUNT = Sql(
    "UPDATE shop_order SET refunds = NULL WHERE tenant_id = $1 AND external_id = 'o-1'"
)


def back(shop: Shop, name: str, *asks: LineAsk) -> RefundOrder:
    at = shop.clock.now()
    return RefundOrder(shop.tenant_id, "o-1", name, None, at, may_wait=True, lines=asks or None)


def cancelled(shop: Shop) -> RefundOrder:
    return RefundOrder(
        shop.tenant_id, "o-1", cancellation_name("o-1"), None, shop.clock.now(),
        may_wait=True, kind=CANCELLATION,
    )  # fmt: skip


def changed(shop: Shop, *lines: OrderLine) -> RefundOrder:
    return RefundOrder(
        shop.tenant_id, "o-1", edit_name("e-1"), None, shop.clock.now(),
        may_wait=True, kind=EDIT, edit=OrderEdit(lines, 0, "EUR"),
    )  # fmt: skip


HALF = LineAsk("1", amount_minor=PAID // 2)
STEPS = {
    "all of it": [()],
    "a part": [(HALF,)],
    "two parts": [(LineAsk("1", amount_minor=333),), (LineAsk("1", amount_minor=100),)],
    "a part and the rest": [(HALF,), ()],
    "more than there is": [(HALF,), (HALF,), (HALF,)],
    "cancelled": None,
}


async def run(shop: Shop, sequence: str, steps: Sequence[tuple[LineAsk, ...]] | None) -> Any:
    """The books after a sequence of c(ommit), r(eport) and b(ack); and what each step booked."""
    promise = await offered(shop, Choice(ALL_POINTS))
    reservation = await reserved(shop, promise)
    for step in sequence:
        verdicts: list[Verdict] = []
        if step == "c":
            verdicts.append(await shop.commit(reservation, "o-1", promise.payable_minor))
        elif step == "r":
            verdicts.append(await report(shop, AS_QUOTED))
        else:
            commands = (
                [cancelled(shop)]
                if steps is None
                else [back(shop, f"r-{n}", *asks) for n, asks in enumerate(steps)]
            )
            verdicts += [await shop.door.submit(command) for command in commands]
        assert [verdict.refusal for verdict in verdicts] == [None] * len(verdicts)
    return await booked(shop), await shop.database.read(REFUNDS(shop.tenant_id))


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("sequence", ["".join(each) for each in permutations("crb")])
async def test_it_does_not_matter_which_came_first(
    sequence: str, steps: Sequence[tuple[LineAsk, ...]] | None, shops: tuple[Shop, Shop]
) -> None:
    for shop in shops:
        await shop.rulesets.publish(shop.tenant_id, TENDER, "test")

    usual = await run(shops[0], "crb", steps)
    found = await run(shops[1], sequence, steps)

    assert found == usual


async def test_what_names_other_money_counts_for_nothing_then_and_later(
    shops: tuple[Shop, Shop],
) -> None:
    """Before the report it waits, and when the checkout comes too, all is decided anew."""
    found = []
    for shop, is_other in zip(shops, (False, True), strict=True):
        await shop.rulesets.publish(shop.tenant_id, TENDER, "test")
        promise = await offered(shop, Choice(ALL_POINTS))
        reservation = await reserved(shop, promise)
        if is_other:
            for other in (
                replace(back(shop, "r-yen", HALF, HALF, HALF), currency="JPY"),
                replace(back(shop, "r-more", HALF, HALF, HALF), currency="EUR"),
            ):
                assert (await shop.door.submit(other)).refusal is None
        else:
            more = replace(back(shop, "r-more", HALF, HALF, HALF), currency="EUR")
            assert (await shop.door.submit(more)).refusal is None
        assert (await report(shop, AS_QUOTED)).refusal is None
        verdict = await shop.commit(reservation, "o-1", promise.payable_minor)
        assert verdict.refusal is None
        found.append(await booked(shop))

    assert found[1] == found[0]
    states = [tuple(row)[1:] for row in await shops[1].database.read(REFUNDS(shops[1].tenant_id))]
    assert states[0] == ("BOOKED", 0, 0, 0, 0)


async def test_what_was_paid_with_comes_back_in_proportion(shop: Shop) -> None:
    await shop.rulesets.publish(shop.tenant_id, TENDER, "test")

    (found, refunds) = await run(shop, "rbc", [(HALF,)])

    # 100 for the reward and 200 that paid; 13 earned.
    assert found.order == ("PARTIALLY_REFUNDED", 300, 13, 200, 500, PAID, False, True)
    assert found.reservations == [("PARTIALLY_REFUNDED",)]
    assert found.points == (150, 7, 0)
    assert [tuple(row) for row in refunds] == [("REFUND", "BOOKED", 150, 6, 0, 650)]


async def test_a_late_commit_holds_again_and_gives_back(shop: Shop) -> None:
    await shop.rulesets.publish(shop.tenant_id, TENDER, "test")
    promise = await offered(shop, Choice(ALL_POINTS))
    reservation = await reserved(shop, promise)
    await report(shop, AS_QUOTED)
    await shop.door.submit(back(shop, "r-1", HALF))
    shop.clock.advance(timedelta(hours=1))
    assert await shop.points("ann") == (300, 8, 0)

    assert (await shop.commit(reservation, "o-1", promise.payable_minor)).refusal is None
    assert (await booked(shop)).points == (150, 7, 0)
    assert (await shop.door.submit(back(shop, "r-2"))).refusal is None

    assert (await booked(shop)).points == (300, 0, 0)
    assert await shop.problems() == []


async def test_a_report_that_names_the_reservation_redeems_it_too(shop: Shop) -> None:
    reservation = await reserved(shop, await offered(shop))
    await report(shop, AS_QUOTED)
    await shop.door.submit(back(shop, "r-1"))

    verdict = await report(shop, AS_QUOTED, reservation=reservation)

    assert verdict.outcome is not None
    assert verdict.outcome["booked"]
    found = await booked(shop)
    assert found.order == ("REFUNDED", 100, 15, 0, 500, PAID, False, True)
    assert found.points == (300, 0, 0)


async def test_all_of_it_in_one_unit(shop: Shop) -> None:
    """As when the three wait together: the commit finds what the unit itself has booked."""
    promise = await offered(shop)
    reservation = await reserved(shop, promise)
    await report(shop, AS_QUOTED)
    await shop.door.submit(back(shop, "r-1", LineAsk("1", amount_minor=100)))

    verdicts = await asyncio.gather(
        shop.door.submit(back(shop, "r-2", LineAsk("1", amount_minor=400))),
        shop.commit(reservation, "o-1", promise.payable_minor),
    )

    assert [verdict.refusal for verdict in verdicts] == [None, None]
    found = await booked(shop)
    assert found.order == ("PARTIALLY_REFUNDED", 100, 15, 0, 500, PAID, False, True)
    assert found.points == (233, 10, 0)


@pytest.mark.parametrize(
    ("lines", "left_minor"),
    [
        ((OrderLine("tea", 1, 2_000, 500, id="1"), OrderLine("pot", 1, 900, id="2")), 2_400),
        ((OrderLine("tea", 1, 500, id="1"),), 500),
    ],
    ids=["more", "less"],
)
async def test_an_order_that_was_changed_before_is_redeemed_and_flagged(
    lines: tuple[OrderLine, ...], left_minor: int, shop: Shop
) -> None:
    """What was reported and changed stays as it was told; the merchant is to look at it."""
    promise = await offered(shop)
    reservation = await reserved(shop, promise)
    await report(shop, AS_QUOTED)
    assert (await shop.door.submit(changed(shop, *lines))).refusal is None

    assert (await shop.commit(reservation, "o-1", promise.payable_minor)).refusal is None

    found = await booked(shop)
    assert found.order[1] == 100
    assert found.order[-2:] == (True, True)
    assert found.points[1:] == (left_minor // 100, 0)
    assert (await shop.door.submit(back(shop, "r-1"))).refusal is None
    assert (await booked(shop)).points == (300, 0, 0)


async def test_one_that_an_older_release_refunded_is_refused(shop: Shop) -> None:
    """That kept no account of what it took, so it cannot be decided anew."""
    promise = await offered(shop)
    reservation = await reserved(shop, promise)
    await report(shop, AS_QUOTED)
    await shop.door.submit(back(shop, "r-1"))

    def forgotten() -> Unit[None]:
        yield WITHOUT_AN_ACCOUNT(shop.tenant_id)

    await shop.database.write(forgotten)

    verdict = await shop.commit(reservation, "o-1", promise.payable_minor)

    assert getattr(verdict.refusal, "code", None) == "ALREADY_EXISTS"
    assert await shop.points("ann") == (200, 0, 100)


@pytest.mark.parametrize("clawback", ["clamp", "deduct", "allow_deficit"])
async def test_points_spent_in_between_are_taken_as_if_it_had_been_committed(
    clawback: str, shops: tuple[Shop, Shop]
) -> None:
    found = []
    for shop, sequence in zip(shops, ("crsb", "rsbc"), strict=True):
        rules = TENDER + f'[refunds]\nclawback = "{clawback}"\n'
        await shop.rulesets.publish(shop.tenant_id, rules, "test")
        promise = await offered(shop)
        reservation = await reserved(shop, promise)
        for step in sequence:
            if step == "c":
                verdict = await shop.commit(reservation, "o-1", promise.payable_minor)
            elif step == "r":
                verdict = await report(shop, AS_QUOTED)
            elif step == "b":
                verdict = await shop.door.submit(back(shop, "r-1"))
            else:
                shop.clock.set(START + timedelta(days=15))
                verdict = await spend(shop, 215)
            assert verdict.refusal is None
        shop.clock.set(START)
        found.append((await booked(shop), await shop.database.read(REFUNDS(shop.tenant_id))))

    assert found[1] == found[0]


async def spend(shop: Shop, points: int) -> Verdict:
    ruleset = await shop.rulesets.current(shop.tenant_id)
    facts = (await shop.member("ann")).facts()
    basket = Cart("other", "EUR", (CartLine("1", "tea", 1, 2_000),))
    choice = Choice(exactly(points), excluded=("five-off",))
    other = quote(ruleset, facts, basket, choice, shop.clock.now())
    return await shop.commit(await reserved(shop, other), "o-2", other.payable_minor)
