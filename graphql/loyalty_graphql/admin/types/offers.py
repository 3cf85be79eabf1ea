"""Plans of personal offers, and what came of them."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money
from loyalty.domain.offers import offer_effect
from loyalty.services.offers.offer_figures import OfferCame, PlanSummary
from loyalty_graphql.context import Info
from loyalty_graphql.ids import encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import BigInt, DecimalText
from loyalty_graphql.types.exact_text import factor, percent, scaled
from loyalty_graphql.types.node import Node

_PPM_PLACES = 6


@strawberry.enum(description="Where a plan stands.")
class OfferPlanState(Enum):
    PUBLISHING = value("PUBLISHING", description="Half published: nobody sees its offers yet.")
    PUBLISHED = value("PUBLISHED", description="Its offers are its members'.")
    WITHDRAWN = value("WITHDRAWN", description="Nobody uses its offers any more.")


@strawberry.type(description="What came of one offer of the pool within a plan.")
class OfferFigures:
    offer: str = strawberry.field(description="Its code in the pool.")
    offered: BigInt = strawberry.field(description="Members who got it.")
    held_out: BigInt = strawberry.field(
        description="Members who would have got it and did not, to measure what it changes."
    )
    activated: BigInt = strawberry.field(description="How many made it active.")
    users: BigInt = strawberry.field(description="How many used it, refunds taken off.")
    uses: BigInt = strawberry.field(description="How often it was used, refunds taken off.")
    held: BigInt = strawberry.field(description="Uses that open checkouts hold, by the clock.")
    cost: Money = strawberry.field(description="What its uses took off, refunds taken off.")
    expected_uses: DecimalText = strawberry.field(description="Uses that the plan expected.")
    expected_cost: Money = strawberry.field(description="Cost that the plan expected.")

    @classmethod
    def of(cls, came: OfferCame, currency: str) -> "OfferFigures":
        return cls(
            offer=came.offer,
            offered=BigInt(came.offered),
            held_out=BigInt(came.held_out),
            activated=BigInt(came.activated),
            users=BigInt(came.users),
            uses=BigInt(came.uses),
            held=BigInt(came.held),
            cost=Money.of(money.Money(came.cost_minor, currency)),
            expected_uses=scaled(came.expected_uses_ppm, _PPM_PLACES),
            expected_cost=Money.of(money.Money(came.expected_minor, currency)),
        )


@strawberry.type(description="A plan of personal offers that was published.")
class OfferPlan(Node):
    state: OfferPlanState = strawberry.field(description="Where it stands.")
    number: str = strawberry.field(description="Its number, as the command line names it.")
    ruleset_version: int = strawberry.field(description="Version of the rules it was made by.")
    propensity: str = strawberry.field(description="What told how likely members are to buy.")
    considered: BigInt = strawberry.field(description="Members with the consent that is wanted.")
    planned_at: datetime = strawberry.field(description="The moment it was made for.")
    starts_at: datetime = strawberry.field(description="From when its offers stand.")
    ends_at: datetime | None = strawberry.field(
        description="When the last of its offers ends; null for a plan without any."
    )
    published_at: datetime | None = strawberry.field(description="When all of it was published.")
    withdrawn_at: datetime | None = strawberry.field(description="When it was withdrawn.")
    published_by: str = strawberry.field(description="Who published it.")
    offers: list[OfferFigures] = strawberry.field(description="What came of each offer.")

    @classmethod
    def of(cls, plan: PlanSummary, currency: str) -> "OfferPlan":
        return cls(
            id=strawberry.ID(encode_id("OfferPlan", plan.id)),
            state=OfferPlanState[plan.state],
            number=str(plan.id),
            ruleset_version=plan.ruleset_version,
            propensity=plan.propensity,
            considered=BigInt(plan.considered),
            planned_at=plan.planned_at,
            starts_at=plan.starts_at,
            ends_at=plan.ends_at,
            published_at=plan.published_at,
            withdrawn_at=plan.withdrawn_at,
            published_by=plan.published_by,
            offers=[OfferFigures.of(each, currency) for each in plan.offers],
        )


@strawberry.type(description="What some members did while a plan's offers stood.")
class OfferGroup:
    members: BigInt = strawberry.field(description="How many they are.")
    buyers: BigInt = strawberry.field(description="How many of them bought anything.")
    purchase_rate: DecimalText | None = strawberry.field(
        description='Percent of them that bought: "41.5"; null for nobody.'
    )
    sales: Money = strawberry.field(
        description="What they bought for, all together, less what came back."
    )
    sales_per_member: Money | None = strawberry.field(
        description="What a member bought for, rounded down; null for nobody."
    )

    @classmethod
    def of(cls, group: offer_effect.Group, currency: str) -> "OfferGroup":
        rate, mean = group.rate_bp, group.sales_per_member_minor
        return cls(
            members=BigInt(group.members),
            buyers=BigInt(group.buyers),
            purchase_rate=None if rate is None else percent(rate),
            sales=Money.of(money.Money(group.sales_minor, currency)),
            sales_per_member=None if mean is None else Money.of(money.Money(mean, currency)),
        )


@strawberry.type(description="A difference in percentage points, with its 95 % interval.")
class RateDifference:
    found: DecimalText = strawberry.field(description="What was found.")
    low: DecimalText = strawberry.field(description="Where the interval begins.")
    high: DecimalText = strawberry.field(description="Where it ends.")


@strawberry.type(description="A difference in money per member, with its 95 % interval.")
class SalesDifference:
    found: Money = strawberry.field(description="What was found.")
    low: Money = strawberry.field(description="Where the interval begins.")
    high: Money = strawberry.field(description="Where it ends.")


@strawberry.type(
    description="How many times the odds of a purchase were higher with an offer, with its 95 % "
    "interval: one that holds 1 says that nothing can be seen yet."
)
class OddsUplift:
    found: DecimalText = strawberry.field(description="What was found.")
    low: DecimalText = strawberry.field(description="Where the interval begins.")
    high: DecimalText = strawberry.field(description="Where it ends.")


@strawberry.type(description="Who bought what one offer of a plan is for, until it ended.")
class OfferTargetEffect:
    offer: str = strawberry.field(description="Its code in the pool.")
    offered: BigInt = strawberry.field(description="Members who got it.")
    offered_buyers: BigInt = strawberry.field(description="How many of them bought its target.")
    held_out: BigInt = strawberry.field(description="Members who would have got it and did not.")
    held_out_buyers: BigInt = strawberry.field(description="How many of them bought its target.")
    purchase_rate: RateDifference | None = strawberry.field(
        description="How much more of those who got it bought; null for groups too small to tell."
    )
    uplift: OddsUplift | None = strawberry.field(
        description="By how much it raised the odds; null where all or none of a group bought."
    )
    assumed_uplift: DecimalText = strawberry.field(
        description="What the plan's rules took that to be: `uplift_bp`."
    )

    @classmethod
    def of(cls, effect: offer_effect.TargetEffect) -> "OfferTargetEffect":
        rate, uplift = effect.rate, effect.uplift
        return cls(
            offer=effect.offer,
            offered=BigInt(effect.offered.members),
            offered_buyers=BigInt(effect.offered.buyers),
            held_out=BigInt(effect.held_out.members),
            held_out_buyers=BigInt(effect.held_out.buyers),
            purchase_rate=None
            if rate is None
            else RateDifference(
                found=percent(rate.found), low=percent(rate.low), high=percent(rate.high)
            ),
            uplift=None
            if uplift is None
            else OddsUplift(
                found=factor(uplift.found), low=factor(uplift.low), high=factor(uplift.high)
            ),
            assumed_uplift=factor(effect.assumed_bp),
        )


@strawberry.type(
    description="Members who got a plan's offers beside those who were held out. A hash alone "
    "tells the two apart, so what differs is what the offers changed, as far as chance lets it be "
    "seen: an interval that holds 0 says that it cannot be."
)
class OfferEffect:
    plan: strawberry.Private[PlanSummary]
    offered: OfferGroup = strawberry.field(description="Those who got offers.")
    held_out: OfferGroup = strawberry.field(description="Those who would have and did not.")
    purchase_rate: RateDifference | None = strawberry.field(
        description="How much more of those with offers bought; null for groups too small to tell."
    )
    sales_per_member: SalesDifference | None = strawberry.field(
        description="How much more a member with offers bought for; null likewise."
    )

    @strawberry.field(
        description="Of each offer who bought its target, and by how much the odds rose."
    )
    async def offers(self, info: Info) -> list[OfferTargetEffect]:
        context = info.context
        asked = context.services.offer_reports.target_effects
        return [OfferTargetEffect.of(each) for each in await asked(context.tenant_id, self.plan)]

    @classmethod
    def of(cls, effect: offer_effect.Effect, plan: PlanSummary, currency: str) -> "OfferEffect":
        rate, sales = effect.rate, effect.sales

        def amount(minor: int) -> Money:
            return Money.of(money.Money(minor, currency))

        return cls(
            plan=plan,
            offered=OfferGroup.of(effect.offered, currency),
            held_out=OfferGroup.of(effect.held_out, currency),
            purchase_rate=None
            if rate is None
            else RateDifference(
                found=percent(rate.found), low=percent(rate.low), high=percent(rate.high)
            ),
            sales_per_member=None
            if sales is None
            else SalesDifference(
                found=amount(sales.found), low=amount(sales.low), high=amount(sales.high)
            ),
        )
