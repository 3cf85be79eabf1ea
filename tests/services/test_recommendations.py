"""What a storefront's windows are answered, from a model that the test trains and without one."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from habits import MEMBERS, VISITS, bought_by, missing, paid_order, product, products, visits

from loyalty.cache import Cache, open_cache
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.recommendations.because import BecauseCode
from loyalty.errors import BadInput
from loyalty.secrets import SecretKey
from loyalty.services.catalogue import Catalogue
from loyalty.services.members.members import Enrol, Profile, SetState
from loyalty.services.orders.orders import BookOrder
from loyalty.services.recommendations import picking, rankings, recommendations, served_model
from loyalty.services.recommendations.recommendation_id import RecommendationIds
from loyalty.services.recommendations.recommendations import RecommendationAnswer, Recommendations
from loyalty.services.recommendations.training import Trainer
from loyalty_recommender.card import Card
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.training import Settings
from loyalty_recommender.windows import Window

from .conftest import START, Shop

pytestmark = pytest.mark.anyio

SMALL = Settings(for_you=Novel(als=Als(factors=2)), product_visits_min=1)
TEA, MISSING = "tea-1", missing(1)
IDS = RecommendationIds(SecretKey("a key for tests, of more than 32 characters"))


@dataclass
class Windows:
    """A shop with habits, and its windows."""

    shop: Shop
    catalogue: Catalogue
    recommendations: Recommendations
    trainer: Trainer
    models: Path

    async def ask(self, window: str, member: str | None = None, **asked: Any) -> Any:
        shown = None if member is None else await self.shop.member(member)
        given = {"first": 5} | asked
        return await self.recommendations.answer(
            self.shop.tenant_id,
            rules=await self.shop.rulesets.current(self.shop.tenant_id),
            member=shown,
            window=window,
            **given,
        )

    async def names(self, window: str, member: str | None = None, **asked: Any) -> list[str]:
        return names(await self.ask(window, member, **asked))

    async def say(self, *changes: tuple[str, dict[str, Any]]) -> None:
        """The shop changes products."""
        self.shop.clock.advance(timedelta(minutes=1))
        now = self.shop.clock.now()
        facts = [product(name, now, **change) for name, change in changes]
        await self.catalogue.upsert(self.shop.tenant_id, facts)

    async def train(self) -> Card:
        return await self.trainer.train(self.shop.tenant_id, settings=SMALL)

    async def buy(self, member: str, *bought: str) -> None:
        lines = tuple(OrderLine(each, 1, 100) for each in bought)
        at = self.shop.clock.now()
        order = PaidOrder(f"{member}-at-{at}", member, "EUR", lines, at)
        await self.shop.door.submit(BookOrder(self.shop.tenant_id, order, "test"))


def names(answer: RecommendationAnswer) -> list[str]:
    assert [item.rank for item in answer.items] == list(range(1, len(answer.items) + 1))
    return [item.product.external_id for item in answer.items]


@pytest.fixture
async def cache() -> AsyncIterator[Cache]:
    opened = open_cache(None)
    yield opened
    await opened.close()


@pytest.fixture
async def untrained(
    shop: Shop, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Windows:
    """Everything booked, nothing trained; a new model is looked for at each question."""
    monkeypatch.setattr(served_model, "POLL_S", 0)
    monkeypatch.setattr(served_model, "MASK_REST_S", 0)
    catalogue = Catalogue(shop.database, cache, shop.clock)
    await catalogue.upsert(shop.tenant_id, products(START))
    agreed = Profile(consents={"profiling": True})
    members = [bought_by(number)[0] for number in range(MEMBERS)]
    await shop.door.execute(
        shop.tenant_id, [Enrol(shop.tenant_id, None, name, agreed) for name in members]
    )
    orders = [paid_order(visit) for visit in visits(START)]
    await shop.door.execute(
        shop.tenant_id, [BookOrder(shop.tenant_id, order, "test") for order in orders]
    )
    shop.clock.advance(timedelta(minutes=1))
    return Windows(
        shop,
        catalogue,
        Recommendations(shop.database, cache, catalogue, shop.clock, tmp_path, IDS),
        Trainer(shop.database, shop.rulesets, shop.clock, tmp_path),
        tmp_path,
    )


@pytest.fixture
async def windows(untrained: Windows) -> Windows:
    await untrained.train()
    return untrained


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


async def test_a_new_model_is_taken_up_while_the_old_one_answers(untrained: Windows) -> None:
    strategies = [(await untrained.ask("FOR_YOU", TEA)).strategy]
    first = await untrained.train()
    await _until(untrained, first.model_id)
    strategies.append((await untrained.ask("FOR_YOU", TEA)).strategy)
    untrained.shop.clock.advance(timedelta(hours=1))
    second = await untrained.train()
    await _until(untrained, second.model_id)

    assert strategies == ["popularity", "novel"]
    shutil.rmtree(untrained.models / str(untrained.shop.tenant_id))
    await _until(untrained, None)
    assert (await untrained.ask("FOR_YOU", TEA)).strategy == "popularity"


async def test_a_broken_model_leaves_the_one_before(windows: Windows) -> None:
    before = await windows.ask("FOR_YOU", TEA)
    windows.shop.clock.advance(timedelta(hours=1))
    after = await windows.train()
    folder = windows.models / str(windows.shop.tenant_id) / "models" / after.model_id
    for array in folder.glob("*.npy"):
        array.write_bytes(b"broken")

    for _ in range(5):
        await asyncio.sleep(0.02)
        assert await windows.ask("FOR_YOU", TEA) == before


async def test_a_model_whose_files_come_late_is_taken_up_all_the_same(
    windows: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_model, "BROKEN_REST_S", 0)
    before = await windows.ask("TRENDING")
    windows.shop.clock.advance(timedelta(hours=1))
    after = await windows.train()
    folder = windows.models / str(windows.shop.tenant_id) / "models" / after.model_id
    folder.rename(folder.with_name("late"))
    for _ in range(5):
        await asyncio.sleep(0.02)
        assert (await windows.ask("TRENDING")).model_id == before.model_id

    folder.with_name("late").rename(folder)

    await _until(windows, after.model_id)


async def _until(windows: Windows, model_id: str | None) -> None:
    async with asyncio.timeout(10):
        while True:
            if (await windows.ask("TRENDING")).model_id == model_id:
                return
            await asyncio.sleep(0.01)


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
