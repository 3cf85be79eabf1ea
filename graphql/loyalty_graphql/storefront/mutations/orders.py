"""Refunds and cancellations."""

from typing import Annotated, TypeVar

import strawberry
from strawberry import UNSET

from loyalty.errors import LoyaltyError
from loyalty.services.checkout.checkout import Done
from loyalty_graphql.context import Info
from loyalty_graphql.money import MoneyInput
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId, IdempotencyKey
from loyalty_graphql.storefront.mutations.checkout import (
    KEY,
    REFUSED,
    REPLAYED,
    member_of_order,
)
from loyalty_graphql.storefront.refunds import (
    LINES,
    SHIPPING_BACK,
    OrderRefundLineInput,
    as_asked,
    asks_of,
)
from loyalty_graphql.types.members import Member
from loyalty_graphql.types.note import note
from loyalty_graphql.types.orders import Order, Refund
from loyalty_graphql.user_errors import UserError, is_replay, user_errors

ORDER = "The shop's own order number."
REASON = "Why it comes back, for the merchant: at most 200 characters."


@strawberry.input(description="A refund of lines of an order, or of all that is left of it.")
class OrderRefundInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    order_external_id: ExternalId = strawberry.field(description=ORDER)
    refund_external_id: ExternalId = strawberry.field(
        description="The shop's own name for the refund; a second one of this name changes "
        "nothing, and is refused when it asks for something else."
    )
    lines: list[OrderRefundLineInput] | None = strawberry.field(description=LINES, default=UNSET)
    shipping: MoneyInput | None = strawberry.field(description=SHIPPING_BACK, default=UNSET)
    reason: str | None = strawberry.field(description=REASON, default=UNSET)


@strawberry.input(description="A cancellation of a whole order.")
class OrderCancelInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    order_external_id: ExternalId = strawberry.field(description=ORDER)
    reason: str | None = strawberry.field(description=REASON, default=UNSET)


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


@strawberry.type(description="A cancellation that was booked, or why it was not.")
class OrderCancelPayload(OrderRefundPayload):
    pass


P = TypeVar("P", bound=OrderRefundPayload)


@strawberry.mutation(
    description="Refund lines of an order, or all that is left of it: what they earned is taken "
    "back, what paid for them given back, in any number of steps. For services with the scope "
    "checkout:write."
)
async def order_refund(
    info: Info,
    input: Annotated[OrderRefundInput, strawberry.argument(description="What comes back.")],
) -> OrderRefundPayload:
    viewer = permitted(info)
    context = info.context
    try:
        lines, currency = asks_of(input.lines, input.shipping)
        done = await context.services.checkout.refund(
            viewer,
            input.idempotency_key,
            input.order_external_id,
            input.refund_external_id,
            note(input.reason, "input", "reason"),
            lines,
            currency,
        )
        return await booked(info, OrderRefundPayload, done, input.order_external_id)
    except LoyaltyError as refusal:
        return refused(OrderRefundPayload, refusal)


@strawberry.mutation(
    description="Cancel an order: all that is left of it comes back, as by a refund, and it is "
    "cancelled. For services with the scope checkout:write."
)
async def order_cancel(
    info: Info,
    input: Annotated[OrderCancelInput, strawberry.argument(description="What is called off.")],
) -> OrderCancelPayload:
    viewer = permitted(info)
    try:
        done = await info.context.services.checkout.cancel(
            viewer,
            input.idempotency_key,
            input.order_external_id,
            note(input.reason, "input", "reason"),
        )
        return await booked(info, OrderCancelPayload, done, input.order_external_id)
    except LoyaltyError as refusal:
        return refused(OrderCancelPayload, refusal)


async def booked(info: Info, of: type[P], done: Done, name: str) -> P:
    context = info.context
    context.refresh()
    views, refund_id = context.services.views, done.outcome["refund"]
    assert isinstance(refund_id, int)
    # A refund that a webhook announced may still wait for its order: that is not found yet.
    refund = await views.refund(context.tenant_id, refund_id)
    order = await views.order(context.tenant_id, name)
    return of(
        refund=Refund.of(refund),
        order=Order.of(order),
        member=await member_of_order(info, order.member_id),
        replayed=done.replayed,
        user_errors=[],
    )


def refused(of: type[P], refusal: LoyaltyError) -> P:
    return of(
        refund=None,
        order=None,
        member=None,
        replayed=is_replay(refusal),
        user_errors=user_errors(as_asked(refusal)),
    )
