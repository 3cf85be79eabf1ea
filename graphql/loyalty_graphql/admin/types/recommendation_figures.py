"""What came of recommendations, in figures."""

from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.services.recommendations import recommendation_figures
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import BigInt, DecimalText


@strawberry.enum(description="What recommended: a window, or a shop's list put in order.")
class RecommendedIn(Enum):
    FOR_YOU = value("FOR_YOU", description="What the member may like and has not bought.")
    BUY_AGAIN = value("BUY_AGAIN", description="What the member buys over and over.")
    NEXT_VISIT = value("NEXT_VISIT", description="What the member's next visit may hold.")
    CART = value("CART", description="What goes with the products in the cart.")
    SIMILAR = value("SIMILAR", description="What is like a product.")
    BOUGHT_TOGETHER = value("BOUGHT_TOGETHER", description="What goes with a product.")
    TRENDING = value("TRENDING", description="What is bought more often of late.")
    NEW_ARRIVALS = value("NEW_ARRIVALS", description="What is new in the shop.")
    RANK_PRODUCTS = value("RANK_PRODUCTS", description="The shop's own list, by `rankProducts`.")


@strawberry.enum(description="Which of an experiment's two models answered.")
class ExperimentVariant(Enum):
    CONTROL = value("CONTROL", description="The model that was in service.")
    CANDIDATE = value("CANDIDATE", description="The model on trial.")


@strawberry.type(
    description="Figures of one window by one model, over some days. Events count on the day they "
    "happened, purchases on the order's."
)
class RecommendationFigures:
    window: RecommendedIn = strawberry.field(description="Where products were recommended.")
    model_id: str | None = strawberry.field(
        description="The model whose ranking it was; null where there was none."
    )
    variant: ExperimentVariant | None = strawberry.field(
        description="For which part of an experiment; null outside of any."
    )
    impressions: BigInt = strawberry.field(description="Products shown, each once per answer.")
    clicks: BigInt = strawberry.field(description="Of these opened.")
    carts: BigInt = strawberry.field(description="Of these put into the cart.")
    purchases: BigInt = strawberry.field(
        description="Products in members' orders that are owed to them and did not come back whole."
    )
    click_rate: DecimalText | None = strawberry.field(
        description="Clicks by impressions, as a part of one; null without impressions."
    )
    cart_rate: DecimalText | None = strawberry.field(description="The same of carts.")
    purchase_rate: DecimalText | None = strawberry.field(description="The same of purchases.")
    sales: list[Money] = strawberry.field(
        description="What was charged for the purchases and was not refunded, by currency."
    )

    @classmethod
    def of(cls, found: recommendation_figures.Figures) -> "RecommendationFigures":
        window, model, variant = found.place
        shown = found.impressions
        return cls(
            window=RecommendedIn[window],
            model_id=model or None,
            variant=ExperimentVariant[variant] if variant else None,
            impressions=BigInt(shown),
            clicks=BigInt(found.clicks),
            carts=BigInt(found.carts),
            purchases=BigInt(found.purchases),
            click_rate=part_of_one(found.clicks, shown),
            cart_rate=part_of_one(found.carts, shown),
            purchase_rate=part_of_one(found.purchases, shown),
            sales=[Money.of(each) for each in found.sales],
        )


def part_of_one(count: int, of: int) -> DecimalText | None:
    """A count as a part of another, six digits after the dot, rounded down; None of nothing."""
    if not of:
        return None
    whole, rest = divmod(count * 10**6 // of, 10**6)
    return DecimalText(f"{whole}.{rest:06d}")
