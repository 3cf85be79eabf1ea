"""What an export says, and that the verifier finds it right: histories through the real door."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from ledger_forgery import Book, forged
from ledger_story import MEMBERS, Story

from loyalty.ledger_verifier import told
from loyalty.services.proof.ledger_export import export
from loyalty.services.proof.roots import Roots

from .conftest import Shop

pytestmark = pytest.mark.anyio


async def exported(shop: Shop) -> bytes:
    return b"".join([text async for text in export(shop.database, shop.tenant_id)])


def checked(text: bytes, roots: dict[str, str], capsys: pytest.CaptureFixture[str]) -> str:
    """What the verifier says; its status as the first character."""
    status = told(text.splitlines(keepends=True), roots)
    return f"{status} {capsys.readouterr().out}"


async def lived(shop: Shop, seed: int, steps: int) -> dict[str, str]:
    """Tell a story with a root for every day of it; returns the roots as they are published."""
    story, roots = Story(shop, seed), Roots(shop.database, shop.clock)
    published = {}
    await story.begin()
    for _ in range(steps):
        await story.step()
        for root in await roots.make(shop.tenant_id):
            published[root.day.isoformat()] = root.root.hex()
    return published


async def covered(shop: Shop, seed: int, steps: int) -> tuple[bytes, dict[str, str]]:
    """An export of which everything stands under the last of its roots."""
    published = await lived(shop, seed, steps)
    shop.clock.advance(timedelta(days=2))
    for root in await Roots(shop.database, shop.clock).make(shop.tenant_id):
        published[root.day.isoformat()] = root.root.hex()
    return await exported(shop), published


async def test_every_history_verifies_against_each_of_its_roots(
    shops: tuple[Shop, Shop], is_soak: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, shop in enumerate(shops):
        published = await lived(shop, number, 600 if is_soak else 100)

        text = await exported(shop)

        assert await shop.problems() == []
        assert checked(text, published, capsys).startswith("0 all of it holds: 4 holders, ")
        assert await exported(shop) == text


async def test_no_name_and_no_text_of_a_caller_is_in_an_export(shop: Shop) -> None:
    await lived(shop, 3, 60)

    text = (await exported(shop)).decode()

    assert not [word for word in (*MEMBERS, "o-1", "r-1", "c-1", "till") if f'"{word}' in text]
    keys = {key for line in text.splitlines() for key in json.loads(line)}
    assert keys == {
        *("format", "tenant", "root", "hash", "holders", "transactions", "holder", "end"),
        *("transaction", "seq", "kind", "order", "reservation", "refund", "ruleset", "effective"),
        *("booked", "entries", "lot", "unit", "amount", "remaining", "available", "expires"),
        *("hold", "account", "balance", "deficit", "sha256"),
    }


async def test_a_forger_who_changes_nothing_writes_the_same_export(shop: Shop) -> None:
    text, _ = await covered(shop, 3, 60)

    assert Book.read(text).write() == text


async def test_with_a_root_published_earlier_every_forgery_is_found(
    shop: Shop, is_soak: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    count = 1_000 if is_soak else 150
    text, published = await covered(shop, 3, 60)
    last = dict([max(published.items())])
    assert checked(text, last, capsys).startswith("0 all of it holds")
    random, seen, looks_right = Random(20_261_128), Counter[str](), Counter[str]()

    for _ in range(count):
        kind, changed = forged(text, random)
        seen[kind] += 1
        assert checked(changed, last, capsys).startswith("1 it does NOT hold"), kind
        looks_right[kind] += checked(changed, {}, capsys).startswith("0")

    assert seen.total() == count
    # Without a root, what was computed anew with care looks like any other history.
    assert looks_right.total() > count // 5, looks_right
