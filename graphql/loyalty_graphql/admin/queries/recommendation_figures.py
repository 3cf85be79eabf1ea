"""What came of recommendations."""

from datetime import date
from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty_graphql.admin.types.recommendation_figures import RecommendationFigures
from loyalty_graphql.context import Info
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.types.members import After, First


@strawberry.field(
    description="What came of recommendations over some days of the program, by window, model and "
    "variant of an experiment. Sales are found in the orders every few minutes."
)
async def recommendation_figures(
    info: Info,
    from_: Annotated[date, strawberry.argument(name="from", description="The first of the days.")],
    until: Annotated[
        date, strawberry.argument(description="The day after the last of them; at most 800 days.")
    ],
    first: First = 20,
    after: After = UNSET,
) -> Connection[RecommendationFigures]:
    context = info.context
    wanted = page("recommendationFigures", first, after or None, (str, str, str))
    found = await context.services.feedback.figures.over(context.tenant_id, from_, until)
    rows = [each for each in found if wanted.after is None or each.place > wanted.after]
    return wanted.connection(
        rows[: wanted.limit], RecommendationFigures.of, lambda each: tuple(each.place)
    )
