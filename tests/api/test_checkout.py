"""Checkout: refusals are data, a key answers once, bad input is named."""

import random
from datetime import timedelta
from string import ascii_letters, digits
from typing import Any

import pytest
from api_shop import PROGRAM, ApiShop, Caller, Program, eur, line

from loyalty_graphql.ids import encode_id

pytestmark = pytest.mark.anyio

CART = {"cartId": "c", "lines": [line("1", "tea", 1, "50.00")]}
ERRORS = """userErrors {
  __typename code message field
  ... on InsufficientPointsError { requested available }
  ... on TotalMismatchError { expected { amount } found { amount } }
}"""
RESERVE = (
    "mutation($input:CheckoutReserveInput!){checkoutReserve(input:$input)"
    f"{{reservation{{id state expiresAt order{{id}}}} replayed {ERRORS}}}}}"
)
COMMIT = (
    "mutation($input:CheckoutCommitInput!){checkoutCommit(input:$input)"
    f"{{order{{externalId state}} replayed {ERRORS}}}}}"
)
QUOTE = (
    "query($input:CheckoutQuoteInput!){checkoutQuote(input:$input)"
    f"{{quote{{token hash tier{{code}}}} {ERRORS}}}}}"
)


async def quote(till: Caller, **more: Any) -> str:
    """Token of a quote for the one cart."""
    answer = await till.run("checkout_quote", input=CART | {"member": "ann"} | more)
    assert answer["userErrors"] == []
    return str(answer["quote"]["token"])


async def reserve(till: Caller, token: str, key: str = "r", **more: Any) -> dict[str, Any]:
    given = {"idempotencyKey": key, "quoteToken": token} | more
    answer: dict[str, Any] = (await till.data(RESERVE, {"input": given}))["checkoutReserve"]
    return answer


async def commit(till: Caller, reservation: str, paid: str, key: str = "c") -> dict[str, Any]:
    given = {
        "idempotencyKey": key,
        "reservationId": reservation,
        "orderExternalId": "o",
        "paid": eur(paid),
    }
    answer: dict[str, Any] = (await till.data(COMMIT, {"input": given}))["checkoutCommit"]
    return answer


async def test_points_that_are_gone_are_said_with_figures_and_said_again(
    program: Program,
) -> None:
    till = program.till
    await program.rich("ann", 150)
    first, second = await quote(till), await quote(till, cartId="d")
    await reserve(till, first, "k1")

    refused = await reserve(till, second, "k2")
    again = await reserve(till, second, "k2")

    assert refused == {
        "reservation": None,
        "replayed": False,
        "userErrors": [
            {
                "__typename": "InsufficientPointsError",
                "code": "INSUFFICIENT_POINTS",
                "message": "100 points requested, 50 available",
                "field": None,
                "requested": 100,
                "available": 50,
            }
        ],
    }
    assert again == refused | {"replayed": True}


async def test_another_amount_than_quoted_is_a_mismatch_and_moves_nothing(
    program: Program,
) -> None:
    till = program.till
    await program.rich("ann", 150)
    reservation = (await reserve(till, await quote(till)))["reservation"]["id"]

    refused = await commit(till, reservation, "50.00")
    again = await commit(till, reservation, "50.00")

    assert refused == {
        "order": None,
        "replayed": False,
        "userErrors": [
            {
                "__typename": "TotalMismatchError",
                "code": "TOTAL_MISMATCH",
                "message": "found total 50.00 EUR, wanted 45.00 EUR as quoted",
                "field": None,
                "expected": {"amount": "45.00"},
                "found": {"amount": "50.00"},
            }
        ],
    }
    assert again == refused | {"replayed": True}
    assert (await till.run("reservation", id=reservation))["state"] == "HELD"


async def test_an_order_is_confirmed_again_for_the_sum_it_was_paid_with_alone(
    program: Program,
) -> None:
    till = program.till
    await program.rich("ann", 150)
    reservation = (await reserve(till, await quote(till)))["reservation"]["id"]
    await commit(till, reservation, "45.00", "c-1")

    again = await commit(till, reservation, "45.00", "c-2")
    twice = await commit(till, reservation, "90.00", "c-3")

    assert (again["userErrors"], again["order"]["state"]) == ([], "PAID")
    assert [error["code"] for error in twice["userErrors"]] == ["TOTAL_MISMATCH"]
    assert twice["order"] is None
    assert (await till.run("order", externalId="o"))["mismatch"] is False


async def test_a_quote_is_paid_in_its_own_currency_whatever_the_programs_is_by_now(
    shop: ApiShop, program: Program
) -> None:
    till = program.till
    await program.rich("ann", 150)
    reservation = (await reserve(till, await quote(till)))["reservation"]["id"]
    rules = PROGRAM.replace('currency = "EUR"', 'currency = "JPY"')
    await shop.services.rulesets.publish(program.tenant_id, rules, "test")
    given = {"idempotencyKey": "c", "reservationId": reservation, "orderExternalId": "o"}
    yen = {"amount": "4500", "currencyCode": "JPY"}

    refused = await till.run("checkout_commit", input=given | {"paid": yen})
    booked = await commit(till, reservation, "45.00", "c-2")

    (error,) = refused["userErrors"]
    assert (error["code"], error["message"], error["field"]) == (
        "BAD_USER_INPUT",
        "found JPY, wanted EUR, the quote's currency",
        ["input", "paid", "currencyCode"],
    )
    assert (booked["userErrors"], booked["order"]["state"]) == ([], "PAID")


async def test_a_cost_in_other_money_than_the_carts_is_not_known(
    shop: ApiShop, program: Program
) -> None:
    """50.00 is no margin over 49.00, but what 4,900 yen are in euros nobody knows."""
    till = program.till
    await program.rich("ann", 150)
    floors = []
    for currency in ("EUR", "JPY"):
        await program.stock(program.product("tea", currency=currency, cost_minor=4_900))
        answer = await till.run("checkout_quote", input=CART | {"member": "ann"})
        floors.append((answer["quote"]["margin"]["unknownCost"], answer["quote"]["discount"]))
        shop.clock.advance(timedelta(seconds=1))

    assert floors == [(False, eur("0.00")), (True, eur("5.00"))]


async def test_a_key_answers_as_it_did_first_whatever_happened_since(
    shop: ApiShop, program: Program
) -> None:
    till = program.till
    await program.rich("ann", 150)
    token = await quote(till)
    reserved = await reserve(till, token)
    reservation = reserved["reservation"]["id"]
    shop.clock.advance(timedelta(minutes=1))
    extended = await till.run(
        "checkout_extend",
        input={"idempotencyKey": "x", "reservationId": reservation, "ttlSeconds": 7_200},
    )
    committed = await commit(till, reservation, "45.00")
    refund = {"idempotencyKey": "b", "orderExternalId": "o", "refundExternalId": "b"}
    refunded = await till.run("order_refund", input=refund)

    assert (await till.run("reservation", id=reservation))["state"] == "REFUNDED"
    assert await reserve(till, token) == reserved | {"replayed": True}
    assert reserved["reservation"] == {
        "id": reservation,
        "state": "HELD",
        "expiresAt": "2026-03-01T12:15:00Z",
        "order": None,
    }
    assert extended["reservation"]["expiresAt"] == "2026-03-01T14:01:00Z"
    assert await commit(till, reservation, "45.00") == committed | {"replayed": True}
    assert committed["order"] == {"externalId": "o", "state": "PAID"}
    assert await till.run("order_refund", input=refund) == refunded | {"replayed": True}


async def test_a_key_with_another_body_is_refused_and_moves_nothing(program: Program) -> None:
    till = program.till
    await program.rich("ann", 150)
    token = await quote(till)
    reserved = await reserve(till, token)

    refused = await reserve(till, token, ttlSeconds=60)

    assert refused["reservation"] is None
    assert refused["replayed"] is False
    assert [(e["code"], e["field"]) for e in refused["userErrors"]] == [
        ("IDEMPOTENCY_KEY_REUSED", ["input", "idempotencyKey"])
    ]
    found = await till.run("reservation", id=reserved["reservation"]["id"])
    assert found["expiresAt"] == "2026-03-01T12:15:00Z"


async def test_what_is_released_is_given_back(program: Program) -> None:
    till, ann = program.till, await program.rich("ann", 150)
    reservation = (await reserve(till, await quote(till)))["reservation"]["id"]

    released = await till.run(
        "checkout_release", input={"idempotencyKey": "l", "reservationId": reservation}
    )
    late = await commit(till, reservation, "45.00")

    assert released["reservation"]["state"] == "RELEASED"
    assert [(e["code"], e["message"]) for e in late["userErrors"]] == [
        ("CONFLICT", "the reservation is released, wanted held")
    ]
    balance = (await ann.data("{member{balance{available held}}}"))["member"]["balance"]
    assert balance == {"available": 150, "held": 0}


async def test_a_late_reserve_is_told_so(shop: ApiShop, program: Program) -> None:
    till = program.till
    await program.rich("ann", 150)
    token = await quote(till)
    shop.clock.advance(timedelta(minutes=16))

    refused = await reserve(till, token)

    assert [error["code"] for error in refused["userErrors"]] == ["QUOTE_EXPIRED"]


async def test_a_guest_gets_prices_and_reasons(program: Program) -> None:
    till = program.till

    answer = await till.run("checkout_quote", input=CART)
    reserved = await reserve(till, answer["quote"]["token"])
    committed = await commit(till, reserved["reservation"]["id"], "50.00")

    assert answer["quote"]["tier"] is None
    assert {each["reason"] for each in answer["quote"]["candidates"]} == {"NOT_A_MEMBER"}
    assert answer["quote"]["candidates"][0]["message"] == "For members only."
    assert committed["order"] == {"externalId": "o", "state": "PAID"}


async def test_a_member_that_is_not_there(program: Program) -> None:
    answer = await program.till.data(QUOTE, {"input": CART | {"member": "nobody"}})

    assert answer["checkoutQuote"]["quote"] is None
    errors = answer["checkoutQuote"]["userErrors"]
    assert [(e["code"], e["message"], e["field"]) for e in errors] == [
        ("NOT_FOUND", "no member 'nobody'", ["input", "member"])
    ]


async def test_what_is_too_much_to_hand_in_again_is_refused_at_once(program: Program) -> None:
    chance = random.Random(7)
    cart = [
        line("".join(chance.choices(ascii_letters + digits, k=128)), f"p-{number}", 1, "1.00")
        for number in range(200)
    ]
    given = {"cartId": "c"}

    refused = await program.till.data(QUOTE, {"input": given | {"lines": cart}})
    token = await quote(program.till, lines=cart[:120], member=None)
    reserved = await reserve(program.till, token)

    (error,) = refused["checkoutQuote"]["userErrors"]
    assert (error["code"], error["field"]) == ("BAD_USER_INPUT", ["input", "lines"])
    assert error["message"].endswith("wanted at most 48000: fewer lines, or shorter ids")
    assert reserved["reservation"]["state"] == "HELD"


async def test_a_reservation_that_is_not_there_is_told_without_its_number(
    program: Program,
) -> None:
    answer = await commit(program.till, encode_id("Reservation", 8_675_309), "50.00")

    (error,) = answer["userErrors"]
    assert (error["message"], error["field"]) == (
        "no such reservation", ["input", "reservationId"],
    )  # fmt: skip


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


async def test_extending_never_shortens_a_hold(shop: ApiShop, program: Program) -> None:
    """A shop that asks for little gets the later of what it had and what it asks for."""
    till = program.till
    await program.rich("ann", 150)
    reservation = (await reserve(till, await quote(till)))["reservation"]["id"]

    async def extended(key: str, ttl_s: int) -> str:
        given = {"idempotencyKey": key, "reservationId": reservation, "ttlSeconds": ttl_s}
        answer = await till.run("checkout_extend", input=given)
        assert answer["userErrors"] == []
        return str(answer["reservation"]["expiresAt"])

    assert await extended("x-1", 60) == "2026-03-01T12:15:00Z"
    shop.clock.advance(timedelta(minutes=14))
    assert await extended("x-2", 120) == "2026-03-01T12:16:00Z"
    assert await extended("x-3", 119) == "2026-03-01T12:16:00Z"
    shop.clock.advance(timedelta(seconds=119))

    assert (await till.run("reservation", id=reservation))["state"] == "HELD"
    assert (await commit(till, reservation, "45.00"))["userErrors"] == []


async def test_the_longest_cart_can_be_reserved(sqlite_shop: ApiShop) -> None:
    """Its token has to fit into a request."""
    program = sqlite_shop.programs[0]
    till = program.till
    await program.rich("ann", 900)
    lines = [line(f"line-{n}", f"product-{n * 7_919}", n + 1, f"{n}.99") for n in range(200)]
    answer = await till.data(QUOTE, {"input": CART | {"member": "ann", "lines": lines}})
    token = answer["checkoutQuote"]["quote"]["token"]

    reserved = await reserve(till, token)

    assert reserved["userErrors"] == []
    assert len(token) < 32_768


async def test_a_service_that_may_not_read_members_commits_without_seeing_one(
    sqlite_shop: ApiShop,
) -> None:
    program = sqlite_shop.programs[0]
    await program.rich("ann", 150)
    till = await program.service("checkout:quote", "checkout:write")
    reservation = (await reserve(till, await quote(till)))["reservation"]["id"]
    given = {
        "idempotencyKey": "c",
        "reservationId": reservation,
        "orderExternalId": "o",
        "paid": eur("45.00"),
    }

    committed = await till.run("checkout_commit", input=given)

    assert committed["order"]["externalId"] == "o"
    assert committed["member"] is None
