"""Report what was done with recommendations."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry import UNSET
from strawberry import enum_value as value

from loyalty.errors import LoyaltyError
from loyalty.services.access import ViewerKind
from loyalty.services.recommendations.recommendation_events import EventType, Reported
from loyalty_graphql.context import Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.user_errors import UserError, user_errors


@strawberry.enum(description="What was done with a recommended product.")
class RecommendationEventType(Enum):
    IMPRESSION = value("IMPRESSION", description="It was shown.")
    CLICK = value("CLICK", description="It was opened.")
    CART = value("CART", description="It was put into the cart.")
    PURCHASE = value(
        "PURCHASE",
        description="It was bought, in `order`. For services alone, where they know better than "
        "orders tell, such as of a guest.",
    )


@strawberry.input(description="One event. The same again changes nothing.")
class RecommendationEventInput:
    recommendation_id: str = strawberry.field(
        description="The answer's `recommendationId`; known for 30 days."
    )
    type: RecommendationEventType = strawberry.field(description="What was done.")
    product: ExternalId = strawberry.field(description="With which product of the answer.")
    position: int | None = strawberry.field(
        description="Where it was shown, from 1, if not at its place in the answer.",
        default=UNSET,
    )
    occurred_at: datetime | None = strawberry.field(
        description="When; now by default. Not before the answer, and not after now.",
        default=UNSET,
    )
    order: ExternalId | None = strawberry.field(
        description="With `PURCHASE`: the shop's id of the order, booked already or not.",
        default=UNSET,
    )


@strawberry.input(description="Events of recommendations.")
class RecommendationEventsInput:
    events: list[RecommendationEventInput] = strawberry.field(
        description="1 to 80 of them, which fit into a request of 64 KB with the longest ids of "
        "plain letters. One that is refused does not keep the others out."
    )


@strawberry.type(description="What came of a report of events.")
class RecommendationEventsPayload:
    recorded: int = strawberry.field(description="How many were new.")
    repeated: int = strawberry.field(description="How many were known already.")
    user_errors: list[UserError] = strawberry.field(
        description="Why the others were refused, each with its place in the report."
    )


@strawberry.mutation(
    description="Report what was shown, opened and put into the cart, for figures by window and "
    "model; what is bought is found in the orders. Repeats count once. A member is kept with an "
    "event only where it agreed to profiling. For every caller; services need the scope "
    "catalogue:read or events:write."
)
async def recommendation_events(
    info: Info,
    input: Annotated[RecommendationEventsInput, strawberry.argument(description="The events.")],
) -> RecommendationEventsPayload:
    viewer = permitted(info)
    context = info.context
    reported = [
        Reported(
            recommendation_id=each.recommendation_id,
            type=EventType(each.type.name),
            product=each.product,
            position=each.position if isinstance(each.position, int) else None,
            occurred_at=each.occurred_at or None,
            order=each.order or None,
        )
        for each in input.events
    ]
    try:
        found = await context.services.feedback.events.record(
            context.tenant_id,
            reported,
            is_shopper=viewer.kind is ViewerKind.SHOPPER,
            shopper=viewer.member_external_id,
            may_tell_orders=viewer.kind in (ViewerKind.SERVICE, ViewerKind.MERCHANT),
        )
    except LoyaltyError as refusal:
        refusal.field = ("input", *refusal.field)
        return RecommendationEventsPayload(recorded=0, repeated=0, user_errors=user_errors(refusal))
    errors: list[UserError] = []
    for at, why in sorted(found.refused.items()):
        why.field = ("input", "events", str(at), *(why.field or ("recommendationId",)))
        errors += user_errors(why)
    return RecommendationEventsPayload(
        recorded=found.recorded, repeated=found.repeated, user_errors=errors
    )
