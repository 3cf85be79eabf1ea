"""Nothing that a shopper reads tells what things cost the shop."""

import re
from datetime import timedelta
from typing import Any

import pytest
from api_shop import PROGRAM, ApiShop, Caller, Program, document, eur, line
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType

from loyalty.services.coupons.coupon_commands import CouponTerms
from loyalty_graphql.storefront.schema import schema

pytestmark = pytest.mark.anyio

# Sold for 10.00, floor 10 %: nothing may come off from 9.00 on.
PRICE = "10.00"
HIDDEN = [901, 950, 999, 1_000, 1_500]
COST = re.compile(r"cost|floor|margin", re.IGNORECASE)


async def quoted(caller: Caller, **more: Any) -> dict[str, Any]:
    cart = {"cartId": "c", "lines": [line("1", "tea", 3, PRICE)], "points": {"all": True}}
    answer: dict[str, Any] = await caller.run("checkout_quote", input=cart | more)
    return answer


async def gold(program: Program, cost_minor: int) -> Caller:
    """A shopper with a tier and points enough for everything, and a product of that cost."""
    await program.stock(program.product("tea", cost_minor=cost_minor, category="TEA"))
    return await program.rich("ann", 900)


def test_the_fields_that_speak_of_cost_are_these() -> None:
    named = {
        f"{type_.name}.{name}"
        for type_ in schema._schema.type_map.values()
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType)
        for name in type_.fields
        if COST.search(name)
    }

    # What a caller says, what services alone are told, and that a limit applies.
    assert named == {
        "CartLineInput.unitCost",
        "Quote.margin",
        "Margin.floor",
        "Margin.lineFloor",
        "Margin.unknownCost",
    }


async def test_a_shopper_learns_that_a_limit_applies_and_no_figure(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    ann = await gold(program, 950)

    told = (await quoted(ann))["quote"]
    known = (await quoted(program.till, member="ann"))["quote"]

    assert told["margin"] == {
        "limited": True,
        "floor": None,
        "lineFloor": None,
        "actual": None,
        "unknownCost": None,
    }
    assert known["margin"] == {
        "limited": True,
        "floor": "10",
        "lineFloor": None,
        "actual": "5",
        "unknownCost": False,
    }
    kept_out = [each for each in told["candidates"] if each["reason"] == "MARGIN_LIMIT"]
    assert [each["reward"] for each in kept_out] == ["five-off", "gold-ten", "POINTS"]
    for each in kept_out:
        assert each["message"] == "A limit of the shop keeps it out."
        assert (each["gap"], each["nearestChange"], each["cut"]) == (None, None, None)
    assert any(each["gap"] for each in known["candidates"])
    assert (told["token"], told["binding"]) == (None, False)
    assert known["binding"] is True
    assert told["hash"] != known["hash"]


async def test_costs_that_decide_alike_read_alike(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    ann = await gold(program, HIDDEN[0])
    answers, margins = [], set()

    for cost_minor in HIDDEN:
        await program.stock(program.product("tea", cost_minor=cost_minor, category="TEA"))
        answer = await quoted(ann)
        answers.append({**answer, "quote": {**answer["quote"], "hash": ""}})
        known = (await quoted(program.till, member="ann"))["quote"]
        margins.add(known["margin"]["actual"])

    assert len(margins) == len(HIDDEN)
    assert answers == [answers[0]] * len(HIDDEN)


async def test_a_hash_cannot_be_tried_against_costs(
    sqlite_shop: ApiShop,
) -> None:
    """A service's hash covers the cost; a shopper's is keyed, and each program has its key."""
    hashes = set()
    for program in sqlite_shop.programs:
        ann = await gold(program, 950)
        hashes.add((await quoted(ann))["quote"]["hash"])
        hashes.add((await quoted(program.till, member="ann"))["quote"]["hash"])

    assert len(hashes) == 3


async def test_a_shopper_says_no_cost(sqlite_shop: ApiShop) -> None:
    ann = await gold(sqlite_shop.programs[0], 950)
    cost = {"amount": "9.49", "currencyCode": "EUR"}

    refused = await quoted(ann, lines=[line("1", "tea", 1, PRICE, unitCost=cost)])

    assert refused == {
        "quote": None,
        "userErrors": [
            {
                "code": "BAD_USER_INPUT",
                "message": "found a unitCost, wanted none: only services say what things cost",
                "field": ["input", "lines", "0", "unitCost"],
            }
        ],
    }


async def test_a_refusal_does_not_say_what_costs_come_to(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    ann = await program.rich("ann", 100)
    await program.stock(program.product("yacht", cost_minor=87_654_321_987))

    refused = await quoted(ann, lines=[line("1", "yacht", 1_000_000, "1.00")])

    assert [error["message"] for error in refused["userErrors"]] == [
        "found costs of more minor units together, wanted <= 9007199254740991"
    ]


async def test_products_are_shown_without_what_they_cost(sqlite_shop: ApiShop) -> None:
    ann = await gold(sqlite_shop.programs[0], 98_765)

    shown = [
        (await ann.post(document("product"), {"externalId": "tea"})).text,
        (await ann.post(document("products"))).text,
        (await ann.post(document("recommendations"), {"window": "TRENDING"})).text,
    ]

    assert not [text for text in shown if "98765" in text or "987.65" in text]
    assert all("tea" in text for text in shown[:2])


GUARDED = (
    PROGRAM.replace("floor_bp = 1000", "floor_bp = 1000\nline_floor_bp = 500")
    + """
[caps]
line_bp_max = 2000
order_minor_max = 900
[credit]
enabled = true
[[rewards]]
code = "third-off"
name = "A third off with a coupon"
needs_coupon = true
does = { kind = "percentage_off", rate_bp = 3300 }
[[rewards]]
code = "two-off"
name = "2.00 off"
does = { kind = "money_off", off_minor = 200 }
conditions = [{ kind = "minimum_purchase", minor = 3100 }]
"""
)
COSTS_OF_BREAD = [50, 100, 400, 700, 730, 745, 755, 790, 801, 870, 1_000, 1_200, 1_300, 1_500]
"""Of what is sold for 8.00, beside the tea for 10.00."""


@pytest.mark.parametrize("included", [True, False])
@pytest.mark.parametrize("points", [{"all": True}, {"exact": 40}, {"none": True}])
async def test_line_floors_caps_tax_and_gap_tell_no_more_than_what_is_limited(
    points: dict[str, Any], included: bool, sqlite_shop: ApiShop
) -> None:
    """Costs that limit the same candidates, and forbid the same changes, read alike in all else."""
    program = sqlite_shop.programs[0]
    services = sqlite_shop.services
    await services.rulesets.publish(program.tenant_id, GUARDED, "test")
    ann = await program.rich("ann", 900)
    terms = CouponTerms("third-off")
    await services.coupons.issue(program.tenant_id, None, terms, "test", codes=["THIRD"])
    await program.stock(program.product("tea", cost_minor=100, category="TEA"))
    cart = {
        "lines": [
            line("1", "tea", 1, PRICE, taxRate="27"),
            line("2", "bread", 2, "8.00", taxRate="5"),
        ],
        "codes": ["THIRD"],
        "points": points,
        "credit": {"all": True},
        "shipping": eur("4.00"),
        "shippingTaxRate": "27",
        "taxIncluded": included,
    }
    answers: dict[tuple[Any, ...], dict[str, Any]] = {}

    for cost_minor in COSTS_OF_BREAD:
        await program.stock(program.product("bread", price_minor=800, cost_minor=cost_minor))
        told = (await quoted(ann, **cart))["quote"]
        bits = [(c["reason"] == "MARGIN_LIMIT", not c["nearestChange"]) for c in told["candidates"]]
        seen = answers.setdefault(tuple(bits), told | {"hash": ""})
        assert told | {"hash": ""} == seen, cost_minor
        assert_no_figure(told)

    assert 1 < len(answers) < len(COSTS_OF_BREAD) // 2


def assert_no_figure(told: dict[str, Any]) -> None:
    """Whatever the margin decided is told without any."""
    assert told["savingsGap"] is None
    assert [one["paid"] for one in (*told["lines"], told["shippingLine"])] == [None] * 3
    limited = [one for one in told["candidates"] if one["reason"] == "MARGIN_LIMIT"]
    assert told["margin"]["limited"] is bool(limited)
    for one in limited:
        assert (one["gap"], one["nearestChange"], one["cut"]) == (None, None, None)
        assert one["discount"] == eur("0.00")
        assert one["message"] == "A limit of the shop keeps it out."
    for one in told["candidates"]:
        assert one["cut"] is None
        if one["reward"] == "two-off":
            assert one["message"] == "€5.00 short of the minimum purchase."


async def test_no_language_tells_a_shopper_a_figure_of_the_margin(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    ann = await gold(program, 950)

    for locale in ("en", "hu", "ru", "zh"):
        quote = (await quoted(ann, locale=locale))["quote"]
        said = {c["message"] for c in quote["candidates"] if c["reason"] == "MARGIN_LIMIT"}
        assert quote["language"] == locale
        assert len(said) == 1
        assert not re.search(r"\d", said.pop())


async def test_a_coupon_that_is_over_is_said_to_be_so_although_a_limit_applies(
    sqlite_shop: ApiShop,
) -> None:
    program = sqlite_shop.programs[0]
    services = sqlite_shop.services
    await services.rulesets.publish(program.tenant_id, GUARDED, "test")
    ann = await gold(program, 950)
    over = CouponTerms("third-off", ends_at=sqlite_shop.clock.now() - timedelta(days=1))
    for code, terms in (("THIRD", CouponTerms("third-off")), ("OVER", over)):
        await services.coupons.issue(program.tenant_id, None, terms, "test", codes=[code])

    quote = (await quoted(ann, codes=["THIRD", "OVER"]))["quote"]

    reasons = {c["couponCode"]: c["reason"] for c in quote["candidates"] if c["couponCode"]}
    assert reasons == {"THIRD": "MARGIN_LIMIT", "OVER": "COUPON_EXPIRED"}
