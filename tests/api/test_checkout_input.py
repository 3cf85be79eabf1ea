"""What a checkout is handed and cannot be: named, with what was wanted, and nothing moves."""

from typing import Any

import pytest
from api_shop import ApiShop, Program, eur, line
from checkout_steps import CART, COMMIT, QUOTE, quote, reserve

from loyalty_graphql.ids import encode_id

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("occurred_at", "is_taken"),
    [
        ("1989-12-31T23:59:59Z", False),
        ("1990-01-01T00:00:00Z", True),
        ("2026-03-01T12:05:00Z", True),
        ("2026-03-01T12:05:01Z", False),
        ("2200-01-01T00:00:00Z", False),
    ],
)
async def test_when_an_order_may_have_been_paid(
    occurred_at: str, is_taken: bool, program: Program
) -> None:
    reserved = await reserve(program.till, await quote(program.till, member=None))
    given = {
        "idempotencyKey": "c",
        "reservationId": reserved["reservation"]["id"],
        "orderExternalId": "o",
        "paid": eur("50.00"),
        "occurredAt": occurred_at,
    }

    answer = (await program.till.data(COMMIT, {"input": given}))["checkoutCommit"]

    found = [(error["code"], error["field"]) for error in answer["userErrors"]]
    assert found == ([] if is_taken else [("BAD_USER_INPUT", ["input", "occurredAt"])])
    assert bool(answer["order"]) is is_taken


USD = {"amount": "1.00", "currencyCode": "USD"}


@pytest.mark.parametrize(
    ("case", "more", "code", "field"),
    [
        ("no lines", {"lines": []}, "BAD_USER_INPUT", "lines"),
        (
            "too many lines",
            {"lines": [line(str(number), "tea", 1, "1.00") for number in range(201)]},
            "BAD_USER_INPUT",
            "lines",
        ),
        (
            "two lines of one id",
            {"lines": [line("1", "tea", 1, "1.00"), line("1", "tea", 1, "1.00")]},
            "BAD_USER_INPUT",
            "lines 1 id",
        ),
        (
            "no pieces",
            {"lines": [line("1", "tea", 0, "1.00")]},
            "BAD_USER_INPUT",
            "lines 0 quantity",
        ),
        (
            "more pieces than there are",
            {"lines": [line("1", "tea", 2_147_483_647, "1.00")]},
            "BAD_USER_INPUT",
            "lines 0 quantity",
        ),
        (
            "a price below nothing",
            {"lines": [line("1", "tea", 1, "-1.00")]},
            "BAD_USER_INPUT",
            "lines 0 unitPrice",
        ),
        (
            "a third decimal",
            {"lines": [line("1", "tea", 1, "1.001")]},
            "BAD_MONEY",
            "lines 0 unitPrice amount",
        ),
        (
            "a price past counting",
            {"lines": [line("1", "tea", 1, "999999999999999999")]},
            "BAD_MONEY",
            "lines 0 unitPrice amount",
        ),
        (
            "a sum past counting",
            {"lines": [line("1", "tea", 1_000_000, "90000000000.00")]},
            "BAD_USER_INPUT",
            "lines",
        ),
        (
            "another currency",
            {"lines": [line("1", "tea", 1, "1.00") | {"unitPrice": USD}]},
            "BAD_USER_INPUT",
            "lines 0 unitPrice currencyCode",
        ),
        (
            "a cost below nothing",
            {"lines": [line("1", "tea", 1, "1.00", unitCost=eur("-1.00"))]},
            "BAD_USER_INPUT",
            "lines 0 unitCost",
        ),
        (
            "a category without end",
            {"lines": [line("1", "tea", 1, "1.00", category="x" * 500)]},
            "BAD_USER_INPUT",
            "lines 0 category",
        ),
        ("shipping below nothing", {"shipping": eur("-1.00")}, "BAD_USER_INPUT", "shipping"),
        ("shipping in dollars", {"shipping": USD}, "BAD_USER_INPUT", "shipping currencyCode"),
        ("points: not none", {"points": {"none": False}}, "BAD_USER_INPUT", "points none"),
        ("no exact points", {"points": {"exact": 0}}, "BAD_USER_INPUT", "points"),
        ("points below nothing", {"points": {"exact": -5}}, "BAD_USER_INPUT", "points"),
        ("credit: not all", {"credit": {"all": False}}, "BAD_USER_INPUT", "credit all"),
        ("no exact credit", {"credit": {"exact": eur("0.00")}}, "BAD_USER_INPUT", "credit"),
        (
            "credit of a third decimal",
            {"credit": {"exact": eur("1.001")}},
            "BAD_MONEY",
            "credit exact amount",
        ),
        (
            "credit in dollars",
            {"credit": {"exact": USD}},
            "BAD_USER_INPUT",
            "credit exact currencyCode",
        ),
        (
            "a tax of more than all",
            {"lines": [line("1", "tea", 1, "1.00", taxRate="100.01")]},
            "BAD_USER_INPUT",
            "lines 0 taxRate",
        ),
        (
            "a tax below nothing",
            {"lines": [line("1", "tea", 1, "1.00", taxRate="-1")]},
            "BAD_USER_INPUT",
            "lines 0 taxRate",
        ),
        (
            "a tax finer than basis points",
            {"lines": [line("1", "tea", 1, "1.00", taxRate="5.555")]},
            "BAD_USER_INPUT",
            "lines 0 taxRate",
        ),
        (
            "a tax of shipping that is none",
            {"shippingTaxRate": "200"},
            "BAD_USER_INPUT",
            "shippingTaxRate",
        ),
        (
            "a code both ways",
            {"rewards": {"pinned": ["a"], "excluded": ["a"]}},
            "BAD_USER_INPUT",
            "rewards excluded",
        ),
        (
            "an empty code",
            {"rewards": {"pinned": [""]}},
            "BAD_USER_INPUT",
            "rewards pinned 0",
        ),
        (
            "more codes than anybody has",
            {"rewards": {"excluded": [str(number) for number in range(51)]}},
            "BAD_USER_INPUT",
            "rewards excluded",
        ),
    ],
)
async def test_a_cart_that_is_none_is_named(
    case: str, more: dict[str, Any], code: str, field: str, sqlite_shop: ApiShop
) -> None:
    answer = await sqlite_shop.programs[0].till.data(QUOTE, {"input": CART | more})

    assert answer["checkoutQuote"]["quote"] is None
    (error,) = answer["checkoutQuote"]["userErrors"]
    assert (error["code"], error["field"]) == (code, ["input", *field.split()])
    assert "found" in error["message"]
    assert "wanted" in error["message"]


@pytest.mark.parametrize(
    ("name", "given", "code", "field"),
    [
        ("checkout_commit", {"reservationId": "x"}, "BAD_USER_INPUT", "reservationId"),
        (
            "checkout_commit",
            {"reservationId": encode_id("Order", 1)},
            "BAD_USER_INPUT",
            "reservationId",
        ),
        ("checkout_commit", {}, "NOT_FOUND", "reservationId"),
        ("checkout_commit", {"paid": eur("0.001")}, "BAD_MONEY", "paid amount"),
        ("checkout_release", {}, "NOT_FOUND", "reservationId"),
        ("checkout_release", {"reservationId": "é"}, "BAD_USER_INPUT", "reservationId"),
        ("checkout_extend", {}, "NOT_FOUND", "reservationId"),
        ("checkout_reserve", {"quoteToken": ""}, "BAD_USER_INPUT", "quoteToken"),
        ("checkout_reserve", {"quoteToken": "é"}, "BAD_USER_INPUT", "quoteToken"),
        ("checkout_reserve", {"quoteToken": "A" * 60_000}, "BAD_USER_INPUT", "quoteToken"),
        ("order_refund", {}, "NOT_FOUND", "orderExternalId"),
        ("order_refund", {"reason": "x" * 201}, "BAD_USER_INPUT", "reason"),
    ],
)
async def test_a_step_that_cannot_be_is_named(
    name: str, given: dict[str, Any], code: str, field: str, sqlite_shop: ApiShop
) -> None:
    whole: dict[str, dict[str, Any]] = {
        "checkout_commit": {"orderExternalId": "o", "paid": eur("1.00")},
        "checkout_extend": {"ttlSeconds": 60},
        "order_refund": {"orderExternalId": "o", "refundExternalId": "r"},
    }
    if name in ("checkout_commit", "checkout_extend", "checkout_release"):
        whole[name] = {"reservationId": encode_id("Reservation", 1)} | whole.get(name, {})
    body = {"idempotencyKey": "k"} | whole.get(name, {}) | given

    answer = await sqlite_shop.programs[0].till.run(name, input=body)

    (error,) = answer["userErrors"]
    assert (error["code"], error["field"]) == (code, ["input", *field.split()])


@pytest.mark.parametrize(
    ("name", "ttl_s"),
    [("reserve", 0), ("reserve", 1_801), ("extend", 0), ("extend", -1), ("extend", 172_801)],
)
async def test_a_time_to_hold_that_the_program_does_not_allow(
    name: str, ttl_s: int, sqlite_shop: ApiShop
) -> None:
    program = sqlite_shop.programs[0]
    till = program.till
    await program.rich("ann", 150)
    token = await quote(till)
    if name == "reserve":
        answer = await reserve(till, token, ttlSeconds=ttl_s)
    else:
        reservation = (await reserve(till, token))["reservation"]["id"]
        given = {"idempotencyKey": "x", "reservationId": reservation, "ttlSeconds": ttl_s}
        answer = await till.run("checkout_extend", input=given)

    (error,) = answer["userErrors"]
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", ["input", "ttlSeconds"])
