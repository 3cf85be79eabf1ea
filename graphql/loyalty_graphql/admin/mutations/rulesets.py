"""Publish rules."""

from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import BadRuleset, LoyaltyError
from loyalty_graphql.admin.types.rulesets import Ruleset
from loyalty_graphql.context import Info
from loyalty_graphql.user_errors import UserError, user_errors


@strawberry.input(description="New rules.")
class RulesetPublishInput:
    source: str = strawberry.field(description="The text, TOML.")
    expected_version: int | None = strawberry.field(
        description="The version in force that the edit is based on; refused when another came "
        "first.",
        default=UNSET,
    )


@strawberry.type(description="A version that was published, or why it was not.")
class RulesetPublishPayload:
    ruleset: Ruleset | None = strawberry.field(
        description="The version in force now; null when it was refused."
    )
    user_errors: list[UserError] = strawberry.field(description="Why nothing was published.")


@strawberry.mutation(
    description="Make a text the next version of the rules, in force at once. The same text again "
    "changes nothing. Quotes already given are honoured."
)
async def ruleset_publish(
    info: Info,
    input: Annotated[RulesetPublishInput, strawberry.argument(description="The new rules.")],
) -> RulesetPublishPayload:
    context = info.context
    expected = input.expected_version
    try:
        published = await context.services.rulesets.publish(
            context.tenant_id,
            input.source,
            context.viewer.client,
            expected_version=expected if isinstance(expected, int) else None,
        )
    except BadRuleset as refusal:
        refusal.field = ("input", "source")
        return RulesetPublishPayload(ruleset=None, user_errors=user_errors(refusal))
    except LoyaltyError as refusal:
        return RulesetPublishPayload(ruleset=None, user_errors=user_errors(refusal))
    context.refresh()
    return RulesetPublishPayload(ruleset=Ruleset.of(published, published.version), user_errors=[])
