"""Recommendations: products for one place of a storefront, and where they come from."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.services.recommendations import recommendations
from loyalty_graphql.types.recommended_products import Audience, RecommendedProduct


@strawberry.enum(description="A place in a storefront that shows recommendations.")
class RecommendationWindow(Enum):
    FOR_YOU = value("FOR_YOU", description="What the member may like and has not bought.")
    BUY_AGAIN = value("BUY_AGAIN", description="What the member buys over and over.")
    NEXT_VISIT = value(
        "NEXT_VISIT", description="What the member will buy next, bought before or not."
    )
    SIMILAR = value("SIMILAR", description="What is like the product named.")
    BOUGHT_TOGETHER = value("BOUGHT_TOGETHER", description="What goes with the product named.")
    CART = value("CART", description="What goes with the products in the cart.")
    TRENDING = value("TRENDING", description="What is bought more often of late.")
    NEW_ARRIVALS = value("NEW_ARRIVALS", description="What is new in the shop.")


@strawberry.type(description="Products for one window, best first.")
class Recommendations:
    recommendation_id: str = strawberry.field(
        description="What `recommendationEvents` names this answer by; it says nothing else."
    )
    window: RecommendationWindow = strawberry.field(description="The window asked for.")
    strategy: str = strawberry.field(
        description="How they were found; a fallback is named as what it is."
    )
    trained_at: datetime | None = strawberry.field(
        description="When the model was trained; null where none was used."
    )
    model_id: str | None = strawberry.field(
        description="Which model was used; null where none was."
    )
    language: str = strawberry.field(
        description="The language of the reasons, as a tag such as `hu`; English where there was "
        "none of those asked for."
    )
    items: list[RecommendedProduct] = strawberry.field(description="The products, best first.")

    @classmethod
    def of(
        cls,
        window: RecommendationWindow,
        answer: recommendations.RecommendationAnswer,
        audience: Audience,
    ) -> "Recommendations":
        """The API's view of an answer."""
        return cls(
            recommendation_id=answer.id,
            window=window,
            strategy=answer.strategy,
            trained_at=answer.trained_at,
            model_id=answer.model_id,
            language=audience.words.language.tag,
            items=RecommendedProduct.all_of(answer, audience),
        )


@strawberry.type(description="A shop's own list of products in the order for a member, best first.")
class RankedProducts:
    recommendation_id: str = strawberry.field(
        description="What `recommendationEvents` names this answer by; it says nothing else."
    )
    strategy: str = strawberry.field(
        description="By what they were ordered; a fallback is named as what it is."
    )
    trained_at: datetime | None = strawberry.field(
        description="When the model was trained; null where none was used."
    )
    model_id: str | None = strawberry.field(
        description="Which model was used; null where none was."
    )
    language: str = strawberry.field(
        description="The language of the reasons, as a tag such as `hu`; English where there was "
        "none of those asked for."
    )
    items: list[RecommendedProduct] = strawberry.field(description="The products, best first.")

    @classmethod
    def of(
        cls, answer: recommendations.RecommendationAnswer, audience: Audience
    ) -> "RankedProducts":
        """The API's view of an answer."""
        return cls(
            recommendation_id=answer.id,
            strategy=answer.strategy,
            trained_at=answer.trained_at,
            model_id=answer.model_id,
            language=audience.words.language.tag,
            items=RecommendedProduct.all_of(answer, audience),
        )
