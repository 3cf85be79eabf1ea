"""Changes of orders that points paid: what came back is spent again when more is bought again."""

from datetime import timedelta
from itertools import permutations

import orjson
import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import Money
from loyalty.domain.order import OrderLine
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import Choice, exactly
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.services.books.desk import Command
from loyalty.services.checkout.commit import Commit
from loyalty.services.orders.order_edits import EDIT, OrderEdit
from loyalty.services.orders.refund_commands import RefundOrder, edit_name
from loyalty.storage.statements import Sql

from .conftest import PROGRAM, Shop

pytestmark = pytest.mark.anyio
RULES = (
    PROGRAM.replace("pending_days = 14", "pending_days = 0").split("[[rewards]]")[0]
    + """[tender]
point_type = "points"
points = 1
minor = 1
[refunds]
clawback = "{clawback}"
"""
)
CART = (CartLine("a", "tea", 3, 500), CartLine("b", "pot", 1, 900))
TOTAL, POINTS = 2_400, 300
ORDER = Sql(
    """SELECT o.state, o.total_minor, o.points_earned, o.mismatch, o.shortfall, o.refunds, r.state
         FROM shop_order o JOIN reservation r ON r.tenant_id = o.tenant_id
          AND r.id = o.reservation_id
        WHERE o.tenant_id = $1 AND o.external_id = $2"""
)
LOTS = Sql(
    """SELECT l.unit, l.ends_at, SUM(l.remaining), SUM(l.amount - l.reversed)
         FROM lot l JOIN member m ON m.tenant_id = l.tenant_id AND m.id = l.member_id
        WHERE l.tenant_id = $1 AND m.external_id = $2
        GROUP BY l.unit, l.ends_at ORDER BY l.unit, l.ends_at"""
)


async def reserved(shop: Shop, number: int) -> int:
    """A cart of a member of its own, which 300 of 450 points pay of."""
    name = f"m-{number}"
    await shop.enrol(name)
    for days_ago, points in ((40, 200), (20, 250)):
        at = shop.clock.now() - timedelta(days=days_ago)
        await shop.paid(f"{name}-{points}", name, points * 100, at)
    ruleset = await shop.rulesets.current(shop.tenant_id)
    facts = (await shop.member(name)).facts()
    basket = Cart(f"c-{number}", "EUR", CART)
    verdict = await shop.reserve(
        quote(ruleset, facts, basket, Choice(exactly(POINTS)), shop.clock.now())
    )
    assert verdict.outcome is not None
    return int(verdict.outcome["reservation"])


def edit(shop: Shop, number: int, name: str, later_s: int, a: int, b: int) -> RefundOrder:
    lines = (OrderLine("tea", max(a // 500, 1), a, id="a"), OrderLine("pot", 1, b, id="b"))
    at = shop.clock.now() - timedelta(hours=1) + timedelta(seconds=later_s)
    return RefundOrder(
        shop.tenant_id, f"o-{number}", edit_name(f"{name}-{number}"), None, at, may_wait=True,
        kind=EDIT, edit=OrderEdit(lines, 0, "EUR"),
    )  # fmt: skip


def back(shop: Shop, number: int) -> RefundOrder:
    return RefundOrder(
        shop.tenant_id, f"o-{number}", f"r-{number}", None, None, may_wait=True,
        lines=(LineAsk("a", quantity=1),),
    )  # fmt: skip


async def end(shop: Shop, number: int) -> tuple[object, ...]:
    """All that stands at the end."""
    ((*order, refunds, held),) = await shop.database.read(ORDER(shop.tenant_id, f"o-{number}"))
    booked = orjson.loads(refunds)["booked"] if refunds else {}
    names = ("money_minor", "points_minor", "value_minor", "deducted_minor")
    figures = tuple(booked.get(name, 0) for name in names)
    sums = tuple(sum(booked.get(name, {}).values()) for name in ("returned", "reversed"))
    lots = await shop.database.read(LOTS(shop.tenant_id, f"m-{number}"))
    points = (await shop.member(f"m-{number}")).balance("points")
    deficit = points.available, points.deficit
    return tuple(order), held, figures, sums, tuple(map(tuple, lots)), deficit


@pytest.mark.parametrize("clawback", ["allow_deficit", "clamp", "deduct"])
@pytest.mark.parametrize("last", [(1_500, 900), (2_000, 900), (1_000, 1_200)])
async def test_changes_of_a_checkout_may_arrive_in_any_sequence(
    shop: Shop, clawback: str, last: tuple[int, int]
) -> None:
    await shop.rulesets.publish(shop.tenant_id, RULES.format(clawback=clawback), "test")
    ends: dict[tuple[object, ...], list[tuple[int, ...]]] = {}
    for number, sequence in enumerate(permutations(range(4))):
        held = await reserved(shop, number)
        paid = Money(TOTAL - POINTS, "EUR")
        commands: list[Command] = [
            Commit(shop.tenant_id, shop.key("commit"), held, f"o-{number}", paid, None),
            edit(shop, number, "lower", -120, 500, 450),
            edit(shop, number, "last", 0, *last),
            back(shop, number),
        ]
        for position in sequence:
            assert (await shop.door.submit(commands[position])).refusal is None
        ends.setdefault(await end(shop, number), []).append(sequence)

    assert len(ends) == 1, ends
    assert await shop.problems() == []


async def test_an_order_changed_and_changed_back_is_as_it_was(shop: Shop) -> None:
    await shop.rulesets.publish(shop.tenant_id, RULES.format(clawback="clamp"), "test")
    held = await reserved(shop, 1)
    await shop.commit(held, "o-1", TOTAL - POINTS)
    before = await end(shop, 1)

    await shop.door.submit(edit(shop, 1, "lower", -120, 500, 450))
    assert (await end(shop, 1))[:2] != before[:2]
    await shop.door.submit(edit(shop, 1, "back", 0, 1_500, 900))

    assert await end(shop, 1) == before
    assert before[:2] == (("PAID", 2_400, 21, 0, 0), "COMMITTED")


async def test_what_was_spent_meanwhile_stays_given_back(shop: Shop) -> None:
    await shop.rulesets.publish(shop.tenant_id, RULES.format(clawback="clamp"), "test")
    held = await reserved(shop, 1)
    await shop.commit(held, "o-1", TOTAL - POINTS)
    await shop.door.submit(edit(shop, 1, "lower", -120, 500, 450))
    available = (await shop.points("m-1"))[0]
    ruleset = await shop.rulesets.current(shop.tenant_id)
    facts = (await shop.member("m-1")).facts()
    basket = Cart("all", "EUR", (CartLine("1", "pot", 1, available),))
    wish = Choice(exactly(available))
    all_spent = await shop.reserve(quote(ruleset, facts, basket, wish, shop.clock.now()))
    assert all_spent.outcome is not None

    await shop.door.submit(edit(shop, 1, "back", 0, 1_500, 900))

    order, reservation, figures, *_ = await end(shop, 1)
    assert (order[0], reservation) == ("PARTIALLY_REFUNDED", "PARTIALLY_REFUNDED")
    assert figures[:3] == (0, 0, 0)
    # Only what the order earns again is there by now.
    assert await shop.points("m-1") == (12, 0, available)
    assert await shop.problems() == []
