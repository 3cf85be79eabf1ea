"""What checkouts hold."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.services.checkout.reservation_list import LAST
from loyalty_graphql.admin.types.reservations import ReservationSummary
from loyalty_graphql.context import Info
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.types.members import After, First
from loyalty_graphql.types.reservations import ReservationState


@strawberry.field(description="Reservations, the newest first, by the clock.")
async def reservations(
    info: Info,
    first: First = 20,
    after: After = UNSET,
    state: Annotated[
        ReservationState | None, strawberry.argument(description="Only those that stand so.")
    ] = UNSET,
    external_id: Annotated[
        ExternalId | None, strawberry.argument(description="Only those of this member.")
    ] = UNSET,
) -> Connection[ReservationSummary]:
    context = info.context
    wanted = page("reservations", first, after or None, (int,))
    before = LAST if wanted.after is None else min(int(wanted.after[0]), LAST)
    found = await context.services.reservation_list.listed(
        context.tenant_id,
        wanted.limit,
        before,
        state=state.name if isinstance(state, ReservationState) else None,
        member=external_id or None,
    )
    return wanted.connection(found, ReservationSummary.of, lambda each: (each.id,))
