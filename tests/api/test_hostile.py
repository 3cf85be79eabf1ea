"""No value that a caller can send is an accident: each leaf of each input, spoilt in turn."""

from collections.abc import Iterator
from typing import Any

import pytest
from api_shop import PROGRAM, ApiShop, Caller, Program, document, eur, line

from loyalty_graphql.ids import encode_id

pytestmark = pytest.mark.anyio

SPOILT: list[Any] = [
    None, True, False, -1, 0, 1, 2**31 - 1, 2**31, 2**53 - 1, -(2**53) + 1, 2**63, 1.5,
    "", " ", "x", "x" * 129, "x" * 5_000, "é", "\u202e\u200b", "🜁" * 40, "'; --", "%_\\", "\t",
    "\u0085", "0", "-0.00", "1e9", "99999999999999999", "EUR", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z", "9999-12-31", [], [None], {}, [[]], ["x" * 200],
]  # fmt: skip
TEA = line("1", "tea", 2, "12.50", unitCost=eur("1.00"), category="TEA", taxRate="27.5")


def cases(reservation: str, token: str, answer: str) -> dict[tuple[str, str], dict[str, Any]]:
    """For each document, variables that it takes."""
    key = {"idempotencyKey": "k"}
    profile = {
        "name": "Ann", "email": "a@b", "locale": "hu", "birthday": "1990-02-28",
        "consents": {"email": True},
    }  # fmt: skip
    cart = {
        "cartId": "c", "member": "ann", "lines": [TEA], "shipping": eur("1.00"),
        "points": {"exact": 10}, "rewards": {"pinned": ["five-off"], "excluded": ["gold-ten"]},
        "objective": "MOST_SAVED", "codes": ["SPRING", "x"], "credit": {"exact": eur("1.00")},
        "taxIncluded": False, "shippingTaxRate": "5", "locale": "hu-HU",
    }  # fmt: skip
    own = {"reservationId": reservation}
    page = {"first": 2, "after": "x"}
    who = {"externalId": "ann"}
    storefront: dict[str, dict[str, Any]] = {
        "member_card": who,
        "points_history": who | page | {"pointType": "points"},
        "orders": who | page,
        "order": {"externalId": "o"},
        "product": {"externalId": "tea"},
        "products": page | {"category": "TEA", "search": "tea"},
        "recommendations": {
            "window": "CART", "first": 3, "member": "ann", "product": "tea", "cart": ["tea"],
            "filter": {
                "priceMin": eur("1.00"), "priceMax": eur("99.00"), "categories": ["TEA"],
                "exclude": ["x"], "stockMin": 1,
            },
            "locale": "hu-HU",
        },
        "rank_products": {"ids": ["tea", "x"], "member": "ann", "locale": "hu-HU"},
        "recommendation_events": {
            "input": {
                "events": [
                    {"recommendationId": answer, "type": "CLICK", "product": "tea", "position": 1,
                     "occurredAt": "2026-03-01T00:00:00Z"},
                    {"recommendationId": answer, "type": "PURCHASE", "product": "tea",
                     "order": "o-1"},
                ],
            },
        },
        "reservation": {"id": reservation},
        "member_enrol": {"input": key | who | profile},
        "member_update": {"input": who | profile | {"expectedVersion": 1}},
        "checkout_quote": {"input": cart},
        "checkout_reserve": {"input": key | {"quoteToken": token, "ttlSeconds": 60}},
        "checkout_extend": {"input": key | own | {"ttlSeconds": 60}},
        "checkout_commit": {
            "input": key | own | {
                "orderExternalId": "o", "paid": eur("45.00"), "occurredAt": "2026-01-01T00:00:00Z",
            },
        },
        "checkout_release": {"input": key | own},
        "order_refund": {
            "input": key | {"orderExternalId": "o", "refundExternalId": "r", "reason": "x"},
        },
    }  # fmt: skip
    admin: dict[str, dict[str, Any]] = {
        "ruleset": {"version": 1},
        "experiments": page,
        "experiment_start": {"input": {"candidate": "x", "shareBp": 1}},
        "model_rollback": {"input": {"model": "x"}},
        "recommendation_figures": page | {"from": "2026-03-01", "until": "2026-04-01"},
        "rulesets": {"first": 1},
        "ruleset_validate": {"source": PROGRAM},
        "ruleset_publish": {"input": {"source": "x", "expectedVersion": 1}},
        "member": who,
        "members": page | {"search": "a"},
        "member_suspend": {"input": who | {"reason": "x"}},
        "product_upsert": {
            "input": {
                "externalId": "tea", "name": "Tea", "price": eur("1.00"), "cost": eur("1.00"),
                "stock": 1, "category": "C", "department": "D", "type": "T", "brand": "B",
                "imageUrl": "/x", "tiers": ["gold"], "active": True,
            },
        },
        "api_key_create": {"input": {"name": "x", "scopes": ["catalogue:read"]}},
        "api_key_revoke": {"input": {"keyId": "x"}},
    }  # fmt: skip
    return {("storefront", name): each for name, each in storefront.items()} | {
        ("admin", name): each for name, each in admin.items()
    }


def spoilt(value: Any) -> Iterator[Any]:
    """The value with one thing in it replaced, or one key taken away or repeated."""
    yield from SPOILT
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: each for name, each in value.items() if name != key}
            for other in spoilt(inner):
                yield value | {key: other}
    if isinstance(value, list):
        for place, inner in enumerate(value):
            for other in spoilt(inner):
                yield [*value[:place], other, *value[place + 1 :]]


async def prepared(program: Program) -> tuple[str, str, str]:
    """A reservation, a quote's token and a recommendation's id that are real."""
    await program.stock(program.product("tea"))
    await program.rich("ann", 300)
    cart = {"cartId": "z", "member": "ann", "lines": [line("1", "tea", 1, "50.00")]}
    token = (await program.till.run("checkout_quote", input=cart))["quote"]["token"]
    given = {"idempotencyKey": "first", "quoteToken": token}
    reserved = await program.till.run("checkout_reserve", input=given)
    shown = await program.till.run("recommendations", window="TRENDING", member="ann")
    return reserved["reservation"]["id"], token, shown["recommendationId"]


@pytest.mark.parametrize("place", sorted(cases("", "", "")))
async def test_what_cannot_be_is_refused_and_never_an_accident(
    place: tuple[str, str], shop: ApiShop, is_soak: bool
) -> None:
    # PostgreSQL is the stricter of the two. No multiple of three counts what a leaf is spoilt
    # with, so each kind of it comes to other leaves even where it is left out of some.
    every = 1 if is_soak else 3 if shop.database.dialect == "postgres" else 12
    program = shop.programs[0]
    real = await prepared(program)
    folder, name = place
    caller: Caller = program.merchant if folder == "admin" else program.till
    query = document(name, folder)
    accidents = []

    for number, variables in enumerate(spoilt(cases(*real)[place])):
        if not isinstance(variables, dict) or number % every:
            continue
        given = variables.get("input")
        if isinstance(given, dict) and given.get("idempotencyKey") == "k":
            # Else all but the first would be told that the key was used.
            given["idempotencyKey"] = f"k-{number}"
        response = await caller.post(query, variables)
        codes = {error["extensions"]["code"] for error in response.json().get("errors", [])}
        if response.status_code >= 500 or "INTERNAL_ERROR" in codes:
            accidents.append(variables)

    assert accidents == []


async def test_ids_of_other_things_are_nothing(shop: ApiShop) -> None:
    till = shop.programs[0].till

    for id in (encode_id("Reservation", 2**63 - 1), encode_id("Reservation", 0)):
        assert await till.run("reservation", id=id) is None
    for id in (encode_id("Member", 1), "", "é", "x" * 10_000):
        answer = await till.ask(document("reservation"), {"id": id})
        assert [e["extensions"]["code"] for e in answer["errors"]] == ["BAD_USER_INPUT"]


@pytest.mark.parametrize(
    ("occurred_at", "shown"),
    [
        ("0001-01-01T00:00:00Z", None),
        ("1969-12-31T23:59:59+14:00", None),
        ("1969-12-31T23:59:59Z", None),
        ("1999-12-31T23:59:60Z", None),
        ("2026-02-28T12:00:00+02:00", "2026-02-28T10:00:00Z"),
        ("9999-12-31T23:59:59-12:00", None),
        ("9999-12-31T23:59:59Z", None),
        ("2026-03-01T12:04:59Z", "2026-03-01T12:00:00Z"),
    ],
)
async def test_a_moment_far_off_is_no_accident(
    occurred_at: str, shown: str | None, shop: ApiShop
) -> None:
    """A clock a little ahead is now; a far future, or a past before all counting, is refused."""
    program = shop.programs[0]
    reservation, *_ = await prepared(program)
    given = {
        "idempotencyKey": "c",
        "reservationId": reservation,
        "orderExternalId": "o",
        "paid": eur("45.00"),
        "occurredAt": occurred_at,
    }

    answer = await program.till.ask(document("checkout_commit"), {"input": given})

    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert codes <= {"BAD_USER_INPUT"}
    done = (answer.get("data") or {}).get("checkoutCommit") or {"order": None}
    assert (done["order"] and done["order"]["occurredAt"]) == shown
