"""A recommended product: why it is shown, and what it means to the member.

The member's figures are read once for all products of a request, and only where a field asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money
from loyalty.domain.points import Points
from loyalty.domain.recommendations import window_facts
from loyalty.domain.recommendations.because import Because
from loyalty.services.catalogue import Product as ShopProduct
from loyalty.services.recommendations import recommendations
from loyalty.wording.because import because as sentence
from loyalty.wording.reasons import Words
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


@dataclass(frozen=True, slots=True)
class Audience:
    """To whom an answer is shown. ``member``: external id, None for a guest; ``cart``: external ids
    of what is in it; ``today``: the shop's day.
    """

    member: str | None
    tier: str | None
    words: Words
    today: date
    cart: frozenset[str] = frozenset()


@strawberry.enum(description="What kind of reason it is.")
class RecommendationReasonCode(Enum):
    BOUGHT_BEFORE = value("BOUGHT_BEFORE", description="The member bought it.")
    BECAUSE_YOU_BUY = value(
        "BECAUSE_YOU_BUY", description="It goes with `product`, which the member buys."
    )
    BECAUSE_YOU_VIEWED = value(
        "BECAUSE_YOU_VIEWED", description="It goes with `product`, which was looked at."
    )
    VIEWED_BEFORE = value(
        "VIEWED_BEFORE", description="It was looked at itself; in `rankProducts` alone."
    )
    GOES_WITH = value(
        "GOES_WITH", description="It goes with `product`, in the cart or on the page."
    )
    SIMILAR_TO = value("SIMILAR_TO", description="It is like `product`, on the page.")
    POPULAR = value("POPULAR", description="Many buy it now.")
    NEW = value("NEW", description="It is new in the shop.")


@strawberry.type(description="Why a product is shown.")
class RecommendationReason:
    code: RecommendationReasonCode = strawberry.field(description="What kind of reason it is.")
    times: int | None = strawberry.field(
        description="On how many days the member bought it, for `BOUGHT_BEFORE`."
    )
    every_days: int | None = strawberry.field(
        description="Days from one of them to the next, in the mean; null after a single one."
    )
    last_days: int | None = strawberry.field(
        description="Days since the last of them, for `BOUGHT_BEFORE`; since anybody first bought "
        "it, for `NEW`."
    )

    because: strawberry.Private[Because]
    audience: strawberry.Private[Audience]

    @classmethod
    def of(cls, because: Because, audience: Audience) -> "RecommendationReason":
        return cls(
            code=RecommendationReasonCode[because.code.name],
            times=because.times,
            every_days=because.every_days,
            last_days=because.last_days,
            because=because,
            audience=audience,
        )

    @strawberry.field(
        description='The reason in a sentence: "Bought 6 times, about every 12 days, last 11 days '
        'ago." In the language asked for.'
    )
    async def text(self, info: Info) -> str:
        about = await self._about(info)
        return sentence(
            self.audience.words,
            self.because,
            today=self.audience.today,
            about=None if about is None else about.name,
            in_cart=self.because.about in self.audience.cart,
        )

    @strawberry.field(
        description="The other product that it is about; null where there is none, or none that "
        "may be seen."
    )
    async def product(self, info: Info) -> Product | None:
        about = await self._about(info)
        return None if about is None else Product.of(about)

    async def _about(self, info: Info) -> ShopProduct | None:
        if self.because.about is None:
            return None
        about = await info.context.loaders.products.load(self.because.about)
        return about if about is not None and about.visible_to(self.audience.tier) else None


@strawberry.type(description="A product that certain tiers see before others.")
class EarlyAccess:
    tiers: list[str] = strawberry.field(description="Codes of the tiers that see it now.")
    until: datetime | None = strawberry.field(
        description="From when on everybody does; null where that never comes."
    )


@strawberry.type(description="A product in a recommendation.")
class RecommendedProduct:
    product: Product = strawberry.field(description="The product.")
    rank: int = strawberry.field(description="Its place: 1 is the best.")
    strategy: str = strawberry.field(description="How it was found.")
    reason: RecommendationReason | None = strawberry.field(
        description="Why it is shown; null for what the model does not know, in `rankProducts`."
    )
    boosts: list[str] = strawberry.field(
        description="Codes of the boosts of the ruleset that name it here, whether or not they "
        "changed its place: nothing else moves a product but the model."
    )

    early_access: EarlyAccess | None = strawberry.field(
        description="Who sees it already, where not everybody does."
    )

    item: strawberry.Private[ShopProduct]
    beside: strawberry.Private[Sequence[ShopProduct]]
    audience: strawberry.Private[Audience]

    @classmethod
    def all_of(
        cls, answer: recommendations.RecommendationAnswer, audience: Audience
    ) -> "list[RecommendedProduct]":
        """The API's view of an answer's products."""
        beside = [item.product for item in answer.items]
        return [cls.of(item, audience, beside) for item in answer.items]

    @classmethod
    def of(
        cls,
        item: recommendations.Recommended,
        audience: Audience,
        beside: Sequence[ShopProduct],
    ) -> "RecommendedProduct":
        """The API's view of a product in an answer.

        Args:
            beside: all products of the answer.
        """
        because, shown = item.because, item.product
        early = EarlyAccess(tiers=list(shown.tiers), until=shown.tiers_until)
        return cls(
            product=Product.of(item.product),
            rank=item.rank,
            strategy=item.strategy,
            reason=None if because is None else RecommendationReason.of(because, audience),
            boosts=list(item.boosts),
            early_access=early if shown.tiers else None,
            item=item.product,
            beside=beside,
            audience=audience,
        )

    @strawberry.field(
        description="What it means to the member it is shown to; null when its price is unknown or "
        "in another currency than the program's."
    )
    async def loyalty(self, info: Info) -> ProductLoyalty | None:
        member = self.audience.member
        shown = await info.context.loaders.shown_products.load(member or GUEST)
        facts = await shown.facts(self.item, self.beside)
        if facts is None:
            return None
        return ProductLoyalty.of(facts, self.item.currency, is_member=member is not None)
