"""A look into the past: the argument ``asOf`` and what it leads to."""

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry
from strawberry import enum_value as value

from loyalty.domain.books import as_of as domain
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.services.checkout.views import TierStep
from loyalty.services.members.as_of import figures_as_of, steps_as_of
from loyalty.services.members.summary import Figures
from loyalty_graphql.context import Context


@strawberry.enum(description="Which time decides what had happened by a moment.")
class AsOfBy(Enum):
    EFFECTIVE = value(
        "EFFECTIVE",
        description="When things happened: what is known today of that moment. An order that "
        "arrived late counts from when it was placed.",
    )
    BOOKED = value("BOOKED", description="When they were booked: what was answered at that moment.")


@strawberry.input(description="A past moment, and which time decides what had happened by then.")
class AsOf:
    at: datetime = strawberry.field(description="The moment; not in the future.")
    by: AsOfBy = strawberry.field(description="Which time counts.")


AsOfArgument = Annotated[
    AsOf | None,
    strawberry.argument(
        name="asOf",
        description="A past moment to answer for, by the rules of then; now by default.",
    ),
]


def moment(context: Context, as_of: AsOf) -> domain.AsOf:
    """The domain's value.

    Raises:
        BadInput: it is in the future.
    """
    wanted = domain.AsOf(as_of.at, domain.By[as_of.by.name])
    context.services.pasts.check(wanted)
    return wanted


async def figures_then(
    context: Context, member_id: int, as_of: domain.AsOf
) -> tuple[Figures, Ruleset]:
    """A member's figures as of a moment, and the rules that they were seen by."""
    history = await context.loaders.histories.load(member_id)
    ruleset = await context.services.pasts.ruleset(context.tenant_id, as_of)
    return figures_as_of(history, as_of, ruleset), ruleset


async def steps_then(
    context: Context, member_id: int, as_of: domain.AsOf, first: int
) -> list[TierStep]:
    """The latest changes of a member's tier by then, newest first."""
    return steps_as_of(await context.loaders.histories.load(member_id), as_of, first)
