"""Put an earlier model into service; let two share traffic."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import LoyaltyError
from loyalty_graphql.admin.types.experiments import Experiment
from loyalty_graphql.admin.types.models import PublishedModel
from loyalty_graphql.context import Info
from loyalty_graphql.user_errors import UserError, user_errors


@strawberry.input(description="An earlier model that is to answer again.")
class ModelRollbackInput:
    model: str | None = strawberry.field(
        description="Its id; by default the one trained before the one in service.", default=UNSET
    )


@strawberry.input(description="A model that is to answer a part of the members.")
class ExperimentStartInput:
    candidate: str = strawberry.field(description="The id of a published model.")
    share_bp: int = strawberry.field(
        description="Its part of all members in basis points, 1 to 9,999: 2000 is one in five."
    )


@strawberry.type(description="A model that was put into service, or why not.")
class ModelPayload:
    model: PublishedModel | None = strawberry.field(
        description="The model as it is now; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(description="Why nothing was done.")


@strawberry.type(description="An experiment that was started or stopped, or why not.")
class ExperimentPayload:
    experiment: Experiment | None = strawberry.field(
        description="The experiment as it is now; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(description="Why nothing was done.")


@strawberry.mutation(
    description="Put an earlier model into service. Servers take it up within seconds."
)
async def model_rollback(
    info: Info,
    input: Annotated[ModelRollbackInput, strawberry.argument(description="Which model.")],
) -> ModelPayload:
    context = info.context
    try:
        found = await context.services.feedback.models.rollback(
            context.tenant_id, input.model or None, context.viewer.client
        )
    except LoyaltyError as refusal:
        return ModelPayload(model=None, user_errors=user_errors(refusal))
    return ModelPayload(model=PublishedModel.of(found), user_errors=[])


@strawberry.mutation(
    description="Let a model answer a part of the members beside the one in service, by a hash of "
    "the member. Both stay as they are until it is stopped, whatever is trained meanwhile."
)
async def experiment_start(
    info: Info,
    input: Annotated[ExperimentStartInput, strawberry.argument(description="Model and share.")],
) -> ExperimentPayload:
    context = info.context
    try:
        found = await context.services.feedback.experiments.start(
            context.tenant_id, input.candidate, input.share_bp, context.viewer.client
        )
    except LoyaltyError as refusal:
        return ExperimentPayload(experiment=None, user_errors=user_errors(refusal))
    return ExperimentPayload(experiment=Experiment.of(found), user_errors=[])


@strawberry.mutation(
    description="End the experiment that runs: the model in service answers everybody again."
)
async def experiment_stop(info: Info) -> ExperimentPayload:
    context = info.context
    try:
        found = await context.services.feedback.experiments.stop(
            context.tenant_id, context.viewer.client
        )
    except LoyaltyError as refusal:
        return ExperimentPayload(experiment=None, user_errors=user_errors(refusal))
    return ExperimentPayload(experiment=Experiment.of(found), user_errors=[])
