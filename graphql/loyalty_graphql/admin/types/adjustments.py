"""Corrections of accounts."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain import money as domain
from loyalty.domain.points import Points
from loyalty.domain.units import currency_of, is_money
from loyalty.services.members.adjustments import AdjustmentView
from loyalty_graphql.ids import encode_id
from loyalty_graphql.money import Money
from loyalty_graphql.scalars import ExternalId
from loyalty_graphql.types.node import Node


@strawberry.enum(description="Where a correction stands.")
class AdjustmentState(Enum):
    PROPOSED = value("PROPOSED", description="It waits for a second person and moved nothing.")
    BOOKED = value("BOOKED", description="It is in the ledger.")
    DECLINED = value("DECLINED", description="It was declined and moved nothing.")


@strawberry.type(description="A merchant's correction of one account, booked or proposed.")
class Adjustment(Node):
    external_id: ExternalId | None = strawberry.field(
        description="The shop's own id of the member; null for one that was erased."
    )
    state: AdjustmentState = strawberry.field(description="Where it stands.")
    point_type: str | None = strawberry.field(
        description="Code of the point type; null where it is credit."
    )
    points: Points | None = strawberry.field(
        description="Points, below zero where they are taken; null where it is credit."
    )
    credit: Money | None = strawberry.field(
        description="Credit, below zero where it is taken; null where it is points."
    )
    expires_at: datetime | None = strawberry.field(
        description="When what it adds expires; null: never, or it takes."
    )
    allow_deficit: bool = strawberry.field(
        description="Whether it may leave the account below zero."
    )
    reason: str | None = strawberry.field(
        description="Why; null where the member was erased since."
    )
    proposed_by: str = strawberry.field(description="Who asked for it: the name of a key.")
    decided_by: str | None = strawberry.field(
        description="Who accepted or declined it; null where one person's word was enough, or "
        "nobody has yet."
    )
    created_at: datetime = strawberry.field(description="When it was asked for.")
    decided_at: datetime | None = strawberry.field(
        description="When it was booked or declined; null before."
    )

    @classmethod
    def of(cls, view: AdjustmentView) -> "Adjustment":
        is_credit = is_money(view.unit)
        credit = domain.Money(view.amount, currency_of(view.unit)) if is_credit else None
        return cls(
            id=strawberry.ID(encode_id("Adjustment", view.id)),
            external_id=None if view.member is None else ExternalId(view.member),
            state=AdjustmentState[view.state],
            point_type=None if is_credit else view.unit,
            points=None if is_credit else Points(view.amount),
            credit=None if credit is None else Money.of(credit),
            expires_at=view.expires_at,
            allow_deficit=view.allows_deficit,
            reason=view.reason,
            proposed_by=view.proposed_by,
            decided_by=view.decided_by,
            created_at=view.created_at,
            decided_at=view.decided_at,
        )
