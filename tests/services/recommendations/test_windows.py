"""What each window answers, and from what."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from habits import VISITS, bought_by, missing

from loyalty.cache import open_cache
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.errors import BadInput
from loyalty.services.members.members import Enrol, Profile, SetState
from loyalty.services.orders.orders import BookOrder
from loyalty.services.recommendations import rankings
from loyalty.services.recommendations.recommendations import RecommendationAnswer, Recommendations
from loyalty_recommender.windows import Window

from ..conftest import START, Shop
from .conftest import IDS, MISSING, TEA, Windows, names

pytestmark = pytest.mark.anyio


async def test_a_member_is_shown_what_its_like_buy_and_it_does_not(windows: Windows) -> None:
    found = {number: await windows.ask("FOR_YOU", bought_by(number)[0]) for number in range(6)}

    assert {number: names(answer)[0] for number, answer in found.items()} == {
        number: missing(number) for number in range(6)
    }
    assert {answer.strategy for answer in found.values()} == {"novel"}
    assert all(
        not {"milk", *bought_by(number)[1]} & set(names(answer)) for number, answer in found.items()
    )


WINDOWS: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("BUY_AGAIN", {"member": TEA}, "repeat", "milk"),
    ("SIMILAR", {"product": "tea-green"}, "item-item", "tea-black"),
    ("BOUGHT_TOGETHER", {"product": "honey"}, "item-item", "milk"),
    ("CART", {"cart": ["coffee-beans", "milk"]}, "completion", "coffee-ground"),
    ("CART", {"cart": ["milk"], "member": TEA}, "completion", "tea-black"),
    ("TRENDING", {}, "popularity", "milk"),
    ("NEW_ARRIVALS", {}, "arrivals", None),
    ("FOR_YOU", {}, "popularity", "milk"),
    ("BUY_AGAIN", {}, "popularity", "milk"),
    ("SIMILAR", {"product": "nothing-known"}, "popularity", "milk"),
    ("BOUGHT_TOGETHER", {"product": "nothing-known"}, "popularity", "milk"),
    ("CART", {"cart": ["nothing-known"]}, "popularity", "milk"),
    ("CART", {}, "popularity", "milk"),
]


async def test_each_window_says_who_answered(windows: Windows) -> None:
    card = await windows.recommendations.model(windows.shop.tenant_id)
    assert card is not None
    for window, asked, strategy, has in WINDOWS:
        answer = await windows.ask(window, **asked)

        assert (answer.window, answer.strategy) == (window, strategy)
        assert (answer.model_id, answer.trained_at) == (card.model_id, card.trained_at)
        assert not set(names(answer)) & {*asked.get("cart", ()), asked.get("product")}
        assert (has in names(answer)) if has else names(answer) == []


async def test_the_cache_changes_no_answer(windows: Windows) -> None:
    off = Recommendations(
        windows.shop.database,
        open_cache("off"),
        windows.catalogue,
        windows.shop.clock,
        windows.models,
        IDS,
    )
    for window, asked, _, _ in WINDOWS:
        cold, warm = [await windows.ask(window, **asked) for _ in range(2)]
        windows.recommendations, cached = off, windows.recommendations
        uncached = await windows.ask(window, **asked)
        windows.recommendations = cached

        assert cold == warm == uncached


async def test_without_a_model_the_latest_orders_answer(untrained: Windows) -> None:
    answer = await untrained.ask("NEXT_VISIT", TEA, first=3)
    nothing = await untrained.ask("NEW_ARRIVALS")

    assert (answer.strategy, answer.trained_at, answer.model_id) == ("popularity", None, None)
    assert names(answer)[0] == "milk"
    assert len(answer.items) == 3
    assert nothing == RecommendationAnswer("NEW_ARRIVALS", "none", None, None, [], "")
    assert "milk" not in await untrained.names("CART", cart=["milk"], first=50)
    assert await untrained.recommendations.model(untrained.shop.tenant_id) is None


async def test_without_a_model_nothing_is_shown_as_new_that_the_member_bought(
    untrained: Windows,
) -> None:
    _, own = bought_by(1)
    guest = await untrained.names("FOR_YOU", first=50)

    found = await untrained.names("FOR_YOU", TEA, first=50)

    assert found == [name for name in guest if name not in {"milk", *own}]
    assert MISSING in found


async def test_a_shop_without_orders_or_products_has_nothing_to_show(
    windows: Windows, shops: tuple[Shop, Shop]
) -> None:
    for window in Window:
        answer = await windows.recommendations.answer(
            shops[1].tenant_id,
            rules=await shops[1].rulesets.current(shops[1].tenant_id),
            member=None,
            window=window,
            first=5,
            product="milk",
            cart=["milk"],
        )
        assert (answer.items, answer.model_id) == ([], None)


async def test_a_purchase_since_the_training_shows_at_once(windows: Windows) -> None:
    assert (await windows.names("FOR_YOU", TEA))[0] == MISSING
    await windows.buy(TEA, MISSING)

    answer = await windows.ask("FOR_YOU", TEA)

    assert answer.strategy == "novel"
    assert MISSING not in names(answer)


async def test_what_was_bought_before_all_that_is_weighed_is_not_new_either(
    windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = windows.shop
    monkeypatch.setattr(rankings, "PAST_LINES_MAX", VISITS * 3)
    assert "sugar" in await windows.names("FOR_YOU", TEA, first=50)
    at = START - timedelta(days=365)
    order = PaidOrder("long-ago", TEA, "EUR", (OrderLine("sugar", 1, 100),), at)
    await shop.door.submit(BookOrder(shop.tenant_id, order, "test"))

    answer = await windows.ask("FOR_YOU", TEA, first=50)

    assert answer.strategy == "novel"
    assert "sugar" not in names(answer)


async def test_a_cart_is_completed_by_the_members_own_habits(windows: Windows) -> None:
    for number in range(4):
        member, own = bought_by(number)

        answer = await windows.ask("CART", member, cart=["milk"])

        assert answer.strategy == "completion"
        assert set(names(answer)[:3]) == set(own)


async def test_each_cart_of_a_member_is_answered_for_itself(windows: Windows) -> None:
    first = await windows.names("CART", TEA, cart=["milk"])

    second = await windows.names("CART", TEA, cart=["milk", first[0]])

    assert first[0] not in second
    assert await windows.names("CART", TEA, cart=["milk"]) == first


async def test_who_did_not_agree_to_profiling_is_answered_as_a_guest(windows: Windows) -> None:
    shop = windows.shop
    refused = Profile(consents={"profiling": False})
    asked: dict[str, dict[str, Any]] = {"FOR_YOU": {}, "BUY_AGAIN": {}, "CART": {"cart": ["milk"]}}
    guest = {window: await windows.ask(window, **more) for window, more in asked.items()}
    for window, more in asked.items():
        assert names(await windows.ask(window, TEA, **more)) != names(guest[window])
    await shop.door.submit(Enrol(shop.tenant_id, None, TEA, refused, or_update=True))

    for window, answer in guest.items():
        assert await windows.ask(window, TEA, **asked[window]) == answer


async def test_a_member_who_left_is_answered_as_a_guest(windows: Windows) -> None:
    shop = windows.shop
    await shop.door.submit(SetState(shop.tenant_id, None, TEA, "CLOSED"))

    assert await windows.ask("FOR_YOU", TEA) == await windows.ask("FOR_YOU")


async def test_a_newcomer_is_answered_by_popularity(windows: Windows) -> None:
    shop = windows.shop
    agreed = Profile(consents={"profiling": True})
    await shop.door.submit(Enrol(shop.tenant_id, None, "new", agreed))
    await windows.buy("new", "milk")

    answer = await windows.ask("FOR_YOU", "new", first=50)

    assert answer.strategy == "popularity"
    assert "milk" not in names(answer)


async def test_what_cannot_be_asked_is_refused(untrained: Windows) -> None:
    refused: list[tuple[str, dict[str, Any]]] = [
        ("window", {"window": "for_you"}),
        ("window", {"window": ""}),
        ("first", {"window": "TRENDING", "first": 0}),
        ("first", {"window": "TRENDING", "first": 51}),
        ("product", {"window": "SIMILAR"}),
        ("product", {"window": "BOUGHT_TOGETHER"}),
        ("cart", {"window": "CART", "cart": ["x"] * 201}),
    ]
    for field, asked in refused:
        with pytest.raises(BadInput, match="wanted") as problem:
            await untrained.ask(**asked)

        assert problem.value.field == (field,)


async def test_many_at_once_are_answered_alike(windows: Windows) -> None:
    asked: Sequence[str | None] = [None, TEA, "coffee-0"] * 20

    found = await asyncio.gather(*(windows.names("FOR_YOU", member) for member in asked))

    assert len({tuple(each) for each in found}) == 3
    assert found[:3] * 20 == found


@pytest.mark.parametrize("profiling", [True, False])
async def test_an_answers_id_says_what_was_answered(windows: Windows, profiling: bool) -> None:
    profile = Profile(consents={"profiling": profiling})
    await windows.shop.door.submit(Enrol(windows.shop.tenant_id, None, "mia", profile))

    answer = await windows.ask("CART", "mia", cart=[TEA])

    said = IDS.read(windows.shop.tenant_id, answer.id)
    mia = await windows.shop.member("mia")
    assert (said.window, said.model) == ("CART", answer.model_id)
    assert said.at == windows.shop.clock.now()
    assert said.member_id == (mia.id if profiling else None)
    assert [said.position(name) for name in names(answer)] == [1, 2, 3, 4, 5][: said.count]
