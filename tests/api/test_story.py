"""A member's story told by the published documents, on both databases."""

from datetime import timedelta
from typing import Any

import pytest
from api_shop import OPERATIONS, ApiShop, Caller, Program, document, eur, line
from graphql import parse, validate

from loyalty_graphql.admin.schema import schema as admin
from loyalty_graphql.storefront.schema import schema as storefront

SCHEMAS = {"storefront": storefront, "admin": admin}
DOCUMENTS = sorted((path.parent.name, path.stem) for path in OPERATIONS.glob("*/*.graphql"))

pytestmark = pytest.mark.anyio


async def card(shopper: Caller) -> dict[str, Any]:
    """Balances, tier and version as the member sees them."""
    member = await shopper.run("member_card")
    points = next(each for each in member["balances"] if each["pointType"] == "points")
    return {
        "available": points["available"],
        "pending": points["pending"],
        "held": points["held"],
        "tier": member["tier"]["current"]["code"],
        "qualifying": member["tier"]["qualifying"],
    }


async def test_from_the_first_purchase_to_a_refund(shop: ApiShop, program: Program) -> None:
    till, ann = program.till, await program.shopper("ann")
    await program.stock(program.product("tea", cost_minor=500, category="TEA"))
    enrolled = await ann.run(
        "member_enrol", input={"idempotencyKey": "e", "externalId": "ann", "name": "Ann"}
    )
    await program.paid("o-1", "ann", 60_000)
    pending = await card(ann)
    shop.clock.advance(timedelta(days=15))
    ann = await program.shopper("ann")
    before = await card(ann)

    quoted = await till.run(
        "checkout_quote",
        input={
            "cartId": "c-1",
            "member": "ann",
            "lines": [line("1", "tea", 4, "25.00")],
            "points": {"exact": 200},
        },
    )
    quote = quoted["quote"]
    reserved = await till.run(
        "checkout_reserve", input={"idempotencyKey": "r", "quoteToken": quote["token"]}
    )
    holding = await card(ann)
    reservation = reserved["reservation"]["id"]
    committed = await till.run(
        "checkout_commit",
        input={
            "idempotencyKey": "c",
            "reservationId": reservation,
            "orderExternalId": "o-2",
            "paid": quote["payable"],
        },
    )
    paid = await card(ann)
    refunded = await till.run(
        "order_refund",
        input={"idempotencyKey": "b", "orderExternalId": "o-2", "refundExternalId": "b-1"},
    )
    after = await card(ann)

    assert enrolled["member"]["state"] == "ACTIVE"
    assert pending == {
        "available": 0, "pending": 600, "held": 0, "tier": "gold", "qualifying": 600,
    }  # fmt: skip
    assert before == {
        "available": 600, "pending": 0, "held": 0, "tier": "gold", "qualifying": 600,
    }  # fmt: skip
    # 100.00 less 5.00 for 100 points and 10 % of the rest, less 2.00 for 200 points.
    assert (quote["total"]["amount"], quote["payable"]["amount"]) == ("85.50", "83.50")
    assert [
        (each["reward"], each["outcome"], each["discount"]["amount"])
        for each in quote["candidates"]
    ] == [
        ("five-off", "APPLIED", "5.00"),
        ("gold-ten", "APPLIED", "9.50"),
        ("POINTS", "APPLIED", "2.00"),
    ]
    assert holding == before | {"available": 300, "held": 300}
    # 83.50 paid, 1 point per 1.00, twice for Gold.
    assert paid == before | {"available": 300, "pending": 167, "qualifying": 683}
    assert committed["order"]["pointsRedeemed"] == 300
    (back,) = refunded["refund"].pop("lines")
    assert back == {"line": back["line"], "quantity": 0, "value": eur("85.50")}
    assert refunded["refund"] | {"id": ""} == {
        "id": "",
        "externalId": "b-1",
        "kind": "REFUND",
        "pointsReturned": 300,
        "pointsReversed": 167,
        "shortfall": 0,
        "money": eur("83.50"),
        "credit": eur("0.00"),
        "giftCards": eur("0.00"),
    }
    assert after == before
    found = await till.run("reservation", id=reservation)
    assert (found["state"], found["order"]["externalId"]) == ("REFUNDED", "o-2")


async def test_programs_that_use_the_same_names_do_not_meet(
    shop: ApiShop, program: Program, other_program: Program
) -> None:
    reservations = []
    for each, points in ((program, 300), (other_program, 500)):
        await each.rich("ann", points)
        quoted = await each.till.run(
            "checkout_quote",
            input={"cartId": "c", "member": "ann", "lines": [line("1", "tea", 1, "50.00")]},
        )
        reserved = await each.till.run(
            "checkout_reserve",
            input={"idempotencyKey": "k", "quoteToken": quoted["quote"]["token"]},
        )
        assert reserved["replayed"] is False
        reservations.append(reserved["reservation"]["id"])

    foreign = {"id": reservations[1]}
    commit = {
        "idempotencyKey": "k",
        "reservationId": reservations[1],
        "orderExternalId": "o",
        "paid": eur("45.00"),
    }
    refused = await program.till.run("checkout_commit", input=commit)
    own = await program.till.run(
        "checkout_commit", input=commit | {"idempotencyKey": "k2", "reservationId": reservations[0]}
    )

    assert await program.till.run("reservation", **foreign) is None
    assert refused["order"] is None
    assert [error["code"] for error in refused["userErrors"]] == ["NOT_FOUND"]
    assert own["userErrors"] == []
    assert await other_program.till.run("order", externalId="o") is None
    assert (await card(await program.shopper("ann")))["available"] == 200
    assert (await card(await other_program.shopper("ann")))["held"] == 100


async def test_a_token_of_one_program_is_none_of_the_other(
    program: Program, other_program: Program
) -> None:
    await program.rich("ann", 300)
    await other_program.rich("ann", 500)
    token = (
        await other_program.till.run(
            "checkout_quote",
            input={"cartId": "c", "member": "ann", "lines": [line("1", "tea", 1, "50.00")]},
        )
    )["quote"]["token"]

    refused = await program.till.run(
        "checkout_reserve", input={"idempotencyKey": "k", "quoteToken": token}
    )

    assert refused["reservation"] is None
    assert refused["userErrors"] == [
        {
            "code": "BAD_USER_INPUT",
            "message": "the quote token is not valid",
            "field": ["input", "quoteToken"],
        }
    ]


async def test_every_document_for_reading_runs(shop: ApiShop, program: Program) -> None:
    """Those that write are run by the stories above, in ``test_checkout`` and ``test_admin``."""
    ann = await program.rich("ann", 300)
    await program.stock(program.product("tea"))
    name = {"externalId": "ann"}
    asked: dict[str, tuple[Caller, dict[str, Any]]] = {
        "program": (program.anonymous, {}),
        "viewer": (ann, {}),
        "home": (ann, {}),
        "member_card": (program.till, name),
        "points_history": (ann, {"first": 5}),
        "points_as_of": (ann, {"asOf": {"at": "2026-03-01T12:00:00Z", "by": "BOOKED"}}),
        "orders": (program.till, name),
        "order": (ann, {"externalId": "seed-ann"}),
        "order_refund_preview": (program.till, {"input": {"orderExternalId": "seed-ann"}}),
        "product": (program.anonymous, {"externalId": "tea"}),
        "products": (ann, {"search": "TEA"}),
        "recommendations": (ann, {"window": "TRENDING"}),
        "rank_products": (ann, {"ids": ["tea"]}),
        "offers": (ann, {}),
    }
    reading = {
        stem
        for folder, stem in DOCUMENTS
        if folder == "storefront" and "\nquery " in "\n" + document(stem)
    } - {"checkout_quote", "reservation"}

    for stem, (caller, variables) in asked.items():
        data = await caller.data(document(stem), variables)
        assert all(value is not None for value in data.values()), stem

    assert set(asked) == reading


@pytest.mark.parametrize(("folder", "stem"), DOCUMENTS)
async def test_every_document_fits_its_schema(folder: str, stem: str) -> None:
    errors = validate(SCHEMAS[folder]._schema, parse(document(stem, folder)))

    assert errors == []
