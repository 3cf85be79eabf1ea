"""Products."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty_graphql.admin.types.catalogue import AdminProduct
from loyalty_graphql.context import Info
from loyalty_graphql.pagination import Connection
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.types.catalogue import listed_products
from loyalty_graphql.types.members import After, First


@strawberry.field(description="A product; null when there is none.")
async def product(
    info: Info,
    external_id: Annotated[
        ExternalId, strawberry.argument(description="The shop's own id of the product.")
    ],
) -> AdminProduct | None:
    found = await info.context.loaders.products.load(external_id)
    return None if found is None else AdminProduct.of(found)


@strawberry.field(description="All products, in the order in which they arrived.")
async def products(
    info: Info,
    first: First = 20,
    after: After = UNSET,
    category: Annotated[
        str | None, strawberry.argument(description="Only of this category.")
    ] = UNSET,
    search: Annotated[
        str | None,
        strawberry.argument(
            description="Only those whose name, brand or external id hold this text."
        ),
    ] = UNSET,
) -> Connection[AdminProduct]:
    return await listed_products(
        info,
        AdminProduct.of,
        first=first,
        after=after or None,
        category=category or None,
        search=search or None,
        tier=None,
        everything=True,
    )
