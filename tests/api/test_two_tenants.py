"""Law 16: two tenants with the same names for everything, and nothing crosses."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from api_shop import OPERATIONS, ApiShop, Program, document, eur, line
from offer_shop import offers_of_program

from loyalty.services.proof.verify import verify
from loyalty_graphql.ids import encode_id

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Names:
    """What a call may name: by the shop's names, or by ids that we gave."""

    member: str = "ann"
    guest: str = "gus"
    order: str = "o-1"
    refund: str = "r-1"
    cart: str = "c-1"
    product: str = "tea"
    coupon: str = "TEN-OFF"
    key_id: str = "0" * 16
    reservation: str = encode_id("Reservation", 1)
    adjustment: str = encode_id("Adjustment", 1)
    token: str = "no token"
    recommendation: str = "no recommendation"
    gift_card: str = encode_id("GiftCard", 1)
    gift_code: str = "AAAA-BBBB-CCCC-DDDD"
    entry: str = encode_id("LedgerEntry", 1)
    offer: str = encode_id("Offer", 1)
    offer_plan: str = encode_id("OfferPlan", 1)


GHOST = Names("ghost", "spook", "o-x", "r-x", "c-x", "nix", "NIX-OFF")
"""Names of what nobody has."""

Makes = Callable[[Names], dict[str, Any]]
KEY = "idempotencyKey"


def cart(names: Names) -> dict[str, Any]:
    return {
        "cartId": names.cart,
        "member": names.member,
        "codes": [names.coupon, names.gift_code],
        "lines": [line("1", names.product, 1, "10.00")],
    }


def named(field: str) -> Makes:
    return lambda names: {field: names.member}


def nothing(names: Names) -> dict[str, Any]:
    return {}


def key(names: Names) -> str:
    return f"key-{names.member}"


# schema and document: what it is asked with. What makes something stands at the end.
TABLE: dict[tuple[str, str], Makes] = {
    ("storefront", "home"): nothing,
    ("storefront", "program"): nothing,
    ("storefront", "viewer"): nothing,
    ("storefront", "product"): lambda names: {"externalId": names.product},
    ("storefront", "products"): lambda names: {"search": names.product},
    ("storefront", "recommendations"): lambda names: {
        "window": "SIMILAR", "member": names.member, "product": names.product,
    },
    ("storefront", "rank_products"): lambda names: {
        "ids": [names.product], "member": names.member,
    },
    ("storefront", "recommendation_events"): lambda names: {
        "input": {"events": [{"recommendationId": names.recommendation, "type": "CLICK",
                              "product": names.product}]}
    },
    ("storefront", "product_views"): lambda names: {
        "input": {"session": f"a session of {names.member}", "products": [names.product]}
    },
    ("storefront", "member_card"): named("externalId"),
    ("storefront", "offers"): named("member"),
    ("storefront", "offer_activate"): lambda names: {
        "input": {KEY: key(names), "offerId": names.offer, "member": names.member}
    },
    ("storefront", "orders"): named("externalId"),
    ("storefront", "points_history"): named("externalId"),
    ("storefront", "order"): lambda names: {"externalId": names.order},
    ("storefront", "reservation"): lambda names: {"id": names.reservation},
    ("storefront", "checkout_quote"): lambda names: {"input": cart(names)},
    ("storefront", "checkout_reserve"): lambda names: {
        "input": {KEY: key(names), "quoteToken": names.token}
    },
    ("storefront", "checkout_extend"): lambda names: {
        "input": {KEY: key(names), "reservationId": names.reservation, "ttlSeconds": 60}
    },
    ("storefront", "checkout_release"): lambda names: {
        "input": {KEY: key(names), "reservationId": names.reservation}
    },
    ("storefront", "checkout_commit"): lambda names: {
        "input": {KEY: key(names), "reservationId": names.reservation,
                  "orderExternalId": names.order, "paid": eur("5.00")}
    },
    ("storefront", "order_edit"): lambda names: {
        "input": {KEY: key(names) + "e", "orderExternalId": names.order,
                  "editExternalId": names.refund,
                  "lines": [{"id": "1", "product": names.product, "quantity": 1,
                             "amount": eur("5.00")}]}
    },
    ("storefront", "order_refund"): lambda names: {
        "input": {KEY: key(names), "orderExternalId": names.order,
                  "refundExternalId": names.refund}
    },
    ("storefront", "order_cancel"): lambda names: {
        "input": {KEY: key(names) + "c", "orderExternalId": names.order}
    },
    ("storefront", "order_refund_preview"): lambda names: {
        "input": {"orderExternalId": names.order}
    },
    ("storefront", "member_merge"): lambda names: {
        "input": {KEY: key(names), "source": names.guest, "target": names.member}
    },
    ("storefront", "member_unmerge"): lambda names: {
        "input": {KEY: key(names), "source": names.guest}
    },
    ("storefront", "member_update"): lambda names: {
        "input": {"externalId": names.member, "name": "Mine"}
    },
    ("admin", "program"): nothing,
    ("admin", "ruleset"): nothing,
    ("admin", "rulesets"): nothing,
    ("admin", "model"): nothing,
    ("admin", "models"): nothing,
    ("admin", "experiments"): nothing,
    ("admin", "experiment_stop"): nothing,
    ("admin", "experiment_start"): lambda names: {
        "input": {"candidate": names.product, "shareBp": 2_000}
    },
    ("admin", "model_rollback"): lambda names: {"input": {"model": names.product}},
    ("admin", "recommendation_figures"): lambda names: {
        "from": "2026-01-01", "until": "2027-01-01",
    },
    ("admin", "ledger_verify"): nothing,
    ("admin", "metrics_summary"): nothing,
    ("admin", "api_keys"): nothing,
    ("admin", "webhook_sources"): nothing,


    ("admin", "ledger_roots"): nothing,
    ("admin", "ledger_proof"): lambda names: {"entryId": names.entry},
    ("admin", "member_as_of"): lambda names: {
        "externalId": names.member, "asOf": {"at": "2026-03-01T00:00:00Z", "by": "BOOKED"},
    },
    ("storefront", "points_as_of"): lambda names: {
        "externalId": names.member, "asOf": {"at": "2026-03-01T00:00:00Z", "by": "BOOKED"},
    },
    ("admin", "adjustments"): named("externalId"),
    ("admin", "coupons"): nothing,
    ("admin", "coupon"): lambda names: {"code": names.coupon},
    ("admin", "coupon_revoke"): lambda names: {"input": {"code": names.coupon}},
    ("admin", "gift_cards"): nothing,
    ("admin", "gift_card"): lambda names: {"code": names.gift_code},
    ("admin", "gift_card_block"): lambda names: {"input": {"id": names.gift_card}},
    ("admin", "gift_card_unblock"): lambda names: {"input": {"id": names.gift_card}},
    ("admin", "reward_stocks"): nothing,
    ("admin", "offer_plans"): nothing,
    ("admin", "offer_plan"): lambda names: {"id": names.offer_plan},
    ("admin", "offer_effect"): lambda names: {"id": names.offer_plan},
    ("admin", "offer_plan_withdraw"): lambda names: {"input": {"id": names.offer_plan}},
    ("admin", "audit_events"): lambda names: {"filter": {"member": names.member}},
    ("admin", "product"): lambda names: {"externalId": names.product},
    ("admin", "products"): lambda names: {"search": names.product},
    ("admin", "member"): named("externalId"),
    ("admin", "members"): lambda names: {"search": names.member},
    ("admin", "member_export"): named("externalId"),
    ("admin", "member_ledger"): named("externalId"),
    ("admin", "reservations"): named("externalId"),
    ("admin", "member_update"): lambda names: {
        "input": {"externalId": names.member, "name": "Mine"}
    },
    ("admin", "member_suspend"): lambda names: {"input": {"externalId": names.member}},
    ("admin", "member_reactivate"): lambda names: {"input": {"externalId": names.member}},
    ("admin", "member_close"): lambda names: {"input": {"externalId": names.member}},
    ("admin", "member_merge"): lambda names: {
        "input": {KEY: key(names), "source": names.guest, "target": names.member}
    },
    ("admin", "member_unmerge"): lambda names: {
        "input": {KEY: key(names), "source": names.guest}
    },
    ("admin", "member_erase"): lambda names: {
        "input": {KEY: key(names), "externalId": names.member}
    },
    ("admin", "points_adjust"): lambda names: {
        "input": {KEY: key(names), "externalId": names.member, "points": 5, "reason": "mine"}
    },
    ("admin", "adjustment_approve"): lambda names: {
        "input": {KEY: key(names), "id": names.adjustment}
    },
    ("admin", "adjustment_decline"): lambda names: {
        "input": {KEY: key(names), "id": names.adjustment}
    },
    ("admin", "api_key_revoke"): lambda names: {"input": {"keyId": names.key_id}},
    ("admin", "ruleset_validate"): lambda names: {"source": "nonsense"},
    ("admin", "ruleset_publish"): lambda names: {"input": {"source": "nonsense"}},
    ("admin", "api_key_create"): lambda names: {
        "input": {"name": names.member, "scopes": ["no such"]}
    },
    ("admin", "gift_card_issue"): lambda names: {
        "input": {KEY: key(names), "amount": eur("0.00")}
    },
    ("admin", "coupon_issue"): lambda names: {
        "input": {KEY: key(names), "reward": "five-off", "codes": [names.coupon],
                  "member": names.member}
    },
    ("admin", "reward_stock_set"): lambda names: {"input": {"reward": "nothing", "total": 3}},
    ("admin", "product_upsert"): lambda names: {
        "input": {"externalId": names.product, "name": "Mine"}
    },
    ("storefront", "member_enrol"): lambda names: {
        "input": {KEY: key(names), "externalId": names.member}
    },
}  # fmt: skip
STREAMS = {("storefront", "member_changed")}
"""Subscriptions, asked in their own way: ``tests/api/test_member_changed.py``."""


def test_every_document_is_asked_across_tenants() -> None:
    documents = {(path.parent.name, path.stem) for path in OPERATIONS.glob("*/*.graphql")}

    missing = documents - set(TABLE) - STREAMS

    assert missing == set(), "say in TABLE with which names of another tenant it is asked"


async def filled(program: Program) -> Names:
    """A tenant that has one of everything."""
    await program.stock(program.product("tea"))
    await program.rich("ann", 600)
    await program.paid("g-1", "gus", 2_000)
    till = program.till
    await merchant(
        program,
        "coupon_issue",
        input={KEY: "c", "reward": "five-off", "codes": ["TEN-OFF"], "member": "ann"},
    )
    card = await merchant(program, "gift_card_issue", input={KEY: "g", "amount": eur("5.00")})
    wanted = cart(Names(gift_code=card["code"]))
    quoted = await till.run("checkout_quote", input=wanted)
    token = quoted["quote"]["token"]
    held = await till.run("checkout_reserve", input={KEY: "reserve", "quoteToken": token})
    await program.paid("o-1", "ann", 5_000)
    await till.run(
        "order_refund",
        input={KEY: "refund", "orderExternalId": "o-1", "refundExternalId": "r-1"},
    )
    adjusted = await merchant(
        program, "points_adjust", input={KEY: "a", "externalId": "ann", "points": 7, "reason": "x"}
    )
    keys = await merchant(program, "api_keys")
    history = await till.run("points_history", externalId="ann")
    shown = await till.run("recommendations", window="TRENDING", member="ann")
    desk = offers_of_program(program)
    plan = await desk.plan()
    offer = await desk.give("ann", plan=plan, active=False)
    return Names(
        key_id=keys[0]["keyId"],
        reservation=held["reservation"]["id"],
        adjustment=adjusted["adjustment"]["id"],
        token=token,
        gift_card=card["giftCard"]["id"],
        gift_code=card["code"],
        entry=history["history"]["nodes"][0]["id"],
        recommendation=shown["recommendationId"],
        offer=encode_id("Offer", offer),
        offer_plan=encode_id("OfferPlan", plan),
    )


async def merchant(program: Program, name: str, **variables: Any) -> Any:
    (value,) = (await program.merchant.data(document(name, "admin"), variables)).values()
    return value


def other_of(id: str) -> str:
    """An id of the same kind, of nothing."""
    kind, _, _ = urlsafe_b64decode(id + "=" * (-len(id) % 4)).decode().partition(":")
    return encode_id(kind, 7)


IDS = re.compile(r'"(id|errorId|recommendationId)":"[^"]*"')


async def asked(
    program: Program, schema: str, name: str, who: str, names: Names
) -> tuple[int, str]:
    """Status and body, with the names put out."""
    if schema == "admin":
        caller = program.merchant
    else:
        caller = program.till if who == "till" else await program.shopper(names.member)
    response = await caller.post(document(name, schema), TABLE[schema, name](names))
    body = response.text
    for field, value in vars_of(names).items():
        body = body.replace(value, f"<{field}>")
    return response.status_code, IDS.sub(r'"\1":"*"', body)


def vars_of(names: Names) -> dict[str, str]:
    return {field: str(getattr(names, field)) for field in Names.__dataclass_fields__}


@pytest.mark.parametrize("who", ["till", "shopper"])
async def test_what_is_anothers_answers_like_what_is_not_there(
    shop: ApiShop, program: Program, other_program: Program, who: str
) -> None:
    theirs = await filled(program)
    nobodys = replace(
        GHOST,
        key_id="f" * len(theirs.key_id),
        reservation=encode_id("Reservation", 7),
        adjustment=encode_id("Adjustment", 7),
        token=theirs.token[:-4] + ("AAAA" if theirs.token[-4:] != "AAAA" else "BBBB"),
        gift_card=encode_id("GiftCard", 7),
        gift_code=theirs.gift_code[:-4] + "ZZZZ",
        entry=other_of(theirs.entry),
        offer=encode_id("Offer", 7),
        offer_plan=encode_id("OfferPlan", 7),
        recommendation=theirs.recommendation[:-4] + "AAAA",
    )
    before = await merchant(program, "member_export", externalId="ann")
    different: dict[str, Any] = {}

    for schema, name in TABLE:
        if who == "shopper" and schema == "admin":
            continue
        found = await asked(other_program, schema, name, who, theirs)
        wanted = await asked(other_program, schema, name, who, nobodys)
        assert '"Variable ' not in wanted[1], (name, wanted)
        if found != wanted:
            different[f"{schema}/{name}"] = found, wanted

    assert different == {}
    after = await merchant(program, "member_export", externalId="ann")
    assert after == before
    assert await merchant(program, "member", externalId="gus") is not None
    for each in (program, other_program):
        assert (await verify(shop.database, each.tenant_id)).problems == []


async def test_the_same_names_and_keys_are_two_things(
    shop: ApiShop, program: Program, other_program: Program
) -> None:
    for each in (program, other_program):
        await filled(each)
    exports = [
        await merchant(each, "member_export", externalId="ann") for each in (program, other_program)
    ]

    assert anonymous(exports[0]) == anonymous(exports[1])
    ids = [numbers(export) for export in exports]
    assert ids[0] & ids[1] == set()

    # What the one does next is nothing to the other, by whatever keys.
    await program.till.run("member_merge", input={KEY: "merge", "source": "gus", "target": "ann"})
    await merchant(program, "member_erase", input={KEY: "erase", "externalId": "ann"})

    assert await merchant(other_program, "member_export", externalId="ann") == exports[1]
    again = await other_program.till.run(
        "member_merge", input={KEY: "merge", "source": "gus", "target": "ann"}
    )
    assert (again["moved"], again["replayed"]) == (True, False)
    erased = await merchant(
        other_program, "member_erase", input={KEY: "erase", "externalId": "ann"}
    )
    assert (erased["erased"], erased["replayed"]) == (True, False)
    for each in (program, other_program):
        assert (await verify(shop.database, each.tenant_id)).problems == []


ROW_ID = re.compile(r"\b\d{17,19}\b")


def anonymous(export: dict[str, Any]) -> str:
    """An export without row ids, hashes, a card's label and what the tenant is called."""
    text = json.dumps(export | {"tenant": ""})
    text = re.sub(r'"(bodyHash|hash|subject)": "?[^",}]*"?', r'"\1": 0', text)
    # A gift card's code is random.
    text = re.sub(r"\\u2026\w{4}", "…", text)
    return ROW_ID.sub("0", text)


def numbers(export: dict[str, Any]) -> set[str]:
    return set(ROW_ID.findall(json.dumps(export)))
