"""How likely members are to buy targets, learned from every purchase of the shop.

The recommender learns it anew for each plan, from what all members bought and when: also from other
products of the same type, brand or category, and from how often anybody buys the target. That takes
longer than ``propensity`` and tells more apart; a merchant chooses.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from loyalty.domain.calendar import local
from loyalty.domain.offer_plan import PPM, Goods
from loyalty.domain.propensity import TargetHistory
from loyalty.domain.ruleset import Ruleset
from loyalty.errors import Conflict
from loyalty.services.purchases import purchases
from loyalty.storage import offers as sql
from loyalty.storage.database import Database
from loyalty_recommender.arrays import AnyArray
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.errors import RecommenderError
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.offers.purchases import Pasts, fit_on_purchases
from loyalty_recommender.offers.scorer import OfferScorer
from loyalty_recommender.offers.targets import Shelves, Targets

PAGE_ROWS = 20_000
_EPOCH = date(1970, 1, 1)

Described = dict[str, tuple[str | None, str | None, str | None]]
"""Category, department and brand of products."""


@dataclass(slots=True)
class LearnedPropensity:
    """Made for one plan, by ``learned``."""

    scorer: OfferScorer
    interactions: Interactions
    targets: Targets
    goods: Sequence[Goods]
    day: int
    _known: dict[int, AnyArray] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return "learned-purchases-1"

    def chances_ppm(
        self,
        goods: Goods,
        members: Sequence[int],
        histories: Sequence[TargetHistory],
        window_days: int,
    ) -> Sequence[int]:
        """See ``Propensity``. Who never bought anything is known by nothing but that."""
        if window_days not in self._known:
            self._known[window_days] = self._all(window_days)
        column = self._known[window_days][:, self.goods.index(goods)]
        nobody = len(self.interactions.members)
        found = self.interactions.members.find
        places = [found(str(member)) for member in members]
        return [int(column[nobody if place is None else place] * PPM) for place in places]

    def _all(self, window_days: int) -> AnyArray:
        """Every member with every target, and in the last row somebody who bought nothing."""
        pasts, asked = Pasts(self.interactions), self.scorer.ask(self.targets, window_days)
        rows = range(len(self.interactions.members) + 1)
        return np.stack([asked.chances(pasts.of(row), self.day) for row in rows])


async def learned(
    database: Database, tenant_id: int, ruleset: Ruleset, goods: Collection[Goods], at: datetime
) -> LearnedPropensity:
    """Learn it from purchases before a moment.

    Raises:
        Conflict: there are too few, or over too few days.
    """
    offset = local(at, ruleset.time_zone).utcoffset() or timedelta()
    day = (local(at, ruleset.time_zone).date() - _EPOCH).days
    try:
        found = await purchases(
            database,
            tenant_id,
            utc_offset_s=int(offset.total_seconds()),
            departments=None,
            read=lambda lines, whole: None,
        )
        described = await _described(database, tenant_id)
        return await asyncio.to_thread(_fitted, found.interactions, described, list(goods), day)
    except RecommenderError as problem:
        raise Conflict(f"how likely members are to buy could not be learned: {problem}") from None


def _fitted(
    interactions: Interactions, described: Described, goods: list[Goods], day: int
) -> LearnedPropensity:

    past = interactions.rows(interactions.day < day)
    products = interactions.products.texts()
    nothing = (None, None, None)
    rows = [described.get(product, nothing) for product in products]
    category, department, brand = ([row[at] for row in rows] for at in range(3))
    shelves = Shelves.of(Attributes.of_names(department, category, [None] * len(rows), brand))
    scorer = fit_on_purchases(past, shelves, day)
    sets = [_of_goods(each, (products, category, department, brand)) for each in goods]
    return LearnedPropensity(scorer, past, Targets.of(sets, shelves), goods, day)


def _of_goods(goods: Goods, values: tuple[Sequence[str | None], ...]) -> AnyArray:
    """Positions of a target's products, given each product's id, category, department, brand."""
    dimension = next(at for at, wanted in enumerate(goods) if wanted)
    wanted = frozenset(goods[dimension])
    found = [place for place, value in enumerate(values[dimension]) if value in wanted]
    return np.array(found, dtype=np.int32)


async def _described(database: Database, tenant_id: int) -> Described:
    found: Described = {}
    after = 0
    while rows := await database.read(sql.PRODUCTS(tenant_id, after, PAGE_ROWS)):
        after = rows[-1][0]
        for _, product, category, department, brand, _, _ in rows:
            found[product] = category, department, brand
    return found
