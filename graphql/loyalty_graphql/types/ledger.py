"""A member's ledger as the member reads it: a line for what one transaction did to one account."""

from base64 import urlsafe_b64encode
from datetime import datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.domain.points import Points
from loyalty.services.checkout.views import HistoryLine
from loyalty_graphql.scalars import ExternalId


@strawberry.enum(description="What a transaction did.")
class TransactionKind(Enum):
    EARN = value("EARN", description="An order earned points.")
    HOLD = value("HOLD", description="A checkout holds points until it is paid or given up.")
    REDEEM = value("REDEEM", description="Held points were spent on an order.")
    RELEASE = value("RELEASE", description="Held points were given back.")
    REVERSE = value("REVERSE", description="A refund took back what its order had earned.")
    RETURN = value("RETURN", description="A refund gave back what its order had redeemed.")
    EXPIRE = value("EXPIRE", description="Points ran out of time.")
    REPAY = value("REPAY", description="Points paid back a deficit; the balance stays.")
    ADJUST = value("ADJUST", description="The merchant corrected the account.")
    MERGE = value("MERGE", description="Two members became one.")


@strawberry.type(description="What one transaction did to one account of a member.")
class LedgerEntry:
    id: strawberry.ID = strawberry.field(description="An opaque id.")
    kind: TransactionKind = strawberry.field(description="What happened.")
    point_type: str = strawberry.field(description="Code of the point type.")
    points: Points = strawberry.field(
        description="By how much the balance moved, held points not counted: a hold takes them "
        "from it, and their redemption then no longer moves it."
    )
    held: Points = strawberry.field(description="By how much the held points moved.")
    effective_at: datetime = strawberry.field(description="When what caused it happened.")
    booked_at: datetime = strawberry.field(description="When it was booked.")
    order_external_id: ExternalId | None = strawberry.field(description="The order that caused it.")
    description: str | None = strawberry.field(description="The same in an English sentence.")

    @classmethod
    def of(cls, line: HistoryLine) -> "LedgerEntry":
        order = line.order_external_id
        return cls(
            id=_id(line),
            kind=TransactionKind[line.kind],
            point_type=line.point_type,
            points=Points(line.points),
            held=Points(line.held),
            effective_at=line.effective_at,
            booked_at=line.booked_at,
            order_external_id=None if order is None else ExternalId(order),
            description=_sentence(line),
        )


def _id(line: HistoryLine) -> strawberry.ID:
    # One transaction may move accounts of several point types; nothing is ever asked by this id.
    text = f"LedgerEntry:{line.id}:{line.point_type}"
    return strawberry.ID(urlsafe_b64encode(text.encode()).rstrip(b"=").decode())


def _sentence(line: HistoryLine) -> str:
    order = line.order_external_id
    of_order = f" order {order}" if order else " an order"
    return {
        "EARN": f"Earned with{of_order}",
        "HOLD": "Held for a checkout",
        "REDEEM": f"Redeemed on{of_order}",
        "RELEASE": "Given back by a checkout",
        "REVERSE": f"Taken back by a refund of{of_order}",
        "RETURN": f"Returned by a refund of{of_order}",
        "EXPIRE": "Expired",
        "REPAY": "Used to pay back points owed",
        "ADJUST": "Adjusted by the shop",
        "MERGE": "Moved from another membership",
    }[line.kind]
