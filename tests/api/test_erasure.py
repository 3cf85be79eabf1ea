"""Law 14: a member's whole life, full of marks, then erased: no mark is left anywhere."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from api_shop import ApiShop, Program, api_shop, document, line

from loyalty.cache import open_cache
from loyalty.cache.memory import MemoryCache
from loyalty.connectors.generic import read
from loyalty.connectors.mapping import Kind, Mapping
from loyalty.services.imports import ImportFile, Imports
from loyalty.services.subjects import subject_of
from loyalty.services.verify import verify
from loyalty.storage.personal_data import TABLES
from loyalty.storage.schema import tables
from loyalty.storage.statements import Sql

pytestmark = pytest.mark.anyio

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
    till = program.till
    quoted = await till.run(
        "checkout_quote",
        input={"cartId": mark("by coupon"), "member": ANN, "codes": [code],
               "lines": [line("1", "tea", 2, "30.00")], "rewards": {"pinned": ["five-off"]}},
    )  # fmt: skip
    codes = {each["couponCode"] for each in quoted["quote"]["candidates"]}
    assert code.upper() in codes
    held = await till.run(
        "checkout_reserve",
        input={"idempotencyKey": key("used"), "quoteToken": quoted["quote"]["token"]},
    )
    payable = quoted["quote"]["payable"]
    done = await till.run(
        "checkout_commit",
        input={"idempotencyKey": key("used"), "reservationId": held["reservation"]["id"],
               "orderExternalId": "o-2",
               "paid": {k: payable[k] for k in ("amount", "currencyCode")}},
    )  # fmt: skip
    assert done["userErrors"] == []
    await till.run(
        "order_refund",
        input={"idempotencyKey": key("half"), "orderExternalId": "o-2", "refundExternalId": "r-2",
               "lines": [{"line": "1", "quantity": 1}]},
    )  # fmt: skip


async def id_of(program: Program, name: str) -> int:
    rows = await program.shop.database.read(
        Sql("SELECT id FROM member WHERE tenant_id = $1 AND external_id = $2")(
            program.tenant_id, name
        )
    )
    return int(rows[0][0])


async def found_in_tables(program: Program, texts: list[str]) -> set[str]:
    """Tables and columns in which one of the texts is."""
    found: set[str] = set()
    for table in tables().values():
        columns = ", ".join(table.names)
        for row in await program.shop.database.read(Sql(f"SELECT {columns} FROM {table.name}")()):
            for column, value in zip(table.names, row, strict=True):
                text = value.hex() if isinstance(value, bytes) else str(value)
                if any(each.lower() in text.lower() for each in texts):
                    found.add(f"{table.name}.{column}")
    return found


def in_file(path: Path, texts: list[str]) -> list[str]:
    """Texts that are in a file's bytes, or in the log beside it."""
    raw = b"".join(
        each.read_bytes().lower() for each in (path, Path(f"{path}-wal")) if each.exists()
    )
    return [text for text in texts if text.lower().encode() in raw]


def cached(cache: Any) -> str:
    assert isinstance(cache, MemoryCache)
    return repr(list(cache._store._entries.items()))


async def erased(program: Program, name: str, call: str = "erase-1") -> dict[str, Any]:
    answer: dict[str, Any] = await merchant(
        program, "member_erase", input={"idempotencyKey": call, "externalId": name}
    )
    return answer


async def test_no_mark_is_left_anywhere(
    shop: ApiShop, program: Program, tmp_path: Path, sqlite_path: Path
) -> None:
    with structlog.testing.capture_logs() as logs:
        await lived(program, tmp_path)
        texts = marked(program)
        before = await found_in_tables(program, texts)
        # Every column that may be personal was filled: else this test would say little.
        assert {name for name in PERSONAL if name not in before} == set()
        assert MARK in cached(shop.cache)
        member_id = await id_of(program, ANN)
        points = (await merchant(program, "member", externalId=ANN))["balances"]

        answer = await erased(program, ANN)

    assert answer["userErrors"] == []
    assert answer["erased"]
    forfeited = {each["unit"]: int(each["amount"]) for each in answer["forfeited"]}
    assert forfeited == {
        each["pointType"]: int(each["available"]) + int(each["pending"]) + int(each["held"])
        for each in points
    }
    assert await found_in_tables(program, texts) == set()
    if shop.database.dialect == "sqlite":
        assert in_file(sqlite_path, texts) == []
        sqlite3.connect(sqlite_path).execute("VACUUM")
        assert in_file(sqlite_path, texts) == []
    assert MARK not in cached(shop.cache)
    assert MARK not in repr(logs)
    assert not any(
        MARK in (known[0].member_external_id or "")
        for known in shop.services.credentials._known.values()
    )
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or not in_file(path, texts)
    assert (await verify(shop.database, program.tenant_id)).problems == []
    balances = await shop.database.read(
        Sql("SELECT balance, deficit FROM account WHERE tenant_id = $1 AND member_id = $2")(
            program.tenant_id, member_id
        )
    )
    assert set(balances) == {(0, 0)}


NEVER_MARKED = {"coupon.state", "member.locale", "transaction_note.client"}
PERSONAL = sorted(
    f"{table}.{column}"
    for table, held in TABLES.items()
    for column in (tables()[table].names if held.is_deleted else held.erased)
    if f"{table}.{column}" not in NEVER_MARKED
    and (not held.is_deleted or column in {"key", "delivery", "reason", "subject", "client"})
)


async def test_gone_is_gone(shop: ApiShop, program: Program, tmp_path: Path) -> None:
    await lived(program, tmp_path)
    shopper = await program.shopper(ANN)
    first = await erased(program, ANN)

    assert (await erased(program, ANN)) == first | {"replayed": True}
    again = await erased(program, ANN, call="erase-2")
    assert [error["code"] for error in again["userErrors"]] == ["NOT_FOUND"]
    for name in (ANN, GUEST, LATER):
        assert await merchant(program, "member", externalId=name) is None
        assert await merchant(program, "member_export", externalId=name) is None
    assert await shopper.run("member_card") is None


async def test_the_same_name_begins_anew(shop: ApiShop, program: Program, tmp_path: Path) -> None:
    await lived(program, tmp_path)
    await erased(program, ANN)

    enrolled = await program.till.run(
        "member_enrol", input={"idempotencyKey": key("enrol"), "externalId": ANN, "name": "New"}
    )

    assert enrolled["userErrors"] == []
    assert not enrolled["replayed"]
    shopper = await program.shopper(ANN)
    member = await shopper.run("member_card")
    assert [int(each["available"]) + int(each["pending"]) for each in member["balances"]] == [0, 0]
    assert (await shopper.run("orders", first=5))["orders"]["nodes"] == []
    # The old orders are known still: reported again they earn nothing for the new member.
    at = shop.clock.now().isoformat()
    order = {"id": "w-2", "memberId": ANN, "currency": "EUR", "occurredAt": at, "lines": [
        {"productId": "tea", "quantity": 1, "amount": "300.00"}]}  # fmt: skip
    await delivered(program, mark("d-3"), "order.paid", order)
    member = await shopper.run("member_card")
    assert [int(each["pending"]) for each in member["balances"]] == [0, 0]
    assert (await verify(shop.database, program.tenant_id)).problems == []


async def test_what_files_of_imports_may_hold_is_told(program: Program, tmp_path: Path) -> None:
    """Those files are wherever an import ran: erasing cannot reach them, so it says which."""
    await lived(program, tmp_path)
    assert MARK in (tmp_path / "members.rejected.csv").read_text()
    left = [{"kind": "members", "startedAt": "2026-03-01T12:00:00Z", "rejected": 1}]

    document = await merchant(program, "member_export", externalId=ANN)
    answer = await erased(program, ANN)

    moments = [each.pop("startedAt") for each in document["importsToCheck"]]
    assert moments == ["2026-03-01T12:00:00+00:00"]
    assert document["importsToCheck"] == [{"kind": "members", "rejected": 1}]
    assert answer["importsToCheck"] == left


async def test_a_code_goes_from_orders_that_stayed_with_somebody_else(
    shop: ApiShop, program: Program
) -> None:
    """Bob was part of ann, who paid for the refund of his order, so it stayed hers."""
    await program.rich("ann", 100)
    await program.rich("bob", 200)
    await merchant(
        program,
        "coupon_issue",
        input={"idempotencyKey": "c", "reward": "five-off", "member": "bob", "codes": ["BOB-ONLY"]},
    )
    quoted = await program.till.run(
        "checkout_quote",
        input={"cartId": "c", "member": "bob", "codes": ["bob-only"],
               "lines": [line("1", "tea", 1, "30.00")], "rewards": {"pinned": ["BOB-ONLY"]}},
    )  # fmt: skip
    held = await program.till.run(
        "checkout_reserve",
        input={"idempotencyKey": "k", "quoteToken": quoted["quote"]["token"]},
    )
    payable = quoted["quote"]["payable"]
    await program.till.run(
        "checkout_commit",
        input={"idempotencyKey": "k", "reservationId": held["reservation"]["id"],
               "orderExternalId": "o-1",
               "paid": {k: payable[k] for k in ("amount", "currencyCode")}},
    )  # fmt: skip
    both = {"source": "bob", "target": "ann"}
    await program.till.run("member_merge", input={"idempotencyKey": "m", **both})
    shop.clock.advance(timedelta(days=15))
    await spent(program, "ann")
    await program.paid("later", "ann", 10_000, days_ago=60)
    await program.till.run(
        "order_refund",
        input={"idempotencyKey": "r", "orderExternalId": "o-1", "refundExternalId": "r"},
    )
    await program.till.run("member_unmerge", input={"idempotencyKey": "u", "source": "bob"})
    assert await found_in_tables(program, ["BOB-ONLY"]) >= {"shop_order.context", "coupon.code"}
    anns = await merchant(program, "member_export", externalId="ann")
    assert "o-1" in {each["externalId"] for each in anns["orders"]}

    await erased(program, "bob")

    assert await found_in_tables(program, ["BOB-ONLY"]) == set()
    assert (await verify(shop.database, program.tenant_id)).problems == []


async def spent(program: Program, member: str) -> None:
    """All of a member's points pay for one order."""
    quoted = await program.till.run(
        "checkout_quote",
        input={"cartId": "all", "member": member, "points": {"all": True},
               "lines": [line("1", "tea", 1, "900.00")], "rewards": {"excluded": ["five-off"]}},
    )  # fmt: skip
    held = await program.till.run(
        "checkout_reserve",
        input={"idempotencyKey": "all", "quoteToken": quoted["quote"]["token"]},
    )
    payable = quoted["quote"]["payable"]
    done = await program.till.run(
        "checkout_commit",
        input={"idempotencyKey": "all", "reservationId": held["reservation"]["id"],
               "orderExternalId": "all",
               "paid": {k: payable[k] for k in ("amount", "currencyCode")}},
    )  # fmt: skip
    assert done["userErrors"] == []


async def test_a_refund_after_erasure_leaves_nobody_a_balance(
    shop: ApiShop, program: Program, tmp_path: Path
) -> None:
    await program.rich("ann", 500)
    quoted = await program.till.run(
        "checkout_quote",
        input={"cartId": "c", "member": "ann", "lines": [line("1", "tea", 1, "90.00")]},
    )
    held = await program.till.run(
        "checkout_reserve",
        input={"idempotencyKey": "k", "quoteToken": quoted["quote"]["token"]},
    )
    payable = quoted["quote"]["payable"]
    await program.till.run(
        "checkout_commit",
        input={"idempotencyKey": "k", "reservationId": held["reservation"]["id"],
               "orderExternalId": "o-1",
               "paid": {k: payable[k] for k in ("amount", "currencyCode")}},
    )  # fmt: skip
    await erased(program, "ann")

    refunded = await program.till.run(
        "order_refund",
        input={"idempotencyKey": "k", "orderExternalId": "o-1", "refundExternalId": "r-1"},
    )

    assert refunded["userErrors"] == []
    assert int(refunded["refund"]["pointsReturned"]) > 0
    assert (await verify(shop.database, program.tenant_id)).problems == []
    left = await shop.database.read(
        Sql("SELECT SUM(balance), SUM(deficit) FROM account WHERE tenant_id = $1")(
            program.tenant_id
        )
    )
    assert [int(value) for value in left[0]] == [0, 0]


async def test_another_tenants_member_of_that_name_stays(
    shop: ApiShop, program: Program, other_program: Program
) -> None:
    for each in (program, other_program):
        await each.rich("ann", 100)
    before = await merchant(other_program, "member_export", externalId="ann")

    await erased(program, "ann")

    assert await merchant(other_program, "member_export", externalId="ann") == before


async def test_nothing_is_left_in_a_shared_cache(
    migrated_url: str, valkey_url: str, tmp_path: Path
) -> None:
    if not migrated_url.startswith("sqlite"):
        return
    store = redis.Redis.from_url(valkey_url)
    store.flushall()
    cache = open_cache(valkey_url)
    async with api_shop(migrated_url, tmp_path / "data", cache=cache) as shop:
        program = shop.programs[0]
        await lived(program, tmp_path)
        assert any(MARK in each for each in dumped(store))

        await erased(program, ANN)

        assert [each for each in dumped(store) if MARK in each] == []
    store.close()


def dumped(store: Any) -> Iterator[str]:
    for key in store.keys("*"):
        kind = store.type(key)
        value = store.hgetall(key) if kind == b"hash" else store.get(key)
        yield f"{key!r} {value!r}"


async def test_an_export_holds_everything(shop: ApiShop, program: Program, tmp_path: Path) -> None:
    await lived(program, tmp_path)

    document = await merchant(program, "member_export", externalId=GUEST)

    assert (document["format"], document["tenant"], document["member"]) == (2, "corner", ANN)
    sections = {held.section for held in TABLES.values() if held.section}
    assert sections == document.keys() - {
        "format", "exportedAt", "tenant", "member", "importsToCheck",
    }  # fmt: skip
    assert {each["externalId"] for each in document["members"]} == {ANN, GUEST, LATER}
    orders = {each["externalId"] for each in document["orders"]}
    assert orders == {"i-1", "i-2", "w-1", "w-2", "o-1", "o-2"}
    (profile,) = (each for each in document["members"] if each["externalId"] == ANN)
    assert (profile["email"], profile["birthday"]) == (f"{MARK}@example.org", "1991-03-04")
    reasons = {each["reason"] for each in document["refunds"]}
    assert reasons == {mark("refund"), mark("broke"), None}
    assert {each["delivery"] for each in document["deliveries"]} == {
        mark(f"d-{n}") for n in (1, 2, 3, 4)
    }
    assert document["coupons"][0]["code"] == MARK.upper()
    total = sum(each["amount"] for each in document["entries"])
    assert total == 0
    assert sum(each["remaining"] for each in document["lots"]) == sum(
        each["balance"] + each["deficit"] for each in document["accounts"]
    )
    json.dumps(document)


def test_every_text_column_is_classified() -> None:
    """A new table or text column is personal or it is not: say which in ``personal_data``."""
    problems = []
    for table in tables().values():
        held = TABLES.get(table.name)
        if held is None:
            problems.append(f"{table.name}: not in personal_data.TABLES")
            continue
        texts = {column.name for column in table.columns if column.type == "text"}
        named = held.erased.keys() | held.kept.keys()
        if not held.is_deleted:
            problems += [f"{table.name}.{name}: personal or not?" for name in texts - named]
        problems += [f"{table.name}.{name}: no text column" for name in named - texts]
        problems += [f"{table.name}.{name}: both" for name in held.erased.keys() & held.kept.keys()]
        owns = {"member_id", "source_id", "order_id", "reservation_id", "transaction_id"}
        if owns & set(table.names) and held.section is None:
            problems.append(f"{table.name}: names a member's rows and is in no section")

    assert problems == []
    assert set(TABLES) == set(tables())
