"""Law 14: a member's whole life, full of marks, then erased: no mark is left anywhere."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import structlog
from api_shop import ApiShop, Program, api_shop, line
from marked_life import ANN, GUEST, LATER, MARK, delivered, key, lived, mark, marked, merchant

from loyalty.cache import open_cache
from loyalty.cache.memory import MemoryCache
from loyalty.services.proof.verify import verify
from loyalty.storage.personal_data import TABLES
from loyalty.storage.schema import tables
from loyalty.storage.statements import Sql

pytestmark = pytest.mark.anyio


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


NEVER_MARKED = {
    "coupon.state", "member.locale", "member_offer.reason", "member_offer.state",
    "transaction_note.client",
}  # fmt: skip
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
    await program.checked_out(
        "o-1", "k", cartId="c", member="bob", codes=["bob-only"],
        lines=[line("1", "tea", 1, "30.00")], rewards={"pinned": ["BOB-ONLY"]},
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
    await program.checked_out(
        "all", "all", cartId="all", member=member, points={"all": True},
        lines=[line("1", "tea", 1, "900.00")], rewards={"excluded": ["five-off"]},
    )  # fmt: skip


async def test_a_refund_after_erasure_leaves_nobody_a_balance(
    shop: ApiShop, program: Program, tmp_path: Path
) -> None:
    await program.rich("ann", 500)
    await program.checked_out(
        "o-1", "k", cartId="c", member="ann", lines=[line("1", "tea", 1, "90.00")]
    )
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
    for name in store.keys("*"):
        kind = store.type(name)
        value = store.hgetall(name) if kind == b"hash" else store.get(name)
        yield f"{name!r} {value!r}"


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
