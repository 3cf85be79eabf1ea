"""A member's personal offers."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import BadInput
from loyalty.services.access import ViewerKind
from loyalty.services.offers.offer_facts import OWN_OFFERS_MAX
from loyalty_graphql.context import Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.storefront.visibility import visible_member
from loyalty_graphql.types.offers import Offer


@strawberry.field(
    description="A member's personal offers: first those that can be used or made active, the one "
    "that ends first before the others; what is over for a week more. None for whoever is no "
    "member. For shoppers: their own. For services with the scope members:read."
)
async def offers(
    info: Info,
    member: Annotated[
        ExternalId | None,
        strawberry.argument(description="Whose. Shoppers leave it out; services name one."),
    ] = UNSET,
    first: Annotated[
        int | None, strawberry.argument(description=f"How many at most: 1 to {OWN_OFFERS_MAX}.")
    ] = 20,
) -> list[Offer]:
    viewer = permitted(info)
    context = info.context
    wanted = 20 if first is None else first
    if not 1 <= wanted <= OWN_OFFERS_MAX:
        raise BadInput(f"found {wanted}, wanted 1 to {OWN_OFFERS_MAX}", field=("first",))
    name = member or None
    if name is None and viewer.kind is not ViewerKind.SHOPPER:
        raise BadInput("found no member, wanted one's id", field=("member",))
    found = await visible_member(info, viewer, name)
    if found is None:
        return []
    rules = await context.loaders.ruleset()
    words = context.words(None, member=found.locale)
    listed = await context.services.offers.of_member(
        context.tenant_id, found.id, rules, first=wanted
    )
    return [Offer.of(each, rules, words) for each in listed]
