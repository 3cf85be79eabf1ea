"""Who may call, and who may send events."""

import strawberry

from loyalty_graphql.admin.types.credentials import ApiKey, WebhookSource
from loyalty_graphql.context import Info
from loyalty_graphql.types.access import Viewer


@strawberry.field(description="Who the request's credentials prove.")
def viewer(info: Info) -> Viewer:
    return Viewer.of(info.context.viewer)


@strawberry.field(description="All keys, revoked ones among them, without their secrets.")
async def api_keys(info: Info) -> list[ApiKey]:
    context = info.context
    return [ApiKey.of(key) for key in await context.services.credentials.keys(context.tenant_id)]


@strawberry.field(description="Senders of events in force, without their secrets.")
async def webhook_sources(info: Info) -> list[WebhookSource]:
    context = info.context
    found = await context.services.webhook_sources.all(context.tenant_id)
    return [WebhookSource.of(source, created_at) for source, created_at in found]
