"""Orders and their refunds, as they were booked."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money
from loyalty.domain.points import Points
from loyalty.services.views import OrderView, RefundView
from loyalty_graphql.ids import encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import ExternalId


@strawberry.enum(description="What became of an order.")
class OrderState(Enum):
    PAID = value("PAID", description="Paid, and nothing came back.")
    PARTIALLY_REFUNDED = value("PARTIALLY_REFUNDED", description="A part of it came back.")
    REFUNDED = value("REFUNDED", description="All of it came back.")
    CANCELLED = value("CANCELLED", description="Called off before it was paid.")


@strawberry.type(description="Points that pay, and the money they stand for.")
class Tender:
    points: Points = strawberry.field(description="How many points.")
    value: Money = strawberry.field(description="What they pay.")


@strawberry.type(description="One line of an order.")
class OrderLine:
    product: ExternalId = strawberry.field(description="External id of the product.")
    quantity: int = strawberry.field(description="How many pieces.")
    amount: Money = strawberry.field(description="The whole line's price before rewards.")
    discount: Money = strawberry.field(description="What rewards took off it.")


@strawberry.type(description="An order that was paid.")
class Order:
    id: strawberry.ID = strawberry.field(description="An opaque id.")
    external_id: ExternalId = strawberry.field(description="The shop's own order number.")
    state: OrderState = strawberry.field(description="What became of it.")
    occurred_at: datetime = strawberry.field(description="When it was paid.")
    total: Money = strawberry.field(
        description="What it cost after discounts, with shipping; points that paid are part of it."
    )
    discount: Money = strawberry.field(description="What rewards took off.")
    tender: Tender | None = strawberry.field(description="Points that paid; null for none.")
    points_earned: Points = strawberry.field(description="Spendable points it earned.")
    points_redeemed: Points = strawberry.field(
        description="Points it took, for rewards and as payment."
    )
    mismatch: bool = strawberry.field(
        description="It was reported as paid with another amount than was quoted, and is booked "
        "as quoted."
    )
    lines: list[OrderLine] = strawberry.field(description="What was bought.")

    @classmethod
    def of(cls, view: OrderView) -> "Order":
        def amount(minor: int) -> Money:
            return Money.of(money.Money(minor, view.currency))

        tender = None
        if view.tender_points:
            tender = Tender(points=Points(view.tender_points), value=amount(view.tender_minor))
        return cls(
            id=strawberry.ID(encode_id("Order", view.id)),
            external_id=ExternalId(view.external_id),
            state=OrderState[view.state],
            occurred_at=view.occurred_at,
            total=amount(view.total_minor),
            discount=amount(view.discount_minor),
            tender=tender,
            points_earned=Points(view.points_earned),
            points_redeemed=Points(view.points_redeemed),
            mismatch=view.mismatch,
            lines=[
                OrderLine(
                    product=ExternalId(line.product),
                    quantity=line.quantity,
                    amount=amount(line.amount_minor),
                    discount=amount(line.discount_minor),
                )
                for line in view.lines
            ],
        )


@strawberry.type(description="A refund of an order.")
class Refund:
    id: strawberry.ID = strawberry.field(description="An opaque id.")
    external_id: ExternalId = strawberry.field(description="The shop's own name for the refund.")
    points_returned: Points = strawberry.field(
        description="Points the order had redeemed and the member got back."
    )
    points_reversed: Points = strawberry.field(
        description="Points the order had earned and that were taken back."
    )
    shortfall: Points = strawberry.field(
        description="Points that should have been taken back but were spent already."
    )
    money: Money = strawberry.field(description="Money to give back to the shopper.")

    @classmethod
    def of(cls, view: RefundView) -> "Refund":
        return cls(
            id=strawberry.ID(encode_id("Refund", view.id)),
            external_id=ExternalId(view.external_id),
            points_returned=Points(view.points_returned),
            points_reversed=Points(view.points_reversed),
            shortfall=Points(view.shortfall),
            money=Money.of(money.Money(view.money_minor, view.currency)),
        )
