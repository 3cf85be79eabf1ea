"""The past of a member: what was known then, and what is known of it today."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from ledger_story import BRISK, MEMBERS, Story

from loyalty.domain.books.as_of import AsOf, By
from loyalty.errors import BadInput, NotFound
from loyalty.services.checkout.views import Views
from loyalty.services.members.as_of import Pasts, figures_as_of, steps_as_of
from loyalty.services.members.summary import Figures

from .conftest import Shop

pytestmark = pytest.mark.anyio


def pasts_of(shop: Shop) -> Pasts:
    return Pasts(shop.database, shop.clock, shop.rulesets)


async def past(shop: Shop, name: str, at: datetime, by: By) -> Figures:
    """A member's figures as of a moment."""
    pasts, as_of = pasts_of(shop), AsOf(at, by)
    member = await shop.member(name)
    history = await pasts.history(shop.tenant_id, member.id)
    return figures_as_of(history, as_of, await pasts.ruleset(shop.tenant_id, as_of))


async def live(shop: Shop, name: str) -> Figures:
    member = await shop.member(name)
    return Figures(member.balances, member.moneys, member.tier, member.at)


async def lines(shop: Shop, name: str, as_of: AsOf | None = None) -> list[Any]:
    views, member = Views(shop.database, shop.clock), await shop.member(name)
    return [
        await views.history(shop.tenant_id, member.id, unit, 500, as_of=as_of)
        for unit in ("points", "status")
    ]


@pytest.mark.parametrize("seed", range(2))
async def test_what_was_booked_by_then_is_what_was_answered_then(
    shop: Shop, seed: int, is_soak: bool
) -> None:
    story = Story(shop, seed, steps_back=False)
    await story.begin()
    answers: dict[tuple[datetime, str], tuple[Figures, list[Any]]] = {}
    for _ in range(500 if is_soak else 40):
        await story.step()
        for name in MEMBERS:
            answers[shop.clock.now(), name] = (await live(shop, name), await lines(shop, name))
            for by in By:
                now = shop.clock.now()
                assert await past(shop, name, now, by) == await live(shop, name), (name, story.done)

    for (at, name), (figures, history) in answers.items():
        assert await past(shop, name, at, By.BOOKED) == figures, (at, name, story.done)
        assert await lines(shop, name, AsOf(at, By.BOOKED)) == history
    assert len(answers) > 20


CASES = [
    # day, by, available, pending, held, tier
    ("before the late order's day", 0, By.EFFECTIVE, (0, 0, 0), "base"),
    ("on its day, as is known today", 1, By.EFFECTIVE, (0, 400, 0), "base"),
    ("on its day, as was known then", 1, By.BOOKED, (0, 0, 0), "base"),
    ("active, as is known today", 3, By.EFFECTIVE, (400, 0, 0), "base"),
    ("active, as was known then", 3, By.BOOKED, (0, 0, 0), "base"),
    ("arrived, active at once", 5, By.BOOKED, (400, 0, 0), "gold"),
    ("arrived, by what is known today", 5, By.EFFECTIVE, (400, 0, 0), "gold"),
    ("while 100 of it are held", 6, By.BOOKED, (300, 0, 100), "gold"),
    ("when the hold has timed out, booked or not", 7, By.BOOKED, (400, 0, 0), "gold"),
    ("when it has expired, booked or not", 60, By.EFFECTIVE, (0, 0, 0), "gold"),
]


async def test_a_late_order_is_known_then_or_today(shop: Shop) -> None:
    await shop.rulesets.publish(shop.tenant_id, BRISK, "test")
    start = shop.clock.now()
    await shop.enrol("ann")
    shop.clock.set(start + timedelta(days=5))
    await shop.paid("o-1", "ann", 40_000, start + timedelta(days=1))
    shop.clock.set(start + timedelta(days=6))
    await shop.reserve(await shop.quote("ann", "cart", 2_000))
    shop.clock.set(start + timedelta(days=61))

    found = []
    for name, day, by, *_ in CASES:
        seen = await past(shop, "ann", start + timedelta(days=day), by)
        points = seen.balances[0]
        found.append(
            (
                *(name, day, by, (points.available, points.pending, points.held)),
                seen.tier.current.code,
            )
        )

    assert found == CASES


async def test_nothing_moves_by_looking(shop: Shop) -> None:
    await shop.rich_member("ann", 300)
    told = len(shop.told)

    for by in By:
        await past(shop, "ann", shop.clock.now(), by)

    assert len(shop.told) == told
    assert await shop.problems() == []


async def test_the_rules_are_those_in_force_then(shop: Shop) -> None:
    pasts, start = pasts_of(shop), shop.clock.now()
    shop.clock.advance(timedelta(days=1))
    await shop.rulesets.publish(shop.tenant_id, BRISK, "test")

    versions = [
        (await pasts.ruleset(shop.tenant_id, AsOf(start + timedelta(days=days), By.BOOKED))).version
        for days in (-9, 0, 1)
    ]

    assert versions == [1, 1, 2]


async def test_the_future_is_refused_and_other_tenants_members_are_not_there(
    shops: tuple[Shop, Shop],
) -> None:
    shop, other = shops
    await shop.enrol("ann")
    pasts, member = pasts_of(shop), await shop.member("ann")

    with pytest.raises(BadInput, match="wanted a moment not after"):
        pasts.check(AsOf(shop.clock.now() + timedelta(seconds=1), By.BOOKED))
    pasts.check(AsOf(shop.clock.now(), By.BOOKED))
    with pytest.raises(NotFound):
        await pasts.history(other.tenant_id, member.id)


async def test_changes_of_tier_are_told_as_of_then(shop: Shop) -> None:
    await shop.rulesets.publish(shop.tenant_id, BRISK, "test")
    start = shop.clock.now()
    await shop.enrol("ann")
    await shop.paid("o-1", "ann", 40_000, start - timedelta(days=2))
    shop.clock.advance(timedelta(days=100))
    await shop.paid("o-2", "ann", 1_000)
    history = await pasts_of(shop).history(shop.tenant_id, (await shop.member("ann")).id)

    seen = {
        (days, by): [
            step.reason for step in steps_as_of(history, AsOf(start + timedelta(days), by), 9)
        ]
        for days, by in ((0, By.BOOKED), (99, By.BOOKED), (99, By.EFFECTIVE))
    }

    assert seen == {
        (0, By.BOOKED): ["QUALIFIED"],
        # Time had brought the others by then, and nobody had come by to book them.
        (99, By.BOOKED): ["QUALIFIED"],
        (99, By.EFFECTIVE): ["DOWNGRADED", "GRACE_STARTED", "QUALIFIED"],
    }
