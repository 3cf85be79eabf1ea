"""The caller."""

from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.services import access
from loyalty_graphql.scalars import ExternalId


@strawberry.enum(description="Kinds of caller.")
class ViewerKind(Enum):
    ANONYMOUS = value("ANONYMOUS", description="Without credentials: sees the program and shop.")
    SHOPPER = value("SHOPPER", description="A shopper with a token of the shop: sees itself.")
    SERVICE = value("SERVICE", description="A service of the shop with a key and its scopes.")
    MERCHANT = value("MERCHANT", description="The merchant: may do everything.")


@strawberry.type(description="Who the credentials of the request prove.")
class Viewer:
    kind: ViewerKind = strawberry.field(description="What kind of caller it is.")
    member_external_id: ExternalId | None = strawberry.field(
        description="The shopper's own external id; null for other callers."
    )
    scopes: list[str] = strawberry.field(description="What a key may do; empty for shoppers.")

    @classmethod
    def of(cls, viewer: access.Viewer) -> "Viewer":
        name = viewer.member_external_id
        return cls(
            kind=ViewerKind[viewer.kind.name],
            member_external_id=None if name is None else ExternalId(name),
            scopes=sorted(viewer.scopes),
        )
