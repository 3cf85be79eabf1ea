"""Products."""

from typing import Annotated

import strawberry

from loyalty_graphql.context import Info
from loyalty_graphql.pagination import Connection
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.storefront.visibility import is_visible, sees_everything, tier_of
from loyalty_graphql.types.catalogue import Product, listed_products
from loyalty_graphql.types.members import After, First


@strawberry.field(
    description="A product; null when there is none that the caller may see. For every caller; "
    "services need the scope catalogue:read."
)
async def product(
    info: Info,
    external_id: Annotated[
        ExternalId, strawberry.argument(description="The shop's own id of the product.")
    ],
) -> Product | None:
    viewer = permitted(info)
    found = await info.context.loaders.products.load(external_id)
    if found is None or not is_visible(found, viewer, await tier_of(info, viewer)):
        return None
    return Product.of(found)


@strawberry.field(
    description="Products that the caller may see, in the order in which they arrived; services "
    "and merchants see all. For every caller; services need the scope catalogue:read."
)
async def products(
    info: Info,
    first: First = 20,
    after: After = strawberry.UNSET,
    category: Annotated[
        str | None, strawberry.argument(description="Only of this category.")
    ] = strawberry.UNSET,
    search: Annotated[
        str | None,
        strawberry.argument(
            description="Only those whose name, brand or external id hold this text; capitals do "
            "not matter. At most 100 characters."
        ),
    ] = strawberry.UNSET,
) -> Connection[Product]:
    viewer = permitted(info)
    return await listed_products(
        info,
        Product.of,
        first=first,
        after=after or None,
        category=category or None,
        search=search or None,
        tier=await tier_of(info, viewer),
        everything=sees_everything(viewer),
    )
