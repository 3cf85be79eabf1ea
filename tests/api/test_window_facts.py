"""What recommended products mean to the member: the figures of a quote, on the page."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from api_shop import ApiShop, Caller, Program, document, eur, line
from graphql import parse

from loyalty.domain.calendar import end_after_months
from loyalty.services.coupons.coupon_commands import CouponTerms
from loyalty_graphql.limits import Limits, measure
from loyalty_graphql.storefront.schema import schema

pytestmark = pytest.mark.anyio


async def shelf(program: Program) -> None:
    """Four products, bought so often that all of them are recommended."""
    await program.stock(
        program.product("tea", price_minor=1_000),
        program.product("yacht", price_minor=90_000, cost_minor=89_000),
        program.product("gum", price_minor=40),
        program.product("gift"),
        program.product("import", currency="USD"),
        program.product("unpriced", price_minor=None),
    )
    for number, name in enumerate(["tea", "yacht", "gum", "gift", "import", "unpriced"]):
        await program.paid(f"shelf-{number}", None, 100, product=name)


async def shown(caller: Caller, **asked: Any) -> dict[str, dict[str, Any] | None]:
    answer = await caller.run("recommendations", window="TRENDING", **asked)
    return {item["product"]["externalId"]: item["loyalty"] for item in answer["items"]}


async def quoted(caller: Caller, product: str, price: str, **more: Any) -> dict[str, Any]:
    """The quote of a cart with one piece of one product."""
    cart = {"cartId": "c", "lines": [line("1", product, 1, price)]} | more
    answer = await caller.run("checkout_quote", input=cart)
    assert answer["userErrors"] == []
    quote: dict[str, Any] = answer["quote"]
    return quote


PRICES = {"tea": "10.00", "yacht": "900.00", "gum": "0.40", "gift": "10.00"}


async def test_figures_are_those_of_a_quote_of_the_product_alone(
    shop: ApiShop, program: Program
) -> None:
    await shelf(program)
    ann = await program.rich("ann", 900)
    terms = CouponTerms("five-off", ends_at=shop.clock.now() + timedelta(days=1))
    await shop.services.coupons.issue(program.tenant_id, None, terms, "test", codes=["MINE"])

    found = await shown(ann)
    named = await shown(program.till, member="ann")

    assert found.keys() == {*PRICES, "import", "unpriced"}
    assert named == found
    for product, price in PRICES.items():
        quote, loyalty = await quoted(ann, product, price), found[product]
        assert loyalty is not None
        points = {each["pointType"]: each["points"] for each in quote["earnings"]}
        applied = [each["reward"] for each in quote["candidates"] if each["outcome"] == "APPLIED"]
        assert loyalty["priceAfterBestReward"] == {
            name: quote["payable"][name] for name in ("amount", "currencyCode")
        }
        assert [each["code"] for each in loyalty["bestRewards"]] == applied
        assert loyalty["pointsEarned"] == points.get("points", 0)
    assert found["tea"] == {
        # 5.00 off for points, and Gold's 10 % of the rest.
        "priceAfterBestReward": eur("4.50"),
        "bestRewards": [
            {"code": "five-off", "name": "5.00 off", "points": 100},
            {"code": "gold-ten", "name": "10 % for Gold", "points": 0},
        ],
        "pointsEarned": 9,
        "liftsToTier": None,
        "coveredByExpiringPoints": None,
    }
    # Nothing may come off, for the margin's sake.
    assert found["yacht"] is not None
    assert found["yacht"]["priceAfterBestReward"] == eur("900.00")
    assert (found["import"], found["unpriced"]) == (None, None)


async def test_a_purchase_that_lifts_and_points_that_expire_are_told(
    shop: ApiShop, program: Program
) -> None:
    await shelf(program)
    # 460 of 500 qualifying points; what was bought eleven months ago expires within 60 days.
    await program.enrol("bob")
    bob = await program.shopper("bob")
    await program.paid("old", "bob", 46_000, days_ago=330)

    found = await shown(bob)

    assert {name: facts["liftsToTier"] for name, facts in found.items() if facts} == {
        "tea": None,
        "gum": None,
        "gift": None,
        "yacht": {"code": "gold", "name": "Gold"},
    }
    expires_at = end_after_months(
        shop.clock.now() - timedelta(days=330), 12, "Europe/Budapest"
    ).isoformat()
    covered = {name: facts["coveredByExpiringPoints"] for name, facts in found.items() if facts}
    assert covered["yacht"] is None
    gum = covered["gum"]
    assert (gum["points"], gum["pointType"]) == (40, "points")
    assert datetime.fromisoformat(gum["expiresAt"]) == datetime.fromisoformat(expires_at)
    paid = await quoted(bob, "gum", "0.40", points={"all": True})
    assert (paid["payable"]["amount"], paid["tender"]["points"]) == ("0.00", 40)
    # The 5.00 off for 100 points, and 500 points for the rest.
    assert covered["tea"] is None


async def test_whoever_is_no_member_is_shown_prices_alone(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    await shelf(program)
    stranger = await program.shopper("nobody-enrolled")
    nothing = {
        "bestRewards": [],
        "pointsEarned": None,
        "liftsToTier": None,
        "coveredByExpiringPoints": None,
    }

    for caller in (program.anonymous, stranger, program.till):
        found = await shown(caller)
        assert found["tea"] == nothing | {"priceAfterBestReward": eur("10.00")}


async def test_fields_that_are_not_asked_for_cost_nothing(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    await program.stock(*(program.product(f"p-{number}") for number in range(50)))
    for number in range(50):
        await program.paid(f"o-{number}", None, 100, product=f"p-{number}")
    ann = await program.rich("ann", 900)
    plain = "query($n:Int){recommendations(window:TRENDING,first:$n){items{rank}}}"
    facts = plain.replace("rank", "loyalty{pointsEarned priceAfterBestReward{amount}}")
    twice = facts.removesuffix("}") + " b:recommendations(window:FOR_YOU,first:$n)"
    twice = twice.replace("{recomm", "{a:recomm") + "{items{loyalty{pointsEarned}}}}"
    await ann.data(facts, {"n": 50})

    reads = [
        await sqlite_shop.reads(ann, query, {"n": first})
        for query, first in [(plain, 1), (plain, 50), (facts, 1), (facts, 50), (twice, 50)]
    ]

    # The version of the rules is read once more or less with the member; coupons, cards and stock
    # of the member in one go, however many products and windows there are. FOR_YOU reads what was
    # bought, too.
    assert reads == [reads[0], reads[0], reads[0] + 1, reads[0] + 1, reads[0] + 3], reads


async def test_costs_that_limit_alike_read_alike_on_a_page(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    await shelf(program)
    ann = await program.rich("ann", 900)
    told: dict[bool, set[str]] = {True: set(), False: set()}

    # With a floor of 10 %, a cost of 4.05 lets all rewards through and one of 9.01 none.
    for cost in (0, 1, 100, 300, 400, 405, 901, 950, 1_000, 5_000):
        await program.stock(program.product("tea", cost_minor=cost))
        answer = await ann.run("recommendations", window="TRENDING")
        # Its name is another each time, and sealed.
        told[cost > 900].add(json.dumps(answer | {"recommendationId": ""}))

    assert [len(texts) for texts in told.values()] == [1, 1]


def test_a_full_page_with_every_figure_may_be_asked_for() -> None:
    """An item costs what it holds, and once; a page of fifty leaves room for another field."""
    limits = Limits()
    shape = measure(parse(document("recommendations")), schema._schema, limits)

    costs = [shape.operations[0].cost({"first": first}, limits) for first in (0, 1, 2, 50)]

    item = costs[2] - costs[1]
    assert item < 100
    assert costs == [1 + item, 1 + item, 1 + 2 * item, 1 + 50 * item]
    assert costs[-1] <= limits.cost
