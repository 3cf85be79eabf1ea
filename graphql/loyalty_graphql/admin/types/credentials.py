"""Keys and webhook sources, without their secrets."""

from datetime import datetime

import strawberry

from loyalty.services.credentials import KeyInfo
from loyalty.services.webhook_sources import WebhookSource as DomainSource


@strawberry.type(description="A key of a service or merchant, without its secret.")
class ApiKey:
    key_id: str = strawberry.field(description="The middle part of the key's text.")
    name: str = strawberry.field(
        description="What it is called. Keys of one name share their idempotency keys, so that a "
        "retry with a rotated key finds the first outcome."
    )
    scopes: list[str] = strawberry.field(description="What it may do.")
    created_at: datetime = strawberry.field(description="When it was made.")
    revoked_at: datetime | None = strawberry.field(
        description="Since when it no longer works; null while it does."
    )

    @classmethod
    def of(cls, key: KeyInfo) -> "ApiKey":
        return cls(
            key_id=key.key_id,
            name=key.name,
            scopes=list(key.scopes),
            created_at=key.created_at,
            revoked_at=key.revoked_at,
        )


@strawberry.type(description="A sender of events, without its secret.")
class WebhookSource:
    name: str = strawberry.field(
        description="Its name, the last part of its address: `/webhooks/<kind>/<name>`."
    )
    kind: str = strawberry.field(description="The dialect it speaks, such as `generic`.")
    created_at: datetime = strawberry.field(description="When it was made.")

    @classmethod
    def of(cls, source: DomainSource, created_at: datetime) -> "WebhookSource":
        return cls(name=source.name, kind=source.kind, created_at=created_at)
