"""Merge, part and erase members."""

from datetime import datetime
from typing import Annotated

import strawberry

from loyalty.domain.points import Points
from loyalty.errors import LoyaltyError
from loyalty_graphql.context import Info
from loyalty_graphql.scalars import BigInt, ExternalId, IdempotencyKey
from loyalty_graphql.types.merging import (
    MERGE,
    UNMERGE,
    MemberMergePayload,
    MergeInput,
    UnmergeInput,
    merged,
    unmerged,
)
from loyalty_graphql.user_errors import UserError, is_replay, user_errors


@strawberry.mutation(description=MERGE)
async def member_merge(info: Info, input: MergeInput) -> MemberMergePayload:
    return await merged(info, info.context.viewer, input)


@strawberry.mutation(description=UNMERGE)
async def member_unmerge(info: Info, input: UnmergeInput) -> MemberMergePayload:
    return await unmerged(info, info.context.viewer, input)


@strawberry.input(description="Whom to erase.")
class MemberEraseInput:
    idempotency_key: IdempotencyKey = strawberry.field(
        description="A repeat with the same key gets the same answer. It is kept after the member "
        "is gone, so it must not name anybody."
    )
    external_id: ExternalId = strawberry.field(description="The shop's own id of the member.")


@strawberry.type(description="What an erased member still had of one point type or currency.")
class Forfeited:
    unit: str = strawberry.field(
        description='Code of the point type, or "credit:EUR" for store credit.'
    )
    amount: Points = strawberry.field(description="Points, or minor units of the currency.")


@strawberry.type(
    description="An import that refused rows. They stand in a file where it ran, which may hold "
    "the member still: delete it there."
)
class ImportToCheck:
    kind: str = strawberry.field(description="What was imported: `orders` or `members`.")
    started_at: datetime = strawberry.field(description="When it was first started.")
    rejected: BigInt = strawberry.field(description="Rows it refused.")


@strawberry.type(description="A member that is erased, or why not.")
class MemberErasePayload:
    erased: bool = strawberry.field(
        description="Whether nothing personal of the member is left; false when it was refused."
    )
    forfeited: list[Forfeited] = strawberry.field(
        description="What the member still had, booked as expired; open holds went back before."
    )
    imports_to_check: list[ImportToCheck] = strawberry.field(
        description="What is not in the database and so not reached: imports whose files of "
        "refused rows may hold the member."
    )
    replayed: bool = strawberry.field(description="The key had an outcome before: this is it.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was done.")


@strawberry.mutation(
    description="Erase a member and whoever was merged into it, for good: what it still has is "
    "forfeited, the ledger stays whole, nothing in it says whose it was. The external id can enrol "
    "again as somebody new."
)
async def member_erase(
    info: Info,
    input: Annotated[MemberEraseInput, strawberry.argument(description="Whom.")],
) -> MemberErasePayload:
    context = info.context
    try:
        done = await context.services.membership.erase(
            context.viewer, input.idempotency_key, input.external_id
        )
    except LoyaltyError as refusal:
        return MemberErasePayload(
            erased=False,
            forfeited=[],
            imports_to_check=[],
            replayed=is_replay(refusal),
            user_errors=user_errors(refusal),
        )
    context.refresh()
    left = await context.services.membership.imports_to_check(context.viewer)
    return MemberErasePayload(
        erased=True,
        forfeited=[
            Forfeited(unit=unit, amount=Points(amount))
            for unit, amount in sorted(done.outcome["forfeited"].items())
        ],
        imports_to_check=[
            ImportToCheck(kind=kind, started_at=started_at, rejected=BigInt(rejected))
            for kind, started_at, rejected in left
        ],
        replayed=done.replayed,
        user_errors=[],
    )
