"""What a change of an order after it was paid makes of it, before its refunds are decided anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import orjson

from loyalty.domain.books.ledger import Cause, LotTerms, instant, micros
from loyalty.domain.earning import earned
from loyalty.domain.money import allocated
from loyalty.domain.order import Earned, OrderLine, context_to_dict
from loyalty.domain.refunds.order_facts import FactsLine, OrderFacts
from loyalty.domain.refunds.refund_asks import Asked, kept_parts
from loyalty.domain.refunds.refund_edits import Edited, edited, live_places, padded, still_earned
from loyalty.services.books.desk import Desk, Row
from loyalty.services.orders.order_facts import context_of, earning_lines, facts_of, refunded_of

EDIT = "EDIT"
"""The kind of a change of an order's lines after it was paid."""
EDITED = "\x1fedit:"
"""Before a change's name. Not printable, so no refund can have the same."""


@dataclass(frozen=True, slots=True)
class OrderEdit:
    """An order's lines and shipping as a shop says they are now."""

    lines: tuple[OrderLine, ...]
    shipping_minor: int
    currency: str

    def text(self) -> str:
        """How a refund's row keeps it."""
        lines = [list(line) for line in self.lines]
        kept = {"edit": lines, "shipping": self.shipping_minor, "currency": self.currency}
        return orjson.dumps(kept).decode()

    def is_kept_as(self, text: str | None) -> bool:
        """Whether a refund's row keeps this change, whatever the catalogue said at the time."""
        if text is None:
            return False
        kept = orjson.loads(text)
        lines = [_told(OrderLine(*line)) for line in kept["edit"]]
        same = lines == [_told(line) for line in self.lines]
        # An earlier release kept no currency.
        same = same and kept.get("currency", self.currency) == self.currency
        return bool(same and kept["shipping"] == self.shipping_minor)


def _told(line: OrderLine) -> OrderLine:
    """What of a line comes from the shop alone."""
    return line._replace(category=None, department=None, brand=None)


def edit_order(desk: Desk, order: Row, row: Row) -> tuple[Row, Asked | None]:
    """Change an order's lines as a row of kind EDIT says.

    What is more earns by the order's own ruleset, tier and moment; what is less is for the
    order's refunds to take back.

    Returns:
        The order as it is now, and what is asked of it by now; None for an older word.
    """
    given = orjson.loads(row["lines"])
    lines = [OrderLine(*line) for line in given["edit"]]
    lines = [line._replace(id=line.id or str(n)) for n, line in enumerate(lines, 1)]
    context, before = context_of(order), refunded_of(order)
    facts = facts_of(desk, order, context)
    at = row["occurred_at"]
    moment = at if isinstance(at, int) else micros(at)
    found = edited(facts, before.asked, lines, given["shipping"], moment, row["external_id"])
    if found is None:
        return order, None
    if not found.is_news:
        return order, found.asked
    kept = padded(context.earned, len(found.facts.lines))
    places = live_places(facts, before.asked)
    gone = [item for item in context.earned if any(item.by_line[at] for at in places)]
    more = _earned_more(desk, order, found, kept, gone, lines, given["shipping"])
    context = replace(context, facts=found.facts, earned=(*kept, *more))
    spendable = desk.ruleset_of(order).spendable.code
    total = order["total_minor"] + sum(line.net_minor for line in found.added)
    columns = {
        "context": orjson.dumps(context_to_dict(context)).decode(),
        "total_minor": total - sum(facts.lines[at].net_minor for at in places),
        "points_earned": order["points_earned"]
        + _points(more).get(spendable, 0)
        - _points(gone).get(spendable, 0),
    }
    desk.update("shop_order", order["id"], **columns)
    desk.see(desk.loaded.orders, order["external_id"], order | columns)
    _add_lines(desk, order, len(facts.lines), found)
    return order | columns, found.asked


def _add_lines(desk: Desk, order: Row, known: int, found: Edited) -> None:
    for number, (line, product) in enumerate(zip(found.added, found.products, strict=True), known):
        desk.insert(
            "order_line",
            order_id=order["id"],
            line=number,
            product=product,
            quantity=line.quantity,
            amount_minor=line.gross_minor,
            discount_minor=0,
        )


def _earned_more(
    desk: Desk,
    order: Row,
    found: Edited,
    kept: Sequence[Earned],
    gone: Sequence[Earned],
    lines: Sequence[OrderLine],
    shipping_minor: int,
) -> tuple[Earned, ...]:
    """Open lots for what the whole order earns now beyond what its kept lines have earned.

    In place of what the change before had earned (``gone``); a member that is set aside earns
    no more than that.
    """
    book = desk.book_of(order["member_id"])
    if book is None or not found.added:
        return ()
    at = order["occurred_at"]
    moment = instant(at) if isinstance(at, int) else at
    now = earned(
        desk.ruleset_of(order),
        order["tier"],
        earning_lines(lines),
        shipping_minor=shipping_minor,
        points_used_minor=_still_paid(found, lambda line: line.points_minor),
        credit_used_minor=_still_paid(found, lambda line: line.credit_minor + line.gift_minor),
        at=moment,
    )
    have = still_earned(kept, found.facts, found.asked)
    more = [(item, item.points - have.get(item.point_type, 0)) for item in now]
    if desk.members[order["member_id"]]["state"] not in ("ACTIVE", "PROSPECT"):
        most = _points(gone)
        more = [(item, min(points, most.get(item.point_type, 0))) for item, points in more]
    more = [(item, points) for item, points in more if points > 0]
    terms = [
        (item.point_type, points, LotTerms(item.available_at, item.expires_at))
        for item, points in more
    ]
    lots = book.earn(terms, moment, Cause(order_id=order["id"]))
    desk.touch(order["member_id"], "order")
    return tuple(
        Earned(item.point_type, points, lot_id, _by_added(points, found.facts, found.added))
        for (item, points), lot_id in zip(more, lots, strict=True)
    )


def _points(earned: Sequence[Earned]) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in earned:
        found[item.point_type] = found.get(item.point_type, 0) + item.points
    return found


def _still_paid(found: Edited, share: Callable[[FactsLine], int]) -> int:
    """What something else than money paid of the lines that are still bought, in minor units."""
    parts = zip(found.facts.all_lines, kept_parts(found.facts, found.asked), strict=True)
    return int(sum(share(line) * part for line, part in parts))


def _by_added(points: int, facts: OrderFacts, added: Sequence[FactsLine]) -> tuple[int, ...]:
    weights = [line.net_minor for line in added]
    if not sum(weights):
        weights = [1] * len(added)
    return (*(0,) * (len(facts.lines) - len(added)), *allocated(points, weights))
