"""Orders that were reported and came back, in part or whole, before their checkout was committed.

Their refunds knew nothing of what paid and of what was promised. So what they moved is put back,
the checkout is redeemed, and they are decided anew, as if they had come after it.
"""

import orjson

from loyalty.domain.books.ledger import Cause
from loyalty.domain.refunds.refund import Refunded
from loyalty.domain.refunds.refund_asks import Asked
from loyalty.domain.refunds.refund_codec import refunded_to_json
from loyalty.domain.refunds.refund_takes import Owned
from loyalty.domain.rulesets.ruleset import Clawback
from loyalty.services.books.desk import Desk, Row
from loyalty.services.orders.order_edits import EDIT
from loyalty.services.orders.order_facts import context_of, refunded_of
from loyalty.services.orders.refunds import DONE, asks_of, book_step, is_of_other_money


def can_be_undone(order: Row) -> bool:
    """Whether the order knows what its refunds took: those of an earlier release kept nothing."""
    return order["state"] not in DONE or order.get("refunds") is not None


def undo_refunds(desk: Desk, order: Row) -> Row:
    """Put back what an order's refunds took; changes of its lines stay.

    What cannot be put back, because its lot ended or a deficit was paid since, stays taken, and
    counts when the refunds are decided anew.

    Returns:
        The order as if nothing had come back of it.
    """
    if order.get("refunds") is None:
        return order
    before = refunded_of(order)
    took = dict(before.took)
    book = desk.book_of(order["member_id"])
    if book is not None:
        owned: dict[str, list[Owned]] = {}
        for item in context_of(order).earned:
            owned.setdefault(item.point_type, []).append(Owned(item.lot_id, item.points, 0))
        at, cause = desk.moment_of(order["member_id"]), Cause(order_id=order["id"])
        may_owe = desk.ruleset_of(order).refunds.clawback is Clawback.ALLOW_DEFICIT
        for unit, known in before.took.items():
            took[unit], _ = book.retake(
                unit, owned.get(unit, ()), known, at, cause, may_owe=may_owe
            )
    bare = Refunded(Asked(edit=before.asked.edit), took=took)
    columns: Row = {
        "state": "PAID",
        "shortfall": 0,
        "mismatch": bool(order["mismatch"]) and not before.is_flagged,
        "refunds": orjson.dumps(refunded_to_json(bare)).decode(),
    }
    desk.update("shop_order", order["id"], **columns)
    desk.see(desk.loaded.orders, order["external_id"], order | columns)
    return order | columns


def refund_again(desk: Desk, order_external_id: str) -> None:
    """Book the refunds of an order anew, in the sequence in which they were booked."""
    for row in list(desk.loaded.refunds_booked.get(order_external_id, ())):
        order = desk.loaded.orders[order_external_id]
        if is_of_other_money(row, order):
            continue
        asked = refunded_of(order).asked
        # Changes stand in the order already, and only the latest of them counts.
        asked = asked if row["kind"] == EDIT else asked.adding(asks_of(row))
        book_step(desk, order, row, asked, is_new=False)
