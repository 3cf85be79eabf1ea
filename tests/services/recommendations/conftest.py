"""Windows over a shop whose members have habits, with a model and without."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from habits import MEMBERS, bought_by, missing, paid_order, product, products, visits

from loyalty.cache import Cache, open_cache
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.secrets import SecretKey
from loyalty.services.catalogue import Catalogue
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.orders.orders import BookOrder
from loyalty.services.recommendations import served_model
from loyalty.services.recommendations.recommendation_id import RecommendationIds
from loyalty.services.recommendations.recommendations import RecommendationAnswer, Recommendations
from loyalty.services.recommendations.training import Trainer
from loyalty_recommender.card import Card
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.training import Settings

from ..conftest import START, Shop

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
