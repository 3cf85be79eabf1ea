"""Withdraw a plan of personal offers."""

from typing import Annotated

import strawberry

from loyalty.errors import BadInput, LoyaltyError
from loyalty_graphql.admin.types.offers import OfferPlan
from loyalty_graphql.context import Info
from loyalty_graphql.ids import decode_id
from loyalty_graphql.user_errors import UserError, user_errors, within


@strawberry.input(description="A plan whose offers are to be used no more.")
class OfferPlanWithdrawInput:
    id: strawberry.ID = strawberry.field(description="The plan's id.")


@strawberry.type(description="A plan, or why nothing was done.")
class OfferPlanPayload:
    plan: OfferPlan | None = strawberry.field(
        description="The plan as it is now; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(description="Why nothing was done.")


@strawberry.mutation(
    description="Let nobody use a plan's offers any more. Orders that used them stay as they are; "
    "a checkout that holds one is refused its commit. Once more changes nothing."
)
async def offer_plan_withdraw(
    info: Info,
    input: Annotated[OfferPlanWithdrawInput, strawberry.argument(description="Which plan.")],
) -> OfferPlanPayload:
    context = info.context
    services, tenant_id = context.services, context.tenant_id
    try:
        plan_id = _plan_id(input.id)
        await services.offer_publisher.withdraw(tenant_id, plan_id, context.viewer.client)
        found = await services.offer_reports.plan(tenant_id, plan_id)
    except LoyaltyError as refusal:
        return OfferPlanPayload(plan=None, user_errors=user_errors(refusal))
    currency = (await context.loaders.ruleset()).currency
    return OfferPlanPayload(plan=OfferPlan.of(found, currency), user_errors=[])


def _plan_id(text: strawberry.ID) -> int:
    try:
        return decode_id(text, "OfferPlan")
    except BadInput as problem:
        raise within(problem, "input", "id") from problem
