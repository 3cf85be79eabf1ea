"""Everything held about one member."""

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from loyalty.errors import NotFound
from loyalty_graphql.context import Info
from loyalty_graphql.scalars import ExternalId


@strawberry.field(
    description="Everything held about a member and whoever was merged into it, as one JSON "
    "document; null when there is none. Its sections are described in the reference."
)
async def member_export(
    info: Info,
    external_id: Annotated[
        ExternalId, strawberry.argument(description="The shop's own id of the member.")
    ],
) -> JSON | None:
    context = info.context
    try:
        found = await context.services.membership.export(context.viewer, external_id)
    except NotFound:
        return None
    return JSON(found)
