"""Refunds."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import LoyaltyError
from loyalty_graphql.context import Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId, IdempotencyKey
from loyalty_graphql.storefront.mutations.checkout import (
    KEY,
    REFUSED,
    REPLAYED,
    member_of_order,
)
from loyalty_graphql.types.members import Member
from loyalty_graphql.types.note import note
from loyalty_graphql.types.orders import Order, Refund
from loyalty_graphql.user_errors import UserError, is_replay, user_errors


@strawberry.input(description="A refund of a whole order.")
class OrderRefundInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    order_external_id: ExternalId = strawberry.field(description="The shop's own order number.")
    refund_external_id: ExternalId = strawberry.field(
        description="The shop's own name for the refund; a second one of this name changes nothing."
    )
    reason: str | None = strawberry.field(
        description="Why it comes back, for the merchant: at most 200 characters.", default=UNSET
    )


@strawberry.type(description="A refund that was booked, or why it was not.")
class OrderRefundPayload:
    refund: Refund | None = strawberry.field(description="The refund; null when it was refused.")
    order: Order | None = strawberry.field(description="The order as it is now.")
    member: Member | None = strawberry.field(
        description="The member as it is now; null for a guest, and for services without the scope "
        "members:read."
    )
    replayed: bool = strawberry.field(description=REPLAYED)
    user_errors: list[UserError] = strawberry.field(description=REFUSED)


@strawberry.mutation(
    description="Refund a whole order: what it earned is taken back, what it redeemed given back. "
    "For services with the scope checkout:write."
)
async def order_refund(
    info: Info,
    input: Annotated[OrderRefundInput, strawberry.argument(description="What comes back.")],
) -> OrderRefundPayload:
    viewer = permitted(info)
    context = info.context
    try:
        done = await context.services.checkout.refund(
            viewer,
            input.idempotency_key,
            input.order_external_id,
            input.refund_external_id,
            note(input.reason, "input", "reason"),
        )
        context.refresh()
        views = context.services.views
        # A refund that a webhook announced may still wait for its order: that is not found yet.
        refund = await views.refund(context.tenant_id, done.outcome["refund"])
        order = await views.order(context.tenant_id, input.order_external_id)
    except LoyaltyError as refusal:
        return OrderRefundPayload(
            refund=None,
            order=None,
            member=None,
            replayed=is_replay(refusal),
            user_errors=user_errors(refusal),
        )
    return OrderRefundPayload(
        refund=Refund.of(refund),
        order=Order.of(order),
        member=await member_of_order(info, order.member_id),
        replayed=done.replayed,
        user_errors=[],
    )
