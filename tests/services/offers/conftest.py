"""A shop with a pool of offers, and the merchant who plans them."""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from offer_model import publish_model
from offer_shop import OfferShop

from loyalty.cache import open_cache
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.product import ProductFacts
from loyalty.services.books.door import outcome_of
from loyalty.services.catalogue import Catalogue
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.offers.offer_figures import OfferReports
from loyalty.services.offers.offer_plan_file import FiledPlan, read, written
from loyalty.services.offers.offer_planning import OfferPlan, OfferPlanner
from loyalty.services.offers.offer_publishing import OfferPublisher, Published
from loyalty.services.orders.orders import BookOrder

from ..conftest import PROGRAM, START, Shop

POOL = """
[[rewards]]
code = "fifth"
name = "A fifth off"
needs_offer = true
does = { kind = "percentage_off", rate_bp = 500 }

[offer_policy]
holdout_bp = 0
margin_bp = 4000
uplift_bp = 20000
target_days_between = 7

[[offers]]
code = "fresh"
name = "A fifth off {target}"
reward = "fifth"
days_between = 7
budget_minor = 1000
targets = [{ code = "tea", name = "tea", categories = ["TEA"] }]
"""


RULES = PROGRAM + POOL


class Planner:
    """The merchant's side of a shop whose members buy tea."""

    def __init__(self, shop: Shop, models: Path) -> None:
        self.shop = shop
        self.models = models
        self.planner = OfferPlanner(shop.database, shop.clock, shop.rulesets, models)
        self.publisher = OfferPublisher(shop.database, shop.clock, shop.rulesets)
        self.reports = OfferReports(shop.database, shop.clock, shop.rulesets)
        self.desk = OfferShop(shop)

    async def member(self, name: str, *, buys: Sequence[int] = (), **consents: bool) -> int:
        """A member that bought tea so many days ago."""
        shop = self.shop
        profile = Profile({}, {"profiling": True} | consents)
        outcome_of(await shop.door.submit(Enrol(shop.tenant_id, None, name, profile)))
        for days in buys:
            await self.bought(name, days)
        return (await shop.member(name)).id

    async def bought(self, name: str, days_ago: int, product: str = "tea") -> None:
        shop = self.shop
        at = shop.clock.now() - timedelta(days=days_ago)
        lines = (OrderLine(product, 2, 2_000),)
        order = PaidOrder(f"{name}-{product}-{at:%m%d}", name, "EUR", lines, at)
        outcome_of(await shop.door.submit(BookOrder(shop.tenant_id, order, "test")))

    async def plan(self, **more: Any) -> OfferPlan:
        return await self.planner.plan(self.shop.tenant_id, **more)

    async def filed(self) -> FiledPlan:
        return read(written(await self.plan(), "corner"))

    async def publish(self, plan: FiledPlan | None = None) -> Published:
        filed = plan or await self.filed()
        return await self.publisher.publish(self.shop.tenant_id, "corner", filed, "test")


def members_of(plan: OfferPlan) -> list[int]:
    return sorted(item.prospect.member_id for item in plan.chosen)


@pytest.fixture
async def desk(shop: Shop, tmp_path: Path) -> Planner:
    await shop.rulesets.publish(shop.tenant_id, RULES, "test")
    catalogue = Catalogue(shop.database, open_cache(None), shop.clock)
    tea = ProductFacts("tea", "Tea", shop.clock.now(), "EUR", category="TEA", cost_minor=600)
    soap = ProductFacts("soap", "Soap", shop.clock.now(), "EUR", category="CARE")
    await catalogue.upsert(shop.tenant_id, [tea, soap])
    return Planner(shop, tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of a tenant, one of them in service, trained when the shop's clock begins."""
    folder = tmp_path_factory.mktemp("trained")
    publish_model(folder, START)
    return folder


@pytest.fixture
def served(desk: Planner, trained: Path) -> Planner:
    """A shop that has trained."""
    shutil.copytree(trained, desk.models / f"{desk.shop.tenant_id}")
    return desk
