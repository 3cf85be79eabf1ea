"""What refunds need to know of an order: from its context, or from its rows."""

from collections.abc import Sequence

import orjson

from loyalty.domain.cart import CartLine
from loyalty.domain.earning import EarningLine
from loyalty.domain.order import OrderContext, OrderLine, context_from_dict
from loyalty.domain.quotes.quote_codec import promised_from_dict
from loyalty.domain.quotes.quote_terms import Quote
from loyalty.domain.refunds.order_facts import OrderFacts
from loyalty.domain.refunds.order_facts_of import quoted_facts, reported_facts
from loyalty.domain.refunds.refund import Refunded
from loyalty.domain.refunds.refund_codec import refunded_from_json
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.services.books.desk import Desk, Row

Counted = tuple[int, int, int]
"""Quantity, amount and discount of a line."""


def context_of(order: Row) -> OrderContext:
    """The context in which an order was judged."""
    return context_from_dict(orjson.loads(order["context"]))


def refunded_of(order: Row) -> Refunded:
    """An order's refunds so far."""
    text = order.get("refunds")
    return refunded_from_json(orjson.loads(text)) if text else Refunded()


def ruleset_at(desk: Desk, version: int) -> Ruleset:
    """A version of the program as far as the unit has it; else the one in force."""
    return desk.rulesets.get(version, desk.ruleset)


def counted(lines: Sequence[OrderLine]) -> list[Counted]:
    return [(line.quantity, line.amount_minor, line.discount_minor) for line in lines]


def line_ids(context: OrderContext, lines: int) -> tuple[str, ...]:
    """What refunds call an order's lines: by the shop's names, or by place."""
    return context.line_ids or tuple(str(number) for number in range(1, lines + 1))


def earning_lines(lines: Sequence[OrderLine]) -> list[EarningLine]:
    """The lines of an order as earning rules see them."""
    return [
        EarningLine(
            CartLine(
                str(number),
                line.product,
                line.quantity,
                unit_minor=0,
                category=line.category,
                department=line.department,
                brand=line.brand,
                amount_minor=line.amount_minor,
            ),
            line.amount_minor - line.discount_minor,
        )
        for number, line in enumerate(lines)
    ]


def ids_of(lines: Sequence[OrderLine]) -> tuple[str, ...] | None:
    """The names a shop gave the lines; None when it gave none, as most do.

    A line that has none among others that do goes by its place.
    """
    if not any(line.id for line in lines):
        return None
    return tuple(line.id or str(number) for number, line in enumerate(lines, 1))


def facts_of(desk: Desk, order: Row, context: OrderContext) -> OrderFacts:
    """The facts of an order that is loaded, or was booked in this unit."""
    if context.facts is not None:
        return context.facts
    lines = desk.loaded.order_lines.get(order["id"], [])
    charged = sum(amount - discount for _, amount, discount in lines)
    shipping = max(order["total_minor"] - charged, 0)
    ids = line_ids(context, len(lines))
    held = desk.loaded.reservations.get(order["reservation_id"] or 0)
    if held is None:
        return reported_facts(ids, lines, shipping)
    # An order of an earlier release, which kept no facts: its reservation still has the quote.
    return checkout_facts(
        desk, promised_from_dict(orjson.loads(held["quote"])), ids, lines, shipping
    )


def checkout_facts(
    desk: Desk, quote: Quote, ids: Sequence[str], lines: Sequence[Counted], shipping_minor: int
) -> OrderFacts:
    """The facts of an order with reported lines that redeemed a quote.

    As quoted where the lines are those of the quote, so that it does not matter whether the
    report or the checkout came first.
    """
    ruleset = ruleset_at(desk, quote.ruleset_version)
    charged = shipping_minor + sum(amount - discount for _, amount, discount in lines)
    if charged == quote.total_minor and len(lines) == len(quote.lines):
        found = [quantity for quantity, _, _ in lines]
        if found == [line.quantity for line in quote.lines]:
            return quoted_facts(quote, ruleset)
    return reported_facts(ids, lines, shipping_minor, quote, ruleset)
