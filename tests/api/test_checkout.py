"""Checkout: refusals are data, a key answers once, bad input is named."""

import random
from datetime import timedelta
from string import ascii_letters, digits

import pytest
from api_shop import PROGRAM, ApiShop, Program, eur, line
from checkout_steps import CART, QUOTE, commit, quote, reserve

from loyalty_graphql.ids import encode_id

pytestmark = pytest.mark.anyio


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
