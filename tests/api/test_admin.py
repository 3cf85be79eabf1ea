"""The merchant's schema."""

from pathlib import Path
from typing import Any

import pytest
from api_shop import OPERATIONS, PROGRAM, ApiShop, Caller, Program, document, eur, line

pytestmark = pytest.mark.anyio


async def run(merchant: Caller, name: str, **variables: Any) -> Any:
    """A published document of the admin schema: the data of its one field."""
    (value,) = (await merchant.data(document(name, "admin"), variables)).values()
    return value


async def test_rules_are_tried_published_and_kept(shop: ApiShop, program: Program) -> None:
    merchant = program.merchant
    richer = PROGRAM.replace(
        "points = 1\nper_minor = 100\nuses", "points = 3\nper_minor = 100\nuses"
    )
    assert richer != PROGRAM

    check = await run(merchant, "ruleset_validate", source=richer)
    published = await run(
        merchant, "ruleset_publish", input={"source": richer, "expectedVersion": 1}
    )
    again = await run(merchant, "ruleset_publish", input={"source": richer})
    late = await run(merchant, "ruleset_publish", input={"source": PROGRAM, "expectedVersion": 1})
    await program.enrol("ann")
    await program.paid("o", "ann", 10_000)

    assert (check["valid"], check["problems"]) == (True, [])
    assert check["program"]["tiers"] == [{"code": "base"}, {"code": "gold"}]
    assert (published["ruleset"]["version"], published["userErrors"]) == (2, [])
    assert again["ruleset"] == published["ruleset"]
    assert late["ruleset"] is None
    assert [error["code"] for error in late["userErrors"]] == ["VERSION_CONFLICT"]
    versions = await run(merchant, "rulesets")
    assert [(each["version"], each["current"]) for each in versions] == [(2, True), (1, False)]
    first = await run(merchant, "ruleset", version=1)
    assert (first["source"], first["publishedBy"]) == (PROGRAM, "test")
    assert (await run(merchant, "ruleset"))["publishedBy"] == "key:merchant"
    assert await run(merchant, "ruleset", version=9) is None
    member = await run(merchant, "member", externalId="ann")
    assert member["balances"][0]["pending"] == 300


async def test_rules_that_do_not_fit_are_all_named(sqlite_shop: ApiShop) -> None:
    merchant = sqlite_shop.programs[0].merchant
    broken = PROGRAM.replace('currency = "EUR"', 'currency = "XYZ"').replace(
        "floor_bp = 1000", "floor_bp = 99999"
    )

    check = await run(merchant, "ruleset_validate", source=broken)
    refused = await run(merchant, "ruleset_publish", input={"source": broken})

    assert check["valid"] is False
    assert check["program"] is None
    assert len(check["problems"]) == 2
    assert refused["ruleset"] is None
    assert [error["message"] for error in refused["userErrors"]] == check["problems"]
    assert {error["code"] for error in refused["userErrors"]} == {"BAD_RULESET"}
    assert refused["userErrors"][0]["field"] == ["input", "source"]
    assert [each["version"] for each in await run(merchant, "rulesets")] == [1]


@pytest.mark.parametrize("source", ["", "x", "= 1", "[[", "a = 1e999", 'code = "\\ud800"'])
async def test_what_is_no_ruleset_is_told_so(source: str, sqlite_shop: ApiShop) -> None:
    check = await run(sqlite_shop.programs[0].merchant, "ruleset_validate", source=source)

    assert check["valid"] is False
    assert check["problems"] != []


async def test_members_are_set_aside_taken_back_and_closed(shop: ApiShop, program: Program) -> None:
    merchant, till = program.merchant, program.till
    await program.rich("ann", 300)
    cart = {"cartId": "c", "member": "ann", "lines": [line("1", "tea", 1, "50.00")]}
    quote = (await till.run("checkout_quote", input=cart))["quote"]
    await till.run("checkout_reserve", input={"idempotencyKey": "r", "quoteToken": quote["token"]})

    ann = {"externalId": "ann", "reason": "asked"}
    suspended = await run(merchant, "member_suspend", input=ann)
    meanwhile = await till.run("checkout_quote", input=cart)
    back = await run(merchant, "member_reactivate", input=ann)
    closed = await run(merchant, "member_close", input=ann)
    too_late = await run(merchant, "member_reactivate", input=ann)
    nobody = await run(merchant, "member_close", input={"externalId": "nobody"})
    wordy = await run(merchant, "member_close", input=ann | {"reason": "x" * 201})

    assert suspended["member"]["state"] == "SUSPENDED"
    assert suspended["member"]["balance"] == {"available": 300, "held": 0}
    reasons = {each["reason"] for each in meanwhile["quote"]["candidates"]}
    assert reasons == {"MEMBER_NOT_ACTIVE"}
    assert back["member"]["state"] == "ACTIVE"
    assert closed["member"]["state"] == "CLOSED"
    assert [error["code"] for error in too_late["userErrors"]] == ["CONFLICT"]
    assert [error["code"] for error in nobody["userErrors"]] == ["NOT_FOUND"]
    assert [error["field"] for error in wordy["userErrors"]] == [["input", "reason"]]


async def test_members_are_listed_and_found_by_how_their_id_begins(
    shop: ApiShop, program: Program, other_program: Program
) -> None:
    for name in ("ann", "anton", "bob"):
        await program.enrol(name)
    await other_program.enrol("anna")
    merchant = program.merchant

    page = await run(merchant, "members", first=2)
    rest = await run(merchant, "members", first=2, after=page["pageInfo"]["endCursor"])
    found = await run(merchant, "members", search="an")

    names = [[node["externalId"] for node in part["nodes"]] for part in (page, rest, found)]
    assert names == [["ann", "anton"], ["bob"], ["ann", "anton"]]
    assert (page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert await run(merchant, "members", search="zz") == {
        "nodes": [],
        "pageInfo": {"hasNextPage": False, "endCursor": None},
    }
    edited = await run(merchant, "member_update", input={"externalId": "bob", "name": "Robert"})
    assert edited["member"]["name"] == "Robert"


async def test_a_product_is_added_and_changed_field_by_field(
    shop: ApiShop, program: Program
) -> None:
    merchant = program.merchant
    tea = {"externalId": "tea", "name": "Tea", "price": eur("10.00"), "cost": eur("4.00")}

    added = await run(merchant, "product_upsert", input=tea | {"stock": 5, "tiers": ["gold"]})
    changed = await run(
        merchant,
        "product_upsert",
        input={"externalId": "tea", "price": eur("11.00"), "stock": None, "active": False},
    )

    shown = {
        "externalId": "tea",
        "name": "Tea",
        "price": eur("10.00"),
        "cost": eur("4.00"),
        "stock": 5,
        "inStock": True,
        "active": True,
        "tiers": ["gold"],
    }
    assert (added["product"], added["userErrors"]) == (shown, [])
    assert changed["product"] == shown | {"price": eur("11.00"), "stock": None, "active": False}
    assert await run(merchant, "product", externalId="tea") == changed["product"]
    listed = await run(merchant, "products")
    assert listed["nodes"] == [changed["product"]]
    assert await run(merchant, "product", externalId="none") is None


async def test_a_product_has_a_type_until_it_is_taken_away(sqlite_shop: ApiShop) -> None:
    merchant = sqlite_shop.programs[0].merchant
    query = (
        "mutation($i:ProductUpsertInput!)"
        "{productUpsert(input:$i){product{category type} userErrors{field}}}"
    )
    told: list[dict[str, Any]] = [
        {"name": "Tea", "category": "TEA", "type": "GREEN"},
        {"category": "HOT"},
        {"type": None},
        {"type": "x" * 201},
    ]

    found = [
        (await merchant.data(query, {"i": {"externalId": "tea"} | each}))["productUpsert"]
        for each in told
    ]

    assert [answer["product"] for answer in found] == [
        {"category": "TEA", "type": "GREEN"},
        {"category": "HOT", "type": "GREEN"},
        {"category": "HOT", "type": None},
        None,
    ]
    assert found[-1]["userErrors"] == [{"field": ["input", "type"]}]


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({}, "BAD_USER_INPUT", "name"),
        ({"name": ""}, "BAD_USER_INPUT", "name"),
        ({"name": "x" * 301}, "BAD_USER_INPUT", "name"),
        ({"name": "T", "price": eur("-1.00")}, "BAD_USER_INPUT", "price"),
        ({"name": "T", "price": eur("0.001")}, "BAD_MONEY", "price amount"),
        (
            {"name": "T", "cost": {"amount": "1.00", "currencyCode": "USD"}},
            "BAD_USER_INPUT",
            "cost currencyCode",
        ),
        ({"name": "T", "stock": -1}, "BAD_USER_INPUT", "stock"),
        ({"name": "T", "imageUrl": "javascript:x"}, "BAD_USER_INPUT", "imageUrl"),
        ({"name": "T", "tiers": ["platinum"]}, "BAD_USER_INPUT", "tiers"),
    ],
)
async def test_a_product_that_cannot_be_is_named(
    given: dict[str, Any], code: str, field: str, sqlite_shop: ApiShop
) -> None:
    merchant = sqlite_shop.programs[0].merchant

    refused = await run(merchant, "product_upsert", input={"externalId": "tea"} | given)

    assert refused["product"] is None
    assert [(e["code"], e["field"]) for e in refused["userErrors"]] == [
        (code, ["input", *field.split()])
    ]
    assert await run(merchant, "product", externalId="tea") is None


async def test_a_key_is_shown_once_and_works_until_it_is_revoked(
    shop: ApiShop, program: Program, other_program: Program
) -> None:
    merchant = program.merchant
    wanted = {"name": "shelf", "scopes": ["catalogue:read"]}

    made = await run(merchant, "api_key_create", input=wanted)
    holder = program.caller(made["text"])
    before = await holder.post("{products{nodes{name}}}")
    stranger = await run(
        other_program.merchant, "api_key_revoke", input={"keyId": made["apiKey"]["keyId"]}
    )
    revoked = await run(merchant, "api_key_revoke", input={"keyId": made["apiKey"]["keyId"]})
    after = await holder.post("{products{nodes{name}}}")
    twice = await run(merchant, "api_key_revoke", input={"keyId": made["apiKey"]["keyId"]})

    assert (made["apiKey"]["name"], made["apiKey"]["scopes"]) == ("shelf", ["catalogue:read"])
    assert made["text"].startswith(f"lk_live_{made['apiKey']['keyId']}_")
    assert (before.status_code, after.status_code) == (200, 401)
    assert [error["code"] for error in stranger["userErrors"]] == ["NOT_FOUND"]
    assert revoked["apiKey"]["revokedAt"] == "2026-03-01T12:00:00Z"
    assert [error["code"] for error in twice["userErrors"]] == ["NOT_FOUND"]
    keys = await run(merchant, "api_keys")
    assert [key["name"] for key in keys] == ["till", "merchant", "shelf"]
    assert made["text"] not in str(keys)


async def test_members_are_merged_parted_exported_and_erased(
    sqlite_shop: ApiShop,
) -> None:
    program = sqlite_shop.programs[0]
    merchant = program.merchant
    await program.paid("o-1", "guest", 10_000)
    await program.enrol("ann")
    guest = {"idempotencyKey": "k-1", "source": "guest"}

    merged = await run(merchant, "member_merge", input=guest | {"target": "ann"})
    parted = await run(merchant, "member_unmerge", input=guest)
    exported = await run(merchant, "member_export", externalId="guest")
    erased = await run(
        merchant, "member_erase", input={"idempotencyKey": "k-2", "externalId": "guest"}
    )

    assert merged == {
        "member": {
            "externalId": "ann",
            "state": "ACTIVE",
            "balance": {"available": 0, "pending": 100},
            "tier": {"current": {"code": "base"}},
        },
        "moved": True,
        "replayed": False,
        "userErrors": [],
    }
    assert (parted["moved"], parted["member"]["balance"]["pending"]) == (True, 0)
    assert exported["orders"][0]["externalId"] == "o-1"
    assert erased == {
        "erased": True,
        "forfeited": [{"unit": "points", "amount": 100}, {"unit": "status", "amount": 100}],
        "importsToCheck": [],
        "replayed": False,
        "userErrors": [],
    }


@pytest.mark.parametrize(
    "given",
    [
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["everything"]},
        {"name": "", "scopes": ["catalogue:read"]},
        {"name": "x" * 61, "scopes": ["catalogue:read"]},
        {"name": "a\u0007", "scopes": ["catalogue:read"]},
    ],
)
async def test_a_key_that_cannot_be_is_refused(given: dict[str, Any], sqlite_shop: ApiShop) -> None:
    refused = await run(sqlite_shop.programs[0].merchant, "api_key_create", input=given)

    assert (refused["apiKey"], refused["text"]) == (None, None)
    assert [error["code"] for error in refused["userErrors"]] == ["BAD_USER_INPUT"]


async def test_the_program_in_figures(
    shop: ApiShop, program: Program, other_program: Program
) -> None:
    merchant = program.merchant
    await other_program.rich("ann", 700)
    await program.rich("ann", 300)
    await program.enrol("bob")
    await program.paid("o-bob", "bob", 10_000)
    await run(merchant, "member_close", input={"externalId": "bob"})
    cart = {"cartId": "c", "member": "ann", "lines": [line("1", "tea", 1, "50.00")]}
    quote = (await program.till.run("checkout_quote", input=cart))["quote"]
    await program.till.run(
        "checkout_reserve", input={"idempotencyKey": "r", "quoteToken": quote["token"]}
    )
    await shop.services.webhook_sources.create(program.tenant_id, "corner-shop")

    summary = await run(merchant, "metrics_summary")
    ledger = await run(merchant, "ledger_verify")

    assert summary == {
        "members": 1,
        "membersByState": [{"state": "ACTIVE", "count": 1}, {"state": "CLOSED", "count": 1}],
        "orders": 2,
        "pointsOutstanding": [
            {"pointType": "points", "points": 400, "pending": 100, "held": 100, "deficit": 0},
            {"pointType": "status", "points": 400, "pending": 0, "held": 0, "deficit": 0},
        ],
        "liability": eur("4.00"),
    }
    assert ledger | {"transactions": 0, "entries": 0} == {
        "ok": True,
        "members": 2,
        "transactions": 0,
        "entries": 0,
        "problems": [],
        "problemsMore": 0,
    }
    assert ledger["entries"] >= 2 * ledger["transactions"] > 0
    assert await run(merchant, "model") is None
    assert await run(merchant, "webhook_sources") == [
        {"name": "corner-shop", "kind": "generic", "createdAt": "2026-03-01T12:00:00Z"}
    ]
    assert await run(merchant, "program") == {"code": "corner", "rulesetVersion": 1}


def test_every_document_is_run_here_or_beside() -> None:
    sources = [each.read_text(encoding="utf-8") for each in Path(__file__).parent.glob("test_*.py")]

    missing = [
        path.stem
        for path in (OPERATIONS / "admin").glob("*.graphql")
        if not any(f'"{path.stem}"' in source for source in sources)
    ]

    assert missing == []
