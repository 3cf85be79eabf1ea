"""Coupons, gift cards, credit, tax and reasons as the API takes and tells them."""

from typing import Any

import pytest
from api_shop import PROGRAM, Caller, Program, document, eur, line

from loyalty.domain.money import Money
from loyalty.services.access import Scope, Viewer, ViewerKind
from loyalty.services.checkout.checkout import idempotent
from loyalty.services.coupons.coupon_commands import CouponTerms
from loyalty.services.members.adjustments import Correction

pytestmark = pytest.mark.anyio

RULES = (
    PROGRAM.replace('name = "Own line" }]', 'name = "Own line" }, { code = "gold-ship", '
                    'name = "Gold ships free", does = { kind = "free_shipping" } }]')
    + """
[[rewards]]
code = "spring"
name = "3.00 off with a coupon"
needs_coupon = true
does = { kind = "money_off", off_minor = 300 }
[[rewards]]
code = "big"
name = "2.00 off from 54.20"
does = { kind = "money_off", off_minor = 200 }
conditions = [{ kind = "minimum_purchase", minor = 5420 }]
[credit]
enabled = true
"""
)  # fmt: skip
TEA = line("1", "tea", 1, "50.00")
CART: dict[str, Any] = {"cartId": "c", "lines": [TEA]}
KEYS = ("amount", "currencyCode")


@pytest.fixture
async def stocked(program: Program) -> Program:
    """The shop with what can be handed in."""
    services = program.shop.services
    await services.rulesets.publish(program.tenant_id, RULES, "test")
    await program.enrol("ann")
    terms = CouponTerms("spring", uses_max=10, uses_per_member_max=1)
    await services.coupons.issue(program.tenant_id, None, terms, "test", codes=["SPRING-3"])
    return program


def merchant(program: Program) -> Viewer:
    scopes = frozenset({Scope.ADMIN})
    return Viewer(program.tenant_id, ViewerKind.MERCHANT, None, scopes, "merchant")


async def card(program: Program, minor: int) -> str:
    """A gift card's code."""
    once = idempotent(merchant(program), "giftCardIssue", f"card-{minor}", [minor])
    cards = program.shop.services.gift_cards
    amount = Money(minor, "EUR")
    return (await cards.issue(program.tenant_id, once, amount, None, "test")).code


async def credit(program: Program, minor: int) -> None:
    given = Correction("ann", minor, "test", currency="EUR")
    await program.shop.services.adjustments.adjust(merchant(program), f"credit-{minor}", given)


async def quoted(caller: Caller, **more: Any) -> dict[str, Any]:
    given = CART | ({} if "member" in more else {"member": "ann"}) | more
    answer = await caller.run("checkout_quote", input=given)
    assert answer["userErrors"] == [], answer
    quote: dict[str, Any] = answer["quote"]
    return quote


def candidate(quote: dict[str, Any], name: str) -> dict[str, Any]:
    """By reward or by coupon."""
    (found,) = [c for c in quote["candidates"] if name in (c["reward"], c["couponCode"])]
    return found


def minor(amount: dict[str, str] | None) -> int:
    return 0 if amount is None else Money.parse(*(amount[key] for key in KEYS)).minor


def adds_up(quote: dict[str, Any]) -> None:
    """The whole and each line, to the cent."""
    added = 0 if quote["taxIncluded"] else minor(quote["tax"])
    total = minor(quote["subtotal"]) - minor(quote["discount"]) + minor(quote["shipping"]) + added
    assert total == minor(quote["total"])
    gifts = sum(minor(one["amount"]) for one in quote["giftCards"])
    points = minor(quote["tender"]["value"]) if quote["tender"] else 0
    assert total - points - gifts - minor(quote["credit"]) == minor(quote["payable"])
    lines = [*quote["lines"], quote["shippingLine"]]
    assert sum(minor(one["discount"]) for one in lines) == minor(quote["discount"])
    assert sum(minor(one["tax"]) for one in lines) == minor(quote["tax"])
    assert sum(minor(one["paid"]["points"]) for one in lines) == points
    assert sum(minor(one["paid"]["giftCards"]) for one in lines) == gifts
    assert sum(minor(one["paid"]["credit"]) for one in lines) == minor(quote["credit"])
    for one in lines:
        assert sum(minor(part["amount"]) for part in one["parts"]) == minor(one["discount"])
        assert minor(one["gross"]) - minor(one["discount"]) == minor(one["net"]) >= 0


async def test_a_coupon_a_gift_card_and_credit_pay_and_are_held(stocked: Program) -> None:
    till = stocked.till
    code = await card(stocked, 1_500)
    await credit(stocked, 1_000)

    quote = await quoted(till, codes=[" spring-3 ", code], credit={"all": True})
    reserved = await till.run(
        "checkout_reserve", input={"idempotencyKey": "r", "quoteToken": quote["token"]}
    )

    adds_up(quote)
    assert quote["payable"] == eur("22.00")
    assert quote["giftCards"] == [{"label": f"…{code[-4:]}", "amount": eur("15.00")}]
    assert quote["credit"] == eur("10.00")
    uses = [{"kind": "COUPON", "code": "SPRING-3", "quantity": 1}]
    assert quote["uses"] == uses
    taken = candidate(quote, "SPRING-3")
    assert (taken["reward"], taken["outcome"], taken["message"]) == ("spring", "APPLIED", None)
    assert quote["proven"] is True
    assert quote["savingsGap"] == eur("0.00")
    held = reserved["reservation"]
    assert held["uses"] == uses
    assert held["credit"] == eur("10.00")
    assert held["giftCards"] == quote["giftCards"]
    assert held["points"] == 0
    found = await till.run("reservation", id=held["id"])
    assert {key: found[key] for key in held if key != "quote"} == {
        key: held[key] for key in held if key != "quote"
    }


async def test_a_cart_is_quoted_with_what_it_holds_already(stocked: Program) -> None:
    """Back from the payment page: to reserve again gives back first, so the quote reckons so."""
    till, points = stocked.till, {"all": True}
    await stocked.paid("seed", "ann", 50_000, days_ago=20)
    await stocked.enrol("bob")
    code = await card(stocked, 1_500)
    await credit(stocked, 1_000)
    asked = {"codes": ["SPRING-3", code], "credit": {"all": True}, "points": points}

    async def reserved(quote: dict[str, Any], key: str) -> None:
        given = {"idempotencyKey": key, "quoteToken": quote["token"]}
        answer = await till.run("checkout_reserve", input=given)
        assert answer["userErrors"] == [], answer

    first = await quoted(till, **asked)
    await reserved(first, "r-1")
    again, elsewhere = await quoted(till, **asked), await quoted(till, **asked, cartId="other")
    of_bob = await quoted(till, **asked, member="bob")
    await reserved(again, "r-2")
    third = await quoted(till, **asked)

    assert first["tender"] is not None
    assert [] not in (first["giftCards"], first["uses"])
    for quote in (again, third):
        same = {key: first[key] for key in ("payable", "tender", "giftCards", "credit", "uses")}
        assert {key: quote[key] for key in same} == same
    for quote in (elsewhere, of_bob):
        paid = (quote["tender"], quote["giftCards"], quote["credit"])
        assert paid == (None, [], None), quote
    assert elsewhere["uses"] == []
    assert of_bob["uses"] == [{"kind": "COUPON", "code": "SPRING-3", "quantity": 1}]


async def test_a_guests_cart_is_quoted_with_the_gift_card_it_holds(stocked: Program) -> None:
    code = await card(stocked, 1_500)
    asked = {"member": None, "codes": [code]}

    first = await quoted(stocked.till, **asked)
    given = {"idempotencyKey": "r", "quoteToken": first["token"]}
    await stocked.till.run("checkout_reserve", input=given)
    again = await quoted(stocked.till, **asked)
    elsewhere = await quoted(stocked.till, **asked, cartId="other")
    of_ann = await quoted(stocked.till, codes=[code])

    assert again["giftCards"] == first["giftCards"] != []
    assert elsewhere["giftCards"] == of_ann["giftCards"] == []


async def test_a_gift_cards_code_is_told_to_nobody(stocked: Program) -> None:
    code = await card(stocked, 1_500)
    given = CART | {"member": "ann", "codes": [code]}

    answer = await stocked.till.post(document("checkout_quote"), {"input": given})

    assert code not in answer.text
    assert code.replace("-", "") not in answer.text
    assert f"…{code[-4:]}" in answer.text


async def test_a_guest_pays_with_a_gift_card(stocked: Program) -> None:
    code = await card(stocked, 6_000)

    quote = await quoted(stocked.till, member=None, codes=[code.lower().replace("-", " ")])

    adds_up(quote)
    assert quote["payable"] == eur("0.00")
    assert quote["giftCards"][0]["amount"] == eur("50.00")


async def test_credit_by_the_cent_or_not_at_all(stocked: Program) -> None:
    await credit(stocked, 1_000)

    exact = await quoted(stocked.till, credit={"exact": eur("4.20")})
    short = await quoted(stocked.till, credit={"exact": eur("14.20")})
    unasked = await quoted(stocked.till)

    assert exact["credit"] == eur("4.20")
    refused = candidate(short, "CREDIT")
    assert short["credit"] is None
    assert refused["reason"] == "INSUFFICIENT_CREDIT"
    assert refused["gap"]["money"] == eur("4.20")
    assert refused["message"] == "€4.20 of credit short."
    assert refused["nearestChange"]["message"] == "Pay with €10.00 of credit."
    assert candidate(unasked, "CREDIT")["reason"] == "NOT_ASKED_FOR"
    assert candidate(unasked, "CREDIT")["discount"] == eur("10.00")


@pytest.mark.parametrize(
    ("locale", "message"),
    [
        ("en", "There is no credit to pay with."),
        ("hu", "Nincs felhasználható jóváírás."),
        ("ru", "На счёте покупателя нет средств."),
        ("zh", "账户中没有可用余额。"),
    ],
)
async def test_no_credit_at_all_is_not_a_cent_short(
    locale: str, message: str, stocked: Program
) -> None:
    wanted = await quoted(stocked.till, credit={"all": True}, locale=locale)

    refused = candidate(wanted, "CREDIT")
    assert (refused["reason"], refused["message"]) == ("INSUFFICIENT_CREDIT", message)
    # The least with which it would pay, as a figure for whoever reckons with it.
    assert refused["gap"]["money"] == eur("0.01")
    assert refused["nearestChange"] is None


@pytest.mark.parametrize(
    ("included", "tax", "total"), [(True, "11.00", "55.00"), (False, "13.85", "68.85")]
)
async def test_tax_is_in_prices_or_comes_on_top(
    included: bool, tax: str, total: str, stocked: Program
) -> None:
    taxed = [line("1", "tea", 1, "50.00", taxRate="27")]

    quote = await quoted(
        stocked.till,
        lines=taxed,
        codes=["SPRING-3"],
        shipping=eur("8.00"),
        shippingTaxRate="14.5",
        taxIncluded=included,
    )

    adds_up(quote)
    assert quote["taxIncluded"] is included
    assert (quote["tax"], quote["total"]) == (eur(tax), eur(total))


async def test_a_tiers_benefit_applies_by_itself(stocked: Program) -> None:
    await stocked.rich("gil", 900)

    rich = await quoted(stocked.till, member="gil", shipping=eur("4.90"))
    poor = await quoted(stocked.till, shipping=eur("4.90"))

    adds_up(rich)
    applied = candidate(rich, "gold-ship")
    assert (applied["tier"], applied["outcome"]) == ("gold", "APPLIED")
    assert rich["shippingLine"]["net"] == eur("0.00")
    assert rich["shippingLine"]["parts"] == [{"reward": "gold-ship", "amount": eur("4.90")}]
    barred = candidate(poor, "gold-ship")
    assert (barred["outcome"], barred["reason"]) == ("REJECTED", "TIER_TOO_LOW")
    assert barred["message"] == "For members of the tier Gold and above."


MINIMUM = {
    "en": "€4.20 short of the minimum purchase.",
    "hu": "A minimális vásárlási értékhez még 4,20\u00a0EUR hiányzik.",
    "ru": "До минимальной суммы покупки не хватает 4,20\u00a0€.",
    "zh": "距最低消费金额还差 €4.20。",
}
CHANGE = {
    "en": "Add goods for €4.20 to the cart.",
    "hu": "Tegyen a kosárba még 4,20\u00a0EUR értékű árut.",
    "ru": "Добавьте в корзину товаров ещё на 4,20\u00a0€.",
    "zh": "再加购 €4.20 的商品。",
}


@pytest.mark.parametrize(
    ("case", "locale", "member", "accept", "language"),
    [
        ("asked for", "zh-CN", "hu", "ru", "zh"),
        ("asked for, and not there", "de", "hu", "ru", "en"),
        ("the member's", None, "hu_HU", "ru", "hu"),
        ("the browser's", None, None, "de, ru;q=0.7, en;q=0.5", "ru"),
        ("nobody's", None, None, None, "en"),
        ("no language at all", "'; --", None, None, "en"),
    ],
)
async def test_reasons_in_the_readers_language(
    case: str,
    locale: str | None,
    member: str | None,
    accept: str | None,
    language: str,
    stocked: Program,
) -> None:
    if member is not None:
        edit = {"externalId": "ann", "locale": member}
        assert (await stocked.till.run("member_update", input=edit))["userErrors"] == []
    headers = {"accept-language": accept} if accept else {}
    caller = Caller(stocked.till.client, {**stocked.till.headers, **headers})

    quote = await quoted(caller, **({"locale": locale} if locale else {}))

    found = candidate(quote, "big")
    assert quote["language"] == language
    assert found["reason"] == "MINIMUM_NOT_MET"
    assert found["message"] == MINIMUM[language]
    assert found["nearestChange"]["message"] == CHANGE[language]


@pytest.mark.parametrize(
    ("case", "codes", "name", "reason"),
    [
        ("nobody's", ["NO-SUCH"], "NO-SUCH", "NO_SUCH_CODE"),
        ("another member's", ["BOBS"], "BOBS", "NO_SUCH_CODE"),
        ("no code", [], "spring", "NEEDS_COUPON"),
    ],
)
async def test_codes_that_open_nothing_say_why(
    case: str, codes: list[str], name: str, reason: str, stocked: Program
) -> None:
    await stocked.enrol("bob")
    terms = CouponTerms("spring", member="bob")
    coupons = stocked.shop.services.coupons
    await coupons.issue(stocked.tenant_id, None, terms, "test", codes=["BOBS"])

    found = candidate(await quoted(stocked.till, codes=codes), name)

    assert (found["outcome"], found["reason"]) == ("REJECTED", reason)
    if name != "spring":
        assert found["message"] == "No coupon or gift card has this code."
        # Whoever tries codes learns nothing of those that are another's.
        assert (found["kind"], found["name"], found["couponCode"]) == ("unknown", name, name)


async def test_too_many_codes_are_named(stocked: Program) -> None:
    given = CART | {"member": "ann", "codes": [f"CODE-{n}" for n in range(21)]}

    refused = await stocked.till.run("checkout_quote", input=given)

    assert refused["quote"] is None
    assert [e["field"] for e in refused["userErrors"]] == [["input", "codes"]]


async def test_guessing_codes_has_to_wait(stocked: Program) -> None:
    answers = []
    for start in range(0, 60, 10):
        codes = [f"GUESS-{start + n}" for n in range(10)]
        given = CART | {"member": "ann", "codes": codes}
        answers.append(await stocked.till.run("checkout_quote", input=given))

    errors = [error for answer in answers for error in answer["userErrors"]]
    assert errors
    assert {error["code"] for error in errors} == {"TOO_MANY_ATTEMPTS"}
    assert all(error["retryAfterSeconds"] > 0 for error in errors)
    assert (await quoted(stocked.till))["payable"] == eur("50.00")
