"""Personal offers over HTTP: seen, made active, applied, given back; and nobody else's business."""

import re
from datetime import timedelta
from typing import Any

import pytest
from api_shop import PROGRAM, ApiShop, Program, document, eur, line
from graphql import GraphQLObjectType
from offer_shop import POOL, OfferShop, offers_of_program

from loyalty_graphql.ids import encode_id
from loyalty_graphql.storefront.schema import schema

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(program: Program) -> OfferShop:
    await program.shop.services.rulesets.publish(program.tenant_id, PROGRAM + POOL, "test")
    await program.stock(program.product("tea"), program.product("jam"))
    await program.enrol("ann")
    return offers_of_program(program)


def cart(**more: Any) -> dict[str, Any]:
    return {"cartId": "c", "member": "ann", "lines": [line("1", "tea", 2, "10.00")]} | more


async def of_offer(answer: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [
        (item["reward"], item["outcome"], item["reason"])
        for item in answer["quote"]["candidates"]
        if "." in item["reward"]
    ]


async def test_a_shopper_uses_an_offer_and_gets_it_back(program: Program, desk: OfferShop) -> None:
    await desk.give("ann", active=False)
    ann, till = await program.shopper("ann"), program.till

    (offer,) = await ann.run("offers")
    assert offer | {"id": "", "startsAt": "", "endsAt": ""} == {
        "id": "",
        "code": "fresh.tea",
        "name": "A fifth off tea",
        "state": "OFFERED",
        "reason": {
            "code": "BOUGHT_BEFORE",
            "message": "You have bought this before: tea.",
            "times": 2,
            "lastOn": None,
        },
        "target": {
            "code": "tea", "name": "tea", "products": ["tea"], "categories": [],
            "departments": [], "brands": [],
        },
        "gives": {
            "kind": "percentage_off", "value": None, "percent": "20", "points": None,
            "bonusPoints": None, "minimumPurchase": None,
        },
        "startsAt": "",
        "endsAt": "",
        "activatedAt": None,
        "usesMax": 1,
        "usesLeft": 1,
    }  # fmt: skip
    before = await till.run("checkout_quote", input=cart())
    assert await of_offer(before) == [("fresh.tea", "REJECTED", "OFFER_NOT_ACTIVE")]
    (candidate,) = [x for x in before["quote"]["candidates"] if x["reward"] == "fresh.tea"]
    assert candidate["nearestChange"]["kind"] == "ACTIVATE_OFFER"
    assert candidate["nearestChange"]["message"] == "Activate the offer."

    wanted = {"idempotencyKey": "k-1", "offerId": offer["id"]}
    done = await ann.run("offer_activate", input=wanted)
    again = await ann.run("offer_activate", input=wanted)
    assert (done["offer"]["state"], done["replayed"], done["userErrors"]) == ("ACTIVE", False, [])
    assert (again["offer"], again["replayed"]) == (done["offer"], True)

    quote = await program.checked_out("o-1", "k-2", **cart())
    assert quote["payable"]["amount"] == "16.00"
    (offer,) = await ann.run("offers")
    assert (offer["state"], offer["usesLeft"]) == ("USED", 0)
    later = await till.run("checkout_quote", input=cart())
    assert await of_offer(later) == [("fresh.tea", "REJECTED", "OFFER_USED")]

    refund = {"idempotencyKey": "k-3", "orderExternalId": "o-1", "refundExternalId": "r-1"}
    await till.run("order_refund", input=refund)
    (offer,) = await ann.run("offers")
    assert (offer["state"], offer["usesLeft"]) == ("RESTORED", 1)


async def test_a_shopper_is_quoted_with_the_offer_too(program: Program, desk: OfferShop) -> None:
    await desk.give("ann")
    ann = await program.shopper("ann")

    answer = await ann.run("checkout_quote", input=cart())

    assert answer["quote"]["payable"]["amount"] == "16.00"
    assert answer["quote"]["uses"] == [{"kind": "OFFER", "code": "fresh.tea", "quantity": 1}]


async def test_a_service_names_the_member(program: Program, desk: OfferShop) -> None:
    await desk.give("ann", active=False)

    (offer,) = await program.till.run("offers", member="ann")
    assert await program.till.run("offers", member="nobody") == []
    unnamed = await program.till.ask(document("offers"))
    assert unnamed["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"

    without = await program.till.run(
        "offer_activate", input={"idempotencyKey": "k", "offerId": offer["id"]}
    )
    assert without["userErrors"][0]["field"] == ["input", "member"]
    named = {"idempotencyKey": "k", "offerId": offer["id"], "member": "ann"}
    done = await program.till.run("offer_activate", input=named)
    assert done["offer"]["state"] == "ACTIVE"


async def test_an_offer_is_its_members_alone(program: Program, desk: OfferShop) -> None:
    await program.enrol("bob")
    await desk.give("ann", active=False)
    ann, bob = await program.shopper("ann"), await program.shopper("bob")
    (offer,) = await ann.run("offers")

    assert await bob.run("offers") == []
    assert await bob.run("offers", member="ann") == []
    answers = [
        await bob.run("offer_activate", input={"idempotencyKey": f"k{n}", "offerId": id, **more})
        for n, (id, more) in enumerate(
            [
                (offer["id"], {}),
                (offer["id"], {"member": "ann"}),
                (encode_id("Offer", 7), {}),
            ]
        )
    ]

    assert [each["offer"] for each in answers] == [None] * 3
    errors = [each["userErrors"] for each in answers]
    assert errors[0] == errors[1] == errors[2]
    assert errors[0][0]["code"] == "NOT_FOUND"
    assert (await ann.run("offers"))[0]["state"] == "OFFERED"


async def test_a_shopper_that_names_another_member_makes_nothing_active(
    program: Program, desk: OfferShop
) -> None:
    await program.enrol("bob")
    own = await desk.give("bob", active=False)
    bob = await program.shopper("bob")

    named = {"idempotencyKey": "k", "offerId": encode_id("Offer", own), "member": "ann"}
    refused = await bob.run("offer_activate", input=named)

    assert [error["code"] for error in refused["userErrors"]] == ["NOT_FOUND"]
    assert (await bob.run("offers"))[0]["state"] == "OFFERED"


@pytest.mark.parametrize(
    "given",
    [
        {"offerId": "nonsense"},
        {"offerId": encode_id("Reservation", 1)},
        {"offerId": ""},
        {"offerId": encode_id("Offer", 2**63 - 1) + "A"},
    ],
)
async def test_what_is_no_id_is_refused_as_data(
    program: Program, desk: OfferShop, given: dict[str, Any]
) -> None:
    ann = await program.shopper("ann")

    done = await ann.run("offer_activate", input={"idempotencyKey": "k"} | given)

    assert done["userErrors"][0]["code"] == "BAD_USER_INPUT"
    assert done["userErrors"][0]["field"] == ["input", "offerId"]


@pytest.mark.parametrize("first", [0, -1, 51])
async def test_a_list_has_bounds(program: Program, desk: OfferShop, first: int) -> None:
    ann = await program.shopper("ann")

    answer = await ann.ask(document("offers"), {"first": first})

    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_a_reward_of_offers_is_no_reward_of_the_program(
    program: Program, desk: OfferShop
) -> None:
    told = await program.anonymous.run("program")

    assert [reward["code"] for reward in told["rewards"]] == ["five-off", "gold-ten"]


def test_no_field_of_the_storefront_speaks_of_what_an_offer_was_planned_by() -> None:
    hidden = re.compile(r"propensity|expected|budget|uptake|holdout|heldOut", re.IGNORECASE)
    named = {
        f"{type_.name}.{name}"
        for type_ in schema._schema.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        for name in type_.fields
        if hidden.search(name)
    }

    assert named == {"TotalMismatchError.expected"}


async def test_what_is_left_of_a_budget_is_told_to_nobody(
    sqlite_shop: ApiShop,
) -> None:
    program = sqlite_shop.programs[0]
    await sqlite_shop.services.rulesets.publish(program.tenant_id, PROGRAM + POOL, "test")
    await program.stock(program.product("tea", cost_minor=333))
    await program.enrol("ann")
    desk = offers_of_program(program)
    await desk.give("ann")
    ann = await program.shopper("ann")
    dear = cart(lines=[line("1", "tea", 6, "10.00")])

    for caller in (ann, program.till):
        response = await caller.post(document("checkout_quote"), {"input": dear})
        assert '"BUDGET_SPENT"' in response.text
        assert "minor:" not in response.text
        for figure in ("10.00 ", "1000", '"2.00"'):
            assert figure not in response.text.replace('"unitPrice"', "")
        (candidate,) = [
            x for x in response.json()["data"]["checkoutQuote"]["quote"]["candidates"]
            if x["reward"] == "fresh.tea"
        ]  # fmt: skip
        assert candidate["gap"] is None
        assert candidate["message"] == "The offer has been used up."


async def test_an_offer_asks_the_database_once_or_twice(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    await sqlite_shop.services.rulesets.publish(program.tenant_id, PROGRAM + POOL, "test")
    await program.enrol("ann")
    desk = offers_of_program(program)
    ann = await program.shopper("ann")
    none = await sqlite_shop.reads(ann, document("offers"))
    for _ in range(5):
        await desk.give("ann")

    assert await sqlite_shop.reads(ann, document("offers")) <= none + 1


async def test_money_of_an_order_is_told_with_the_offer(program: Program, desk: OfferShop) -> None:
    await desk.give("ann")
    held = await program.till.run("checkout_quote", input=cart())
    token = held["quote"]["token"]
    first = await program.till.run(
        "checkout_reserve", input={"idempotencyKey": "k", "quoteToken": token}
    )
    assert first["userErrors"] == []
    wrong = await program.till.run(
        "checkout_commit",
        input={"idempotencyKey": "c", "reservationId": first["reservation"]["id"],
               "orderExternalId": "o", "paid": eur("20.00")},
    )  # fmt: skip

    assert wrong["userErrors"][0]["code"] == "TOTAL_MISMATCH"
    assert await desk.states("ann") == ["HELD"]


async def merchant(program: Program, name: str, **variables: Any) -> Any:
    (value,) = (await program.merchant.data(document(name, "admin"), variables)).values()
    return value


async def test_a_merchant_sees_what_came_of_a_plan_and_withdraws_it(
    program: Program, desk: OfferShop
) -> None:
    for name in ("bob", "cid", "dan", "eve"):
        await program.enrol(name)
    plan = await desk.plan()
    for name in ("ann", "bob"):
        await desk.give(name, plan=plan)
    for name in ("cid", "dan"):
        await desk.give(name, plan=plan, state="HELD_OUT")
    await program.checked_out("o-1", "k", **cart())
    program.shop.clock.advance(timedelta(minutes=1))
    (listed,) = (await merchant(program, "offer_plans"))["nodes"]

    assert (listed["number"], listed["state"]) == (str(plan), "PUBLISHED")
    assert await merchant(program, "offer_plan", id=listed["id"]) is not None
    effect = await merchant(program, "offer_effect", id=listed["id"])
    assert effect["offered"] == {
        "members": 2,
        "buyers": 1,
        "purchaseRate": "50",
        "sales": eur("16.00"),
        "salesPerMember": eur("8.00"),
    }
    assert effect["heldOut"]["purchaseRate"] == "0"
    assert effect["purchaseRate"]["found"] == "50"
    assert effect["purchaseRate"]["low"].startswith("-")
    assert effect["salesPerMember"]["found"] == eur("8.00")
    (target,) = effect["offers"]
    assert target["purchaseRate"]["found"] == "50"
    assert target | {"purchaseRate": None} == {
        "offer": "fresh",
        "offered": 2,
        "offeredBuyers": 1,
        "heldOut": 2,
        "heldOutBuyers": 0,
        "purchaseRate": None,
        "uplift": None,
        "assumedUplift": "1.5",
    }

    done = await merchant(program, "offer_plan_withdraw", input={"id": listed["id"]})
    again = await merchant(program, "offer_plan_withdraw", input={"id": listed["id"]})
    assert (done["plan"]["state"], done["userErrors"]) == ("WITHDRAWN", [])
    assert again == done
    assert await desk.states("bob") == ["WITHDRAWN"]
    events = await merchant(program, "audit_events", filter={"action": "offerPlanWithdraw"})
    assert [each["subjectId"] for each in events["nodes"]] == [str(plan)]


@pytest.mark.parametrize("id", ["", "x", encode_id("Offer", 1), encode_id("OfferPlan", 9)])
async def test_a_plan_that_is_not_there_is_withdrawn_by_nobody(program: Program, id: str) -> None:
    done = await merchant(program, "offer_plan_withdraw", input={"id": id})

    assert done["plan"] is None
    assert done["userErrors"][0]["code"] in ("BAD_USER_INPUT", "NOT_FOUND")
