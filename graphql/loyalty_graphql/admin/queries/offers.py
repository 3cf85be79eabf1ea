"""Plans of personal offers, and what came of them."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import NotFound
from loyalty.services.offers.offer_figures import LAST, PlanSummary
from loyalty_graphql.admin.types.offers import OfferEffect, OfferPlan
from loyalty_graphql.context import Info
from loyalty_graphql.ids import decode_id
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.types.members import After, First

PlanId = Annotated[strawberry.ID, strawberry.argument(description="The plan's id.")]


@strawberry.field(description="Plans of personal offers, the newest first.")
async def offer_plans(info: Info, first: First = 20, after: After = UNSET) -> Connection[OfferPlan]:
    context = info.context
    wanted = page("offerPlans", first, after or None, (int,))
    before = LAST if wanted.after is None else min(int(wanted.after[0]), LAST)
    found = await context.services.offer_reports.plans(context.tenant_id, wanted.limit, before)
    currency = (await context.loaders.ruleset()).currency
    return wanted.connection(
        found, lambda plan: OfferPlan.of(plan, currency), lambda plan: (plan.id,)
    )


@strawberry.field(description="A plan of personal offers; null when there is none of that id.")
async def offer_plan(info: Info, id: PlanId) -> OfferPlan | None:
    found = await _plan(info, id)
    if found is None:
        return None
    return OfferPlan.of(found, (await info.context.loaders.ruleset()).currency)


@strawberry.field(
    description="What a plan's offers changed so far, from its publication until the last of them "
    "ended; null for a plan that is not there or not published. Reads every order of its members "
    "in that time."
)
async def offer_effect(info: Info, id: PlanId) -> OfferEffect | None:
    context = info.context
    found = await _plan(info, id)
    if found is None:
        return None
    effect = await context.services.offer_reports.effect(context.tenant_id, found)
    if effect is None:
        return None
    return OfferEffect.of(effect, found, (await context.loaders.ruleset()).currency)


async def _plan(info: Info, id: strawberry.ID) -> PlanSummary | None:
    context, plan_id = info.context, decode_id(id, "OfferPlan")
    try:
        return await context.services.offer_reports.plan(context.tenant_id, plan_id)
    except NotFound:
        return None
