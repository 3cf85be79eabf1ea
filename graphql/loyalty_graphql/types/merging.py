"""Two members who are one person: merged, and parted again. Both schemas offer it."""

from typing import Annotated

import strawberry

from loyalty.errors import LoyaltyError
from loyalty.services.access import Viewer
from loyalty.services.checkout.checkout import Done
from loyalty_graphql.context import Info
from loyalty_graphql.scalars import ExternalId, IdempotencyKey
from loyalty_graphql.types.members import Member, loaded_member
from loyalty_graphql.user_errors import UserError, is_replay, user_errors

MERGE = (
    "Make a guest or a duplicate part of a member: its points move with their dates, its orders "
    "and coupons follow, and its external id answers as the member's from then on. Open checkouts "
    "of the source time out; one that is paid late holds again from the member's points."
)
UNMERGE = (
    "Part a guest or a duplicate from the member again. What is still there goes back; what was "
    "spent or booked since stays with the member."
)


@strawberry.input(description="Who becomes part of whom.")
class MemberMergeInput:
    idempotency_key: IdempotencyKey = strawberry.field(
        description="A repeat with the same key gets the same answer and has no second effect."
    )
    source: ExternalId = strawberry.field(
        description="External id of the guest or duplicate; a prospect or active."
    )
    target: ExternalId = strawberry.field(
        description="External id of the member that stays; active."
    )


@strawberry.input(description="Whom to part again.")
class MemberUnmergeInput:
    idempotency_key: IdempotencyKey = strawberry.field(
        description="A repeat with the same key gets the same answer and has no second effect."
    )
    source: ExternalId = strawberry.field(
        description="External id of the guest or duplicate that was merged."
    )


@strawberry.type(description="What a merge or its undoing did, or why not.")
class MemberMergePayload:
    member: Member | None = strawberry.field(
        description="The member that stays, as it is now; null when it was refused."
    )
    moved: bool = strawberry.field(
        description="Whether this call moved anything; false when it was so already."
    )
    replayed: bool = strawberry.field(description="The key had an outcome before: this is it.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was done.")

    @classmethod
    async def of(cls, info: Info, done: Done) -> "MemberMergePayload":
        info.context.refresh()
        member = await loaded_member(info.context, done.outcome["member"])
        return cls(
            member=member, moved=done.outcome["moved"], replayed=done.replayed, user_errors=[]
        )

    @classmethod
    def refused(cls, refusal: LoyaltyError) -> "MemberMergePayload":
        return cls(
            member=None,
            moved=False,
            replayed=is_replay(refusal),
            user_errors=user_errors(refusal),
        )


MergeInput = Annotated[MemberMergeInput, strawberry.argument(description="Who becomes whose part.")]
UnmergeInput = Annotated[MemberUnmergeInput, strawberry.argument(description="Whom to part.")]


async def merged(info: Info, viewer: Viewer, given: MemberMergeInput) -> MemberMergePayload:
    """Merge for a caller that may."""
    try:
        done = await info.context.services.membership.merge(
            viewer, given.idempotency_key, given.source, given.target
        )
    except LoyaltyError as refusal:
        return MemberMergePayload.refused(refusal)
    return await MemberMergePayload.of(info, done)


async def unmerged(info: Info, viewer: Viewer, given: MemberUnmergeInput) -> MemberMergePayload:
    """Part for a caller that may."""
    try:
        done = await info.context.services.membership.unmerge(
            viewer, given.idempotency_key, given.source
        )
    except LoyaltyError as refusal:
        return MemberMergePayload.refused(refusal)
    return await MemberMergePayload.of(info, done)
