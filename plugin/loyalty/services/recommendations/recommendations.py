"""What to show next, answered honestly: with which strategy, from which model.

Answers are never padded, and what may not be shown at this moment is in none (``picking``). A
member who did not agree to profiling is answered like a guest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from loyalty.cache import Cache
from loyalty.clock import Clock
from loyalty.domain.recommendations.because import POPULAR, Because
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.errors import BadInput
from loyalty.services.catalogue import Catalogue, Product
from loyalty.services.members.summary import Member
from loyalty.services.recommendations.matching_products import MatchingProducts
from loyalty.services.recommendations.picking import (
    EVERYTHING,
    Boosting,
    Picked,
    Picking,
    Place,
    ProductFilter,
    checked,
)
from loyalty.services.recommendations.popular_products import PopularProducts
from loyalty.services.recommendations.product_views import checked as checked_views
from loyalty.services.recommendations.rankings import (
    DEEPER,
    DEPTH,
    PERSONAL,
    POPULARITY,
    VIEWED,
    Question,
    Rankings,
)
from loyalty.services.recommendations.recommendation_id import RANK_PRODUCTS, RecommendationIds
from loyalty.services.recommendations.served_model import Chosen, ServedModels
from loyalty.storage.database import Database
from loyalty_recommender.card import Card
from loyalty_recommender.windows import FROM_VIEWS, OF_PRODUCT, Window

FIRST_MAX = 50
"""Products of one answer at most."""
CART_MAX = 200
"""Products in a cart at most."""
RANKED_MAX = 100
"""Products of a shop's own list at most; recommendation ids know the place of so many."""
CAPPED_DEPTH_MAX = 1_600
"""How deep a ranking is looked at where caps leave products out for good."""


@dataclass(frozen=True, slots=True)
class Recommended:
    """A product, its place in the answer from 1, the kind of model that found it, why it is there,
    and the boosts that moved it."""

    product: Product
    rank: int
    strategy: str
    because: Because | None = None
    boosts: tuple[str, ...] = ()


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
        self._catalogue = catalogue
        self._matches = MatchingProducts(database, cache)
        self._clock = clock
        self._models = ServedModels(database, models)
        self._ids = ids
        self._rankings = Rankings(database, cache, clock, PopularProducts(database, cache))

    async def model(self, tenant_id: int) -> Card | None:
        """The card of the model in service."""
        served = await self._models.current(tenant_id)
        return served.recommender.card if served else None

    async def forget(self, tenant_id: int, member_ids: Sequence[int]) -> None:
        """Drop the cached rankings of members who are erased."""
        for model_id in await self._models.loaded_ids(tenant_id):
            await self._rankings.forget(tenant_id, member_ids, model_id)

    async def answer(
        self,
        tenant_id: int,
        *,
        rules: Ruleset,
        member: Member | None,
        window: str,
        first: int,
        product: str | None = None,
        cart: Sequence[str] = (),
        wanted: ProductFilter = EVERYTHING,
        session: str | None = None,
        viewed: Sequence[str] = (),
    ) -> RecommendationAnswer:
        """Products for one window, best first; fewer than ``first`` where there are no more.

        Args:
            rules: those in force; they may declare boosts and caps.
            member: whom to answer; None for a guest. Decides what may be seen, and personal
                windows where it agreed to profiling.
            first: 1 to 50.
            product: external id of the page's product, for SIMILAR and BOUGHT_TOGETHER. One that
                does not exist for the viewer is answered by popularity.
            cart: external ids of the products in the cart; never answered.
            wanted: what the caller wants of the products.
            session: a guest's, by which an experiment chooses a model.
            viewed: external ids of what was looked at of late, the latest first; of no account for
                a member who did not agree to profiling.

        Raises:
            BadInput: an argument out of range, or no product where one is needed.
        """
        asked = _checked(window, first, product, cart)
        wanted = checked(wanted)
        views = checked_views(viewed)
        question = await self._question(tenant_id, asked, member, product, tuple(cart))
        chosen = await self._models.chosen(tenant_id, _subject(member, session))
        served = chosen.served
        place = Place(tenant_id, asked, question.tier, rules, self._clock.now())
        # What the page or the cart shows already is no suggestion.
        shown = [*cart, *([] if product is None else [product])]

        def noticed(revision: int) -> None:
            if served is not None:
                served.noticed(question.tier, revision, place.at)

        picking = Picking(self._database, place, wanted, shown, noticed)
        ranking = await self._rankings.ranking(served, question, DEPTH)
        is_open = ranking.strategy == POPULARITY and asked in FROM_VIEWS
        if views and is_open and served is not None and may_look_at(member):
            there = await self._catalogue.many(tenant_id, views)
            question = replace(question, viewed=tuple(_visible(views, there, question.tier)))
            ranking = await self._rankings.computed(served, question, DEPTH)
        found = await picking.next(ranking.items, first)
        is_narrow, depth = False, DEPTH
        while len(found) < first and not ranking.is_whole:
            if picking.is_capped and depth >= CAPPED_DEPTH_MAX:
                break
            if wanted.narrows and not is_narrow:
                is_narrow = True
                question = replace(question, among=await self._matching(place, wanted))
            depth *= DEEPER
            deeper = await self._rankings.computed(served, question, depth)
            ranking = replace(deeper, strategy=ranking.strategy)
            found += await picking.next(ranking.items, first - len(found))
        if not found:
            await picking.notice()
        return self._answered(place, chosen, member, ranking.strategy, found)

    async def rank(
        self,
        tenant_id: int,
        *,
        rules: Ruleset,
        member: Member | None,
        products: Sequence[str],
        session: str | None = None,
        viewed: Sequence[str] = (),
    ) -> RecommendationAnswer:
        """A shop's own list, such as what its search found, in the order for a member.

        What the model does not know keeps its order behind what it knows. What does not exist for
        the viewer is left out; what is out of stock stays, because the list is the shop's.

        Args:
            products: external ids, 1 to 100; repeats count once.
            viewed: as ``answer``.

        Raises:
            BadInput: none, or too many.
        """
        if not 1 <= len(products) <= RANKED_MAX:
            raise BadInput(
                f"found {len(products)} products, wanted 1 to {RANKED_MAX}", field=("ids",)
            )
        views = checked_views(viewed)
        views = views if may_look_at(member) else ()
        tier = member.tier.current.code if member else None
        there = await self._catalogue.many(tenant_id, [*products, *views])
        seen, views_seen = (_visible(names, there, tier) for names in (products, views))
        chosen = await self._models.chosen(tenant_id, _subject(member, session))
        profiled = member if member is not None and is_profiled(member) else None
        ranking = await self._rankings.listed(
            chosen.served, tenant_id, profiled, seen, views_seen, tier
        )
        place = Place(tenant_id, RANK_PRODUCTS, tier, rules, self._clock.now())
        picked = [Picked(there[each.product], each.because) for each in ranking.items]
        known = {each.product for each in ranking.items}
        picked += [Picked(there[name], None) for name in seen if name not in known]
        picked = Boosting(place).order(picked)
        return self._answered(place, chosen, member, ranking.strategy, picked)

    async def _matching(self, place: Place, wanted: ProductFilter) -> list[str] | None:
        """What a filter leaves, to be put into the ranking itself: that is exact however deep in it
        they stand. A filter that leaves too many to list finds enough of them further up.
        """
        return await self._matches.ids(
            place.tenant_id,
            tier=place.tier,
            at=place.at,
            currency=place.rules.currency,
            categories=wanted.categories,
            price_minor_min=wanted.price_minor_min,
            price_minor_max=wanted.price_minor_max,
        )

    def _answered(
        self,
        place: Place,
        chosen: Chosen,
        member: Member | None,
        strategy: str,
        found: Sequence[Picked],
    ) -> RecommendationAnswer:
        served = chosen.served
        model_id = served.recommender.model_id if served else None
        return RecommendationAnswer(
            window=place.window,
            strategy=strategy,
            trained_at=served.recommender.trained_at if served else None,
            model_id=model_id,
            items=[
                Recommended(
                    each.product, rank, _found_by(strategy, each.because), each.because, each.boosts
                )
                for rank, each in enumerate(found, 1)
            ],
            id=self._ids.make(
                place.tenant_id,
                place.window,
                [each.product.external_id for each in found],
                place.at,
                model=model_id,
                member_id=member.id if member is not None and is_profiled(member) else None,
                experiment_id=chosen.experiment_id,
                variant=chosen.variant,
            ),
        )

    async def _question(
        self,
        tenant_id: int,
        window: Window,
        member: Member | None,
        product: str | None,
        cart: tuple[str, ...],
    ) -> Question:
        """The question without what does not exist for the viewer."""
        tier = member.tier.current.code if member else None
        about = [product] if window in OF_PRODUCT and product is not None else []
        about += cart if window is Window.CART else ()
        there = await self._catalogue.many(tenant_id, about)
        known = _visible(about, there, tier)
        is_personal = member is not None and window in PERSONAL and is_profiled(member)
        return Question(
            tenant_id=tenant_id,
            window=window,
            member=member if is_personal else None,
            tier=tier,
            product=known[0] if window in OF_PRODUCT and known else None,
            cart=tuple(known) if window is Window.CART else (),
        )


def is_profiled(member: Member) -> bool:
    """Whether what is known of a member may be used for answers, and kept with events."""
    return member.consents.profiling and member.state not in ("CLOSED", "ERASED")


def may_look_at(member: Member | None) -> bool:
    """Whether what was looked at may count: for a guest, and a member who agreed to profiling."""
    return member is None or is_profiled(member)


def _visible(names: Sequence[str], there: Mapping[str, Product], tier: str | None) -> list[str]:
    """Those that exist for a viewer, each once."""
    return [each for each in dict.fromkeys(names) if each in there and there[each].visible_to(tier)]


def _subject(member: Member | None, session: str | None) -> str | None:
    """By what an experiment chooses a model; None: by nothing, so that nobody is followed."""
    if member is not None and is_profiled(member):
        return f"member {member.id}"
    return None if session is None else f"session {session}"


def _found_by(strategy: str, because: Because | None) -> str:
    """What is popular fills an answer that started from what was looked at, and says so."""
    return POPULARITY if strategy == VIEWED and because == POPULAR else strategy


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
