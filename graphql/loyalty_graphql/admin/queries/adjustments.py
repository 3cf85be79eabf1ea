"""Corrections of accounts."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.services.audit import LAST
from loyalty_graphql.admin.types.adjustments import Adjustment, AdjustmentState
from loyalty_graphql.context import Info
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.types.members import After, First


@strawberry.field(
    description="Corrections, the newest first; with `state: PROPOSED` those that wait for a "
    "second person."
)
async def adjustments(
    info: Info,
    first: First = 20,
    after: After = UNSET,
    state: Annotated[
        AdjustmentState | None, strawberry.argument(description="Only those that stand so.")
    ] = UNSET,
    external_id: Annotated[
        ExternalId | None, strawberry.argument(description="Only those of this member.")
    ] = UNSET,
) -> Connection[Adjustment]:
    context = info.context
    wanted = page("adjustments", first, after or None, (int,))
    before = LAST if wanted.after is None else min(int(wanted.after[0]), LAST)
    found = await context.services.adjustments.listed(
        context.tenant_id,
        wanted.limit,
        before,
        state=state.name if isinstance(state, AdjustmentState) else None,
        member=external_id or None,
    )
    return wanted.connection(found, Adjustment.of, lambda each: (each.id,))
