"""A member's tier: where it stands, how far the next one is, and how it came."""

from datetime import UTC, datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain import tiers
from loyalty.domain.books.as_of import AsOf
from loyalty.domain.points import Points
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.services.checkout.views import TierStep
from loyalty.services.members.summary import Member
from loyalty_graphql.context import Info
from loyalty_graphql.types.as_of import steps_then
from loyalty_graphql.types.rulesets import Benefit, Tier, tier_named

STEPS_MAX = 50
"""Most changes shown of one member's tier."""

_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


@strawberry.enum(description="Whether the present tier is earned, or kept for a while.")
class TierState(Enum):
    QUALIFIED = value("QUALIFIED", description="The qualifying points reach the tier.")
    IN_GRACE = value("IN_GRACE", description="They no longer do; the tier is kept until `until`.")


@strawberry.enum(description="Why a tier changed.")
class TierChangeReason(Enum):
    QUALIFIED = value("QUALIFIED", description="The points reached a higher tier.")
    GRACE_STARTED = value("GRACE_STARTED", description="The points fell below the tier.")
    RENEWED = value("RENEWED", description="They reached it again before the grace ended.")
    DOWNGRADED = value("DOWNGRADED", description="The grace ended without that.")


@strawberry.type(description="The tier above the present one.")
class NextTier:
    tier: Tier = strawberry.field(description="The tier.")
    points_missing: Points = strawberry.field(description="Qualifying points still missing.")
    by: datetime | None = strawberry.field(
        description="Until when all that counts today still counts; null when none of it expires."
    )


@strawberry.type(description="One change of a member's tier.")
class TierChange:
    tier: Tier | None = strawberry.field(
        description="The tier after it; null for one the program no longer has."
    )
    from_: Tier | None = strawberry.field(
        name="from", description="The tier before it; the same one around a grace period."
    )
    at: datetime = strawberry.field(description="When it happened.")
    reason: TierChangeReason = strawberry.field(description="Why it happened.")

    @classmethod
    def of(cls, step: TierStep, rules: Ruleset) -> "TierChange":
        return cls(
            tier=tier_named(rules, step.tier_to),
            from_=tier_named(rules, step.tier_from),
            at=step.at,
            reason=TierChangeReason[step.reason],
        )


@strawberry.type(description="A member's tier now.")
class TierStatus:
    current: Tier | None = strawberry.field(description="The present tier.")
    since: datetime | None = strawberry.field(description="Since when it is the present one.")
    state: TierState = strawberry.field(description="Whether it is earned, or kept for a while.")
    until: datetime | None = strawberry.field(
        description="In grace: when it ends. Else when the points known today no longer reach the "
        "tier; null when that never comes."
    )
    qualifying: Points = strawberry.field(description="Points that count for the tier now.")
    next: NextTier | None = strawberry.field(description="The tier above; null in the highest one.")
    benefits: list[Benefit] = strawberry.field(description="What the present tier brings.")
    member_id: strawberry.Private[int]
    rules: strawberry.Private[Ruleset]
    as_of: strawberry.Private[AsOf | None] = None

    @strawberry.field(description=f"The latest changes, newest first: at most {STEPS_MAX} of them.")
    async def history(self, info: Info) -> list[TierChange]:
        context = info.context
        if self.as_of is None:
            steps = await context.services.views.tier_steps(
                context.tenant_id, self.member_id, STEPS_MAX
            )
        else:
            steps = await steps_then(context, self.member_id, self.as_of, STEPS_MAX)
        return [TierChange.of(step, self.rules) for step in steps]

    @classmethod
    def of(cls, member: Member, rules: Ruleset, as_of: AsOf | None = None) -> "TierStatus":
        status = member.tier
        current = Tier.of(status.current)
        return cls(
            current=current,
            # Who never rose stands in the lowest tier since joining.
            since=member.joined_at if status.since <= _BEFORE_ALL else status.since,
            state=TierState[status.state.name],
            until=status.until,
            qualifying=Points(status.qualifying),
            next=_next(status.next),
            benefits=current.benefits,
            member_id=member.id,
            rules=rules,
            as_of=as_of,
        )


def _next(following: tiers.NextTier | None) -> NextTier | None:
    if following is None:
        return None
    return NextTier(
        tier=Tier.of(following.tier),
        points_missing=Points(following.points_missing),
        by=following.by,
    )
