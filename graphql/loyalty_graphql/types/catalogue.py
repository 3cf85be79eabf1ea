"""Products as shoppers see them; what they cost the shop is not among it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

import strawberry

from loyalty.domain import money
from loyalty.errors import BadInput
from loyalty.services import catalogue
from loyalty_graphql.context import Info
from loyalty_graphql.ids import ROW_ID_MAX, encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.types.node import Node


@strawberry.type(description="Something the shop sells.")
class Product(Node):
    external_id: ExternalId = strawberry.field(description="The shop's own id of the product.")
    name: str = strawberry.field(description="What it is called.")
    price: Money | None = strawberry.field(description="Price of one piece; null when unknown.")
    category: str | None = strawberry.field(description="What kind of thing it is.")
    department: str | None = strawberry.field(description="The level above the category.")
    type: str | None = strawberry.field(description="The level below the category.")
    brand: str | None = strawberry.field(description="Who makes it.")
    image_url: str | None = strawberry.field(description="Where a picture of it is.")
    in_stock: bool = strawberry.field(description="Whether it can be bought now.")
    active: bool = strawberry.field(
        description="Whether shoppers can see it at all; what they see is."
    )
    tiers: list[str] = strawberry.field(
        description="Codes of the tiers that may see it; empty when everybody may."
    )
    tiers_until: datetime | None = strawberry.field(
        description="From when on everybody may see it; null where that never comes, or everybody "
        "may."
    )
    invented: list[str] = strawberry.field(
        description="Names of those of these fields that are made up and not the shop's own data, "
        "as in the demo."
    )

    @classmethod
    def of(cls, product: catalogue.Product) -> "Product":
        price = None
        if product.price_minor is not None:
            price = Money.of(money.Money(product.price_minor, product.currency))
        return cls(
            id=strawberry.ID(encode_id("Product", product.id)),
            external_id=ExternalId(product.external_id),
            name=product.name,
            price=price,
            category=product.category,
            department=product.department,
            type=product.type,
            brand=product.brand,
            image_url=product.image_url,
            in_stock=product.is_in_stock,
            active=product.is_active,
            tiers=list(product.tiers),
            tiers_until=product.tiers_until,
            invented=fields_named(product.invented, FIELDS),
        )


P = TypeVar("P")

FIELDS = {
    "name": "name",
    "category": "category",
    "department": "department",
    "type": "type",
    "brand": "brand",
    "image_url": "imageUrl",
    "price_minor": "price",
    "stock": "inStock",
    "tiers": "tiers",
    "tiers_until": "tiersUntil",
}
"""Columns that shoppers see, and the fields that show them."""


def fields_named(columns: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """The fields of this API that show these columns; a column without one is left out."""
    return [names[column] for column in columns if column in names]


SEARCH_MAX = 100
"""Longest text to search for, in characters."""


async def listed_products(
    info: Info,
    of: Callable[[catalogue.Product], P],
    *,
    first: int | None,
    after: str | None,
    category: str | None,
    search: str | None,
    tier: str | None,
    everything: bool,
) -> Connection[P]:
    """A page of the catalogue; see ``Catalogue.listed``. ``of`` makes the schema's products."""
    for name, text in (("category", category), ("search", search)):
        if text is not None and (len(text) > SEARCH_MAX or not text.isprintable()):
            raise BadInput(
                f"found {name} {text[:40]!r} of {len(text)} characters, wanted at most "
                f"{SEARCH_MAX} printable ones",
                field=(name,),
            )
    wanted = page("products", first, after, (int,))
    found, _ = await info.context.services.catalogue.listed(
        info.context.tenant_id,
        first=wanted.limit,
        after=None if wanted.after is None else min(int(wanted.after[0]), ROW_ID_MAX),
        category=category,
        search=search,
        tier=tier,
        everything=everything,
    )
    return wanted.connection(found, of, lambda product: (product.id,))
