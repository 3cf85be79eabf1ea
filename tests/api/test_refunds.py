"""Refunds of lines through the API: what is foreseen, booked, and refused."""

from typing import Any

import pytest
from api_shop import PROGRAM, ApiShop, Caller, Program, document, eur, line

pytestmark = pytest.mark.anyio

CART = {
    "cartId": "c",
    "member": "ann",
    "lines": [line("a", "tea", 3, "10.00"), line("b", "tea", 1, "20.00")],
    "shipping": eur("5.00"),
}


REFUND = """mutation($input: OrderRefundInput!) { orderRefund(input: $input) {
  refund { value { amount } money { amount } discountLost { amount } } userErrors { code }
} }"""


async def bought(till: Caller, program: Program, **more: Any) -> None:
    """Order o of ann: five euros off by 100 of her 150 points, and 50.00 paid."""
    await program.rich("ann", 150)
    quoted = (await till.run("checkout_quote", input=CART | more))["quote"]
    reserved = await till.run(
        "checkout_reserve", input={"idempotencyKey": "r", "quoteToken": quoted["token"]}
    )
    await till.run(
        "checkout_commit",
        input={
            "idempotencyKey": "c",
            "reservationId": reserved["reservation"]["id"],
            "orderExternalId": "o",
            "paid": quoted["payable"],
        },
    )


def back(name: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {"orderExternalId": "o", "refundExternalId": name, "idempotencyKey": name} | more
    return given | ({"lines": list(lines)} if lines else {})


async def test_what_is_foreseen_is_what_is_booked(program: Program) -> None:
    till = program.till
    await bought(till, program)
    lines = [{"line": "a", "quantity": 1}, {"line": "b", "amount": eur("4.00")}]

    seen = await till.run("order_refund_preview", input={"orderExternalId": "o", "lines": lines})
    again = await till.run("order_refund_preview", input={"orderExternalId": "o", "lines": lines})
    booked = await till.run("order_refund", input=back("r-1", *lines))

    assert seen == again
    assert seen["userErrors"] == []
    foreseen, figures = seen["refund"], booked["refund"]
    assert {name: foreseen[name] for name in figures if name in foreseen} == {
        name: figures[name] for name in figures if name in foreseen
    }
    # One piece of three is 9.00 after 1.00 off, and 4.00 of 18.00 took 0.44 off with it.
    assert figures["money"]["amount"] == "13.00"
    assert figures["pointsReturned"] == 28
    assert figures["lines"] == [
        {"line": "a", "quantity": 1, "value": {"amount": "9.00", "currencyCode": "EUR"}},
        {"line": "b", "quantity": 0, "value": {"amount": "4.00", "currencyCode": "EUR"}},
    ]
    assert booked["order"]["state"] == seen["order"]["state"] == "PARTIALLY_REFUNDED"
    assert (
        seen["order"]["refunded"]["points"]
        == [{"pointType": "points", "returned": 24, "reversed": figures["pointsReversed"]}]
        or len(seen["order"]["refunded"]["points"]) == 2
    )
    assert [each["left"]["amount"] for each in seen["order"]["lines"]] == ["18.00", "14.00"]
    assert [each["refundedQuantity"] for each in seen["order"]["lines"]] == [1, 0]


async def test_the_rest_comes_back_to_the_last_cent_and_point(program: Program) -> None:
    till = program.till
    await bought(till, program)
    await till.run("order_refund", input=back("r-1", {"line": "a", "quantity": 1}))
    await till.run("order_refund", input=back("r-2", shipping=eur("5.00")))
    rest = await till.run("order_refund", input=back("r-3"))

    assert rest["order"] == {
        "externalId": "o", "state": "REFUNDED", "left": {"amount": "0.00", "currencyCode": "EUR"},
    }  # fmt: skip
    assert rest["member"]["balance"] == {"available": 150, "pending": 0, "held": 0, "deficit": 0}
    assert rest["refund"]["money"]["amount"] == "36.00"


async def test_more_than_is_left_says_what_is_left_and_moves_nothing(program: Program) -> None:
    till = program.till
    await bought(till, program)
    await till.run("order_refund", input=back("r-1", {"line": "a", "quantity": 2}))

    given = back("r-2", {"line": "a", "quantity": 2})
    refused = await till.run("order_refund", input=given)
    other = await till.run(
        "order_refund", input=back("r-1", {"line": "a", "quantity": 1}, idempotencyKey="x")
    )
    order = await till.run("order", externalId="o")

    assert refused["userErrors"] == [
        {
            "code": "REFUND_TOO_LARGE",
            "message": "found 2 pieces of line 'a', wanted at most what is left: 1 pieces or "
            "9.00 EUR",
            "field": ["input", "lines", "0"],
        }
    ]
    assert [error["code"] for error in other["userErrors"]] == ["CONFLICT"]
    assert order["state"] == "PARTIALLY_REFUNDED"
    preview = {"orderExternalId": "o", "lines": given["lines"]}
    foreseen = await till.run("order_refund_preview", input=preview)
    assert foreseen["refund"] is None
    assert [error["code"] for error in foreseen["userErrors"]] == ["REFUND_TOO_LARGE"]


async def test_a_cancelled_order_gives_all_back_and_is_cancelled_once(program: Program) -> None:
    till = program.till
    await bought(till, program)
    given = {"idempotencyKey": "x", "orderExternalId": "o", "reason": "out of stock"}

    cancelled = await till.run("order_cancel", input=given)
    again = await till.run("order_cancel", input=given)
    later = await till.run("order_refund", input=back("r-1"))

    assert cancelled["order"]["state"] == "CANCELLED"
    assert (cancelled["refund"]["kind"], cancelled["refund"]["externalId"]) == ("CANCELLATION", "o")
    assert cancelled["member"]["balance"]["available"] == 150
    assert again == cancelled | {"replayed": True}
    assert [error["code"] for error in later["userErrors"]] == ["CONFLICT"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"lines": []}, None),
        ({"lines": [{"line": "z"}]}, "lines 0"),
        ({"lines": [{"line": "a", "quantity": 0}]}, "lines 0 quantity"),
        ({"lines": [{"line": "a", "amount": eur("0.00")}]}, "lines 0 amount"),
        (
            {"lines": [{"line": "a", "amount": {"amount": "1.00", "currencyCode": "USD"}}]},
            "lines 0 amount",
        ),
        ({"lines": [{"line": "a"}, {"line": "a"}]}, "lines 1"),
        ({"shipping": eur("-1.00")}, "shipping"),
    ],
)
async def test_lines_that_are_none_are_named(
    given: dict[str, Any], field: str | None, program: Program
) -> None:
    till = program.till
    await bought(till, program)

    refused = await till.run("order_refund", input=back("r-1", **given))

    (error,) = refused["userErrors"]
    assert error["code"] == "BAD_USER_INPUT"
    assert error["field"] == (None if field is None else ["input", *field.split()])
    assert (await till.run("order", externalId="o"))["state"] == "PAID"


async def test_an_order_is_refunded_in_its_own_currency_whatever_the_programs_is_by_now(
    shop: ApiShop, program: Program
) -> None:
    till = program.till
    await bought(till, program)
    rules = PROGRAM.replace('currency = "EUR"', 'currency = "JPY"')
    await shop.services.rulesets.publish(program.tenant_id, rules, "test")
    yen = {"amount": "400", "currencyCode": "JPY"}
    wrong = (
        {"lines": [{"line": "a", "quantity": 1}, {"line": "b", "amount": yen}]},
        {"lines": [{"line": "a"}], "shipping": yen},
    )
    right = {"lines": [{"line": "b", "amount": eur("4.00")}], "shipping": eur("1.00")}

    refused = [
        await till.run("order_refund", input=back(f"r-{n}") | given)
        for n, given in enumerate(wrong)
    ]
    seen = await till.run("order_refund_preview", input={"orderExternalId": "o"} | wrong[0])
    mixed = await till.run("order_refund", input=back("r-7") | right | {"shipping": yen})
    booked = await till.run("order_refund", input=back("r-9") | right)

    told = [error for answer in (*refused, seen, mixed) for error in answer["userErrors"]]
    assert [(error["code"], error["message"], error["field"]) for error in told] == [
        ("BAD_USER_INPUT", "found JPY, wanted EUR, the order's", ["input", "lines", "1", "amount"]),
        ("BAD_USER_INPUT", "found JPY, wanted EUR, the order's", ["input", "shipping"]),
        ("BAD_USER_INPUT", "found JPY, wanted EUR, the order's", ["input", "lines", "1", "amount"]),
        ("BAD_USER_INPUT", "found JPY beside EUR, wanted one currency", ["input", "shipping"]),
    ]
    assert booked["userErrors"] == []
    assert booked["refund"]["money"] == {"amount": "5.00", "currencyCode": "EUR"}


async def test_no_more_is_kept_for_spent_points_than_there_is_money_to_keep(
    shop: ApiShop, program: Program
) -> None:
    """Points worth twice the order are spent once half of its money was given back."""
    till = program.till
    rules = PROGRAM.replace("points = 1\nper_minor = 100\nuses", "points = 2\nper_minor = 1\nuses")
    rules = rules.replace("pending_days = 14", "pending_days = 0")
    await shop.services.rulesets.publish(
        program.tenant_id, rules + '[refunds]\nclawback = "deduct"\n', "test"
    )
    await program.enrol("ann")
    await program.paid("o", "ann", 2_000)
    half = {"orderExternalId": "o", "lines": [{"line": "1", "amount": eur("10.00")}]}
    await till.run("order_refund", input=half | {"idempotencyKey": "h", "refundExternalId": "h"})
    spent = {"idempotencyKey": "s", "externalId": "ann", "points": -2_000, "reason": "a gift"}
    await program.merchant.data(document("points_adjust", "admin"), {"input": spent})

    seen = await till.run("order_refund_preview", input={"orderExternalId": "o"})

    figures = seen["refund"]
    assert (figures["money"], figures["deducted"]) == (eur("0.00"), eur("10.00"))
    assert (figures["shortfall"], figures["value"]) == (2_000, eur("10.00"))
    assert seen["order"]["refunded"]["money"] == eur("10.00")


async def test_no_more_of_a_discount_is_lost_than_there_is_money_to_keep(
    shop: ApiShop, program: Program
) -> None:
    """The minimum breaks with a piece of 0.83, and the discount on what is kept is 1.61."""
    till = program.till
    at_least = 'off_minor = 500 }\nconditions = [{ kind = "minimum_purchase", minor = 1100 }]'
    rules = PROGRAM.replace("off_minor = 500 }", at_least)
    rules += '[refunds]\nbroken_minimum = "reverse"\n'
    await shop.services.rulesets.publish(program.tenant_id, rules, "test")
    prices = {"a": "20.00", "b": "10.00", "c": "1.00"}
    await bought(till, program, lines=[line(id, "tea", 1, price) for id, price in prices.items()])

    steps = [
        (await till.run("order_refund_preview", input={"orderExternalId": "o"} | more))["refund"]
        if name is None
        else (await till.data(REFUND, {"input": back(name, *more["lines"])}))["orderRefund"][
            "refund"
        ]
        for name, more in (
            ("r-a", {"lines": [{"line": "a"}]}),
            ("r-c", {"lines": [{"line": "c"}]}),
            (None, {}),
        )
    ]

    assert [
        [step[name]["amount"] for name in ("value", "money", "discountLost")] for step in steps
    ] == [
        ["16.78", "16.78", "0.00"],
        ["0.83", "0.00", "0.83"],
        ["13.39", "14.22", "-0.83"],
    ]
