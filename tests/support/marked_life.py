"""A member's whole life, with a mark in each thing that can be said of it."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from api_shop import Program, document, line

from loyalty.connectors.generic import read
from loyalty.connectors.mapping import Kind, Mapping
from loyalty.services.imports.imports import ImportFile, Imports
from loyalty.services.members.subjects import subject_of

MARK = "xqzmark"
ANN, GUEST, LATER = f"{MARK}-ann", f"{MARK}-guest", f"{MARK}-later"
PRIVATE = (MARK, "1991-03-04")


def mark(what: str) -> str:
    return f"{MARK} {what}"


async def merchant(program: Program, name: str, **variables: Any) -> Any:
    """A published document of the admin schema: the data of its one field."""
    (value,) = (await program.merchant.data(document(name, "admin"), variables)).values()
    return value


def key(what: str) -> str:
    """A caller's idempotency key."""
    return f"{MARK}-key-{what}"


def marked(program: Program, names: tuple[str, ...] = (ANN, GUEST, LATER)) -> list[str]:
    """What must not be found: marks, and digests that anybody could try names against."""
    digests = [hashlib.sha256(name.encode()).hexdigest()[:40] for name in names]
    subjects = [str(subject_of(program.tenant_id, name)) for name in names]
    return [*PRIVATE, *digests, *subjects]


async def delivered(program: Program, delivery: str, type_: str, data: dict[str, Any]) -> None:
    """A webhook's event, once it is verified."""
    body = json.dumps({"type": type_, "data": data}).encode()
    event = read(body)
    intake = program.shop.services.intake
    await intake.take(program.tenant_id, "corner-shop", delivery, event, body)


async def imported(program: Program, kind: Kind, folder: Path, text: str) -> None:
    services = program.shop.services
    path = folder / f"{kind}.csv"
    path.write_text(text)
    imports = Imports(
        services.database, services.clock, services.door, services.rulesets, services.catalogue
    )
    file = ImportFile(kind, path, Mapping(), folder / f"{kind}.rejected.csv")
    report = await imports.take(program.tenant_id, file, lambda _: None)
    assert report.taken, report


async def lived(program: Program, folder: Path) -> None:
    """Everything that can be said of a member, each thing with a mark in it."""
    shop, till = program.shop, program.till
    at = shop.clock.now().isoformat()
    old = (shop.clock.now() - timedelta(days=40)).isoformat()
    profile = {"name": mark("Ann"), "email": f"{MARK}@example.org", "birthday": "1991-03-04"}
    for what in ("enrol", "again"):
        await till.run(
            "member_enrol",
            input={"idempotencyKey": key(what), "externalId": ANN, "locale": "hu", **profile},
        )
    shopper = await program.shopper(ANN)
    await shopper.run("member_update", input={"name": mark("Anna")})
    await shopper.run(
        "member_enrol", input={"idempotencyKey": key("own"), "externalId": ANN, "name": "x"}
    )
    await imported(
        program,
        Kind.MEMBERS,
        folder,
        f"member,name,email,birthday\n{LATER},{MARK},{MARK}@x.org,\n{ANN},{MARK},,nonsense\n",
    )
    await imported(
        program,
        Kind.ORDERS,
        folder,
        "order,member,occurredAt,product,quantity,amount\n"
        f"i-1,{ANN},{old},tea,1,400.00\ni-2,{LATER},{old},tea,1,10.00\n",
    )
    customer = {"id": ANN, "occurredAt": at, "name": mark("by webhook")}
    await delivered(program, mark("d-1"), "customer.changed", customer)
    order = {"currency": "EUR", "occurredAt": at, "lines": [
        {"productId": "tea", "quantity": 1, "amount": "300.00"}]}  # fmt: skip
    await delivered(program, mark("d-2"), "order.paid", {"id": "w-1", "memberId": ANN, **order})
    await delivered(program, mark("d-3"), "order.paid", {"id": "w-2", "memberId": GUEST, **order})
    await delivered(
        program, mark("d-4"), "order.refunded",
        {"id": "wr-1", "orderId": "w-1", "reason": mark("refund"), "occurredAt": at},
    )  # fmt: skip
    await delivered(
        program, mark("d-5"), "order.refunded",
        {"id": "wr-2", "orderId": "never", "reason": mark("waits"), "occurredAt": at},
    )  # fmt: skip
    for cart, how in (("paid", "commit"), ("left", "release"), ("open", "hold")):
        quoted = await till.run(
            "checkout_quote",
            input={"cartId": mark(cart), "member": ANN, "lines": [line("1", "tea", 1, "9.00")]},
        )
        quote = quoted["quote"]
        held = await till.run(
            "checkout_reserve",
            input={"idempotencyKey": key(cart), "quoteToken": quote["token"]},
        )
        id = held["reservation"]["id"]
        if how == "commit":
            paid = {k: quote["payable"][k] for k in ("amount", "currencyCode")}
            done = await till.run(
                "checkout_commit",
                input={"idempotencyKey": key("commit"), "reservationId": id,
                       "orderExternalId": "o-1", "paid": paid},
            )  # fmt: skip
            assert done["userErrors"] == []
        elif how == "release":
            await till.run(
                "checkout_release", input={"idempotencyKey": key("go"), "reservationId": id}
            )
    await till.run(
        "order_refund",
        input={"idempotencyKey": key("refund"), "orderExternalId": "o-1",
               "refundExternalId": "r-1", "reason": mark("broke")},
    )  # fmt: skip
    for name in ("member_suspend", "member_reactivate"):
        await merchant(program, name, input={"externalId": ANN, "reason": mark("why")})
    for source in (GUEST, LATER):
        merged = await till.run(
            "member_merge", input={"idempotencyKey": key(source), "source": source, "target": ANN}
        )
        assert merged["moved"], merged
    await by_hand(program)
    await shopper.run("member_card")
    assert (await merchant(program, "member", externalId=ANN))["name"]


async def by_hand(program: Program) -> None:
    """What merchants do about a member."""
    for points in (5, 90_000):
        adjusted = await merchant(
            program,
            "points_adjust",
            input={"idempotencyKey": key(f"adjust-{points}"), "externalId": ANN, "points": points,
                   "reason": mark("gift")},
        )  # fmt: skip
        assert adjusted["userErrors"] == []
    decided = await merchant(
        program,
        "adjustment_decline",
        input={"idempotencyKey": key("decline"), "id": adjusted["adjustment"]["id"]},
    )
    assert [error["code"] for error in decided["userErrors"]] == ["CONFLICT"]
    issued = await merchant(
        program,
        "coupon_issue",
        input={"idempotencyKey": key("coupon"), "reward": "five-off", "member": ANN,
               "codes": [MARK.upper(), f"{MARK}-USED".upper()]},
    )  # fmt: skip
    assert issued["userErrors"] == []
    card = await merchant(
        program,
        "gift_card_issue",
        input={"idempotencyKey": "card", "amount": {"amount": "3.00", "currencyCode": "EUR"}},
    )
    await bought_by_coupon(program, f"{MARK}-used")
    quoted = await program.till.run(
        "checkout_quote",
        input={"cartId": mark("coupon"), "member": ANN, "codes": [MARK, card["code"]],
               "lines": [line("1", "tea", 1, "9.00")]},
    )  # fmt: skip
    assert quoted["quote"]["giftCards"]
    await program.till.run(
        "checkout_reserve",
        input={"idempotencyKey": key("card"), "quoteToken": quoted["quote"]["token"]},
    )


async def bought_by_coupon(program: Program, code: str) -> None:
    """Order o-2 of ann, of which a half came back."""
    quote = await program.checked_out(
        "o-2", key("used"), cartId=mark("by coupon"), member=ANN, codes=[code],
        lines=[line("1", "tea", 2, "30.00")], rewards={"pinned": ["five-off"]},
    )  # fmt: skip
    assert code.upper() in {each["couponCode"] for each in quote["candidates"]}
    await program.till.run(
        "order_refund",
        input={"idempotencyKey": key("half"), "orderExternalId": "o-2", "refundExternalId": "r-2",
               "lines": [{"line": "1", "quantity": 1}]},
    )  # fmt: skip
