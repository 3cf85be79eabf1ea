"""A recommended product: why it is shown, and what it means to the member.

The member's figures are read once for all products of a request, and only where a field asks.
"""

from datetime import datetime

import strawberry

from loyalty.domain import money, window_facts
from loyalty.domain.points import Points
from loyalty.services import recommendations
from loyalty.services.catalogue import Product as ShopProduct
from loyalty_graphql.context import Info
from loyalty_graphql.loaders import GUEST
from loyalty_graphql.money import Money
from loyalty_graphql.types.catalogue import Product
from loyalty_graphql.types.rulesets import Tier


@strawberry.type(description="A reward or benefit that would come off a product's price.")
class AppliedReward:
    code: str = strawberry.field(description="Its short name, which never changes.")
    name: str = strawberry.field(description="What members read.")
    points: Points = strawberry.field(description="Its price in points; 0 where it costs none.")


@strawberry.type(description="Points that expire soon and would pay for a product wholly.")
class CoveredByExpiringPoints:
    points: Points = strawberry.field(description="How many it takes.")
    point_type: str = strawberry.field(description="Code of their point type.")
    expires_at: datetime = strawberry.field(description="By then all of them have expired.")


@strawberry.type(
    description="What one piece of a product means to the member it is shown to: what a quote of a "
    "cart with nothing else in it says."
)
class ProductLoyalty:
    price_after_best_reward: Money = strawberry.field(
        description="Its price after the rewards and benefits that the member could apply to it "
        "alone; the price itself where there are none."
    )
    best_rewards: list[AppliedReward] = strawberry.field(
        description="The rewards and benefits in that price."
    )
    points_earned: Points | None = strawberry.field(
        description="Spendable points that it earns at that price; null for whoever is no member."
    )
    lifts_to_tier: Tier | None = strawberry.field(
        description="The tier that its qualifying points lead up to, once they count; null where "
        "they lead to none above the member's."
    )
    covered_by_expiring_points: CoveredByExpiringPoints | None = strawberry.field(
        description="Points of the member's that expire soon and would pay for it wholly; null "
        "where they would not."
    )

    @classmethod
    def of(
        cls, facts: window_facts.WindowFacts, currency: str, *, is_member: bool
    ) -> "ProductLoyalty":
        covered = facts.covered
        return cls(
            price_after_best_reward=Money.of(money.Money(facts.price_minor, currency)),
            best_rewards=[
                AppliedReward(code=reward.code, name=reward.name, points=Points(reward.points))
                for reward in facts.rewards
            ],
            points_earned=Points(facts.points_earned) if is_member else None,
            lifts_to_tier=None if facts.lifts_to is None else Tier.of(facts.lifts_to),
            covered_by_expiring_points=None
            if covered is None
            else CoveredByExpiringPoints(
                points=Points(covered.points),
                point_type=covered.point_type,
                expires_at=covered.expires_at,
            ),
        )


@strawberry.type(description="A product in a recommendation.")
class RecommendedProduct:
    product: Product = strawberry.field(description="The product.")
    rank: int = strawberry.field(description="Its place: 1 is the best.")
    strategy: str = strawberry.field(description="How it was found.")

    item: strawberry.Private[ShopProduct]
    member: strawberry.Private[str | None]

    @classmethod
    def of(
        cls, item: recommendations.Recommended, strategy: str, member: str | None
    ) -> "RecommendedProduct":
        """The API's view of a product in an answer.

        Args:
            member: external id of the member it is shown to.
        """
        return cls(
            product=Product.of(item.product),
            rank=item.rank,
            strategy=strategy,
            item=item.product,
            member=member,
        )

    @strawberry.field(
        description="What it means to the member it is shown to; null when its price is unknown or "
        "in another currency than the program's."
    )
    async def loyalty(self, info: Info) -> ProductLoyalty | None:
        shown = await info.context.loaders.shown_products.load(self.member or GUEST)
        facts = shown.facts(self.item)
        if facts is None:
            return None
        return ProductLoyalty.of(facts, self.item.currency, is_member=self.member is not None)
