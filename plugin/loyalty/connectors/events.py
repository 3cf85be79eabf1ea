"""Events a shop sends us, as values. ``generic`` reads them from our documented JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from loyalty.domain.product import ProductFacts
from loyalty.domain.refunds.refund_asks import LineAsk


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a paid order; amounts in minor units for the whole line, discounts ours.

    ``id`` is the shop's own name for it; None: its place, from "1" on.
    """

    product: str
    quantity: int
    amount_minor: int
    discount_minor: int = 0
    category: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class OrderPaid:
    """An order was paid."""

    type: ClassVar[str] = "order.paid"

    order: str
    member: str | None
    currency: str
    lines: tuple[Line, ...]
    occurred_at: datetime
    shipping_minor: int = 0
    reservation_id: int | None = None
    paid_minor: int | None = None


@dataclass(frozen=True, slots=True)
class OrderRefunded:
    """Lines of an order were refunded; ``lines`` None: all that was left of it.

    ``currency``: that of amounts among them, None where there are none.
    """

    type: ClassVar[str] = "order.refunded"

    order: str
    refund: str
    reason: str | None
    occurred_at: datetime
    lines: tuple[LineAsk, ...] | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class OrderEdited:
    """An order was changed after it was paid; its whole lines as they are now."""

    type: ClassVar[str] = "order.edited"

    order: str
    edit: str
    currency: str
    lines: tuple[Line, ...]
    occurred_at: datetime
    shipping_minor: int = 0


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """An order was called off, and all of it given back."""

    type: ClassVar[str] = "order.cancelled"

    order: str
    reason: str | None
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class CustomerChanged:
    """A customer joined or changed the profile. Fields left out stay as they are."""

    type: ClassVar[str] = "customer.changed"

    member: str
    profile: Mapping[str, str | None]
    consents: Mapping[str, bool]
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class ProductChanged:
    """A product is new or changed."""

    type: ClassVar[str] = "product.changed"

    product: ProductFacts
    occurred_at: datetime


Event = OrderPaid | OrderEdited | OrderRefunded | OrderCancelled | CustomerChanged | ProductChanged
