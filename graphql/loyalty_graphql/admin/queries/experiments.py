"""Two models that share traffic."""

import strawberry
from strawberry import UNSET

from loyalty_graphql.admin.types.experiments import Experiment
from loyalty_graphql.context import Info
from loyalty_graphql.ids import ROW_ID_MAX
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.types.members import After, First


@strawberry.field(description="Experiments with two models, the latest first.")
async def experiments(
    info: Info, first: First = 20, after: After = UNSET
) -> Connection[Experiment]:
    context = info.context
    wanted = page("experiments", first, after or None, (int,))
    before_id = ROW_ID_MAX if wanted.after is None else min(int(wanted.after[0]), ROW_ID_MAX)
    found = await context.services.feedback.experiments.listed(
        context.tenant_id, wanted.limit, before_id
    )
    return wanted.connection(found, Experiment.of, lambda each: (each.id,))
