"""Recommendations."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.services.access import Scope, Viewer, ViewerKind
from loyalty.services.summary import Member
from loyalty_graphql.context import Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.storefront.visibility import visible_member
from loyalty_graphql.types.recommendations import Recommendations, RecommendationWindow


@strawberry.field(
    description="Products for one window of a storefront, best first: nothing out of stock, and "
    "nothing that is for another tier. For a member they are personal; a caller or member that is "
    "not known gets what is popular, and `strategy` says so. For every caller; services need the "
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
) -> Recommendations:
    viewer = permitted(info)
    context = info.context
    shown = await _for_whom(info, viewer, member or None)
    answer = await context.services.recommendations.answer(
        context.tenant_id,
        member=shown,
        window=window.name,
        first=10 if first is None else first,
        product=product or None,
        cart=list(dict.fromkeys(cart or ())),
    )
    return Recommendations.of(window, answer, None if shown is None else shown.external_id)


async def _for_whom(info: Info, viewer: Viewer, name: str | None) -> Member | None:
    """The member they are for; None for nobody the caller may see."""
    if viewer.kind is ViewerKind.SHOPPER:
        return await visible_member(info, viewer, name)
    if name is None or viewer.kind is ViewerKind.ANONYMOUS:
        return None
    viewer.require(Scope.MEMBERS_READ)
    return await visible_member(info, viewer, name)
