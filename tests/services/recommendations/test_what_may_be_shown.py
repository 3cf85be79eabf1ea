"""No filter, tier or page lets through what the viewer may not see."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from habits import bought_by, products

from loyalty.cache import Cache
from loyalty.domain.recommendations.because import BecauseCode
from loyalty.services.recommendations import picking, recommendations
from loyalty.services.recommendations.recommendations import Recommendations

from ..conftest import START
from .conftest import IDS, MISSING, TEA, Windows

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "change", [{"stock": 0}, {"is_active": False}, {"tiers": ("gold",)}], ids=str
)
async def test_what_may_not_be_shown_is_never_answered(
    windows: Windows, change: dict[str, Any]
) -> None:
    asked: list[tuple[str, dict[str, Any]]] = [
        ("FOR_YOU", {"member": TEA}),
        ("BUY_AGAIN", {"member": "tea-3"}),
        ("SIMILAR", {"product": "tea-green"}),
        ("BOUGHT_TOGETHER", {"product": "tea-green"}),
        ("CART", {"cart": ["tea-green"]}),
        ("TRENDING", {}),
        ("FOR_YOU", {}),
    ]
    before = {window: await windows.names(window, **given, first=50) for window, given in asked}
    assert any(MISSING in found for found in before.values())
    await windows.say((MISSING, change))

    for _ in range(3):
        for window, given in asked:
            assert MISSING not in await windows.names(window, **given, first=50)
        # The mask of what may be seen is made again meanwhile; the answers stay the same.
        await asyncio.sleep(0.02)


async def test_what_a_tier_may_see_is_answered_to_it_alone(windows: Windows) -> None:
    await windows.say((MISSING, {"tiers": ("gold",)}))
    await windows.shop.paid("big", TEA, 60_000)
    gold = await windows.shop.member(TEA)
    assert gold.tier.current.code == "gold"

    assert MISSING in await windows.names("FOR_YOU", TEA)
    assert MISSING not in await windows.names("TRENDING", "coffee-0", first=50)
    assert MISSING in await windows.names("TRENDING", TEA, first=50)


async def test_what_a_filter_leaves_is_listed_for_each_tier_and_moment(
    windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommendations, "DEPTH", 1)
    until = windows.shop.clock.now() + timedelta(hours=1)
    rare = {"category": "RARE", "tiers": ("gold",), "tiers_until": until}
    await windows.say((MISSING, rare))
    await windows.shop.paid("big", TEA, 60_000)
    wanted = picking.ProductFilter(categories=("RARE",))

    async def found(member: str | None) -> list[str]:
        return await windows.names("TRENDING", member, wanted=wanted)

    before = [await found(member) for member in (None, TEA, None)]
    windows.shop.clock.advance(timedelta(hours=1))

    assert before == [[], [MISSING], []]
    assert await found(None) == [MISSING]


async def test_a_shop_that_was_closed_for_a_while_shows_its_products_again(
    windows: Windows,
) -> None:
    everything = [each.external_id for each in products(START)]
    await windows.say(*((name, {"is_active": False}) for name in everything))
    assert await windows.names("TRENDING") == []

    await windows.say(*((name, {}) for name in everything))

    await _until_shown(windows, "milk")


async def _until_shown(windows: Windows, name: str) -> None:
    async with asyncio.timeout(5):
        while True:
            if name in await windows.names("TRENDING"):
                return
            await asyncio.sleep(0.01)


async def test_a_reason_names_what_the_viewer_may_see(windows: Windows, cache: Cache) -> None:
    shop = windows.shop
    rules = await shop.rulesets.current(shop.tenant_id)
    told: list[str | None] = []
    while None not in told:
        # A purchase, so that no cached ranking answers, in a process that has no mask yet.
        await windows.buy(TEA, "milk")
        asked = replace(
            windows,
            recommendations=Recommendations(
                shop.database, cache, windows.catalogue, shop.clock, windows.models, IDS
            ),
        )
        (shown,) = (await asked.ask("FOR_YOU", TEA, first=1)).items
        (listed,) = (
            await asked.recommendations.rank(
                shop.tenant_id, rules=rules, member=await shop.member(TEA), products=[MISSING]
            )
        ).items
        assert shown.because == listed.because
        assert shown.because is not None
        assert shown.because.code is BecauseCode.BECAUSE_YOU_BUY
        assert shown.because.about not in told
        told.append(shown.because.about)
        if shown.because.about is not None:
            await windows.say((shown.because.about, {"is_active": False}))

    assert sorted(told[:-1]) == sorted([*bought_by(1)[1], "milk"])


async def test_a_page_that_does_not_exist_for_the_viewer_tells_nothing(windows: Windows) -> None:
    await windows.say(("honey", {"tiers": ("gold",)}))
    about: list[tuple[str, Callable[[str], dict[str, Any]]]] = [
        ("SIMILAR", lambda name: {"product": name}),
        ("BOUGHT_TOGETHER", lambda name: {"product": name}),
        ("CART", lambda name: {"cart": [name]}),
    ]
    for window, given in about:
        hidden = await windows.ask(window, **given("honey"))

        assert hidden == await windows.ask(window, **given("unheard-of"))


async def test_products_out_of_stock_make_room_for_the_next(
    windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recommendations, "DEPTH", 2)
    monkeypatch.setattr(picking, "SPARE", 0)
    everything = await windows.names("TRENDING", first=50)
    assert len(everything) == 9
    gone = everything[:6]
    await windows.say(*((name, {"stock": 0}) for name in gone))

    found = [await windows.names("TRENDING", first=first) for first in (1, 2, 50)]

    assert found == [everything[6:7], everything[6:8], everything[6:]]
