"""The program."""

import strawberry

from loyalty_graphql.context import Info
from loyalty_graphql.permissions import permitted
from loyalty_graphql.types.rulesets import Program


@strawberry.field(description="The loyalty program by the rules in force. For every caller.")
async def program(info: Info) -> Program:
    permitted(info)
    return Program.of(await info.context.loaders.ruleset())
