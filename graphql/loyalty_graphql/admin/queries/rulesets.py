"""The program and its rulesets."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import BadInput, BadRuleset, NotFound
from loyalty_graphql.admin.types.rulesets import Ruleset, RulesetCheck
from loyalty_graphql.context import Info
from loyalty_graphql.types.rulesets import Program

VERSIONS_MAX = 100
"""Most versions of one answer."""


@strawberry.field(description="The program as members see it, by the rules in force.")
async def program(info: Info) -> Program:
    return Program.of(await info.context.loaders.ruleset())


@strawberry.field(description="One version of the rules; null when there is none.")
async def ruleset(
    info: Info,
    version: Annotated[
        int | None, strawberry.argument(description="Its number; the one in force by default.")
    ] = UNSET,
) -> Ruleset | None:
    context = info.context
    current = (await context.loaders.ruleset()).version
    try:
        published = await context.services.rulesets.published(
            context.tenant_id, current if not isinstance(version, int) else version
        )
    except NotFound:
        return None
    return Ruleset.of(published, current)


@strawberry.field(description="The latest versions of the rules, newest first.")
async def rulesets(
    info: Info,
    first: Annotated[
        int | None, strawberry.argument(description="How many at most: 1 to 100.")
    ] = 20,
) -> list[Ruleset]:
    context = info.context
    wanted = 20 if first is None else first
    if not 1 <= wanted <= VERSIONS_MAX:
        raise BadInput(f"found first: {wanted}, wanted 1 to {VERSIONS_MAX}", field=("first",))
    current = (await context.loaders.ruleset()).version
    found = await context.services.rulesets.history(context.tenant_id, wanted)
    return [Ruleset.of(published, current) for published in found]


@strawberry.field(
    description="Read a ruleset's text without publishing it: every problem, or the program."
)
def ruleset_validate(
    info: Info,
    source: Annotated[str, strawberry.argument(description="The text, TOML.")],
) -> RulesetCheck:
    try:
        rules = info.context.services.rulesets.validated(source)
    except BadRuleset as refusal:
        return RulesetCheck(valid=False, problems=list(refusal.problems), program=None)
    return RulesetCheck(valid=True, problems=[], program=Program.of(rules))
