"""The steps of a checkout that hold, redeem and give back value. For services alone."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import BadInput, LoyaltyError
from loyalty.services.access import Scope
from loyalty.services.checkout.checkout import Done
from loyalty_graphql.context import Info
from loyalty_graphql.ids import decode_id
from loyalty_graphql.money import MoneyInput
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId, IdempotencyKey
from loyalty_graphql.storefront.carts import money_told
from loyalty_graphql.types.members import Member, loaded_member
from loyalty_graphql.types.orders import Order
from loyalty_graphql.types.reservations import Reservation, answered_reservation
from loyalty_graphql.user_errors import UserError, is_replay, user_errors, within

KEY = "A repeat with the same key and body gets the first answer again and has no second effect."
REPLAYED = "The key had an outcome before: this is it."
REFUSED = "Why nothing was done."


@strawberry.input(description="A quote to hold.")
class CheckoutReserveInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    quote_token: str = strawberry.field(description="The quote's `token`, as it was given.")
    ttl_seconds: int | None = strawberry.field(
        description="How long to hold, in seconds; the program's time (15 minutes) by default.",
        default=UNSET,
    )


@strawberry.input(description="A reservation to hold for longer.")
class CheckoutExtendInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    reservation_id: strawberry.ID = strawberry.field(description="The reservation's id.")
    ttl_seconds: int = strawberry.field(
        description="How long to hold from now on, in seconds, up to the program's limit; a hold "
        "that stands for longer already stays as it is."
    )


@strawberry.input(description="A reservation that was paid.")
class CheckoutCommitInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    reservation_id: strawberry.ID = strawberry.field(description="The reservation's id.")
    order_external_id: ExternalId = strawberry.field(description="The shop's own order number.")
    paid: MoneyInput = strawberry.field(
        description="What was paid with money: the quote's `payable`."
    )
    occurred_at: datetime | None = strawberry.field(
        description="When it was paid: from 1990 on and at most 5 minutes ahead; now by default.",
        default=UNSET,
    )


@strawberry.input(description="A reservation to give back.")
class CheckoutReleaseInput:
    idempotency_key: IdempotencyKey = strawberry.field(description=KEY)
    reservation_id: strawberry.ID = strawberry.field(description="The reservation's id.")


@strawberry.type(description="A reservation, or why there is none.")
class CheckoutReservePayload:
    reservation: Reservation | None = strawberry.field(
        description="The reservation as it was first answered; null when it was refused."
    )
    replayed: bool = strawberry.field(description=REPLAYED)
    user_errors: list[UserError] = strawberry.field(description=REFUSED)


@strawberry.type(description="A reservation that was given back, or why it was not.")
class CheckoutReleasePayload:
    reservation: Reservation | None = strawberry.field(
        description="The reservation as it was first answered; null when it was refused."
    )
    replayed: bool = strawberry.field(description=REPLAYED)
    user_errors: list[UserError] = strawberry.field(description=REFUSED)


@strawberry.type(description="An order that was booked, or why it was not.")
class CheckoutCommitPayload:
    order: Order | None = strawberry.field(description="The order; null when it was refused.")
    member: Member | None = strawberry.field(
        description="The member as it is now; null for a guest, and for services without the scope "
        "members:read."
    )
    replayed: bool = strawberry.field(description=REPLAYED)
    user_errors: list[UserError] = strawberry.field(description=REFUSED)


@strawberry.mutation(
    description="Hold what a quote takes while the shopper pays. Replaces what the same cart holds "
    "already. For services with the scope checkout:write."
)
async def checkout_reserve(
    info: Info,
    input: Annotated[CheckoutReserveInput, strawberry.argument(description="What to hold.")],
) -> CheckoutReservePayload:
    viewer = permitted(info)
    ttl_s = None if input.ttl_seconds is UNSET else input.ttl_seconds
    try:
        done = await info.context.services.checkout.reserve(
            viewer, input.idempotency_key, input.quote_token, ttl_s
        )
    except LoyaltyError as refusal:
        return _not_reserved(refusal)
    return await _reserved(info, done)


@strawberry.mutation(
    description="Hold for longer, for a slow way of paying; never for less than it stands already. "
    "For services with the scope checkout:write."
)
async def checkout_extend(
    info: Info,
    input: Annotated[CheckoutExtendInput, strawberry.argument(description="What to extend.")],
) -> CheckoutReservePayload:
    viewer = permitted(info)
    try:
        done = await info.context.services.checkout.extend(
            viewer, input.idempotency_key, _reservation_id(input.reservation_id), input.ttl_seconds
        )
    except LoyaltyError as refusal:
        return _not_reserved(refusal)
    return await _reserved(info, done)


@strawberry.mutation(
    description="Turn a reservation into an order: what it holds is redeemed, what the order earns "
    "is booked. The quote is honoured although rules changed since. For services with the scope "
    "checkout:write."
)
async def checkout_commit(
    info: Info,
    input: Annotated[CheckoutCommitInput, strawberry.argument(description="What was paid.")],
) -> CheckoutCommitPayload:
    viewer = permitted(info)
    context = info.context
    occurred_at = None if input.occurred_at is UNSET else input.occurred_at
    try:
        done = await context.services.checkout.commit(
            viewer,
            input.idempotency_key,
            _reservation_id(input.reservation_id),
            input.order_external_id,
            money_told(input.paid, "input", "paid"),
            occurred_at,
        )
    except LoyaltyError as refusal:
        return CheckoutCommitPayload(
            order=None,
            member=None,
            replayed=is_replay(refusal),
            user_errors=user_errors(refusal),
        )
    context.refresh()
    view = await context.services.views.order_by_id(context.tenant_id, done.outcome["order"])
    if done.outcome["booked"]:
        # What this key booked was paid then, whatever came back since.
        view = replace(view, state="PAID")
    return CheckoutCommitPayload(
        order=Order.of(view),
        member=await member_of_order(info, view.member_id),
        replayed=done.replayed,
        user_errors=[],
    )


@strawberry.mutation(
    description="Give back what a reservation holds; time does the same. For services with the "
    "scope checkout:write."
)
async def checkout_release(
    info: Info,
    input: Annotated[CheckoutReleaseInput, strawberry.argument(description="What to give back.")],
) -> CheckoutReleasePayload:
    viewer = permitted(info)
    try:
        done = await info.context.services.checkout.release(
            viewer, input.idempotency_key, _reservation_id(input.reservation_id)
        )
    except LoyaltyError as refusal:
        return CheckoutReleasePayload(
            reservation=None, replayed=is_replay(refusal), user_errors=user_errors(refusal)
        )
    info.context.refresh()
    return CheckoutReleasePayload(
        reservation=await answered_reservation(info, done.outcome),
        replayed=done.replayed,
        user_errors=[],
    )


async def member_of_order(info: Info, member_id: int | None) -> Member | None:
    """The member of an order just booked, for callers that may read members."""
    if member_id is None or not info.context.viewer.may(Scope.MEMBERS_READ):
        return None
    return await loaded_member(info.context, member_id)


async def _reserved(info: Info, done: Done) -> CheckoutReservePayload:
    info.context.refresh()
    return CheckoutReservePayload(
        reservation=await answered_reservation(info, done.outcome),
        replayed=done.replayed,
        user_errors=[],
    )


def _not_reserved(refusal: LoyaltyError) -> CheckoutReservePayload:
    return CheckoutReservePayload(
        reservation=None, replayed=is_replay(refusal), user_errors=user_errors(refusal)
    )


def _reservation_id(text: strawberry.ID) -> int:
    try:
        return decode_id(text, "Reservation")
    except BadInput as problem:
        raise within(problem, "input", "reservationId") from problem
