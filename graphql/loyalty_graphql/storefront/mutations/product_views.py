"""Tell what a visitor looked at."""

from typing import Annotated

import strawberry

from loyalty.errors import LoyaltyError
from loyalty.services.access import ViewerKind
from loyalty.services.recommendations.recommendations import may_look_at
from loyalty_graphql.context import Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.storefront.visibility import sees_everything, visible_member
from loyalty_graphql.user_errors import UserError, user_errors


@strawberry.input(description="What a visitor looked at.")
class ProductViewsInput:
    session: ExternalId = strawberry.field(
        description="The session's name: a random one of 16 characters or more, such as a UUID. "
        "Whoever knows it learns from reasons what was looked at. No member's id, and no address."
    )
    products: list[ExternalId] = strawberry.field(
        description="1 to 20 products, the latest first. What does not exist is left out."
    )


@strawberry.type(description="What came of a report of what was looked at.")
class ProductViewsPayload:
    remembered: int = strawberry.field(
        description="How many of the products are remembered: 0 also while the cache is away, and "
        "where a member did not agree to profiling."
    )
    user_errors: list[UserError] = strawberry.field(
        description="Why it was refused; empty otherwise."
    )


@strawberry.mutation(
    description="Tell which products a visitor looked at, so that `recommendations` and "
    "`rankProducts` with the same `session` start from them where they know nothing else. The last "
    "20 are remembered, each for an hour, under the session alone: nothing says whose it is. For "
    "every caller; services need the scope catalogue:read or events:write."
)
async def product_views(
    info: Info,
    input: Annotated[ProductViewsInput, strawberry.argument(description="What was looked at.")],
) -> ProductViewsPayload:
    viewer = permitted(info)
    context = info.context
    is_shopper = viewer.kind is ViewerKind.SHOPPER
    member = await visible_member(info, viewer, None) if is_shopper else None
    if not may_look_at(member):
        return ProductViewsPayload(remembered=0, user_errors=[])
    try:
        remembered = await context.services.product_views.add(
            context.tenant_id,
            input.session,
            input.products,
            tier=None if member is None else member.tier.current.code,
            everything=sees_everything(viewer),
        )
    except LoyaltyError as refusal:
        refusal.field = ("input", *refusal.field)
        return ProductViewsPayload(remembered=0, user_errors=user_errors(refusal))
    return ProductViewsPayload(remembered=remembered, user_errors=[])
