"""The models behind the recommendations."""

import strawberry

from loyalty_graphql.admin.types.models import Model, PublishedModel
from loyalty_graphql.context import Info


@strawberry.field(
    description="The model in service; null before the first training, while recommendations are "
    "what is popular."
)
async def model(info: Info) -> Model | None:
    context = info.context
    card = await context.services.recommendations.model(context.tenant_id)
    return None if card is None else Model.of(card)


@strawberry.field(
    description="Models that were published and are still there, the latest training first: a few, "
    "as older ones are removed."
)
async def models(info: Info) -> list[PublishedModel]:
    context = info.context
    found = await context.services.feedback.models.listed(context.tenant_id)
    return [PublishedModel.of(each) for each in found]
