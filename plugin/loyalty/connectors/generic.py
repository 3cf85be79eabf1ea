"""Our own documented JSON for shops without a connector of theirs.

    {"type": "order.paid", "data": {"id": "1001", "memberId": "c-7", "currency": "USD",
      "occurredAt": "2026-11-21T10:00:00Z", "shipping": "4.90", "reservationId": "…",
      "paid": "31.40", "lines": [{"id": "a", "productId": "p-1", "quantity": 2,
      "amount": "26.50", "discount": "0.00", "category": "TEA"}]}}
    {"type": "order.refunded", "data": {"id": "r-1", "orderId": "1001", "reason": "damaged",
      "currency": "USD", "lines": [{"line": "a", "quantity": 1}, {"line": "b", "amount": "4.00"}],
      "shipping": "4.90", "occurredAt": "…"}}
    {"type": "order.cancelled", "data": {"orderId": "1001", "occurredAt": "…"}}
    {"type": "order.edited", "data": {"id": "e-1", "orderId": "1001", "currency": "USD",
      "shipping": "4.90", "lines": […], "occurredAt": "…"}}
    {"type": "customer.changed", "data": {"id": "c-7", "name": "…", "email": "…",
      "locale": "en", "birthday": "1990-02-28", "consents": {"email": true}, "occurredAt": "…"}}
    {"type": "product.changed", "data": {"id": "p-1", "name": "…", "currency": "USD",
      "price": "13.25", "cost": "8.00", "stock": 40, "category": "…", "department": "…",
      "type": "…", "brand": "…", "imageUrl": "…", "tiers": ["gold"], "tiersUntil": "…",
      "active": true, "occurredAt": "…"}}

Amounts are decimal text. The reference is ``docs/reference/webhooks.md``.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

import orjson

from loyalty.connectors.events import (
    CustomerChanged,
    Event,
    Line,
    OrderCancelled,
    OrderEdited,
    OrderPaid,
    OrderRefunded,
    ProductChanged,
)
from loyalty.domain.money import Money, digits
from loyalty.domain.product import ProductFacts
from loyalty.domain.refunds.order_facts import SHIPPING
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.domain.refunds.refund_edits import NAME_MAX
from loyalty.errors import BadInput, BadMoney

LINES_MAX = 1_000
"""Most lines of one order."""
QUANTITY_MAX = 1_000_000
"""Most pieces of one line."""


def read(body: bytes) -> Event:
    """One event from the raw body.

    Raises:
        BadInput: naming the path, what was found there, and what was wanted.
    """
    try:
        value = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as problem:
        raise BadInput("the body is not JSON in UTF-8") from problem
    root = _Object(value, "")
    kind = root.text("type", 40)
    readers: Mapping[str, Callable[[_Object], Event]] = {
        OrderPaid.type: _order_paid,
        OrderRefunded.type: _order_refunded,
        OrderCancelled.type: _order_cancelled,
        OrderEdited.type: _order_edited,
        CustomerChanged.type: _customer_changed,
        ProductChanged.type: _product_changed,
    }
    if kind not in readers:
        raise BadInput(f"type: found {kind!r}, wanted one of {', '.join(readers)}")
    return readers[kind](root.object("data"))


class _Object:
    """A JSON object that is read key by key; every complaint names the path."""

    def __init__(self, value: object, path: str) -> None:
        self.path = path
        if not isinstance(value, dict):
            self.wrong("", value, "an object")
        self._value: dict[str, Any] = value

    def wrong(self, key: str, found: object, wanted: str) -> NoReturn:
        where = ".".join(part for part in (self.path, key) if part) or "body"
        shown = "nothing" if found is None else repr(found)[:60]
        raise BadInput(f"{where}: found {shown}, wanted {wanted}")

    def has(self, key: str) -> bool:
        return key in self._value

    def get(self, key: str) -> object:
        return self._value.get(key)

    def object(self, key: str) -> "_Object":
        return _Object(self.get(key), ".".join(part for part in (self.path, key) if part))

    def text(self, key: str, longest: int = 128) -> str:
        found = self.get(key)
        if not isinstance(found, str) or not 1 <= len(found) <= longest:
            self.wrong(key, found, f"text of 1 to {longest} characters")
        if not found.isprintable() or found != found.strip():
            self.wrong(key, found, "printable text without spaces at its ends")
        return found

    def text_or_none(self, key: str, longest: int = 200) -> str | None:
        return None if self.get(key) is None else self.text(key, longest)

    def whole(self, key: str, least: int, most: int) -> int:
        found = self.get(key)
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
            self.wrong(key, found, f"a whole number from {least} to {most}")
        return found

    def flag(self, key: str, default: bool) -> bool:
        found = self._value.get(key, default)
        if not isinstance(found, bool):
            self.wrong(key, found, "true or false")
        return found

    def items(self, key: str, most: int) -> list[Any]:
        found = self.get(key)
        if not isinstance(found, list) or len(found) > most:
            self.wrong(key, found, f"a list of at most {most}")
        return found

    def moment(self, key: str) -> datetime:
        found = self.get(key)
        try:
            at = datetime.fromisoformat(found) if isinstance(found, str) else None
        except ValueError:
            at = None
        if at is None or at.tzinfo is None or not 1990 <= at.year <= 2200:
            self.wrong(key, found, "a moment with its offset such as 2026-11-21T10:00:00Z")
        return at.astimezone(UTC)

    def minor(self, key: str, currency: str) -> int:
        found = self.get(key)
        if not isinstance(found, str):
            self.wrong(key, found, "decimal text such as 12.34")
        try:
            minor = Money.parse(found, currency).minor
        except BadMoney:
            places = digits(currency)
            self.wrong(key, found, f"decimal text with at most {places} decimals ({currency})")
        if minor < 0:
            self.wrong(key, found, "no less than 0")
        return minor

    def minor_or_none(self, key: str, currency: str) -> int | None:
        return None if self.get(key) is None else self.minor(key, currency)

    def currency(self) -> str:
        code = self.text("currency", 3)
        try:
            digits(code)
        except BadMoney:
            self.wrong("currency", code, "an ISO 4217 code such as EUR")
        return code


def _order_paid(data: _Object) -> OrderPaid:
    currency = data.currency()
    lines = _lines(data, currency)
    return OrderPaid(
        order=data.text("id"),
        member=data.text_or_none("memberId", 128),
        currency=currency,
        lines=lines,
        occurred_at=data.moment("occurredAt"),
        shipping_minor=data.minor_or_none("shipping", currency) or 0,
        reservation_id=_reservation(data),
        paid_minor=data.minor_or_none("paid", currency),
    )


def _order_edited(data: _Object) -> OrderEdited:
    currency = data.currency()
    return OrderEdited(
        order=data.text("orderId"),
        edit=data.text("id", NAME_MAX),
        currency=currency,
        lines=_lines(data, currency),
        occurred_at=data.moment("occurredAt"),
        shipping_minor=data.minor_or_none("shipping", currency) or 0,
    )


def _lines(data: _Object, currency: str) -> tuple[Line, ...]:
    items = data.items("lines", LINES_MAX)
    if not items:
        data.wrong("lines", items, "at least one line")
    lines = [_line(_Object(item, f"data.lines[{n}]"), currency) for n, item in enumerate(items)]
    ids = [line.id for line in lines if line.id is not None]
    if ids and len(set(ids)) < len(lines):
        data.wrong("lines", ids, "an id of its own for each line, or for none")
    return tuple(lines)


def _line(item: _Object, currency: str) -> Line:
    amount = item.minor("amount", currency)
    discount = item.minor_or_none("discount", currency) or 0
    if discount > amount:
        item.wrong("discount", item.get("discount"), "no more than the amount")
    return Line(
        product=item.text("productId"),
        quantity=item.whole("quantity", 1, QUANTITY_MAX),
        amount_minor=amount,
        discount_minor=discount,
        category=item.text_or_none("category"),
        id=item.text_or_none("id", 128),
    )


def _reservation(data: _Object) -> int | None:
    """The id that ``checkoutReserve`` gave; the same opaque text."""
    text = data.text_or_none("reservationId")
    if text is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        raw = ""
    kind, _, number = raw.partition(":")
    is_number = number.isascii() and number.isdigit() and len(number) < 20
    if kind != "Reservation" or not is_number or int(number) >= 2**63:
        data.wrong("reservationId", text, "the id of a reservation")
    return int(number)


def _order_refunded(data: _Object) -> OrderRefunded:
    lines = _lines_back(data)
    has_amounts = any(ask.amount_minor for ask in lines or ())
    return OrderRefunded(
        order=data.text("orderId"),
        refund=data.text("id"),
        reason=data.text_or_none("reason"),
        occurred_at=data.moment("occurredAt"),
        lines=lines,
        currency=data.currency() if has_amounts else None,
    )


def _order_cancelled(data: _Object) -> OrderCancelled:
    return OrderCancelled(
        order=data.text("orderId"),
        reason=data.text_or_none("reason"),
        occurred_at=data.moment("occurredAt"),
    )


def _lines_back(data: _Object) -> tuple[LineAsk, ...] | None:
    """What came back; None: all that was left."""
    has_lines, has_shipping = data.get("lines") is not None, data.get("shipping") is not None
    if not (has_lines or has_shipping):
        return None
    # Only amounts say of what money they are, so a refund by pieces needs no currency.
    currency = data.currency() if has_shipping or data.get("currency") is not None else None
    items = data.items("lines", LINES_MAX) if has_lines else []
    asks = [_line_back(_Object(item, f"data.lines[{n}]"), currency) for n, item in enumerate(items)]
    if has_shipping and currency is not None and (minor := data.minor("shipping", currency)):
        asks.append(LineAsk(SHIPPING, 0, minor))
    if not asks:
        data.wrong("lines", items, "at least one line, or no lines for all that is left")
    return tuple(asks)


def _line_back(item: _Object, currency: str | None) -> LineAsk:
    quantity = 0 if item.get("quantity") is None else item.whole("quantity", 1, QUANTITY_MAX)
    minor = 0
    if item.get("amount") is not None:
        if currency is None:
            item.wrong("amount", item.get("amount"), "the refund to say its currency")
        minor = item.minor("amount", currency)
        if not minor:
            item.wrong("amount", item.get("amount"), "more than 0")
    return LineAsk(item.text("line"), quantity, minor)


def _customer_changed(data: _Object) -> CustomerChanged:
    lengths = {"name": 200, "email": 320, "locale": 35, "birthday": 10}
    profile = {
        key: data.text_or_none(key, longest) for key, longest in lengths.items() if data.has(key)
    }
    consents: dict[str, bool] = {}
    if data.get("consents") is not None:
        given = data.object("consents")
        for key in ("email", "sms", "profiling"):
            if given.has(key):
                consents[key] = given.flag(key, False)
    return CustomerChanged(data.text("id"), profile, consents, data.moment("occurredAt"))


def _product_changed(data: _Object) -> ProductChanged:
    currency = data.currency()
    at = data.moment("occurredAt")
    tiers = data.items("tiers", 50) if data.get("tiers") is not None else []
    for code in tiers:
        if not isinstance(code, str) or not code.isidentifier() or len(code) > 64:
            data.wrong("tiers", code, "codes of tiers")
    stock = None if data.get("stock") is None else data.whole("stock", 0, 2**53 - 1)
    facts = ProductFacts(
        external_id=data.text("id"),
        name=data.text("name", 300),
        said_at=at,
        currency=currency,
        category=data.text_or_none("category"),
        department=data.text_or_none("department"),
        type=data.text_or_none("type"),
        brand=data.text_or_none("brand"),
        image_url=data.text_or_none("imageUrl", 1_000),
        price_minor=data.minor_or_none("price", currency),
        cost_minor=data.minor_or_none("cost", currency),
        stock=stock,
        tiers=tuple(tiers),
        tiers_until=None if data.get("tiersUntil") is None else data.moment("tiersUntil"),
        is_active=data.flag("active", True),
    )
    return ProductChanged(facts, at)
