"""A member."""

from typing import Annotated

import strawberry

from loyalty_graphql.context import Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.storefront.visibility import visible_member
from loyalty_graphql.types.members import Member


@strawberry.field(
    description="A member; null when there is none. For shoppers: themselves. For services with "
    "the scope members:read."
)
async def member(
    info: Info,
    external_id: Annotated[
        ExternalId | None,
        strawberry.argument(
            description="The shop's own id of the member. Shoppers leave it out; services name one."
        ),
    ] = strawberry.UNSET,
) -> Member | None:
    viewer = permitted(info)
    found = await visible_member(info, viewer, external_id or None)
    return None if found is None else Member.of(found, await info.context.loaders.ruleset())
