"""The program in a few figures."""

import strawberry

from loyalty.domain.points import Points
from loyalty.services.metrics_summary import metrics_summary as summed
from loyalty_graphql.context import Info
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import BigInt
from loyalty_graphql.types.members import MemberState


@strawberry.type(description="How many members stand in one state.")
class MembersInState:
    state: MemberState = strawberry.field(description="The state.")
    count: BigInt = strawberry.field(description="How many.")


@strawberry.type(description="Points of one type that members have and may still spend.")
class PointsOutstanding:
    point_type: str = strawberry.field(description="Code of the point type.")
    points: Points = strawberry.field(description="How many, pending and held ones among them.")
    pending: Points = strawberry.field(description="Those that cannot be spent yet.")
    held: Points = strawberry.field(description="Those that open checkouts hold.")
    deficit: Points = strawberry.field(description="What members owe; not taken off the others.")


@strawberry.type(description="The program in a few figures, now.")
class MetricsSummary:
    members: BigInt = strawberry.field(description="Members that are neither closed nor erased.")
    members_by_state: list[MembersInState] = strawberry.field(description="All, by state.")
    orders: BigInt = strawberry.field(description="Orders booked.")
    points_outstanding: list[PointsOutstanding] = strawberry.field(
        description="What members may still spend, by point type."
    )
    liability: Money | None = strawberry.field(
        description="What all outstanding points would pay, rounded up; null where points do not "
        "pay."
    )


@strawberry.field(description="The program in a few figures, added up now.")
async def metrics_summary(info: Info) -> MetricsSummary:
    context = info.context
    services = context.services
    rules = await context.loaders.ruleset()
    found = await summed(services.database, context.tenant_id, rules, services.clock.now())
    return MetricsSummary(
        members=BigInt(
            sum(
                number
                for state, number in found.members.items()
                if state not in ("CLOSED", "ERASED")
            )
        ),
        members_by_state=[
            MembersInState(state=state, count=BigInt(found.members[state.name]))
            for state in MemberState
            if state.name in found.members
        ],
        orders=BigInt(found.orders),
        points_outstanding=[
            PointsOutstanding(
                point_type=item.point_type,
                points=Points(item.points),
                pending=Points(item.pending),
                held=Points(item.held),
                deficit=Points(item.deficit),
            )
            for item in found.outstanding
        ],
        liability=None if found.liability is None else Money.of(found.liability),
    )
