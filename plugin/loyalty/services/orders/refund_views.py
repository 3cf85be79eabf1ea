"""Refunds as they are shown, and what they left of an order's lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from loyalty.domain.order import context_from_dict
from loyalty.domain.refunds.order_facts import OrderFacts
from loyalty.domain.refunds.order_facts_of import reported_facts
from loyalty.domain.refunds.refund import Booked
from loyalty.domain.refunds.refund_asks import LineAsk, gone_lines, portion_of
from loyalty.domain.refunds.refund_codec import booked_from_json
from loyalty.domain.refunds.refund_edits import MORE_SHIPPING
from loyalty.services.books.desk import Row
from loyalty.services.orders.order_edits import EDITED
from loyalty.services.orders.order_facts import Counted, line_ids, refunded_of
from loyalty.services.orders.refunds import CANCELLATION, asks_of


@dataclass(frozen=True, slots=True)
class RefundLineView:
    """What came back of one line (its id is empty for shipping).

    ``quantity`` is how many pieces were named, ``value_minor`` what they were charged with.
    """

    line: str
    quantity: int
    value_minor: int


@dataclass(frozen=True, slots=True)
class RefundView:
    """One step as it was booked, or would be.

    ``shortfall`` is the order's after it. ``value_minor`` is what came back of what was
    charged, whatever paid it; ``points_minor`` the part of it that points had paid.
    """

    id: int
    external_id: str
    kind: str
    currency: str
    points_returned: int
    points_reversed: int
    shortfall: int
    money_minor: int
    credit_minor: int
    gift_minor: int
    points_minor: int
    value_minor: int
    off_minor: int
    deducted_minor: int
    rewards: tuple[str, ...]
    lines: tuple[RefundLineView, ...]


@dataclass(frozen=True, slots=True)
class OrderLineView:
    """A line as bought, and what refunds took of it. ``net_minor`` is what was charged for it."""

    id: str
    product: str
    quantity: int
    amount_minor: int
    discount_minor: int
    net_minor: int
    refunded_quantity: int
    refunded_minor: int


def refund_view(row: Row, order: Row, ids: Sequence[str]) -> RefundView:
    """A refund's row as it is shown.

    Args:
        ids: of the order's lines, shipping's after them.
    """
    booked = booked_from_json(orjson.loads(row["booked"])) if row.get("booked") else None
    if booked is None:
        # Of an earlier release, or one that moved nothing.
        booked = Booked(money_minor=row.get("money_minor") or 0)
    name = (
        order["external_id"]
        if row["kind"] == CANCELLATION
        else row["external_id"].removeprefix(EDITED)
    )
    return RefundView(
        id=row["id"],
        external_id=name,
        kind=row["kind"],
        currency=order["currency"],
        points_returned=row.get("points_returned") or 0,
        points_reversed=row.get("points_reversed") or 0,
        shortfall=row.get("shortfall") or 0,
        money_minor=booked.money_minor,
        credit_minor=booked.credit_minor,
        gift_minor=booked.gift_minor,
        points_minor=booked.points_minor,
        value_minor=booked.value_minor,
        off_minor=booked.off_minor,
        deducted_minor=booked.deducted_minor,
        rewards=booked.restored,
        lines=_refund_lines(row, booked, ids),
    )


def _refund_lines(row: Row, booked: Booked, ids: Sequence[str]) -> tuple[RefundLineView, ...]:
    named = {ask.line: ask.quantity for ask in asks_of(row) or ()}
    # Lines may have been added since, which come before shipping.
    then = [*ids[: len(booked.by_line) - 1], ids[-1]] if booked.by_line else []
    values: dict[str, int] = {}
    for id, minor in zip(then, booked.by_line, strict=True):
        values[id] = values.get(id, 0) + minor
    return tuple(
        RefundLineView(id, named.get(id, 0), values.get(id, 0))
        for id in dict.fromkeys(ids)
        if values.get(id, 0) or id in named
    )


def shown_facts(order: Mapping[str, Any], counted: Sequence[Counted]) -> OrderFacts:
    """An order's lines by id, with what was charged for each."""
    context = context_from_dict(orjson.loads(order["context"]))
    if context.facts is not None:
        return context.facts
    charged = sum(amount - discount for _, amount, discount in counted)
    shipping = max(order["total_minor"] - charged, 0)
    return reported_facts(line_ids(context, len(counted)), counted, shipping)


def all_ids(facts: OrderFacts) -> list[str]:
    """The ids of an order's lines, shipping's after them."""
    return [line.id for line in facts.all_lines]


def line_views(
    order: Row, facts: OrderFacts, rows: Sequence[tuple[str, int, int, int]]
) -> tuple[OrderLineView, ...]:
    """The order's lines: product, quantity, amount and discount of each, with what came back."""
    asked = refunded_of(order).asked
    parts, gone = portion_of(facts, asked).lines, gone_lines(facts, asked)
    is_over = order["state"] in ("REFUNDED", "CANCELLED") and not order.get("refunds")
    found = []
    for position, (product, quantity, amount, discount) in enumerate(rows):
        if product == MORE_SHIPPING or position in gone:
            continue
        line = facts.lines[position] if position < len(facts.lines) else None
        id = str(position + 1) if line is None else line.id
        net = amount - discount if line is None else line.net_minor
        part = 1 if line is None or is_over else parts[position]
        named = asked.lines.get(id, LineAsk(id)).quantity
        pieces = quantity if part == 1 else min(named, quantity)
        found.append(
            OrderLineView(id, product, quantity, amount, discount, net, pieces, int(net * part))
        )
    return tuple(found)
