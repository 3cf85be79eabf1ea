"""The trail of who changed what."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry import enum_value as value

from loyalty.services import audit
from loyalty_graphql.ids import encode_id


@strawberry.enum(description="What an act changed.")
class AuditSubject(Enum):
    TENANT = value("TENANT", description="The shop itself.")
    RULESET = value("RULESET", description="A version of the rules.")
    API_KEY = value("API_KEY", description="A key, by its id.")
    ISSUER = value("ISSUER", description="A signer of shoppers' tokens, by its name.")
    WEBHOOK_SOURCE = value("WEBHOOK_SOURCE", description="A sender of events, by its name.")
    PRODUCT = value("PRODUCT", description="A product, by the shop's own id.")
    MEMBER = value("MEMBER", description="A member, by the row's number.")
    ADJUSTMENT = value("ADJUSTMENT", description="A correction, by the row's number.")
    COUPON = value(
        "COUPON", description="A coupon, by its code; a member's own by the row's number."
    )
    GIFT_CARD = value("GIFT_CARD", description="A gift card, by the row's number.")
    REWARD = value("REWARD", description="A reward, by its code.")
    OFFER_PLAN = value("OFFER_PLAN", description="A plan of offers, by the row's number.")
    MODEL = value("MODEL", description="A model behind the recommendations, by its id.")
    EXPERIMENT = value("EXPERIMENT", description="Two models that share traffic, by the row.")


@strawberry.type(description="A figure or word of an act.")
class AuditDetail:
    name: str = strawberry.field(description="What it is.")
    value: str = strawberry.field(description="The figure or word; lists with commas between.")


@strawberry.type(
    description="Something that was done. No personal values: fields are named, not told."
)
class AuditEvent:
    id: strawberry.ID = strawberry.field(description="An opaque id.")
    at: datetime = strawberry.field(description="When.")
    actor: str = strawberry.field(
        description='Who: "key:" and the name of a key, or "command line".'
    )
    action: str = strawberry.field(description='What was done, such as "rulesetPublish".')
    subject_kind: AuditSubject = strawberry.field(description="What kind of thing was changed.")
    subject_id: str = strawberry.field(description="Which one.")
    detail: list[AuditDetail] = strawberry.field(description="More about it, by name.")

    @classmethod
    def of(cls, event: audit.AuditEvent) -> "AuditEvent":
        return cls(
            id=strawberry.ID(encode_id("AuditEvent", event.id)),
            at=event.at,
            actor=event.actor,
            action=event.action,
            subject_kind=AuditSubject[event.kind],
            subject_id=event.subject,
            detail=_detail(event.detail),
        )


def _detail(detail: Mapping[str, Any]) -> list[AuditDetail]:
    return [
        AuditDetail(name=name, value=_text(detail[name]))
        for name in sorted(detail)
        if detail[name] is not None
    ]


def _text(told: object) -> str:
    if isinstance(told, list):
        return ", ".join(map(str, told))
    return str(told).lower() if isinstance(told, bool) else str(told)
