"""Members."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import BadInput
from loyalty_graphql.context import Info
from loyalty_graphql.ids import ROW_ID_MAX
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.types.members import After, First, Member

SEARCH_MAX = 128
"""Longest beginning of an external id, in characters."""


@strawberry.field(description="A member; null when there is none.")
async def member(
    info: Info,
    external_id: Annotated[
        ExternalId, strawberry.argument(description="The shop's own id of the member.")
    ],
) -> Member | None:
    loaders = info.context.loaders
    found = await loaders.members.load(external_id)
    return None if found is None else Member.of(found, await loaders.ruleset())


@strawberry.field(description="Members, in the order in which they became known.")
async def members(
    info: Info,
    first: First = 20,
    after: After = UNSET,
    search: Annotated[
        str | None,
        strawberry.argument(description="Only those whose external id begins so."),
    ] = UNSET,
) -> Connection[Member]:
    context = info.context
    if search and (len(search) > SEARCH_MAX or not search.isprintable()):
        raise BadInput(
            f"found search {search[:40]!r}, wanted at most {SEARCH_MAX} printable characters",
            field=("search",),
        )
    wanted = page("members", first, after or None, (int,))
    after_id = 0 if wanted.after is None else min(int(wanted.after[0]), ROW_ID_MAX)
    rules = await context.loaders.ruleset()
    found = await context.services.summaries.listed(
        context.tenant_id, wanted.limit, after_id, search or None
    )
    return wanted.connection(
        found, lambda member: Member.of(member, rules), lambda member: (member.id,)
    )
