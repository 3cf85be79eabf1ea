"""Recommendations."""

from collections.abc import Sequence
from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.domain.calendar import day_of
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.errors import BadInput
from loyalty.services.access import Scope, Viewer, ViewerKind
from loyalty.services.members.summary import Member
from loyalty.services.recommendations.picking import EVERYTHING, ProductFilter
from loyalty.services.recommendations.recommendations import may_look_at
from loyalty_graphql.context import Info
from loyalty_graphql.money import MoneyInput
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.storefront.carts import minor_of
from loyalty_graphql.storefront.visibility import visible_member
from loyalty_graphql.types.recommendations import (
    RankedProducts,
    Recommendations,
    RecommendationWindow,
)
from loyalty_graphql.types.recommended_products import Audience

Locale = Annotated[
    str | None,
    strawberry.argument(
        description="In which language to give reasons, as a tag such as `hu` or `zh-CN`. By "
        "default the member's, else that of the header Accept-Language. English where there is "
        "none of it."
    ),
]


@strawberry.input(
    description="What the caller wants of the products of an answer. It leaves products out and "
    "never puts others in their place that would not have come next."
)
class RecommendationFilter:
    price_min: MoneyInput | None = strawberry.field(
        description="The least price, in the program's currency.", default=UNSET
    )
    price_max: MoneyInput | None = strawberry.field(
        description="The highest price, in the program's currency.", default=UNSET
    )
    categories: list[str] | None = strawberry.field(
        description="Products of one of these categories: at most 50; of all where none is named.",
        default=UNSET,
    )
    exclude: list[ExternalId] | None = strawberry.field(
        description="Products that are not wanted: at most 200.", default=UNSET
    )
    stock_min: int | None = strawberry.field(
        description="So many pieces are in stock at least; a product whose stock is not counted "
        "has enough. For services alone. What is out of stock is never answered to anybody.",
        default=UNSET,
    )


Session = Annotated[
    ExternalId | None,
    strawberry.argument(
        description="The name of a guest's session, a random one of 16 characters or more. What "
        "`productViews` told of it is where answers start. And while two models share traffic, the "
        "same name is answered by the same one. The name itself is kept nowhere."
    ),
]

Viewed = Annotated[
    list[ExternalId] | None,
    strawberry.argument(
        description="What the visitor looked at of late, the latest first: at most 20 products. "
        "For storefronts that keep it themselves: it goes before what is known of `session`. It "
        "counts for guests, and for members who agreed to profiling and have fewer than three "
        "visits."
    ),
]


@strawberry.field(
    description="Products for one window of a storefront, best first: nothing out of stock, and "
    "nothing that is for another tier. For a member they are personal; a caller or member that is "
    "not known gets what goes with what it looked at, or what is popular, and `strategy` says so. "
    "For every caller; services need the "
    "scope catalogue:read, and members:read to name a member."
)
async def recommendations(
    info: Info,
    window: Annotated[
        RecommendationWindow, strawberry.argument(description="Where they are to be shown.")
    ],
    first: Annotated[
        int | None, strawberry.argument(description="How many products at most: 1 to 50.")
    ] = 10,
    member: Annotated[
        ExternalId | None,
        strawberry.argument(description="For whom. Shoppers leave it out; services name one."),
    ] = UNSET,
    product: Annotated[
        ExternalId | None,
        strawberry.argument(
            description="The product looked at, for `SIMILAR` and `BOUGHT_TOGETHER`."
        ),
    ] = UNSET,
    cart: Annotated[
        list[ExternalId] | None,
        strawberry.argument(description="Products in the cart, for `CART`: at most 200."),
    ] = UNSET,
    filter: Annotated[
        RecommendationFilter | None,
        strawberry.argument(description="What is wanted of the products."),
    ] = UNSET,
    locale: Locale = UNSET,
    session: Session = UNSET,
    viewed: Viewed = UNSET,
) -> Recommendations:
    viewer = permitted(info)
    context = info.context
    shown = await _for_whom(info, viewer, member or None)
    rules = await context.loaders.ruleset()
    answer = await context.services.recommendations.answer(
        context.tenant_id,
        rules=rules,
        member=shown,
        window=window.name,
        first=10 if first is None else first,
        product=product or None,
        cart=list(dict.fromkeys(cart or ())),
        wanted=_filter(filter, viewer, rules.currency) if filter else EVERYTHING,
        session=session or None,
        viewed=await _viewed(info, shown, session or None, viewed or None),
    )
    return Recommendations.of(window, answer, _audience(info, shown, rules, locale, cart or ()))


@strawberry.field(
    description="A shop's own list of products, such as what its search found, in the order for a "
    "member: by what the member will buy next, for a caller or member that is not known by what is "
    "popular. What the model does not know follows in the order given. What does not exist for the "
    "viewer is left out; what is out of stock stays. For every caller; services need the scope "
    "catalogue:read, and members:read to name a member."
)
async def rank_products(
    info: Info,
    ids: Annotated[list[ExternalId], strawberry.argument(description="The products: 1 to 100.")],
    member: Annotated[
        ExternalId | None,
        strawberry.argument(description="For whom. Shoppers leave it out; services name one."),
    ] = UNSET,
    session: Session = UNSET,
    locale: Locale = UNSET,
    viewed: Viewed = UNSET,
) -> RankedProducts:
    viewer = permitted(info)
    context = info.context
    shown = await _for_whom(info, viewer, member or None)
    rules = await context.loaders.ruleset()
    answer = await context.services.recommendations.rank(
        context.tenant_id,
        rules=rules,
        member=shown,
        products=ids,
        session=session or None,
        viewed=await _viewed(info, shown, session or None, viewed or None),
    )
    return RankedProducts.of(answer, _audience(info, shown, rules, locale))


def _filter(given: RecommendationFilter, viewer: Viewer, currency: str) -> ProductFilter:
    """Raises BadInput for an amount that is none, or of another currency, and for a least stock
    that a shopper names: by trying, it would learn how many there are.
    """
    if given.stock_min and viewer.kind in (ViewerKind.SHOPPER, ViewerKind.ANONYMOUS):
        raise BadInput(
            "found a stockMin, wanted none: only services ask by stock",
            field=("filter", "stockMin"),
        )
    least, most = given.price_min, given.price_max
    return ProductFilter(
        price_minor_min=minor_of(least, currency, "filter", "priceMin") if least else None,
        price_minor_max=minor_of(most, currency, "filter", "priceMax") if most else None,
        categories=tuple(dict.fromkeys(given.categories)) if given.categories else None,
        exclude=tuple(dict.fromkeys(given.exclude or ())),
        stock_min=given.stock_min or None,
    )


def _audience(
    info: Info,
    member: Member | None,
    rules: Ruleset,
    locale: str | None,
    cart: Sequence[str] = (),
) -> Audience:
    context = info.context
    return Audience(
        member=None if member is None else member.external_id,
        tier=None if member is None else member.tier.current.code,
        words=context.words(locale or None, member=None if member is None else member.locale),
        today=day_of(context.services.clock.now(), rules.time_zone),
        cart=frozenset(cart),
    )


async def _viewed(
    info: Info, member: Member | None, session: str | None, viewed: list[ExternalId] | None
) -> list[str]:
    """What was looked at: as the caller says, else as the session is remembered."""
    if viewed is not None:
        return list(viewed)
    if session is None or not may_look_at(member):
        return []
    return await info.context.loaders.session_views.load(session)


async def _for_whom(info: Info, viewer: Viewer, name: str | None) -> Member | None:
    """The member they are for; None for nobody the caller may see."""
    if viewer.kind is ViewerKind.SHOPPER:
        return await visible_member(info, viewer, name)
    if name is None or viewer.kind is ViewerKind.ANONYMOUS:
        return None
    viewer.require(Scope.MEMBERS_READ)
    return await visible_member(info, viewer, name)
