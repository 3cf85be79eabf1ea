"""Make and revoke keys."""

from typing import Annotated

import strawberry

from loyalty.errors import LoyaltyError
from loyalty_graphql.admin.types.credentials import ApiKey
from loyalty_graphql.context import Info
from loyalty_graphql.user_errors import UserError, user_errors


@strawberry.input(description="A new key.")
class ApiKeyCreateInput:
    name: str = strawberry.field(
        description="What it is called: 1 to 60 characters. A rotated key keeps its name."
    )
    scopes: list[str] = strawberry.field(
        description="What it may do: `catalogue:read`, `members:read`, `members:write`, "
        "`checkout:quote`, `checkout:write`, `events:write`, or `admin` for everything."
    )


@strawberry.input(description="A key that is to stop working.")
class ApiKeyRevokeInput:
    key_id: str = strawberry.field(description="The middle part of the key's text.")


@strawberry.type(description="A key that was made, or why it was not.")
class ApiKeyCreatePayload:
    api_key: ApiKey | None = strawberry.field(description="The key; null when it was refused.")
    text: str | None = strawberry.field(
        description="The key as its holder presents it. It is shown this once and stored nowhere."
    )
    user_errors: list[UserError] = strawberry.field(description="Why no key was made.")


@strawberry.type(description="A key that was revoked, or why it was not.")
class ApiKeyRevokePayload:
    api_key: ApiKey | None = strawberry.field(description="The key; null when it was refused.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was revoked.")


@strawberry.mutation(description="Make a key for a service, or for a merchant.")
async def api_key_create(
    info: Info,
    input: Annotated[ApiKeyCreateInput, strawberry.argument(description="The new key.")],
) -> ApiKeyCreatePayload:
    context = info.context
    try:
        made = await context.services.credentials.create_key(
            context.tenant_id,
            input.name,
            list(dict.fromkeys(input.scopes)),
            context.viewer.client,
        )
    except LoyaltyError as refusal:
        return ApiKeyCreatePayload(api_key=None, text=None, user_errors=user_errors(refusal))
    return ApiKeyCreatePayload(
        api_key=await _key(info, made.key_id), text=made.text, user_errors=[]
    )


@strawberry.mutation(
    description="Let a key work no longer; other processes may believe it for some seconds more."
)
async def api_key_revoke(
    info: Info,
    input: Annotated[ApiKeyRevokeInput, strawberry.argument(description="The key.")],
) -> ApiKeyRevokePayload:
    context = info.context
    try:
        await context.services.credentials.revoke_key(
            context.tenant_id, input.key_id, context.viewer.client
        )
    except LoyaltyError as refusal:
        return ApiKeyRevokePayload(api_key=None, user_errors=user_errors(refusal))
    return ApiKeyRevokePayload(api_key=await _key(info, input.key_id), user_errors=[])


async def _key(info: Info, key_id: str) -> ApiKey | None:
    context = info.context
    keys = await context.services.credentials.keys(context.tenant_id)
    return next((ApiKey.of(key) for key in keys if key.key_id == key_id), None)
