"""What came of a plan, beside who was held out."""

from datetime import timedelta

import pytest

from loyalty.domain.offers.offer_effect import Group, uplift_of
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.services.books.door import outcome_of
from loyalty.services.offers import offer_figures
from loyalty.services.orders.order_edits import EDIT, OrderEdit
from loyalty.services.orders.orders import BookOrder
from loyalty.services.orders.refund_commands import RefundOrder, edit_name

from .conftest import RULES, Planner

pytestmark = pytest.mark.anyio


async def test_what_was_bought_before_publication_is_no_effect(desk: Planner) -> None:
    await desk.member("m", buys=[20, 60, 100])
    filed = await desk.filed()
    desk.shop.clock.advance(timedelta(hours=2))
    await desk.bought("m", 0, "soap")
    desk.shop.clock.advance(timedelta(hours=2))
    done = await desk.publish(filed)
    desk.shop.clock.advance(timedelta(hours=2))

    plan = await desk.reports.plan(desk.shop.tenant_id, done.plan_id)
    effect = await desk.reports.effect(desk.shop.tenant_id, plan)

    assert effect is not None
    assert (effect.offered.members, effect.offered.buyers) == (1, 0)


async def test_what_came_of_a_plan_beside_what_was_expected_and_who_was_held_out(
    desk: Planner,
) -> None:
    shop = desk.shop
    rules = RULES.replace("holdout_bp = 0", "holdout_bp = 4000")
    await shop.rulesets.publish(shop.tenant_id, rules, "test")
    names = [f"m{number}" for number in range(12)]
    for name in names:
        await desk.member(name, buys=[20, 60, 100])
    done = await desk.publish()
    offered = [name for name in names if await desk.desk.states(name)]
    assert 0 < len(offered) == done.offers < 12
    assert done.held_out == 12 - len(offered)
    user = offered[0]
    (offer,) = await desk.desk.of(user)
    await desk.desk.offers.activate(shop.tenant_id, shop.key("activate"), user, offer.id)
    for order in ("o-1", "o-2"):
        quote = await desk.desk.quoted(user, f"c-{order}", 2_000, category="TEA")
        held = await shop.reserve(quote)
        assert held.outcome is not None
        await shop.commit(held.outcome["reservation"], order, quote.payable_minor)
    shop.clock.advance(timedelta(minutes=1))

    plan = await desk.reports.plan(shop.tenant_id, done.plan_id)
    effect = await desk.reports.effect(shop.tenant_id, plan)

    (came,) = plan.offers
    assert (plan.state, came.offered, came.held_out) == ("PUBLISHED", len(offered), done.held_out)
    assert (came.activated, came.users, came.uses, came.held) == (1, 1, 1, 0)
    assert came.cost_minor == 100
    assert came.expected_uses_ppm > 0
    assert effect is not None
    assert (effect.offered.members, effect.offered.buyers) == (len(offered), 1)
    assert effect.offered.sales_minor == 2_000 - 100 + 2_000
    assert (effect.held_out.members, effect.held_out.buyers) == (done.held_out, 0)
    assert effect.rate is not None
    assert effect.rate.low < 0 < effect.rate.found < effect.rate.high
    await shop.refund("o-1", "r-1")
    (came,) = (await desk.reports.plan(shop.tenant_id, done.plan_id)).offers
    assert (came.uses, came.cost_minor) == (0, 0)


@pytest.mark.parametrize("page", [1, 100])
async def test_what_came_back_was_not_sold(
    desk: Planner, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offer_figures, "PAGE_MEMBERS", page)
    shop = desk.shop
    rules = RULES.replace("holdout_bp = 0", "holdout_bp = 4000")
    await shop.rulesets.publish(shop.tenant_id, rules, "test")
    for number in range(12):
        await desk.member(f"m{number}", buys=[20, 60, 100])
    done = await desk.publish()
    offered = [f"m{number}" for number in range(12) if await desk.desk.states(f"m{number}")]
    at = shop.clock.now()
    tea, jam, ham = (OrderLine(each, 2, 2_000, id=each) for each in ("tea", "jam", "ham"))
    for name in offered[:3]:
        order = PaidOrder(name, name, "EUR", (tea, jam), at, 300)
        outcome_of(await shop.door.submit(BookOrder(shop.tenant_id, order, "test")))
    of_tea = (LineAsk("tea", quantity=1),)
    steps = [
        RefundOrder(shop.tenant_id, offered[0], "r-1", None, None, lines=of_tea),
        # All of it but the shipping.
        RefundOrder(shop.tenant_id, offered[1], "r-2", None, None, lines=(LineAsk("tea"),)),
        RefundOrder(shop.tenant_id, offered[1], "r-3", None, None, lines=(LineAsk("jam"),)),
    ]
    # Jam makes way for ham, and ham for half of it.
    for later_s, line in enumerate((ham, ham._replace(quantity=1, amount_minor=1_000))):
        edit = OrderEdit((tea, line), 300, "EUR")
        name, when = edit_name(f"e-{later_s}"), at + timedelta(seconds=later_s)
        steps.append(
            RefundOrder(
                shop.tenant_id, offered[2], name, None, when, may_wait=True, kind=EDIT, edit=edit
            )
        )
    shop.clock.advance(timedelta(minutes=1))
    for step in steps:
        outcome_of(await shop.door.submit(step))

    plan = await desk.reports.plan(shop.tenant_id, done.plan_id)
    effect = await desk.reports.effect(shop.tenant_id, plan)

    assert effect is not None
    sold = [1_000 + 2_000 + 300, 300, 2_000 + 1_000 + 300]
    squares = sum(each * each for each in sold)
    assert effect.offered == Group(len(offered), 3, sum(sold), squares)
    assert effect.held_out == Group(12 - len(offered))


async def test_of_each_offer_it_is_told_who_bought_its_target_and_by_how_much_the_odds_rose(
    desk: Planner,
) -> None:
    shop = desk.shop
    rules = RULES.replace("holdout_bp = 0", "holdout_bp = 4000")
    await shop.rulesets.publish(shop.tenant_id, rules, "test")
    names = [f"m{number}" for number in range(20)]
    for name in names:
        await desk.member(name, buys=[20, 60, 100])
    done = await desk.publish()
    offered = [name for name in names if await desk.desk.states(name)]
    held_out = [name for name in names if name not in offered]
    # Another version of the rules, with another target, says nothing of this plan.
    later = rules.replace('categories = ["TEA"]', 'categories = ["CARE"]')
    await shop.rulesets.publish(shop.tenant_id, later.replace("20000", "30000"), "test")
    shop.clock.advance(timedelta(days=2))
    for name in (*offered[:3], held_out[0]):
        await desk.bought(name, 1)
    for name in (*offered[:5], *held_out[:2]):
        await desk.bought(name, 1, "soap")
    await desk.bought(offered[3], 3)
    shop.clock.advance(timedelta(days=20))
    await desk.bought(offered[4], 1)

    plan = await desk.reports.plan(shop.tenant_id, done.plan_id)
    (effect,) = await desk.reports.target_effects(shop.tenant_id, plan)

    assert (effect.offer, effect.assumed_bp) == ("fresh", 20_000)
    assert (effect.offered, effect.held_out) == (Group(len(offered), 3), Group(len(held_out), 1))
    assert effect.uplift == uplift_of(effect.offered, effect.held_out)
    assert effect.rate is not None


async def test_of_a_plan_that_nobody_got_anything_of_no_effect_is_told(desk: Planner) -> None:
    done = await desk.publish()

    plan = await desk.reports.plan(desk.shop.tenant_id, done.plan_id)

    assert await desk.reports.target_effects(desk.shop.tenant_id, plan) == []
    assert await desk.reports.effect(desk.shop.tenant_id, plan) is None
