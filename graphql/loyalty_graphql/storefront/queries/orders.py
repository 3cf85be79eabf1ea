"""Orders and reservations."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import LoyaltyError, NotFound
from loyalty.services.access import ViewerKind
from loyalty_graphql.context import Info
from loyalty_graphql.ids import decode_id
from loyalty_graphql.money import MoneyInput
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.storefront.refunds import (
    LINES,
    SHIPPING_BACK,
    OrderRefundLineInput,
    as_asked,
    asks_of,
)
from loyalty_graphql.storefront.visibility import visible_member
from loyalty_graphql.types.orders import Order, RefundFigures
from loyalty_graphql.types.reservations import Reservation, loaded_reservation
from loyalty_graphql.user_errors import UserError, user_errors


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


@strawberry.input(description="A refund that is only asked about.")
class OrderRefundPreviewInput:
    order_external_id: ExternalId = strawberry.field(description="The shop's own order number.")
    lines: list[OrderRefundLineInput] | None = strawberry.field(description=LINES, default=UNSET)
    shipping: MoneyInput | None = strawberry.field(description=SHIPPING_BACK, default=UNSET)


@strawberry.type(description="What a refund would do, or why it would be refused.")
class OrderRefundPreviewPayload:
    refund: RefundFigures | None = strawberry.field(
        description="What the refund would give back and take back; null when it is refused."
    )
    order: Order | None = strawberry.field(description="The order as it would be then.")
    user_errors: list[UserError] = strawberry.field(description="Why it would be refused.")


@strawberry.field(
    description="What `orderRefund` would answer now; moves nothing. For services with the scope "
    "checkout:write."
)
async def order_refund_preview(
    info: Info,
    input: Annotated[OrderRefundPreviewInput, strawberry.argument(description="What comes back.")],
) -> OrderRefundPreviewPayload:
    viewer = permitted(info)
    context = info.context
    views, tenant_id = context.services.views, context.tenant_id
    try:
        lines, currency = asks_of(input.lines, input.shipping)
        seen = await context.services.checkout.refund_preview(
            viewer, input.order_external_id, lines, currency
        )
    except LoyaltyError as refusal:
        errors = user_errors(as_asked(refusal))
        return OrderRefundPreviewPayload(refund=None, order=None, user_errors=errors)
    return OrderRefundPreviewPayload(
        refund=RefundFigures.of_view(await views.refund_as(tenant_id, seen.refund, seen.order)),
        order=Order.of(await views.order_as(tenant_id, seen.order)),
        user_errors=[],
    )


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
