"""What to show next, answered honestly: with which strategy, from which model.

The ranking may be a little old: it is cached per member, window and model. What is answered is
not: one query takes out of the ranking whatever is out of stock, inactive or not for the
viewer's tier at this moment. Answers are never padded.

A member who did not agree to profiling is answered like a guest.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import orjson

from loyalty.cache import Cache, keys
from loyalty.clock import Clock
from loyalty.errors import BadInput
from loyalty.services.catalogue import Catalogue, Product, product_of
from loyalty.services.popular_products import PopularProducts
from loyalty.services.recommendation_id import RecommendationIds
from loyalty.services.served_model import ServedModel, ServedModels
from loyalty.services.summary import Member
from loyalty.storage import catalogue as catalogue_sql
from loyalty.storage import interactions as sql
from loyalty.storage.database import Database
from loyalty_recommender.card import Card
from loyalty_recommender.history import History
from loyalty_recommender.windows import OF_MEMBER, OF_PRODUCT, Window

FIRST_MAX = 50
"""Products of one answer at most."""
CART_MAX = 200
"""Products in a cart at most."""
DEPTH = 100
"""Products ranked at first; more only when the filter leaves too few of them."""
DEEPER = 4
"""How many times deeper the next ranking goes."""
SPARE = 10
"""Products read beyond those wanted, in place of some that may be out of stock."""
PAST_LINES_MAX = 5_000
"""Latest lines of a member's orders that its answers are worked out from."""
MICROS = 1_000_000
"""Microseconds in a second: how the database counts instants."""
POPULARITY = "popularity"
NOTHING = "none"
"""Strategy of an empty answer: which products are new is known from a model only."""


class Recommended(NamedTuple):
    """A product and its place in the answer, from 1."""

    product: Product
    rank: int


@dataclass(frozen=True, slots=True)
class RecommendationAnswer:
    """One window's answer.

    ``id`` is what events name the answer by. ``strategy`` is the kind of model that really
    answered; ``trained_at`` and ``model_id`` are None while no model has been trained.
    """

    window: str
    strategy: str
    trained_at: datetime | None
    model_id: str | None
    items: list[Recommended]
    id: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Ranking:
    """External ids, best first; ``is_whole`` when a deeper ranking would hold no more."""

    strategy: str
    ids: tuple[str, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked; ``member`` only where the answer may be personal."""

    tenant_id: int
    window: Window
    member: Member | None
    tier: str | None
    product: str | None
    cart: tuple[str, ...]


class Recommendations:
    """Answers storefront windows.

    Args:
        models: folder with a folder of models per tenant, named by the tenant's id.
        ids: makes the answers' ids.
    """

    def __init__(
        self,
        database: Database,
        cache: Cache,
        catalogue: Catalogue,
        clock: Clock,
        models: Path,
        ids: RecommendationIds,
    ) -> None:
        self._database = database
        self._cache = cache
        self._catalogue = catalogue
        self._clock = clock
        self._models = ServedModels(database, models)
        self._ids = ids
        self._popular = PopularProducts(database, cache)

    async def model(self, tenant_id: int) -> Card | None:
        """The card of the model in service."""
        served = await self._models.current(tenant_id)
        return served.recommender.card if served else None

    async def forget(self, tenant_id: int, member_ids: Sequence[int]) -> None:
        """Drop the cached rankings of members who are erased."""
        served = await self._models.current(tenant_id)
        if served is not None:
            model_id = served.recommender.model_id
            await self._cache.drop(
                *(
                    keys.recommendations(tenant_id, member_id, window, model_id)
                    for member_id in member_ids
                    for window in Window
                )
            )

    async def answer(
        self,
        tenant_id: int,
        *,
        member: Member | None,
        window: str,
        first: int,
        product: str | None = None,
        cart: Sequence[str] = (),
    ) -> RecommendationAnswer:
        """Products for one window, best first; fewer than ``first`` where there are no more.

        Args:
            member: whom to answer; None for a guest. Decides what may be seen, and personal
                windows where it agreed to profiling.
            first: 1 to 50.
            product: external id of the page's product, for SIMILAR and BOUGHT_TOGETHER. One that
                does not exist for the viewer is answered by popularity.
            cart: external ids of the products in the cart; never answered.

        Raises:
            BadInput: an argument out of range, or no product where one is needed.
        """
        asked = _checked(window, first, product, cart)
        question = await self._question(tenant_id, asked, member, product, tuple(cart))
        served = await self._models.current(tenant_id)
        ranking = await self._ranking(served, question, DEPTH)
        strategy, depth = ranking.strategy, DEPTH
        found: list[Product] = []
        # What the page or the cart shows already is no suggestion.
        looked_at = {*cart, *([] if product is None else [product])}
        while True:
            ids = [id for id in ranking.ids if id not in looked_at]
            found += await self._answerable(served, question, ids, first - len(found))
            if len(found) == first or ranking.is_whole:
                break
            looked_at.update(ids)
            depth *= DEEPER
            ranking = await self._ranked(served, question, depth)
        model_id = served.recommender.model_id if served else None
        return RecommendationAnswer(
            window=asked,
            strategy=strategy,
            trained_at=served.recommender.trained_at if served else None,
            model_id=model_id,
            items=[Recommended(each, rank) for rank, each in enumerate(found, 1)],
            id=self._ids.make(
                tenant_id,
                asked,
                [each.external_id for each in found],
                self._clock.now(),
                model=model_id,
                member_id=member.id if member is not None and _is_profiled(member) else None,
            ),
        )

    async def _question(
        self,
        tenant_id: int,
        window: Window,
        member: Member | None,
        product: str | None,
        cart: tuple[str, ...],
    ) -> _Question:
        """The question without what does not exist for the viewer."""
        tier = member.tier.current.code if member else None
        about = [product] if window in OF_PRODUCT and product is not None else []
        about += cart if window is Window.CART else ()
        seen = await self._catalogue.many(tenant_id, about)
        known = [id for id in dict.fromkeys(about) if id in seen and seen[id].visible_to(tier)]
        is_personal = member is not None and window in OF_MEMBER and _is_profiled(member)
        return _Question(
            tenant_id=tenant_id,
            window=window,
            member=member if is_personal else None,
            tier=tier,
            product=known[0] if window in OF_PRODUCT and known else None,
            cart=tuple(known) if window is Window.CART else (),
        )

    async def _ranking(
        self, served: ServedModel | None, question: _Question, depth: int
    ) -> _Ranking:
        """A ranking, from the cache where it is personal: the others cost less than a look-up."""
        member = question.member
        if served is None or member is None:
            return await self._ranked(served, question, depth)
        model_id = served.recommender.model_id
        key = keys.recommendations(question.tenant_id, member.id, question.window, model_id)
        cached = await self._cache.get(key)
        if cached is not None:
            version, tier, strategy, ids, is_whole = orjson.loads(cached)
            # Each purchase raises the version, so that it shows at once.
            if (version, tier) == (member.version, question.tier):
                return _Ranking(strategy, tuple(ids), is_whole)
        ranking = await self._ranked(served, question, depth)
        value = [member.version, question.tier, ranking.strategy, ranking.ids, ranking.is_whole]
        await self._cache.put(key, orjson.dumps(value), keys.RECOMMENDATIONS.ttl_s or 1)
        return ranking

    async def _ranked(
        self, served: ServedModel | None, question: _Question, depth: int
    ) -> _Ranking:
        """A ranking of ``depth`` products, computed."""
        if served is None:
            if question.window is Window.NEW_ARRIVALS:
                return _Ranking(NOTHING, (), True)
            return _Ranking(POPULARITY, tuple(await self._popular.ids(question.tenant_id)), True)
        mask = await served.mask(question.tier)
        day = served.recommender.day_of(int(self._clock.now().timestamp()))
        recommend, member, window = served.recommender.recommend, question.member, question.window
        if member is None:
            if window in OF_PRODUCT and question.product is None:
                # Popularity is what a guest without a page gets.
                window = Window.FOR_YOU
            answer = recommend(
                window,
                depth,
                day=day,
                product=question.product,
                cart=question.cart,
                allowed=mask,
            )
        else:
            # Weighing every product takes longer than others should wait for the loop.
            answer = await asyncio.to_thread(
                recommend,
                window,
                depth,
                history=await self._past(question.tenant_id, member.id, served),
                day=day,
                allowed=mask,
            )
        ids = tuple(answer.products)
        return _Ranking(answer.strategy, ids, len(ids) < depth)

    async def _past(self, tenant_id: int, member_id: int, served: ServedModel) -> History:
        """What the member bought up to now, so that a purchase counts as soon as it is booked."""
        rows = await self._database.read(sql.PAST(tenant_id, member_id, PAST_LINES_MAX))
        day_of = served.recommender.day_of
        return served.recommender.history(
            [product for product, _ in rows], [day_of(at // MICROS) for _, at in rows]
        )

    async def _answerable(
        self, served: ServedModel | None, question: _Question, ids: Sequence[str], wanted: int
    ) -> list[Product]:
        """The first ``wanted`` products of a ranking that may be answered now."""
        found: list[Product] = []
        step, start = wanted + SPARE, 0
        while start < len(ids) and len(found) < wanted:
            some = list(ids[start : start + step])
            rows = await self._database.read(
                catalogue_sql.ANSWERABLE(question.tenant_id, some, question.tier or "")
            )
            if served is not None and rows:
                served.noticed(question.tier, rows[0][-1])
            products = {row[1]: product_of(row[:-1]) for row in rows}
            found += [products[id] for id in some if id in products]
            start += step
            # Where much is out of stock, a few queries should do all the same.
            step = len(ids)
        return found[:wanted]


def _is_profiled(member: Member) -> bool:
    """Whether what is known of a member may be used for answers, and kept with events."""
    return member.consents.profiling and member.state not in ("CLOSED", "ERASED")


def _checked(window: str, first: int, product: str | None, cart: Sequence[str]) -> Window:
    try:
        asked = Window(window)
    except ValueError:
        raise BadInput(
            f"found window {window[:40]!r}, wanted one of {', '.join(Window)}", field=("window",)
        ) from None
    if not 1 <= first <= FIRST_MAX:
        raise BadInput(f"found first: {first}, wanted 1 to {FIRST_MAX}", field=("first",))
    if asked in OF_PRODUCT and product is None:
        raise BadInput(f"found no product, wanted one for {asked}", field=("product",))
    if len(cart) > CART_MAX:
        raise BadInput(
            f"found a cart of {len(cart)} products, wanted at most {CART_MAX}", field=("cart",)
        )
    return asked
