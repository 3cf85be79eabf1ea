"""Changes of paid orders through the API: what they give back and add, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from api_shop import PROGRAM, ApiShop, Caller, Program, eur

pytestmark = pytest.mark.anyio


def now(id: str, quantity: int, amount: str, **more: Any) -> dict[str, Any]:
    """A line as it is now."""
    return {"id": id, "product": "tea", "quantity": quantity, "amount": eur(amount), **more}


def change(name: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {"orderExternalId": "o", "editExternalId": name, "idempotencyKey": name}
    return given | {"lines": list(lines)} | more


async def bought(program: Program) -> Caller:
    """Order o of ann: one line, "1", for 50.00, which earned 50 points."""
    await program.enrol("ann")
    await program.paid("o", "ann", 5_000)
    return program.till


async def pending(till: Caller) -> int:
    points: int = (await till.run("member_card", externalId="ann"))["balances"][0]["pending"]
    return points


async def test_less_comes_back_and_more_earns(program: Program) -> None:
    till = await bought(program)
    assert await pending(till) == 50

    changed = await till.run(
        "order_edit", input=change("e-1", now("1", 1, "20.00"), now("b", 2, "45.00"))
    )

    assert changed["userErrors"] == []
    assert changed["replayed"] is False
    assert (changed["refund"]["kind"], changed["refund"]["externalId"]) == ("EDIT", "e-1")
    assert changed["refund"]["money"]["amount"] == "30.00"
    assert changed["order"]["state"] == "PARTIALLY_REFUNDED"
    assert changed["order"]["left"]["amount"] == "65.00"
    assert [each["left"]["amount"] for each in changed["order"]["lines"]] == ["20.00", "45.00"]
    assert changed["member"]["balance"]["pending"] == await pending(till) == 65


async def test_changed_back_it_is_as_it_was(program: Program) -> None:
    till = await bought(program)
    await till.run("order_edit", input=change("e-1", now("1", 1, "20.00"), now("b", 2, "45.00")))

    changed = await till.run("order_edit", input=change("e-2", now("1", 1, "50.00")))

    assert changed["userErrors"] == []
    assert changed["refund"]["money"]["amount"] == "-30.00"
    assert changed["order"]["state"] == "PAID"
    assert changed["order"]["left"]["amount"] == "50.00"
    assert [each["left"]["amount"] for each in changed["order"]["lines"]] == ["50.00"]
    assert changed["member"]["balance"]["pending"] == await pending(till) == 50


async def test_a_repeat_changes_nothing_by_its_key_and_by_its_name(program: Program) -> None:
    till = await bought(program)
    given = change("e-1", now("1", 1, "20.00"))
    first = await till.run("order_edit", input=given)
    await till.run("order_edit", input=change("e-2", now("1", 1, "10.00")))

    by_key = await till.run("order_edit", input=given)
    by_name = await till.run("order_edit", input=given | {"idempotencyKey": "x"})
    other = await till.run(
        "order_edit", input=change("e-1", now("1", 1, "5.00"), idempotencyKey="y")
    )
    reused = await till.run("order_edit", input=change("e-1", now("1", 1, "5.00")))

    assert by_key["replayed"] is True
    assert by_key["refund"] == by_name["refund"] == first["refund"]
    assert other["userErrors"] == [
        {
            "code": "CONFLICT",
            "message": "change 'e-1' is known with other lines",
            "field": ["input", "editExternalId"],
        }
    ]
    assert [error["code"] for error in reused["userErrors"]] == ["IDEMPOTENCY_KEY_REUSED"]
    assert await pending(till) == 10


async def test_the_later_of_two_changes_counts(program: Program) -> None:
    till = await bought(program)
    at = program.shop.clock.now()
    # No time passes between the two, and the second's name comes before the first's.
    await till.run("order_edit", input=change("z", now("1", 1, "20.00")))
    latest = await till.run("order_edit", input=change("a", now("1", 1, "10.00")))
    stale = change("e-1", now("1", 1, "40.00"), occurredAt=(at - timedelta(minutes=1)).isoformat())
    refused = await till.run("order_edit", input=stale)

    assert latest["order"]["left"]["amount"] == "10.00"
    assert refused["refund"] is None
    assert refused["userErrors"] == [
        {
            "code": "CONFLICT",
            "message": "order 'o' was changed later already, by change 'a'",
            "field": ["input", "occurredAt"],
        }
    ]
    assert await pending(till) == 10


async def test_an_order_that_is_not_there_or_over_is_not_changed(program: Program) -> None:
    till = await bought(program)
    unknown = await till.run(
        "order_edit", input=change("e-1", now("1", 1, "9.00"), orderExternalId="nix")
    )
    await till.run("order_cancel", input={"idempotencyKey": "c", "orderExternalId": "o"})
    over = await till.run("order_edit", input=change("e-2", now("1", 1, "60.00")))

    (error,) = unknown["userErrors"]
    assert (error["code"], error["field"]) == ("NOT_FOUND", ["input", "orderExternalId"])
    (error,) = over["userErrors"]
    assert (error["code"], error["message"]) == ("CONFLICT", "order 'o' is cancelled already")
    assert await pending(till) == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [now("1", 1, "1.00")] * 2}, "lines 1 id"),
        ({"lines": [now("1", 0, "1.00")]}, "lines 0 quantity"),
        ({"lines": [now("1", 1, "-1.00")]}, "lines 0 amount"),
        ({"lines": [now("1", 1, "1.001")]}, "lines 0 amount amount"),
        ({"lines": [now("1", 1, "1.00", discount=eur("1.01"))]}, "lines 0 discount"),
        (
            {"lines": [now("1", 1, "1.00") | {"amount": {"amount": "1", "currencyCode": "USD"}}]},
            "lines 0 amount currencyCode",
        ),
        (
            {"lines": [now("1", 1, "1.00", discount={"amount": "1", "currencyCode": "USD"})]},
            "lines 0 discount currencyCode",
        ),
        ({"shipping": eur("-1.00")}, "shipping"),
        ({"editExternalId": "e" * 121}, "editExternalId"),
        ({"occurredAt": "1989-12-31T23:59:59Z"}, "occurredAt"),
        ({"occurredAt": "2026-03-01T12:06:00Z"}, "occurredAt"),
        # As much as can be said of each, and together more than can be counted.
        ({"lines": [now(id, 1, "90071992547409.91") for id in "12"]}, "lines"),
    ],
)
async def test_lines_that_are_none_are_named(
    given: dict[str, Any], field: str, program: Program
) -> None:
    till = await bought(program)

    refused = await till.run("order_edit", input=change("e-1", now("1", 1, "9.00")) | given)

    (error,) = refused["userErrors"]
    assert error["code"] in ("BAD_USER_INPUT", "BAD_MONEY")
    assert error["field"] == ["input", *field.split()]
    assert await pending(till) == 50


async def test_an_order_is_changed_in_its_own_currency_whatever_the_programs_is_by_now(
    shop: ApiShop, program: Program
) -> None:
    till = await bought(program)
    rules = PROGRAM.replace('currency = "EUR"', 'currency = "JPY"')
    await shop.services.rulesets.publish(program.tenant_id, rules, "test")
    yen = {"amount": "400", "currencyCode": "JPY"}
    line = now("1", 1, "20.00")

    wrong = await till.run("order_edit", input=change("e-1", line | {"amount": yen}))
    mixed = await till.run("order_edit", input=change("e-2", line, shipping=yen))
    booked = await till.run("order_edit", input=change("e-3", line, shipping=eur("1.00")))

    told = [error for answer in (wrong, mixed) for error in answer["userErrors"]]
    assert [(error["code"], error["message"], error["field"]) for error in told] == [
        (
            "BAD_USER_INPUT",
            "found JPY, wanted EUR, the order's",
            ["input", "lines", "0", "amount", "currencyCode"],
        ),
        (
            "BAD_USER_INPUT",
            "found JPY beside EUR, wanted one currency",
            ["input", "shipping", "currencyCode"],
        ),
    ]
    assert booked["userErrors"] == []
    assert booked["refund"]["money"] == {"amount": "30.00", "currencyCode": "EUR"}
    assert await pending(till) == 20


async def test_a_product_counts_as_the_catalogue_has_it(program: Program) -> None:
    """As in the shop's own report, of which this is the same command."""
    till = await bought(program)
    await program.stock(program.product("tea", category="gift-cards"))

    changed = await till.run("order_edit", input=change("e-1", now("1", 1, "50.00")))
    await program.stock(program.product("tea", category="other"))
    again = await till.run(
        "order_edit", input=change("e-1", now("1", 1, "50.00"), idempotencyKey="x")
    )

    assert changed["userErrors"] == again["userErrors"] == []
