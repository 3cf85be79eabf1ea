"""Write products."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from loyalty.domain.product import ProductFacts
from loyalty.errors import BadInput, LoyaltyError
from loyalty.services.catalogue import Product
from loyalty_graphql.admin.types.catalogue import AdminProduct
from loyalty_graphql.context import Info
from loyalty_graphql.money import MoneyInput
from loyalty_graphql.scalars import BigInt, ExternalId
from loyalty_graphql.storefront.carts import minor_of
from loyalty_graphql.user_errors import UserError, user_errors


@strawberry.input(
    description="A product. What is left out stays as it is, or is unknown for a new one; null "
    "takes it away."
)
class ProductUpsertInput:
    external_id: ExternalId = strawberry.field(description="The shop's own id of the product.")
    name: str | None = strawberry.field(
        description="What it is called; a new product needs one.", default=UNSET
    )
    price: MoneyInput | None = strawberry.field(
        description="Price of one piece, in the program's currency.", default=UNSET
    )
    cost: MoneyInput | None = strawberry.field(
        description="What one piece costs the shop.", default=UNSET
    )
    stock: BigInt | None = strawberry.field(
        description="Pieces left; null where they are not counted.", default=UNSET
    )
    category: str | None = strawberry.field(description="What kind of thing it is.", default=UNSET)
    department: str | None = strawberry.field(
        description="The level above the category.", default=UNSET
    )
    type: str | None = strawberry.field(description="The level below the category.", default=UNSET)
    brand: str | None = strawberry.field(description="Who makes it.", default=UNSET)
    image_url: str | None = strawberry.field(description="Where a picture of it is.", default=UNSET)
    tiers: list[str] | None = strawberry.field(
        description="Codes of the tiers that may see it; everybody when empty.", default=UNSET
    )
    tiers_until: datetime | None = strawberry.field(
        description="From when on everybody may see it: until then its tiers have early access. "
        "Null where that never comes. Goes with the last of its tiers.",
        default=UNSET,
    )
    active: bool | None = strawberry.field(
        description="Whether shoppers can see it at all.", default=UNSET
    )


@strawberry.type(description="A product that was written, or why it was not.")
class ProductUpsertPayload:
    product: AdminProduct | None = strawberry.field(
        description="The product as it is now; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(description="Why nothing was written.")


@strawberry.mutation(description="Add a product, or change one.")
async def product_upsert(
    info: Info,
    input: Annotated[ProductUpsertInput, strawberry.argument(description="The product.")],
) -> ProductUpsertPayload:
    context = info.context
    catalogue = context.services.catalogue
    try:
        known = await catalogue.one(context.tenant_id, input.external_id)
        rules = await context.loaders.ruleset()
        columns = _columns(known) | _given(input, rules.currency)
        if not columns.get("name"):
            raise BadInput("found no name, wanted one", field=("input", "name"))
        unknown = [code for code in columns["tiers"] if code not in rules.tier_policy.ranks]
        if unknown:
            raise BadInput(
                f"found tier {unknown[0][:40]!r}, wanted some of "
                f"{', '.join(rules.tier_policy.ranks)}",
                field=("input", "tiers"),
            )
        facts = ProductFacts(
            external_id=input.external_id,
            said_at=context.services.clock.now(),
            currency=rules.currency,
            **columns,
        )
        await catalogue.upsert(context.tenant_id, [facts], context.viewer.client)
    except LoyaltyError as refusal:
        return ProductUpsertPayload(product=None, user_errors=user_errors(refusal))
    context.refresh()
    written = await catalogue.one(context.tenant_id, input.external_id)
    assert written is not None
    return ProductUpsertPayload(product=AdminProduct.of(written), user_errors=[])


def _columns(known: Product | None) -> dict[str, Any]:
    """What is known of a product, by the names of ``ProductFacts``."""
    if known is None:
        return {"tiers": ()}
    return {
        "name": known.name,
        "category": known.category,
        "department": known.department,
        "type": known.type,
        "brand": known.brand,
        "image_url": known.image_url,
        "price_minor": known.price_minor,
        "cost_minor": known.cost_minor,
        "stock": known.stock,
        "tiers": known.tiers,
        "tiers_until": known.tiers_until,
        "invented": known.invented,
        "is_active": known.is_active,
    }


def _given(input: ProductUpsertInput, currency: str) -> dict[str, Any]:
    """What the request says; raises BadInput for an amount that is none."""
    said: dict[str, Any] = {}
    for name in ("name", "category", "department", "type", "brand", "image_url", "stock"):
        value = getattr(input, name)
        if value is not UNSET:
            said[name] = value
    for name, amount in (("price", input.price), ("cost", input.cost)):
        if amount is not UNSET:
            minor = None if amount is None else minor_of(amount, currency, "input", name)
            said[f"{name}_minor"] = minor
    if input.tiers is not UNSET:
        said["tiers"] = tuple(dict.fromkeys(input.tiers or ()))
        if not said["tiers"]:
            said["tiers_until"] = None
    if input.tiers_until is not UNSET:
        said["tiers_until"] = input.tiers_until
    if isinstance(input.active, bool):
        said["is_active"] = input.active
    return said
