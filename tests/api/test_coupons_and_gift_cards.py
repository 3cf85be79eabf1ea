"""Merchants issue coupons, gift cards and stock; shoppers use them; guessing is slow."""

from typing import Any

import pytest
from api_shop import PROGRAM, ApiShop, Caller, Program, document, eur, line

pytestmark = pytest.mark.anyio

SHARED = (
    PROGRAM
    + """
[[rewards]]
code = "spring"
name = "3.00 off in spring"
does = { kind = "money_off", off_minor = 300 }
needs_coupon = true
[[rewards]]
code = "mug"
name = "A mug, 4.00 off"
does = { kind = "money_off", off_minor = 400 }
stocked = true
[credit]
enabled = true
"""
)


async def run(merchant: Caller, name: str, **variables: Any) -> Any:
    """A published document of the admin schema: the data of its one field."""
    (value,) = (await merchant.data(document(name, "admin"), variables)).values()
    return value


async def opened(program: Program) -> Caller:
    """The merchant of a program with coupons and stock."""
    merchant = program.merchant
    published = await run(merchant, "ruleset_publish", input={"source": SHARED})
    assert published["userErrors"] == []
    await program.enrol("ann")
    return merchant


async def quoted(program: Program, cart: str, *codes: str) -> Any:
    given = {
        "cartId": cart,
        "member": "ann",
        "lines": [line("1", "tea", 1, "50.00")],
        "codes": list(codes),
    }
    return await program.till.run("checkout_quote", input=given)


async def reserved(program: Program, cart: str, *codes: str) -> Any:
    quote = (await quoted(program, cart, *codes))["quote"]
    return await program.till.run(
        "checkout_reserve",
        input={"idempotencyKey": f"reserve-{cart}", "quoteToken": quote["token"]},
    ), quote


async def committed(program: Program, cart: str, *codes: str) -> Any:
    held, quote = await reserved(program, cart, *codes)
    assert held["userErrors"] == []
    return await program.till.run(
        "checkout_commit",
        input={
            "idempotencyKey": f"commit-{cart}",
            "reservationId": held["reservation"]["id"],
            "orderExternalId": f"o-{cart}",
            "paid": quote["payable"],
        },
    )


def issuing(key: str, **more: Any) -> dict[str, Any]:
    return {"idempotencyKey": key, "reward": "spring", **more}


async def test_a_coupon_from_issue_to_revocation(shop: ApiShop, program: Program) -> None:
    merchant = await opened(program)

    given = issuing("a", codes=["spring-26"], usesMax=2)
    issued = await run(merchant, "coupon_issue", input=given)
    again = await run(merchant, "coupon_issue", input=given)
    other = await run(merchant, "coupon_issue", input=issuing("a", codes=["spring-27"]))
    taken = await run(merchant, "coupon_issue", input=issuing("b", codes=["SPRING-26"]))
    paid = await committed(program, "c-1", "Spring-26")
    held, _ = await reserved(program, "c-2", "SPRING-26")
    used = await run(merchant, "coupon", code="spring-26")
    revoked = await run(merchant, "coupon_revoke", input={"code": "spring-26"})
    nobody = await run(merchant, "coupon_revoke", input={"code": "none"})

    assert (issued["codes"], again) == (["SPRING-26"], issued | {"replayed": True})
    assert [e["code"] for e in other["userErrors"]] == ["IDEMPOTENCY_KEY_REUSED"]
    assert [e["code"] for e in taken["userErrors"]] == ["ALREADY_EXISTS"]
    assert (paid["userErrors"], held["userErrors"]) == ([], [])
    assert (used["used"], used["held"], used["usesMax"], used["state"]) == (1, 1, 2, "ISSUED")
    assert used["createdBy"] == "key:merchant"
    assert (revoked["coupon"]["state"], revoked["coupon"]["used"]) == ("REVOKED", 1)
    assert [e["code"] for e in nobody["userErrors"]] == ["NOT_FOUND"]
    late = (await quoted(program, "c-3", "SPRING-26"))["quote"]
    assert "COUPON_REVOKED" in {each["reason"] for each in late["candidates"]}
    trail = (await run(merchant, "audit_events", filter={"subjectKind": "COUPON"}))["nodes"]
    assert [(e["action"], e["subjectId"], e["actor"]) for e in trail] == [
        ("couponRevoke", "SPRING-26", "key:merchant"),
        ("couponIssue", "SPRING-26", "key:merchant"),
    ]


async def test_random_codes_of_one_member(shop: ApiShop, program: Program) -> None:
    merchant = await opened(program)

    given = issuing("a", count=3, prefix="vip-", member="ann", usesPerMemberMax=1)
    issued = await run(merchant, "coupon_issue", input=given)
    page = await run(merchant, "coupons", first=2)
    rest = await run(merchant, "coupons", first=2, after=page["pageInfo"]["endCursor"])
    nobody = await run(merchant, "coupon_issue", input=issuing("b", count=1, member="bob"))

    codes = issued["codes"]
    assert len(set(codes)) == 3
    assert all(code.startswith("VIP-") and len(code) == 14 for code in codes)
    assert [node["code"] for node in page["nodes"] + rest["nodes"]] == codes
    assert {node["memberExternalId"] for node in page["nodes"]} == {"ann"}
    assert [(e["code"], e["field"]) for e in nobody["userErrors"]] == [
        ("NOT_FOUND", ["input", "member"])
    ]


async def test_stock_is_set_taken_and_gone(shop: ApiShop, program: Program) -> None:
    merchant = await opened(program)

    stocked = await run(merchant, "reward_stock_set", input={"reward": "mug", "total": 1})
    await committed(program, "c-1")
    (left,) = await run(merchant, "reward_stocks")
    without = (await quoted(program, "c-2"))["quote"]
    wrong = await run(merchant, "reward_stock_set", input={"reward": "spring", "total": 1})

    assert stocked["stock"] == {"reward": "mug", "total": 1, "used": 0, "held": 0, "left": 1}
    assert left == {"reward": "mug", "total": 1, "used": 1, "held": 0, "left": 0}
    reasons = {each["reward"]: each["reason"] for each in without["candidates"]}
    assert reasons["mug"] == "OUT_OF_STOCK"
    assert [e["field"] for e in wrong["userErrors"]] == [["input", "reward"]]


async def test_a_gift_card_pays_and_is_blocked(shop: ApiShop, program: Program) -> None:
    merchant = await opened(program)

    given = {"idempotencyKey": "a", "amount": eur("70.00")}
    issued = await run(merchant, "gift_card_issue", input=given)
    again = await run(merchant, "gift_card_issue", input=given)
    code, id = issued["code"], issued["giftCard"]["id"]
    paid = await committed(program, "c-1", code)
    by_code = await run(merchant, "gift_card", code=code.lower())
    blocked = await run(merchant, "gift_card_block", input={"id": id})
    late = (await quoted(program, "c-2", code))["quote"]
    back = await run(merchant, "gift_card_unblock", input={"id": id})
    wrong = await run(merchant, "gift_card_block", input={"id": "nonsense"})

    assert again == issued | {"replayed": True}
    assert issued["giftCard"]["label"] == "…" + code[-4:]
    assert paid["userErrors"] == []
    assert by_code["available"] == eur("20.00")
    assert (blocked["giftCard"]["state"], back["giftCard"]["state"]) == ("BLOCKED", "ACTIVE")
    assert late["giftCards"] == []
    assert [e["field"] for e in wrong["userErrors"]] == [["input", "id"]]
    assert await run(merchant, "gift_card", code="ABCD-EFGH-JKLM-NPQR") is None
    (listed,) = (await run(merchant, "gift_cards"))["nodes"]
    assert (listed["id"], listed["initial"]) == (id, eur("70.00"))
    trail = (await run(merchant, "audit_events", filter={"subjectKind": "GIFT_CARD"}))["nodes"]
    assert [e["action"] for e in trail] == ["giftCardUnblock", "giftCardBlock", "giftCardIssue"]
    assert code.replace("-", "") not in str(trail).replace("-", "")


async def test_what_another_tenant_has_does_not_exist(
    shop: ApiShop, program: Program, other_program: Program
) -> None:
    merchant, other = await opened(program), await opened(other_program)
    await run(merchant, "coupon_issue", input=issuing("a", codes=["MINE"]))
    issued = await run(
        merchant, "gift_card_issue", input={"idempotencyKey": "a", "amount": eur("5.00")}
    )

    assert await run(other, "coupon", code="MINE") is None
    assert (await run(other, "coupons"))["nodes"] == []
    assert await run(other, "gift_card", code=issued["code"]) is None
    assert await run(other, "gift_card", id=issued["giftCard"]["id"]) is None
    blocked = await run(other, "gift_card_block", input={"id": issued["giftCard"]["id"]})
    assert [e["code"] for e in blocked["userErrors"]] == ["NOT_FOUND"]
    assert (await run(merchant, "gift_card", code=issued["code"]))["state"] == "ACTIVE"


ASKING = """query($input: CheckoutQuoteInput!) { checkoutQuote(input: $input) {
  quote { discount { amount } }
  userErrors { code retryable message ... on TooManyAttemptsError { retryAfterSeconds } } } }"""


async def test_guessing_codes_is_slow(shop: ApiShop, program: Program) -> None:
    merchant = await opened(program)
    await run(merchant, "coupon_issue", input=issuing("a", codes=["RIGHT"]))
    ann = await program.shopper("ann")
    lines = [line("1", "tea", 1, "50.00")]

    async def ask(*codes: str) -> Any:
        given = {"cartId": "c", "lines": lines, "codes": list(codes)}
        return (await ann.data(ASKING, {"input": given}))["checkoutQuote"]

    guesses = [await ask(f"WRONG-{number}") for number in range(10)]
    locked = await ask("RIGHT")
    without = await ask()
    shop.clock.set(shop.clock.now().replace(minute=10))
    later = await ask("RIGHT")

    assert all(each["quote"] and not each["userErrors"] for each in guesses)
    (error,) = locked["userErrors"]
    assert (error["code"], error["retryable"]) == ("TOO_MANY_ATTEMPTS", True)
    assert error["retryAfterSeconds"] == 600
    assert locked["quote"] is None
    assert without["quote"] is not None
    assert later["quote"]["discount"]["amount"] == "3.00"
