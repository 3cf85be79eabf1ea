"""A new version decides of tiers from its publication on, whoever has looked before and since."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from loyalty.domain.books.ledger import micros
from loyalty.services.books.settling import Settle
from loyalty.storage.statements import Sql

from .conftest import PROGRAM, START, Shop

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
CHANGES = Sql(
    """SELECT c.at, c.tier_from, c.tier_to, c.reason FROM tier_change c
         JOIN member m ON m.tenant_id = c.tenant_id AND m.id = c.member_id
        WHERE c.tenant_id = $1 AND m.external_id = $2 ORDER BY c.at, c.id"""
)


def program(threshold: int, grace_days: int) -> str:
    return PROGRAM.replace("threshold = 500", f"threshold = {threshold}").replace(
        "grace_days = 30", f"grace_days = {grace_days}"
    )


async def history(shop: Shop, name: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await shop.database.read(CHANGES(shop.tenant_id, name))]


async def looked_at(shop: Shop, name: str) -> None:
    """What the settling job does to a member."""
    await shop.door.submit(Settle(shop.tenant_id, name))


@pytest.mark.parametrize(
    ("versions", "then"),
    [
        ([(20, 800, 30)], [("gold", 0, "QUALIFIED"), ("gold", 20, "GRACE_STARTED")]),
        ([(20, 600, 30)], [("gold", 0, "QUALIFIED")]),
        ([(20, 800, 0)], [("gold", 0, "QUALIFIED"), ("base", 20, "DOWNGRADED")]),
        (
            [(20, 800, 30), (30, 500, 30)],
            [("gold", 0, "QUALIFIED"), ("gold", 20, "GRACE_STARTED"), ("gold", 30, "RENEWED")],
        ),
        ([(20, 800, 0), (20, 500, 30)], [("gold", 0, "QUALIFIED")]),
        ([(0, 800, 0)], [("gold", 0, "QUALIFIED"), ("base", 0, "DOWNGRADED")]),
    ],
    ids=["higher", "still reached", "no grace", "taken back", "corrected at once", "just then"],
)
async def test_it_does_not_matter_who_looked(
    shop: Shop, versions: list[tuple[int, int, int]], then: list[tuple[str, int, str]]
) -> None:
    for name in ("ann", "bob", "eve"):
        await shop.paid(f"o-{name}", name, 70_000)
    for day in range(40):
        if day:
            shop.clock.set(START + day * DAY - timedelta(hours=1))
            await looked_at(shop, "ann")
        shop.clock.set(START + day * DAY)
        for at, threshold, grace_days in versions:
            if at == day:
                await shop.rulesets.publish(
                    shop.tenant_id, program(threshold, grace_days), "merchant"
                )
        if day % 7 == 0:
            await looked_at(shop, "eve")
    seen = [(await shop.member(name)).tier for name in ("ann", "bob", "eve")]
    assert seen[0] == seen[1] == seen[2]
    for name in ("ann", "bob", "eve"):
        await looked_at(shop, name)

    expected = [(to, micros(START + day * DAY), reason) for to, day, reason in then]
    for name in ("ann", "bob", "eve"):
        found = [(row[2], row[0], row[3]) for row in await history(shop, name)]
        assert found == expected, name
    assert await shop.problems() == []


async def test_a_process_that_starts_anew_judges_the_past_alike(shop: Shop) -> None:
    await shop.paid("o-1", "ann", 70_000)
    shop.clock.set(START + 5 * DAY)
    await shop.rulesets.publish(shop.tenant_id, program(800, 0), "merchant")
    shop.clock.set(START + 9 * DAY)
    await shop.rulesets.publish(shop.tenant_id, program(700, 0), "merchant")
    shop.clock.set(START + 12 * DAY)
    before = (await shop.member("ann")).tier
    shop.rulesets._known.clear()

    assert (await shop.member("ann")).tier == before
    shop.rulesets._known.clear()
    await looked_at(shop, "ann")
    assert (await shop.member("ann")).tier == before
    assert [row[1:] for row in await history(shop, "ann")] == [
        ("base", "gold", "QUALIFIED"),
        ("gold", "base", "DOWNGRADED"),
        ("base", "gold", "QUALIFIED"),
    ]
