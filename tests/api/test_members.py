"""Members: who sees whom, profiles, history page by page."""

import re
from datetime import timedelta
from typing import Any

import pytest
from api_shop import ApiShop, Program, document

from loyalty.errors import Unavailable

pytestmark = pytest.mark.anyio

CARD = "query($id:ExternalId){member(externalId:$id){externalId}}"
UPDATE = "member_update"


async def test_a_shopper_sees_itself_and_another_as_nobody(shop: ApiShop, program: Program) -> None:
    ann = await program.rich("ann", 100)
    await program.rich("bob", 100)
    newcomer = await program.shopper("cid")

    async def seen(caller: Any, id: str | None) -> str:
        return str((await caller.post(CARD, {"id": id})).text)

    assert await seen(ann, None) == await seen(ann, "ann")
    assert await seen(ann, "ann") == '{"data":{"member":{"externalId":"ann"}}}'
    nobody = '{"data":{"member":null}}'
    assert await seen(ann, "bob") == await seen(ann, "zoe") == nobody
    assert await seen(newcomer, None) == nobody
    assert await seen(program.till, "bob") == '{"data":{"member":{"externalId":"bob"}}}'
    assert await seen(program.till, "zoe") == nobody


async def test_orders_of_others_are_none(program: Program) -> None:
    ann = await program.rich("ann", 100)
    await program.rich("bob", 100)
    await program.paid("o-guest", None, 500)

    found = {
        name: (await ann.data(document("order"), {"externalId": name}))["order"] is not None
        for name in ("seed-ann", "seed-bob", "o-guest", "o-none")
    }

    assert found == {"seed-ann": True, "seed-bob": False, "o-guest": False, "o-none": False}
    assert (await program.till.run("order", externalId="seed-bob"))["state"] == "PAID"


async def test_what_another_does_to_recommendations_is_what_nobody_does(program: Program) -> None:
    ann = await program.rich("ann", 100)
    await program.rich("bob", 600)
    await program.stock(program.product("tea"), program.product("gold-tea", tiers=("gold",)))
    await program.paid("o", None, 100, product="gold-tea")

    async def answer(name: str) -> str:
        variables = {"window": "TRENDING", "member": name}
        response = await ann.post(document("recommendations"), variables)
        # Each answer has an id of its own.
        return re.sub(r'"recommendationId":"[^"]+"', "", response.text)

    assert await answer("bob") == await answer("nobody")
    assert "gold-tea" not in await answer("bob")


async def test_a_service_has_to_name_somebody(program: Program) -> None:
    answer = await program.till.ask(CARD)

    assert [error["message"] for error in answer["errors"]] == [
        "found no externalId, wanted a member's"
    ]
    assert answer["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "field": ["externalId"]}


async def test_enrolling_answers_once_for_a_key(program: Program) -> None:
    ann = await program.shopper("ann")
    given = {
        "idempotencyKey": "k",
        "externalId": "ann",
        "name": "Ann",
        "email": "ann@shop.example",
        "consents": {"email": True},
    }

    first = await ann.run("member_enrol", input=given)
    again = await ann.run("member_enrol", input=given)
    other_body = await ann.run("member_enrol", input=given | {"name": "Anna"})
    other_key = await ann.run("member_enrol", input=given | {"idempotencyKey": "k2"})

    assert (first["replayed"], first["userErrors"]) == (False, [])
    assert again == first | {"replayed": True}
    assert [error["code"] for error in other_body["userErrors"]] == ["IDEMPOTENCY_KEY_REUSED"]
    assert [(e["code"], e["field"]) for e in other_key["userErrors"]] == [
        ("ALREADY_EXISTS", ["input", "externalId"])
    ]


async def test_a_shopper_does_not_enrol_another(program: Program) -> None:
    ann = await program.shopper("ann")
    given = {"idempotencyKey": "k", "externalId": "bob"}

    answer = await ann.ask(document("member_enrol"), {"input": given})

    assert answer["data"] is None
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert (await program.till.ask(CARD, {"id": "bob"}))["data"] == {"member": None}


async def test_an_edit_leaves_what_it_does_not_name(program: Program) -> None:
    await program.enrol("ann")
    ann = await program.shopper("ann")

    await ann.run(UPDATE, input={"email": "ann@shop.example", "birthday": "1990-02-28"})
    edited = await ann.run(UPDATE, input={"email": None, "consents": {"sms": True, "email": None}})

    member = edited["member"]
    assert member | {"version": 0} == {
        "externalId": "ann",
        "name": "Ann",
        "email": None,
        "locale": None,
        "birthday": "1990-02-28",
        "consents": {"email": False, "sms": True, "profiling": True},
        "version": 0,
    }


async def test_an_edit_of_an_old_version_is_refused(program: Program) -> None:
    await program.enrol("ann")
    ann = await program.shopper("ann")
    version = (await ann.data("{member{version}}"))["member"]["version"]
    await ann.run(UPDATE, input={"name": "Anna", "expectedVersion": version})

    refused = await ann.run(UPDATE, input={"name": "Ann", "expectedVersion": version})

    assert refused["member"] is None
    assert [error["code"] for error in refused["userErrors"]] == ["VERSION_CONFLICT"]
    assert (await ann.data("{member{name}}"))["member"]["name"] == "Anna"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\u0007b"}, "name"),
        ({"email": "no address"}, "email"),
        ({"locale": "x" * 36}, "locale"),
    ],
)
async def test_a_profile_that_cannot_be_is_named(
    given: dict[str, Any], field: str, sqlite_shop: ApiShop
) -> None:
    program = sqlite_shop.programs[0]
    await program.enrol("ann")

    refused = await program.till.run(UPDATE, input={"externalId": "ann"} | given)

    assert [(e["code"], e["field"]) for e in refused["userErrors"]] == [
        ("BAD_USER_INPUT", ["input", field])
    ]


async def test_a_service_edits_nobody_without_a_name(sqlite_shop: ApiShop) -> None:
    till = sqlite_shop.programs[0].till

    unnamed = await till.run(UPDATE, input={"name": "Ann"})
    unknown = await till.run(UPDATE, input={"name": "Ann", "externalId": "nobody"})

    assert [(e["code"], e["field"]) for e in unnamed["userErrors"]] == [
        ("BAD_USER_INPUT", ["input", "externalId"])
    ]
    assert [error["code"] for error in unknown["userErrors"]] == ["NOT_FOUND"]


async def test_history_and_orders_page_by_page(shop: ApiShop, program: Program) -> None:
    await program.enrol("ann")
    ann = await program.shopper("ann")
    for number in range(5):
        await program.paid(f"o-{number}", "ann", 1_000 + number * 100)
    query = (
        "query($first:Int,$after:String){member{%s(first:$first,after:$after)"
        "{nodes{%s} pageInfo{hasNextPage hasPreviousPage endCursor}}}}"
    )

    for field, shown, expected in (
        ("orders", "externalId", [f"o-{number}" for number in (4, 3, 2, 1, 0)]),
        ("history", "orderExternalId", [f"o-{number}" for number in (4, 3, 2, 1, 0)]),
    ):
        found, after, pages = [], None, []
        while True:
            data = await ann.data(query % (field, shown), {"first": 2, "after": after})
            part = data["member"][field]
            found += [node[shown] for node in part["nodes"]]
            pages.append((part["pageInfo"]["hasPreviousPage"], part["pageInfo"]["hasNextPage"]))
            after = part["pageInfo"]["endCursor"]
            if not part["pageInfo"]["hasNextPage"]:
                break
        assert found == expected
        assert pages == [(False, True), (True, True), (True, False)]


async def test_history_tells_what_a_checkout_did(shop: ApiShop, program: Program) -> None:
    ann = await program.rich("ann", 300)
    cart = {
        "cartId": "c",
        "member": "ann",
        "lines": [
            {
                "id": "1",
                "product": "tea",
                "quantity": 1,
                "unitPrice": {"amount": "50.00", "currencyCode": "EUR"},
            }
        ],
    }
    quote = (await program.till.run("checkout_quote", input=cart))["quote"]
    held = await program.till.run(
        "checkout_reserve", input={"idempotencyKey": "r", "quoteToken": quote["token"]}
    )
    await program.till.run(
        "checkout_commit",
        input={
            "idempotencyKey": "c",
            "reservationId": held["reservation"]["id"],
            "orderExternalId": "o",
            "paid": quote["payable"],
        },
    )

    member = await ann.run("points_history")

    lines = [
        (node["kind"], node["points"], node["held"], node["description"])
        for node in member["history"]["nodes"]
    ]
    assert lines == [
        ("EARN", 45, 0, "Earned with order o"),
        ("REDEEM", 0, -100, "Redeemed on order o"),
        ("HOLD", -100, 100, "Held for a checkout"),
        ("EARN", 300, 0, "Earned with order seed-ann"),
    ]
    ids = [node["id"] for node in member["history"]["nodes"]]
    status = await ann.run("points_history", pointType="status")
    ids += [node["id"] for node in status["history"]["nodes"]]
    assert len(set(ids)) == len(ids)


async def test_balance_and_tier_say_when_they_change(shop: ApiShop, program: Program) -> None:
    await program.enrol("ann")
    await program.paid("o", "ann", 60_000)
    ann = await program.shopper("ann")

    member = await ann.run("member_card")

    points, status = member["balances"]
    assert points == {
        "pointType": "points",
        "name": "Points",
        "available": 0,
        "pending": 600,
        "held": 0,
        "deficit": 0,
        "expiringSoon": [],
        "nextPendingAt": "2026-03-14T23:00:00Z",
        "value": {"amount": "0.00", "currencyCode": "EUR"},
    }
    assert (status["available"], status["value"]) == (600, None)
    tier = member["tier"]
    assert tier["current"] == {"code": "gold", "name": "Gold", "multiplier": "2"}
    assert (tier["qualifying"], tier["next"], tier["state"]) == (600, None, "QUALIFIED")
    assert tier["history"] == [
        {
            "at": "2026-03-01T12:00:00Z",
            "from": {"code": "base"},
            "tier": {"code": "gold"},
            "reason": "QUALIFIED",
        }
    ]
    assert tier["until"] == "2027-03-01T23:00:00Z"


async def test_a_point_type_that_is_not_there_is_named(sqlite_shop: ApiShop) -> None:
    ann = await sqlite_shop.programs[0].rich("ann", 100)

    answer = await ann.ask('{member{balance(pointType:"miles"){available}}}')

    assert [(e["message"], e["extensions"]["code"]) for e in answer["errors"]] == [
        ("found point type 'miles', wanted one of points, status", "BAD_USER_INPUT")
    ]


@pytest.mark.parametrize("first", [0, -1, 101, 2_147_483_647])
async def test_a_page_of_no_size_is_refused(first: int, sqlite_shop: ApiShop) -> None:
    ann = await sqlite_shop.programs[0].rich("ann", 100)

    answer = await ann.ask("query($n:Int){member{history(first:$n){nodes{id}}}}", {"n": first})

    assert answer["errors"][0]["extensions"]["code"] in ("BAD_USER_INPUT", "LIMIT_COST")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "WyJoaXN0b3J5Iiw5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OV0",  # past every number
        "WyJoaXN0b3J5IiwxODQ0Njc0NDA3MzcwOTU1MTYxNV0",  # 2**64 - 1
        "WyJoaXN0b3J5IiwtMV0",  # -1
        "WyJvcmRlcnMiLDFd",  # of another list
    ],
)
async def test_a_cursor_that_nobody_gave_is_no_accident(cursor: str, shop: ApiShop) -> None:
    ann = await shop.programs[0].rich("ann", 100)

    answer = await ann.ask("query($c:String){member{history(after:$c){nodes{id}}}}", {"c": cursor})

    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert codes <= {"BAD_USER_INPUT"}


async def test_a_database_that_is_away_is_not_a_refusal(
    sqlite_shop: ApiShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = sqlite_shop.programs[0]
    await program.enrol("ann")
    ann = await program.shopper("ann")
    await ann.data("{viewer{kind}}")

    async def away(*_: object, **__: object) -> object:
        raise Unavailable("the database is busy; try again")

    monkeypatch.setattr(type(sqlite_shop.database), "write", away)
    answer = await ann.ask(document(UPDATE), {"input": {"name": "Anna"}})

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAVAILABLE"]


async def test_time_alone_moves_a_tier(shop: ApiShop, program: Program) -> None:
    await program.enrol("ann")
    await program.paid("o", "ann", 60_000)
    shop.clock.advance(timedelta(days=366))
    ann = await program.shopper("ann")

    grace = (await ann.run("member_card"))["tier"]
    shop.clock.advance(timedelta(days=31))
    ended = (await (await program.shopper("ann")).run("member_card"))["tier"]

    assert (grace["current"]["code"], grace["state"], grace["qualifying"]) == (
        "gold",
        "IN_GRACE",
        0,
    )
    assert (ended["current"]["code"], ended["state"]) == ("base", "QUALIFIED")
