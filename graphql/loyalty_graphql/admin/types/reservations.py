"""Reservations in a list."""

from datetime import datetime

import strawberry

from loyalty.domain import money as domain
from loyalty.domain.points import Points
from loyalty.services.checkout.reservation_list import ListedReservation
from loyalty_graphql.ids import encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.types.reservations import ReservationState


@strawberry.type(description="Value held for one checkout, and what became of it.")
class ReservationSummary:
    id: strawberry.ID = strawberry.field(description="An opaque id, the same as a checkout has.")
    state: ReservationState = strawberry.field(
        description="Where it stands by the clock: past `expiresAt` a hold is EXPIRED, whether "
        "or not anybody looked."
    )
    cart_id: ExternalId = strawberry.field(description="The shop's own id of the cart.")
    member_external_id: ExternalId | None = strawberry.field(
        description="The member; null for a guest's, and one that was erased."
    )
    order_external_id: ExternalId | None = strawberry.field(
        description="The order it became; null before that."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime = strawberry.field(description="Until when it holds, or held.")
    points: Points = strawberry.field(description="Points it holds or held.")
    credit: Money = strawberry.field(description="Store credit it holds or held.")
    gift_cards: Money = strawberry.field(description="Money of gift cards it holds or held.")

    @classmethod
    def of(cls, listed: ListedReservation) -> "ReservationSummary":
        return cls(
            id=strawberry.ID(encode_id("Reservation", listed.id)),
            state=ReservationState[listed.state],
            cart_id=ExternalId(listed.cart_id),
            member_external_id=None if listed.member is None else ExternalId(listed.member),
            order_external_id=None if listed.order is None else ExternalId(listed.order),
            created_at=listed.created_at,
            expires_at=listed.expires_at,
            points=Points(listed.points),
            credit=Money.of(domain.Money(listed.credit_minor, listed.currency)),
            gift_cards=Money.of(domain.Money(listed.gift_minor, listed.currency)),
        )
