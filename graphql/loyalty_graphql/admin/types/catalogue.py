"""Products with what the shop alone knows of them."""

import strawberry

from loyalty.domain import money
from loyalty.services import catalogue
from loyalty_graphql.ids import encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import BigInt, ExternalId
from loyalty_graphql.types import catalogue as shared

_FIELDS = shared.FIELDS | {"cost_minor": "cost", "stock": "stock"}


@strawberry.type(name="Product", description="Something the shop sells, as the shop knows it.")
class AdminProduct(shared.Product):
    cost: Money | None = strawberry.field(
        description="What one piece costs the shop; null when unknown. The margin floor is "
        "reckoned with it."
    )
    stock: BigInt | None = strawberry.field(
        description="Pieces left; null where they are not counted."
    )

    @classmethod
    def of(cls, product: catalogue.Product) -> "AdminProduct":
        def amount(minor: int | None) -> Money | None:
            return None if minor is None else Money.of(money.Money(minor, product.currency))

        return cls(
            id=strawberry.ID(encode_id("Product", product.id)),
            external_id=ExternalId(product.external_id),
            name=product.name,
            price=amount(product.price_minor),
            category=product.category,
            department=product.department,
            type=product.type,
            brand=product.brand,
            image_url=product.image_url,
            in_stock=product.is_in_stock,
            active=product.is_active,
            tiers=list(product.tiers),
            tiers_until=product.tiers_until,
            invented=shared.fields_named(product.invented, _FIELDS),
            cost=amount(product.cost_minor),
            stock=None if product.stock is None else BigInt(product.stock),
        )
