"""Orders and their refunds, as they were booked."""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money
from loyalty.domain.points import Points
from loyalty.domain.units import is_money
from loyalty.services.checkout.views import OrderView
from loyalty.services.orders.refund_views import RefundView
from loyalty_graphql.ids import encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import ExternalId


@strawberry.enum(description="What became of an order.")
class OrderState(Enum):
    PAID = value("PAID", description="Paid, and nothing came back.")
    PARTIALLY_REFUNDED = value("PARTIALLY_REFUNDED", description="A part of it came back.")
    REFUNDED = value("REFUNDED", description="All of it came back.")
    CANCELLED = value("CANCELLED", description="Called off; all of it came back.")


@strawberry.enum(description="How an order came back.")
class RefundKind(Enum):
    REFUND = value("REFUND", description="Lines of it, or all that was left.")
    CANCELLATION = value("CANCELLATION", description="All of it, and it is cancelled.")
    EDIT = value("EDIT", description="The shop changed its lines after it was paid.")


@strawberry.type(description="Points that pay, and the money they stand for.")
class Tender:
    points: Points = strawberry.field(description="How many points.")
    value: Money = strawberry.field(description="What they pay.")


@strawberry.type(description="One line of an order.")
class OrderLine:
    id: str = strawberry.field(
        description="The line's name, by which refunds speak of it: the cart line's id, the shop's "
        'own, or its place in the order from "1" on.'
    )
    product: ExternalId = strawberry.field(description="External id of the product.")
    quantity: int = strawberry.field(description="How many pieces.")
    amount: Money = strawberry.field(description="The whole line's price before rewards.")
    discount: Money = strawberry.field(description="What rewards took off it.")
    refunded_quantity: int = strawberry.field(
        description="Pieces that came back; those refunded by amount alone are not among them."
    )
    refunded: Money = strawberry.field(
        description="What came back of what was charged for it, whatever paid it."
    )
    left: Money = strawberry.field(description="What can still be refunded of it.")


@strawberry.type(description="Points of one type that the refunds of an order moved.")
class RefundedPoints:
    point_type: str = strawberry.field(description="Code of the point type.")
    returned: Points = strawberry.field(
        description="Points the order had redeemed and the member got back."
    )
    reversed: Points = strawberry.field(
        description="Points the order had earned and that were taken back."
    )


@strawberry.type(description="What the refunds of an order come to altogether.")
class OrderRefunded:
    value: Money = strawberry.field(
        description="What came back of what was charged, whatever paid it."
    )
    money: Money = strawberry.field(description="Money given back to the shopper.")
    credit: Money = strawberry.field(description="Store credit given back to the member.")
    gift_cards: Money = strawberry.field(description="Money given back to gift cards.")
    points: list[RefundedPoints] = strawberry.field(description="Points that moved, by point type.")


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
    credit: Money = strawberry.field(description="Store credit that paid.")
    gift_cards: Money = strawberry.field(description="What gift cards paid.")
    points_earned: Points = strawberry.field(description="Spendable points it earned.")
    points_redeemed: Points = strawberry.field(
        description="Points it took, for rewards and as payment."
    )
    mismatch: bool = strawberry.field(
        description="What a shop reported of it differs from what was quoted or is known: another "
        "amount, another member, or more refunded than was bought. For the merchant to look at."
    )
    shortfall: Points = strawberry.field(
        description="Points that its refunds should have taken back and that were spent already."
    )
    view: strawberry.Private[OrderView]

    @strawberry.field(description="What its refunds come to; null without any.")
    def refunded(self) -> OrderRefunded | None:
        return _refunded(self.view)

    @strawberry.field(description="What was charged and did not come back, whatever paid it.")
    def left(self) -> Money:
        return _amounts(self.view.currency)(self.view.left_minor)

    @strawberry.field(description="What was bought.")
    def lines(self) -> list[OrderLine]:
        amount = _amounts(self.view.currency)
        return [
            OrderLine(
                id=line.id,
                product=ExternalId(line.product),
                quantity=line.quantity,
                amount=amount(line.amount_minor),
                discount=amount(line.discount_minor),
                refunded_quantity=line.refunded_quantity,
                refunded=amount(line.refunded_minor),
                left=amount(line.net_minor - line.refunded_minor),
            )
            for line in self.view.lines
        ]

    @classmethod
    def of(cls, view: OrderView) -> "Order":
        amount = _amounts(view.currency)
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
            credit=amount(view.credit_minor),
            gift_cards=amount(view.gift_minor),
            points_earned=Points(view.points_earned),
            points_redeemed=Points(view.points_redeemed),
            mismatch=view.mismatch,
            shortfall=Points(view.shortfall),
            view=view,
        )


@strawberry.type(description="What came back of one line.")
class RefundLine:
    line: str = strawberry.field(description="The line's id; empty for shipping.")
    quantity: int = strawberry.field(
        description="Pieces the refund named; 0 for an amount, and for all that was left."
    )
    value: Money = strawberry.field(
        description="What came back of what was charged for it, whatever paid it."
    )


@strawberry.type(description="What a refund gives back and takes back.")
class RefundFigures:
    points_returned: Points = strawberry.field(
        description="Points the order had redeemed and the member got back."
    )
    points_reversed: Points = strawberry.field(
        description="Points the order had earned and that were taken back."
    )
    shortfall: Points = strawberry.field(
        description="Points that the order's refunds up to this one should have taken back but "
        "were spent already."
    )
    money: Money = strawberry.field(
        description="Money to give back to the shopper. This and what follows is less than nothing "
        "where a change of the order has more bought again that had come back."
    )
    credit: Money = strawberry.field(description="Store credit given back to the member.")
    gift_cards: Money = strawberry.field(description="Money given back to gift cards.")
    points_value: Money = strawberry.field(
        description="What the returned points that had paid are worth."
    )
    value: Money = strawberry.field(
        description="What came back of what was charged, whatever paid it."
    )
    discount_lost: Money = strawberry.field(
        description="What is kept of it because the rest no longer reaches a reward's minimum "
        "purchase. Less than nothing where later refunds give that back."
    )
    deducted: Money = strawberry.field(
        description="What is kept of the money for points that were spent already. Less than "
        "nothing where later refunds give that back."
    )
    rewards: list[str] = strawberry.field(
        description="Codes of the rewards that came back as a whole, with their coupon's use."
    )
    lines: list[RefundLine] = strawberry.field(description="What came back, line by line.")

    @classmethod
    def of_view(cls, view: RefundView) -> "RefundFigures":
        return RefundFigures(**_figures(view))


@strawberry.type(description="A refund of an order.")
class Refund(RefundFigures):
    id: strawberry.ID = strawberry.field(description="An opaque id.")
    external_id: ExternalId = strawberry.field(
        description="The shop's own name for the refund; the order's for a cancellation."
    )
    kind: RefundKind = strawberry.field(description="How it came back.")

    @classmethod
    def of(cls, view: RefundView) -> "Refund":
        return cls(
            id=strawberry.ID(encode_id("Refund", view.id)),
            external_id=ExternalId(view.external_id),
            kind=RefundKind[view.kind],
            **_figures(view),
        )


def _figures(view: RefundView) -> dict[str, Any]:
    amount = _amounts(view.currency)
    return {
        "points_returned": Points(view.points_returned),
        "points_reversed": Points(view.points_reversed),
        "shortfall": Points(view.shortfall),
        "money": amount(view.money_minor),
        "credit": amount(view.credit_minor),
        "gift_cards": amount(view.gift_minor),
        "points_value": amount(view.points_minor),
        "value": amount(view.value_minor),
        "discount_lost": amount(view.off_minor),
        "deducted": amount(view.deducted_minor),
        "rewards": list(view.rewards),
        "lines": [
            RefundLine(line=line.line, quantity=line.quantity, value=amount(line.value_minor))
            for line in view.lines
        ],
    }


def _refunded(view: OrderView) -> OrderRefunded | None:
    booked, amount = view.refunded, _amounts(view.currency)
    if not booked.by_line:
        return None
    return OrderRefunded(
        value=amount(booked.value_minor),
        money=amount(booked.money_minor),
        credit=amount(booked.credit_minor),
        gift_cards=amount(booked.gift_minor),
        points=[
            RefundedPoints(
                point_type=unit,
                returned=Points(booked.returned.get(unit, 0)),
                reversed=Points(booked.reversed.get(unit, 0)),
            )
            for unit in sorted({*booked.returned, *booked.reversed})
            if not is_money(unit)
        ],
    )


def _amounts(currency: str) -> Callable[[int], Money]:
    return lambda minor: Money.of(money.Money(minor, currency))
