"""Gift cards."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money as domain
from loyalty.services.coupons import gift_cards
from loyalty_graphql.ids import encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.types.node import Node


@strawberry.enum(description="Where a gift card stands.")
class GiftCardState(Enum):
    ACTIVE = value("ACTIVE", description="It pays, until it is empty or expires.")
    BLOCKED = value("BLOCKED", description="It pays nothing until it is let pay again.")


@strawberry.type(description="A gift card. Its code is stored nowhere.")
class GiftCard(Node):
    label: str = strawberry.field(description='What may be shown of its code: "…ABCD".')
    state: GiftCardState = strawberry.field(description="Where it stands.")
    initial: Money = strawberry.field(description="What was put on it.")
    available: Money = strawberry.field(description="What it can pay now.")
    held: Money = strawberry.field(description="What open checkouts hold of it.")
    expires_at: datetime | None = strawberry.field(description="When it expires; null: never.")
    created_at: datetime = strawberry.field(description="When it was issued.")
    created_by: str = strawberry.field(description="Who issued it.")

    @classmethod
    def of(cls, card: gift_cards.GiftCard) -> "GiftCard":
        def money(minor: int) -> Money:
            return Money.of(domain.Money(minor, card.currency))

        return cls(
            id=strawberry.ID(encode_id("GiftCard", card.id)),
            label=card.label,
            state=GiftCardState[card.state],
            initial=money(card.initial_minor),
            available=money(card.available_minor),
            held=money(card.held_minor),
            expires_at=card.expires_at,
            created_at=card.created_at,
            created_by=card.created_by,
        )
