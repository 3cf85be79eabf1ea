"""Orders: what a shop reports as paid, and the context in which we judged it.

The context stays with the order, so that a refund never runs today's rules.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from loyalty.domain.money import Money
from loyalty.domain.refunds.order_facts import OrderFacts, facts_from_json, facts_to_json

FORMAT = 2
"""Of the context's JSON. Format 1 had no mark, and nothing of the lines."""


class OrderLine(NamedTuple):
    """A line as bought; a plain tuple because an import makes them by the million.

    ``amount_minor`` is what was charged for the whole line before rewards of ours,
    ``discount_minor`` what our rewards took off it. Both >= 0. ``quantity`` >= 1, and 0 only
    where an import keeps lines that stand for no piece. ``id`` is the shop's own name for the
    line, by which refunds speak of it; None: its place in the order, from "1" on.
    """

    product: str
    quantity: int
    amount_minor: int
    discount_minor: int = 0
    category: str | None = None
    department: str | None = None
    brand: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class PaidOrder:
    """An order that a shop reports as paid, in one currency.

    ``member`` is the shop's id of the customer, None for one it does not know.
    ``reservation_id`` names the hold that this order turns into a redemption.
    """

    external_id: str
    member: str | None
    currency: str
    lines: tuple[OrderLine, ...]
    occurred_at: datetime
    shipping_minor: int = 0
    reservation_id: int | None = None
    paid_minor: int | None = None

    @property
    def paid(self) -> Money:
        """What the shop says was paid; without a word of it, the order's total."""
        minor = self.total_minor if self.paid_minor is None else self.paid_minor
        return Money(minor, self.currency)

    @property
    def total_minor(self) -> int:
        return self.shipping_minor + sum(
            line.amount_minor - line.discount_minor for line in self.lines
        )


@dataclass(frozen=True, slots=True)
class Earned:
    """Points an order earned: the lot they opened, and each line's part of them."""

    point_type: str
    points: int
    lot_id: int
    by_line: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OrderContext:
    """How an order was judged.

    ``facts`` are kept where they do not follow from the order's rows: of an order from a
    checkout. ``line_ids`` are the shop's names of its lines where it gave any, and
    ``paid_minor`` what it said was paid.
    """

    ruleset_version: int
    tier: str | None
    earned: tuple[Earned, ...]
    quote_hash: str | None = None
    facts: OrderFacts | None = None
    line_ids: tuple[str, ...] | None = None
    paid_minor: int | None = None


def context_to_dict(context: OrderContext) -> dict[str, Any]:
    """The context as JSON-able values; ``context_from_dict`` reads it back."""
    value: dict[str, Any] = {
        "format": FORMAT,
        "ruleset": context.ruleset_version,
        "tier": context.tier,
        "quote": context.quote_hash,
        "earned": [
            [item.point_type, item.points, item.lot_id, list(item.by_line)]
            for item in context.earned
        ],
    }
    if context.facts is not None:
        value["facts"] = facts_to_json(context.facts)
    if context.line_ids is not None:
        value["lines"] = list(context.line_ids)
    if context.paid_minor is not None:
        value["paid"] = context.paid_minor
    return value


def context_from_dict(value: dict[str, Any]) -> OrderContext:
    """The context that ``context_to_dict`` was given, of format 1 too."""
    facts, line_ids = value.get("facts"), value.get("lines")
    return OrderContext(
        ruleset_version=value["ruleset"],
        tier=value["tier"],
        quote_hash=value["quote"],
        earned=tuple(
            Earned(point_type, points, lot_id, tuple(by_line))
            for point_type, points, lot_id, by_line in value["earned"]
        ),
        facts=None if facts is None else facts_from_json(facts),
        line_ids=None if line_ids is None else tuple(line_ids),
        paid_minor=value.get("paid"),
    )


@dataclass(frozen=True, slots=True)
class TierAt:
    """From when a member stood in a tier; a history of these answers for any moment."""

    at: datetime
    tier: str


def tier_at(history: tuple[TierAt, ...], at: datetime, present: str) -> str:
    """The tier a member stood in at ``at``.

    Args:
        history: changes, in the sequence in which they were booked; may be empty.
        present: what to answer when the history does not reach back so far or is empty.
    """
    known = [step for step in history if step.at <= at]
    if known:
        # Of several at one instant the last: ``max`` takes the first of equals.
        return max(reversed(known), key=lambda step: step.at).tier
    return present
