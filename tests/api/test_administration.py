"""What merchants correct and look through: adjustments, ledgers, holds, the trail."""

from typing import Any

import pytest
from api_shop import PROGRAM, ApiShop, Caller, Program, document, eur, line

from loyalty.services.access import Scope

pytestmark = pytest.mark.anyio

LIMITS = PROGRAM + "\n[adjustments]\napproval_above = 1000\napproval_above_minor = 5000\n"


async def run(merchant: Caller, name: str, **variables: Any) -> Any:
    """A published document of the admin schema: the data of its one field."""
    (value,) = (await merchant.data(document(name, "admin"), variables)).values()
    return value


async def second(program: Program) -> Caller:
    """Another merchant of the same program."""
    key = await program.shop.services.credentials.create_key(
        program.tenant_id, "boss", [Scope.ADMIN]
    )
    return program.caller(key.text, admin=True)


def adjusting(key: str, **more: Any) -> dict[str, Any]:
    return {"idempotencyKey": key, "externalId": "ann", "reason": "late parcel", **more}


async def test_no_correction_takes_a_balance_beyond_what_can_be_read(
    shop: ApiShop, program: Program
) -> None:
    merchant = program.merchant
    await program.enrol("ann")
    most, money = 2**53 - 1, "90071992547409.91"

    async def adjusted(key: str, **more: Any) -> Any:
        answer = await run(merchant, "points_adjust", input=adjusting(key) | more)
        return answer | {"told": [(e["code"], e["retryable"]) for e in answer["userErrors"]]}

    first = await adjusted("a", points=most)
    over = await adjusted("b", points=1)
    repeated = await adjusted("b", points=1)
    taken = await adjusted("c", points=-most)
    owed = await adjusted("d", points=-most, allowDeficit=True)
    deeper = await adjusted("e", points=-1, allowDeficit=True)
    credit = await adjusted("f", credit=eur(money))
    more_credit = await adjusted("g", credit=eur("0.01"))

    assert [each["told"] for each in (first, taken, owed, credit)] == [[]] * 4
    assert [each["told"] for each in (over, repeated, deeper, more_credit)] == [
        [("CONFLICT", False)]
    ] * 4
    assert [each["userErrors"][0]["message"] for each in (over, deeper, more_credit)] == [
        f"found a balance of {most}, which would be {2**53}, wanted at most {most}",
        f"found a deficit of {most}, which would be {2**53}, wanted at most {most}",
        f"found a balance of {money} EUR, which would be 90071992547409.92 EUR, "
        f"wanted at most {money} EUR",
    ]
    card = await program.till.run("member_card", externalId="ann")
    assert card["balances"][0]["available"] == -most
    assert (await run(merchant, "ledger_verify"))["ok"]


async def test_what_orders_add_up_to_is_answered_whatever_it_is(
    shop: ApiShop, program: Program
) -> None:
    """No order is refused for what others earned, so no answer is either."""
    rules = PROGRAM.replace("per_minor = 100", "per_minor = 1")
    await run(program.merchant, "ruleset_publish", input={"source": rules})
    await program.enrol("ann")
    most = 2**53 - 1
    for name in ("o-1", "o-2"):
        await program.paid(name, "ann", most, days_ago=20)

    card = await program.till.run("member_card", externalId="ann")
    refused = await run(program.merchant, "points_adjust", input=adjusting("a", points=1))
    lessened = await run(program.merchant, "points_adjust", input=adjusting("b", points=-1))

    assert card["balances"][0]["available"] == 2 * most
    assert [each["code"] for each in refused["userErrors"]] == ["CONFLICT"]
    assert lessened["userErrors"] == []
    assert lessened["member"]["balances"][0]["available"] == 2 * most - 1


async def test_a_large_correction_needs_two(shop: ApiShop, program: Program) -> None:
    merchant, boss = program.merchant, await second(program)
    await run(merchant, "ruleset_publish", input={"source": LIMITS})
    await program.enrol("ann")

    small = await run(merchant, "points_adjust", input=adjusting("a", points=1_000))
    large = await run(merchant, "points_adjust", input=adjusting("b", points=1_001))
    id = large["adjustment"]["id"]
    waiting = await run(boss, "adjustments", state="PROPOSED")
    own = await run(merchant, "adjustment_approve", input={"idempotencyKey": "c", "id": id})
    done = await run(boss, "adjustment_approve", input={"idempotencyKey": "d", "id": id})
    again = await run(boss, "adjustment_approve", input={"idempotencyKey": "d", "id": id})
    late = await run(boss, "adjustment_decline", input={"idempotencyKey": "e", "id": id})

    assert (small["adjustment"]["state"], small["userErrors"]) == ("BOOKED", [])
    assert small["member"]["balances"][0]["available"] == 1_000
    assert (large["adjustment"]["state"], large["member"]["balances"][0]["available"]) == (
        "PROPOSED",
        1_000,
    )
    assert [(each["id"], each["points"]) for each in waiting["nodes"]] == [(id, 1_001)]
    assert [(e["code"], e["retryable"]) for e in own["userErrors"]] == [("CONFLICT", False)]
    assert done["adjustment"]["decidedBy"] == "key:boss"
    assert done["member"]["balances"][0]["available"] == 2_001
    assert again == done | {"replayed": True}
    assert [e["code"] for e in late["userErrors"]] == ["CONFLICT"]


async def test_credit_is_shown_as_money(shop: ApiShop, program: Program) -> None:
    merchant = program.merchant
    await program.enrol("ann")
    ann = await program.shopper("ann")

    given = await run(merchant, "points_adjust", input=adjusting("a", credit=eur("25.50")))
    taken = await run(merchant, "points_adjust", input=adjusting("b", credit=eur("-5.50")))
    too_much = await run(merchant, "points_adjust", input=adjusting("c", credit=eur("-20.01")))

    assert given["adjustment"]["credit"] == eur("25.50")
    assert taken["member"]["creditAccounts"] == [{"available": eur("20.00")}]
    assert [(e["code"], e["message"]) for e in too_much["userErrors"]] == [
        ("INSUFFICIENT_CREDIT", "20.01 EUR requested, 20.00 EUR available")
    ]
    seen = await ann.data("{member{creditAccounts{currencyCode available{amount} held{amount}}}}")
    assert seen["member"]["creditAccounts"] == [
        {"currencyCode": "EUR", "available": {"amount": "20.00"}, "held": {"amount": "0.00"}}
    ]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({}, ["input", "points"]),
        ({"points": 0}, ["input", "points"]),
        ({"points": 5, "credit": eur("1.00")}, ["input", "points"]),
        ({"credit": eur("0.00")}, ["input", "credit", "amount"]),
        ({"credit": eur("0.001")}, ["input", "credit", "amount"]),
        ({"points": 5, "pointType": "gems"}, ["input", "pointType"]),
        ({"points": 5, "reason": "  "}, ["input", "reason"]),
        ({"points": 5, "reason": "x" * 201}, ["input", "reason"]),
        ({"points": 5, "lastDay": "2026-02-28"}, ["input", "lastDay"]),
        ({"points": 5, "externalId": "nobody"}, ["input", "externalId"]),
    ],
)
async def test_what_makes_no_sense_names_its_argument(
    sqlite_shop: ApiShop, more: dict[str, Any], field: list[str]
) -> None:
    program = sqlite_shop.programs[0]
    await program.enrol("ann")

    refused = await run(program.merchant, "points_adjust", input=adjusting("a") | more)

    assert [error["field"] for error in refused["userErrors"]] == [field]
    assert refused["adjustment"] is None
    assert (await run(program.merchant, "adjustments"))["nodes"] == []


async def proved(merchant: Caller, id: str) -> Any:
    """The transaction that a proof of an entry or transaction is about."""
    return (await run(merchant, "ledger_proof", entryId=id))["transactionId"]


async def checked_out(program: Program, cart: str, points: int, *, pay: bool) -> str:
    till = program.till
    quote = (
        await till.run(
            "checkout_quote",
            input={
                "cartId": cart,
                "member": "ann",
                "lines": [line("1", "tea", 1, "50.00")],
                "points": {"exact": points},
                "objective": "PINNED",
            },
        )
    )["quote"]
    reserved = await till.run(
        "checkout_reserve",
        input={"idempotencyKey": f"reserve-{cart}", "quoteToken": quote["token"]},
    )
    if pay:
        await till.run(
            "checkout_commit",
            input={
                "idempotencyKey": f"commit-{cart}",
                "reservationId": reserved["reservation"]["id"],
                "orderExternalId": f"o-{cart}",
                "paid": quote["payable"],
            },
        )
    return str(reserved["reservation"]["id"])


async def test_a_ledger_tells_each_booking_in_sequence(shop: ApiShop, program: Program) -> None:
    merchant = program.merchant
    await program.rich("ann", 500)
    held = await checked_out(program, "c", 200, pay=True)
    await run(merchant, "points_adjust", input=adjusting("a", points=-50))
    await program.till.run(
        "order_refund",
        input={"idempotencyKey": "r", "orderExternalId": "o-c", "refundExternalId": "r-1"},
    )

    lines = (await run(merchant, "member_ledger", externalId="ann"))["nodes"]

    assert [each["seq"] for each in lines] == list(range(1, len(lines) + 1))
    told = [
        (each["kind"], each["cause"], each["orderExternalId"], each["client"]) for each in lines[:5]
    ]
    assert told == [
        ("EARN", "ORDER", "seed-ann", None),
        ("HOLD", "RESERVATION", None, "key:till"),
        ("REDEEM", "ORDER", "o-c", "key:till"),
        ("EARN", "ORDER", "o-c", "key:till"),
        ("ADJUST", "ADJUSTMENT", None, "key:merchant"),
    ]
    points = [
        next((move for move in each["accounts"] if move["account"] == "points"), None)
        for each in lines[:5]
    ]
    figures = ("sequence", "available", "pending", "held", "balanceAfter", "heldAfter")
    assert [tuple(move[name] for name in figures) for move in points if move] == [
        (1, 500, 0, 0, 500, 0),
        (2, -200, 0, 200, 300, 200),
        (3, 0, 0, -200, 300, 0),
        (4, 0, 96, 0, 396, 0),
        (5, -50, 0, 0, 346, 0),
    ]
    assert lines[1]["reservationId"] == held
    assert (lines[4]["reason"], lines[4]["idempotencyKey"]) == ("late parcel", "a")
    (opened,) = [lot for lot in lines[0]["lots"] if lot["account"] == "points"]
    (drawn,) = lines[1]["lots"]
    assert (opened["opened"], drawn["opened"], drawn["moved"]) == (True, False, -200)
    assert (opened["lotId"], opened["amount"]) == (drawn["lotId"], 500)
    assert await proved(merchant, opened["entryId"]) == await proved(merchant, lines[0]["id"])
    assert await proved(merchant, drawn["entryId"]) == await proved(merchant, lines[1]["id"])
    last = lines[-1]["accounts"][0]
    assert {each["cause"] for each in lines[5:]} == {"REFUND"}
    assert {each["refundExternalId"] for each in lines[5:]} == {"r-1"}
    assert last["heldAfter"] == 0


async def test_a_ledger_is_read_page_by_page_from_either_end(
    shop: ApiShop, program: Program
) -> None:
    merchant = program.merchant
    await program.enrol("ann")
    for number in range(5):
        await run(merchant, "points_adjust", input=adjusting(f"p-{number}", points=10))
        await run(merchant, "points_adjust", input=adjusting(f"c-{number}", credit=eur("1.00")))

    async def pages(**more: Any) -> list[tuple[int, list[tuple[str, int, int]]]]:
        found: list[tuple[int, list[tuple[str, int, int]]]] = []
        after = None
        while True:
            page = await run(
                merchant, "member_ledger", externalId="ann", first=3, after=after, **more
            )
            for node in page["nodes"]:
                moves = [
                    (each["account"], each["sequence"], each["balanceAfter"])
                    for each in node["accounts"]
                ]
                found.append((node["seq"], moves))
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    oldest, newest = await pages(), await pages(newestFirst=True)
    credit = await pages(account="credit:EUR")

    assert newest == oldest[::-1]
    assert len(oldest) == 10
    assert oldest[-1] == (10, [("credit:EUR", 5, 500)])
    assert credit == [each for each in oldest if each[1][0][0] == "credit:EUR"]
    assert await run(merchant, "member_ledger", externalId="nobody") is None


async def test_holds_are_listed_by_the_clock(
    shop: ApiShop, program: Program, other_program: Program
) -> None:
    merchant = program.merchant
    await program.rich("ann", 500)
    paid = await checked_out(program, "c-1", 100, pay=True)
    held = await checked_out(program, "c-2", 200, pay=False)

    before = await run(merchant, "reservations")
    shop.clock.set(shop.clock.now().replace(hour=13))
    after = await run(merchant, "reservations")
    expired = await run(merchant, "reservations", state="EXPIRED", externalId="ann")

    states = [[(n["id"], n["state"]) for n in page["nodes"]] for page in (before, after)]
    assert states == [
        [(held, "HELD"), (paid, "COMMITTED")],
        [(held, "EXPIRED"), (paid, "COMMITTED")],
    ]
    assert [node["id"] for node in expired["nodes"]] == [held]
    assert (await run(merchant, "reservations", state="HELD"))["nodes"] == []
    assert (await run(merchant, "reservations", externalId="bob"))["nodes"] == []
    assert (await run(other_program.merchant, "reservations"))["nodes"] == []
    node = before["nodes"][0]
    assert (node["memberExternalId"], node["points"], node["cartId"]) == ("ann", 200, "c-2")
    assert (before["nodes"][1]["orderExternalId"], node["orderExternalId"]) == ("o-c-1", None)


async def test_the_trail_tells_every_change_of_the_program(
    shop: ApiShop, program: Program, other_program: Program
) -> None:
    merchant = program.merchant
    await program.enrol("ann")
    made = await run(
        merchant, "api_key_create", input={"name": "app", "scopes": ["checkout:quote"]}
    )
    await run(merchant, "api_key_revoke", input={"keyId": made["apiKey"]["keyId"]})
    await run(merchant, "ruleset_publish", input={"source": LIMITS})
    await run(
        merchant,
        "product_upsert",
        input={"externalId": "tea", "name": "Tea", "price": eur("2.00")},
    )
    await run(merchant, "member_update", input={"externalId": "ann", "email": "ann@shop.test"})
    await run(merchant, "member_suspend", input={"externalId": "ann", "reason": "Ann asked"})
    await run(merchant, "points_adjust", input=adjusting("a", points=10))

    trail = (await run(merchant, "audit_events"))["nodes"]
    of_ann = (await run(merchant, "audit_events", filter={"member": "ann"}))["nodes"]
    by_command = await run(merchant, "audit_events", filter={"actor": "command line"})
    others = (await run(other_program.merchant, "audit_events"))["nodes"]

    mine = [each["action"] for each in trail if each["actor"] == "key:merchant"]
    assert mine == [
        "pointsAdjust",
        "memberSuspend",
        "memberUpdate",
        "productUpsert",
        "rulesetPublish",
        "apiKeyRevoke",
        "apiKeyCreate",
    ]
    assert [(e["action"], [(d["name"], d["value"]) for d in e["detail"]]) for e in of_ann] == [
        ("memberSuspend", [("after", "SUSPENDED"), ("before", "ACTIVE")]),
        ("memberUpdate", [("fields", "email")]),
    ]
    assert {each["action"] for each in by_command["nodes"]} == {"tenantCreate", "apiKeyCreate"}
    assert {each["actor"] for each in others} == {"command line", "test"}
    # Neither what a member is called nor what was said of it.
    for word in ("ann", "Ann", "late parcel"):
        assert word not in str([(e["subjectId"], e["detail"]) for e in trail])


async def test_the_trail_is_filtered_and_paged(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    merchant = program.merchant
    for number in range(5):
        await run(
            merchant,
            "product_upsert",
            input={"externalId": f"p-{number}", "name": "P", "price": eur("2.00")},
        )
    now = sqlite_shop.clock.now().isoformat().replace("+00:00", "Z")

    async def found(**filter: Any) -> list[str]:
        page = await run(merchant, "audit_events", filter=filter)
        return [each["subjectId"] for each in page["nodes"]]

    newest = [f"p-{number}" for number in range(4, -1, -1)]
    assert await found(action="productUpsert") == newest
    assert await found(subjectKind="PRODUCT", subjectId="p-3") == ["p-3"]
    assert await found(action="productUpsert", since=now) == newest
    assert await found(action="productUpsert", until=now) == []
    assert await found(member="nobody") == []
    page = await run(merchant, "audit_events", filter={"action": "productUpsert"}, first=2)
    rest = await run(
        merchant,
        "audit_events",
        filter={"action": "productUpsert"},
        first=4,
        after=page["pageInfo"]["endCursor"],
    )
    assert [each["subjectId"] for each in page["nodes"] + rest["nodes"]] == newest
