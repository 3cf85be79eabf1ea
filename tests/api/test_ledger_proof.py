"""Roots, proofs and the past through the schemas."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from api_shop import ApiShop, Caller, Program, document

from loyalty.ledger_verifier import main

pytestmark = pytest.mark.anyio


async def run(merchant: Caller, name: str, **variables: Any) -> Any:
    (value,) = (await merchant.data(document(name, "admin"), variables)).values()
    return value


async def first_entry(caller: Caller, member: str) -> str:
    history = (await caller.run("points_history", externalId=member))["history"]
    return str(history["nodes"][-1]["id"])


async def test_an_entry_is_proved_against_the_root_of_its_day(
    shop: ApiShop, program: Program, other_program: Program, tmp_path: Any, capsys: Any
) -> None:
    for name in ("ann", "bob", "cid"):
        await program.paid(f"o-{name}", name, 10_000)
    await program.paid("o-2", "bob", 5_000)
    entry = await first_entry(program.till, "bob")
    before = await run(program.merchant, "ledger_proof", entryId=entry)
    none = await run(program.merchant, "ledger_roots")
    shop.clock.advance(timedelta(days=1))
    await program.paid("o-3", "bob", 5_000)

    await shop.services.roots.make(program.tenant_id)
    (root,) = (await run(program.merchant, "ledger_roots"))["nodes"]
    proof = await run(program.merchant, "ledger_proof", entryId=entry)
    same = await run(program.merchant, "ledger_proof", entryId=proof["entryId"], day="2026-03-01")
    late = await run(program.merchant, "ledger_proof", entryId=entry, day="2026-03-02")
    foreign = await run(other_program.merchant, "ledger_proof", entryId=entry)
    file = tmp_path / "proof.json"
    file.write_text(proof["file"])

    assert (before["root"], before["file"], none["nodes"]) == (None, None, [])
    assert before["text"] == proof["text"]
    assert (root["day"], root["holders"], root["transactions"]) == ("2026-03-01", 3, 4)
    assert proof["root"]["published"] == root["published"]
    assert same == proof
    assert (late, foreign) == (None, None)
    assert len(json.loads(proof["file"])["links"]) == 2
    assert main([str(file), "--root", root["published"]]) == 0
    assert "stands under the root of 2026-03-01" in capsys.readouterr().out
    assert main([str(file)]) == 0
    assert "no root was handed in" in capsys.readouterr().out
    assert [found async for found in damaged(proof["file"], file, root["published"])] == []


async def damaged(text: str, file: Any, root: str) -> Any:
    """Places of a proof whose change nobody noticed."""
    for at in range(len(text) - 1):
        changed = text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :]
        file.write_text(changed)
        if main([str(file), "--root", root]) == 0:
            yield at, changed[max(at - 20, 0) : at + 20]


@pytest.mark.parametrize("id", ["", "x", "0", "99999999999999999999", "TWVtYmVyOjE", "é"])
async def test_what_is_no_id_of_an_entry_is_told_so(id: str, sqlite_shop: ApiShop) -> None:
    merchant = sqlite_shop.programs[0].merchant

    answer = await merchant.ask(document("ledger_proof", "admin"), {"entryId": id})

    assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_the_books_are_checked_with_the_latest_root(sqlite_shop: ApiShop) -> None:
    program = sqlite_shop.programs[0]
    await program.paid("o", "ann", 10_000)
    sqlite_shop.clock.advance(timedelta(days=1))
    await sqlite_shop.services.roots.make(program.tenant_id)

    found = await run(program.merchant, "ledger_verify")

    assert (found["ok"], found["problems"]) == (True, [])
    assert (await run(program.merchant, "ledger_roots"))["nodes"] != []


async def test_a_member_is_shown_as_of_a_moment(shop: ApiShop, program: Program) -> None:
    await program.rich("ann", 300)
    start = shop.clock.now()
    shop.clock.advance(timedelta(days=1))
    await program.paid("late", "ann", 10_000, days_ago=3)
    now = {"at": shop.clock.now().isoformat(), "by": "BOOKED"}
    days_ago = [(start - timedelta(days=days)).isoformat() for days in (0, 1)]

    asked: Sequence[Any] = [
        now, {"at": days_ago[0], "by": "BOOKED"}, {"at": days_ago[0], "by": "EFFECTIVE"},
        {"at": days_ago[1], "by": "BOOKED"},
    ]  # fmt: skip
    shopper = await program.shopper("ann")
    found = [await shopper.run("points_as_of", asOf=each) for each in asked]
    full = await run(program.merchant, "member_as_of", externalId="ann", asOf=asked[1])
    future = (shop.clock.now() + timedelta(hours=1)).isoformat()
    refused = await shopper.ask(document("points_as_of"), {"asOf": {"at": future, "by": "BOOKED"}})

    figures = [(each["balance"]["available"], each["balance"]["pending"]) for each in found]
    assert figures == [(300, 100), (300, 0), (300, 100), (0, 0)]
    assert [each["tier"]["qualifying"] for each in found] == [400, 300, 400, 0]
    assert [node["points"] for node in full["history"]["nodes"]] == [300]
    assert full["balances"][0]["available"] == 300
    assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
