"""Rankings: from the model in service, or from the latest orders while there is none.

A ranking may be a little old: a member's is cached per member, window and model, but for a cart's,
which is another with each cart.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from loyalty.cache import Cache, keys
from loyalty.clock import Clock
from loyalty.domain.recommendations.because import POPULAR, Because, BecauseCode
from loyalty.services.members.summary import Member
from loyalty.services.recommendations.picking import Ranked
from loyalty.services.recommendations.popular_products import PopularProducts
from loyalty.services.recommendations.served_model import ServedModel
from loyalty.storage import interactions as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Row
from loyalty_recommender.history import History
from loyalty_recommender.models.viewed import FittedViewed
from loyalty_recommender.reasons import Reason, ReasonCode
from loyalty_recommender.serving import Recommendation
from loyalty_recommender.windows import OF_MEMBER, OF_PRODUCT, Window

DEPTH = 100
"""Products ranked at first; more only when the filter leaves too few of them."""
DEEPER = 4
"""How many times deeper the next ranking goes."""
PAST_LINES_MAX = 5_000
"""Latest lines of a member's orders that its answers are worked out from."""
MICROS = 1_000_000
"""Microseconds in a second: how the database counts instants."""
POPULARITY = "popularity"
VIEWED = FittedViewed.strategy
NOTHING = "none"
"""Strategy of an empty answer: which products are new is known from a model only."""
PERSONAL = OF_MEMBER | {Window.CART}
"""Windows that a member's past has a say in."""
SHAPE = "2"
"""Begins every cached ranking of this form; one that another release wrote is computed anew."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Products, best first; ``is_whole`` when a deeper ranking would hold no more."""

    strategy: str
    items: tuple[Ranked, ...]
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; ``member`` only where the answer may be personal. ``viewed``: external ids of
    what was looked at, the latest first, for where nothing else is known. ``among``: external ids
    of the only products that may be answered, None for all.
    """

    tenant_id: int
    window: Window
    member: Member | None
    tier: str | None
    product: str | None
    cart: tuple[str, ...]
    viewed: tuple[str, ...] = ()
    among: Sequence[str] | None = None


class Rankings:
    """Asks the model, or counts."""

    def __init__(
        self, database: Database, cache: Cache, clock: Clock, popular: PopularProducts
    ) -> None:
        self._database = database
        self._cache = cache
        self._clock = clock
        self._popular = popular

    async def forget(self, tenant_id: int, member_ids: Sequence[int], model_id: str) -> None:
        """Drop what is cached of members who are erased."""
        await self._cache.drop(
            *(
                keys.recommendations(tenant_id, member_id, window, model_id)
                for member_id in member_ids
                for window in Window
            )
        )

    async def ranking(self, served: ServedModel | None, question: Question, depth: int) -> Ranking:
        """A ranking, from the cache where the member alone decides it: the others cost less than a
        look-up, or are seldom asked for twice. It does not look at ``viewed``.
        """
        assert not question.viewed, "what a session looked at is in no cached ranking"
        member = question.member
        if served is None or member is None or question.window not in OF_MEMBER:
            return await self.computed(served, question, depth)
        model_id = served.recommender.model_id
        key = keys.recommendations(question.tenant_id, member.id, question.window, model_id)
        cached = await self._cache.get(key)
        if cached is not None:
            shape, *held = orjson.loads(cached)
            # Each purchase raises the version, so that it shows at once.
            if shape == SHAPE and held[:2] == [member.version, question.tier]:
                return _decoded(held[2:])
        ranking = await self.computed(served, question, depth)
        value = [SHAPE, member.version, question.tier, *_encoded(ranking)]
        await self._cache.put(key, orjson.dumps(value), keys.RECOMMENDATIONS.ttl_s or 1)
        return ranking

    async def computed(self, served: ServedModel | None, question: Question, depth: int) -> Ranking:
        """A ranking of ``depth`` products, computed."""
        if served is None:
            return await self._counted(question)
        now = self._clock.now()
        mask = visible = await served.mask(question.tier, now)
        if question.among is not None:
            mask = mask & served.recommender.mask(question.among)
        day = served.recommender.day_of(int(now.timestamp()))
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
                viewed=question.viewed,
                allowed=mask,
            )
        else:
            lines = await self._lines(question.tenant_id, member.id)
            owned: Sequence[str] = ()
            if window is Window.FOR_YOU and len(lines) == PAST_LINES_MAX:
                # What was bought before these lines is no more new to the member.
                owned = await self._ever_bought(question.tenant_id, member.id)
            # Weighing every product takes longer than others should wait for the loop.
            answer = await asyncio.to_thread(
                recommend,
                window,
                depth,
                history=_past(lines, served),
                day=day,
                cart=question.cart,
                viewed=question.viewed,
                allowed=mask,
                exclude=owned,
                nameable=visible,
            )
        return _ranking(answer, depth)

    async def _counted(self, question: Question) -> Ranking:
        """Without a model: what is popular."""
        tenant_id, window, member = question.tenant_id, question.window, question.member
        if window is Window.NEW_ARRIVALS:
            return Ranking(NOTHING, (), True)
        ids = await self._popular.ids(tenant_id)
        if member is not None and window is Window.FOR_YOU:
            owned = frozenset(await self._ever_bought(tenant_id, member.id))
            ids = [each for each in ids if each not in owned]
        return Ranking(POPULARITY, tuple(Ranked(each, POPULAR) for each in ids), True)

    async def listed(
        self,
        served: ServedModel | None,
        tenant_id: int,
        member: Member | None,
        products: Sequence[str],
        viewed: Sequence[str] = (),
        tier: str | None = None,
    ) -> Ranking:
        """The products of a list that are known here, best first.

        Args:
            member: None for whoever is not answered personally.
            viewed: what was looked at, the latest first.
            tier: the viewer's, which decides what a reason may name.
        """
        if served is None:
            among = set(products)
            ids = [each for each in await self._popular.ids(tenant_id) if each in among]
            return Ranking(POPULARITY, tuple(Ranked(each, POPULAR) for each in ids), True)
        now, past, visible = self._clock.now(), None, None
        if member is not None:
            past = _past(await self._lines(tenant_id, member.id), served)
            visible = await served.mask(tier, now)
        day = served.recommender.day_of(int(now.timestamp()))
        answer = await asyncio.to_thread(
            served.recommender.rank,
            products,
            history=past,
            day=day,
            viewed=viewed,
            nameable=visible,
        )
        return _ranking(answer, len(products) + 1)

    async def _lines(self, tenant_id: int, member_id: int) -> Sequence[Row]:
        """What the member bought up to now, so that a purchase counts as soon as it is booked:
        products with their moments, the latest first.
        """
        return await self._database.read(sql.PAST(tenant_id, member_id, PAST_LINES_MAX))

    async def _ever_bought(self, tenant_id: int, member_id: int) -> list[str]:
        rows = await self._database.read(sql.EVER_BOUGHT(tenant_id, member_id))
        return [product for (product,) in rows]


def _past(lines: Sequence[Row], served: ServedModel) -> History:
    products = [product for product, _ in lines]
    return served.recommender.history_at(products, [at // MICROS for _, at in lines])


def _ranking(answer: Recommendation, depth: int) -> Ranking:
    items = tuple(Ranked(item.product, _because(item.reason)) for item in answer.items)
    return Ranking(answer.strategy, items, len(items) < depth)


def _because(reason: Reason) -> Because:
    """What a shopper may be told. How many buy a product is the shop's to know."""
    times = reason.times if reason.code is ReasonCode.BOUGHT_BEFORE else None
    return Because(
        BecauseCode(reason.code), reason.about, times, reason.every_days, reason.last_days
    )


def _encoded(ranking: Ranking) -> list[object]:
    items = [
        [
            each.product,
            each.because.code,
            each.because.about,
            each.because.times,
            each.because.every_days,
            each.because.last_days,
        ]
        for each in ranking.items
    ]
    return [ranking.strategy, items, ranking.is_whole]


def _decoded(held: Sequence[Any]) -> Ranking:
    strategy, items, is_whole = held
    ranked = (
        Ranked(product, Because(BecauseCode(code), *facts)) for product, code, *facts in items
    )
    return Ranking(strategy, tuple(ranked), is_whole)
