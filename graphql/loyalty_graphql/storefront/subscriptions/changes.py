"""Changes of a member, as they are booked."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from loyalty.errors import NotFound
from loyalty.services.members import summary
from loyalty_graphql.context import Context, Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.storefront.visibility import visible_member
from loyalty_graphql.types.members import Member, MemberState, loaded_member


@strawberry.type(description="A change of a member.")
class MemberChange:
    member: Member = strawberry.field(description="The member after it.")
    reason: str = strawberry.field(
        description="What happened: `order`, `refund`, `reserved`, `extended`, `released`, "
        "`profile`, `enrolled`, `suspended`, `active`, `closed`, `settled`, or `lagged` when it "
        "is not known; there may be more."
    )


@strawberry.subscription(
    description="A member's balance, tier or profile moved, whichever process booked it. Only "
    "changes are told: ask for the member itself first. Several that come quickly may be told as "
    "one. Ends when the membership does, and when the caller's credentials no longer hold. For "
    "shoppers: themselves. For services with the scope members:read."
)
async def member_changed(
    info: Info,
    external_id: Annotated[
        ExternalId | None,
        strawberry.argument(
            description="The shop's own id of the member. Shoppers leave it out; services name one."
        ),
    ] = strawberry.UNSET,
) -> AsyncGenerator[MemberChange, None]:
    # Not a generator itself: what is refused here is refused before anything is streamed.
    viewer = permitted(info)
    member = await visible_member(info, viewer, external_id or None)
    if member is None:
        raise NotFound("member", external_id or viewer.member_external_id or "")
    return _changes(info.context, member)


async def _changes(context: Context, member: summary.Member) -> AsyncGenerator[MemberChange, None]:
    """The member after each change, until it or the caller's credential ends."""
    shown = member.version
    changes = context.services.changes.subscribe(context.tenant_id, member.id, member.external_id)
    async with aclosing(changes) as told:
        async for change in told:
            context.refresh()
            if not await context.still_holds():
                return
            try:
                after = await loaded_member(context, change.member_id)
            except NotFound:
                return
            if after.state is MemberState.ERASED:
                return
            if after.version <= shown:
                # Told already, together with the change before it.
                continue
            shown = after.version
            yield MemberChange(member=after, reason=change.reason)
            if after.state is MemberState.CLOSED:
                return
