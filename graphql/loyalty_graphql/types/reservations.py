"""Reservations: what a checkout holds until it is paid, given up or out of time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money
from loyalty.domain.books.ledger import instant
from loyalty.domain.points import Points
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.services.checkout.views import ReservationView
from loyalty.wording.reasons import Words
from loyalty_graphql.context import Info
from loyalty_graphql.ids import encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.types.orders import Order
from loyalty_graphql.types.quotes import CountedUse, GiftCardUsed, Quote


@strawberry.enum(description="Where a reservation stands.")
class ReservationState(Enum):
    HELD = value("HELD", description="It holds what the quote takes.")
    COMMITTED = value("COMMITTED", description="It became an order.")
    RELEASED = value("RELEASED", description="It was given back.")
    EXPIRED = value("EXPIRED", description="It ran out of time.")
    PARTIALLY_REFUNDED = value("PARTIALLY_REFUNDED", description="A part of its order came back.")
    REFUNDED = value("REFUNDED", description="Its order came back.")


@strawberry.type(description="Value held for one checkout.")
class Reservation:
    id: strawberry.ID = strawberry.field(description="An opaque id.")
    state: ReservationState = strawberry.field(description="Where it stands.")
    cart_id: ExternalId = strawberry.field(description="The shop's own id of the cart.")
    expires_at: datetime = strawberry.field(description="Until when it holds.")
    points: Points = strawberry.field(description="Points it holds.")
    credit: Money | None = strawberry.field(description="Credit it holds; null for none.")
    gift_cards: list[GiftCardUsed] = strawberry.field(
        description="What it holds of gift cards, one by one."
    )
    uses: list[CountedUse] = strawberry.field(description="Coupon uses and stock it holds.")
    quote: Quote = strawberry.field(description="The quote that was reserved.")
    order_id: strawberry.Private[int | None]

    @strawberry.field(description="The order it became; null before that.")
    async def order(self, info: Info) -> Order | None:
        if self.order_id is None:
            return None
        context = info.context
        return Order.of(await context.services.views.order_by_id(context.tenant_id, self.order_id))

    @classmethod
    def of(cls, view: ReservationView, rules: Ruleset, words: Words) -> "Reservation":
        credit = view.quote.credit
        currency = view.quote.cart.currency
        return cls(
            id=strawberry.ID(encode_id("Reservation", view.id)),
            state=ReservationState[view.state],
            cart_id=ExternalId(view.cart_id),
            expires_at=view.expires_at,
            points=Points(view.points),
            credit=None if credit is None else Money.of(money.Money(credit.minor, currency)),
            gift_cards=GiftCardUsed.all_of(view.quote),
            uses=CountedUse.all_of(view.quote),
            # Only services and merchants read reservations.
            quote=Quote.of(
                view.quote,
                rules,
                words=words,
                shows_margin=True,
                hash=view.quote.hash,
                token=None,
                binding=True,
            ),
            order_id=view.order_id,
        )


async def loaded_reservation(info: Info, reservation_id: int) -> Reservation:
    """A reservation as it is now. Raises NotFound."""
    context = info.context
    view = await context.services.views.reservation(context.tenant_id, reservation_id)
    rules = await context.loaders.rulesets.load(view.quote.ruleset_version)
    return Reservation.of(view, rules, context.words())


async def answered_reservation(info: Info, outcome: Mapping[str, Any]) -> Reservation:
    """A reservation as a command first answered it, whatever became of it since."""
    context = info.context
    view = await context.services.views.reservation(context.tenant_id, outcome["reservation"])
    first = replace(
        view,
        state=outcome["state"],
        expires_at=instant(outcome["expires_at"]),
        order_id=None,
    )
    rules = await context.loaders.rulesets.load(view.quote.ruleset_version)
    return Reservation.of(first, rules, context.words())
