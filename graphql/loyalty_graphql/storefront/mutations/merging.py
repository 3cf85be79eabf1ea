"""Merge members and part them again, for services."""

import strawberry

from loyalty_graphql.context import Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.types.merging import (
    MERGE,
    UNMERGE,
    MemberMergePayload,
    MergeInput,
    UnmergeInput,
    merged,
    unmerged,
)


@strawberry.mutation(description=f"{MERGE} For services with the scope members:write.")
async def member_merge(info: Info, input: MergeInput) -> MemberMergePayload:
    return await merged(info, permitted(info), input)


@strawberry.mutation(description=f"{UNMERGE} For services with the scope members:write.")
async def member_unmerge(info: Info, input: UnmergeInput) -> MemberMergePayload:
    return await unmerged(info, permitted(info), input)
