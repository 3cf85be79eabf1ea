"""The model behind the recommendations."""

from datetime import datetime

import strawberry

from loyalty_graphql.context import Info
from loyalty_graphql.scalars import BigInt


@strawberry.type(description="How many of something.")
class Count:
    name: str = strawberry.field(description="Of what.")
    count: BigInt = strawberry.field(description="How many.")


@strawberry.type(description="One part of the model, which answers some of the windows.")
class ModelPart:
    name: str = strawberry.field(description="What it is for.")
    strategy: str = strawberry.field(description="What kind of model it is.")


@strawberry.type(description="The recommender's model in service.")
class Model:
    id: str = strawberry.field(description="Its name; recommendations carry it as `modelId`.")
    trained_at: datetime = strawberry.field(description="When it was trained.")
    data_from: datetime = strawberry.field(description="The first purchase it learned from.")
    data_to: datetime = strawberry.field(description="The last one.")
    strategy: list[ModelPart] = strawberry.field(description="Its parts.")
    counts: list[Count] = strawberry.field(description="What it learned from.")


@strawberry.field(
    description="The model in service; null before the first training, while recommendations are "
    "what is popular."
)
async def model(info: Info) -> Model | None:
    context = info.context
    card = await context.services.recommendations.model(context.tenant_id)
    if card is None:
        return None
    return Model(
        id=card.model_id,
        trained_at=card.trained_at,
        data_from=card.data_from,
        data_to=card.data_to,
        strategy=[ModelPart(name=name, strategy=kind) for name, kind in card.parts.items()],
        counts=[Count(name=name, count=BigInt(number)) for name, number in card.counts.items()],
    )
