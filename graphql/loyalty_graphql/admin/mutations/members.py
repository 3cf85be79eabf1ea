"""Edit, suspend, reactivate and close members."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import LoyaltyError
from loyalty_graphql.context import Info
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.storefront.mutations.enrolment import (
    MemberPayload,
    MemberUpdateInput,
    updated_member,
)
from loyalty_graphql.types.note import note


@strawberry.input(description="A member, and why.")
class MemberStateInput:
    external_id: ExternalId = strawberry.field(description="The shop's own id of the member.")
    reason: str | None = strawberry.field(
        description="Why, for the record: at most 200 characters.", default=UNSET
    )


StateInput = Annotated[MemberStateInput, strawberry.argument(description="Who, and why.")]


@strawberry.mutation(description="Edit a member's profile and consents.")
async def member_update(
    info: Info,
    input: Annotated[MemberUpdateInput, strawberry.argument(description="The edit.")],
) -> MemberPayload:
    return await updated_member(info, info.context.viewer, input)


@strawberry.mutation(
    description="Set a member aside: nothing is earned or redeemed, and what open checkouts hold "
    "is given back."
)
async def member_suspend(info: Info, input: StateInput) -> MemberPayload:
    return await _moved(info, input, "SUSPENDED")


@strawberry.mutation(description="Let a suspended member, or one not yet enrolled, take part.")
async def member_reactivate(info: Info, input: StateInput) -> MemberPayload:
    return await _moved(info, input, "ACTIVE")


@strawberry.mutation(description="End a membership for good; what open checkouts hold goes back.")
async def member_close(info: Info, input: StateInput) -> MemberPayload:
    return await _moved(info, input, "CLOSED")


async def _moved(info: Info, given: MemberStateInput, state: str) -> MemberPayload:
    context = info.context
    try:
        done = await context.services.enrolment.set_state(
            context.viewer,
            given.external_id,
            state,
            note(given.reason or None, "input", "reason"),
        )
    except LoyaltyError as refusal:
        return MemberPayload.refused(refusal)
    return await MemberPayload.of(info, done)
