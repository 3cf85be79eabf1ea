"""Orders and reservations."""

from typing import Annotated

import strawberry

from loyalty.errors import NotFound
from loyalty.services.access import ViewerKind
from loyalty_graphql.context import Info
from loyalty_graphql.ids import decode_id
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.storefront.visibility import visible_member
from loyalty_graphql.types.orders import Order
from loyalty_graphql.types.reservations import Reservation, loaded_reservation


@strawberry.field(
    description="An order; null when there is none. For shoppers: their own. For services with "
    "the scope members:read or checkout:write."
)
async def order(
    info: Info,
    external_id: Annotated[
        ExternalId, strawberry.argument(description="The shop's own order number.")
    ],
) -> Order | None:
    viewer = permitted(info)
    context = info.context
    try:
        found = await context.services.views.order(context.tenant_id, external_id)
    except NotFound:
        return None
    if viewer.kind is ViewerKind.SHOPPER:
        own = await visible_member(info, viewer, None)
        if own is None or found.member_id != own.id:
            return None
    return Order.of(found)


@strawberry.field(
    description="A reservation; null when there is none. For services with the scope "
    "checkout:write."
)
async def reservation(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The reservation's id.")],
) -> Reservation | None:
    permitted(info)
    try:
        return await loaded_reservation(info, decode_id(id, "Reservation"))
    except NotFound:
        return None
