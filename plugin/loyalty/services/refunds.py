"""What a whole-order refund books, in the context in which the order was judged."""

from dataclasses import replace

import orjson

from loyalty.domain.book import Book
from loyalty.domain.calendar import after_days
from loyalty.domain.ledger import Cause, LotTerms
from loyalty.domain.lots import Draw
from loyalty.domain.order import context_from_dict
from loyalty.domain.ruleset import Clawback, Ruleset
from loyalty.services.desk import Desk, Row


def refund_waiting(desk: Desk, order_external_id: str) -> None:
    """Book the refunds that arrived before their order, now that it is there."""
    for waiting in desk.loaded.refunds_waiting.get(order_external_id, ()):
        refund_order(desk, desk.loaded.orders[order_external_id], waiting, is_new=False)
    desk.see(desk.loaded.refunds_waiting, order_external_id, [])


def refund_order(desk: Desk, order: Row, refund: Row, *, is_new: bool) -> None:
    """Book a whole-order refund in the context in which the order was judged."""
    if order["state"] == "REFUNDED":
        desk.update("order_refund", refund["id"], state="BOOKED", order_id=order["id"])
        return
    ruleset = desk.ruleset_of(order)
    policy = ruleset.refunds
    book = desk.book_of(order["member_id"])
    returned = reversed_ = shortfall = 0
    if book is not None:
        cause = Cause(order_id=order["id"], refund_id=refund["id"])
        may_owe = policy.clawback is Clawback.ALLOW_DEFICIT
        returned = _give_back(desk, ruleset, book, order, cause)
        spendable = ruleset.spendable.code
        for item in context_from_dict(orjson.loads(order["context"])).earned:
            taken, short = book.reverse(item.lot_id, item.points, book.at, cause, may_owe=may_owe)
            if item.point_type == spendable:
                reversed_ += taken
                shortfall += short
        desk.touch(order["member_id"], "refund")
    # An order booked as paid may come to less than the points it redeemed stand for.
    money_minor = max(order["total_minor"] - order["tender_minor"], 0)
    if policy.clawback is Clawback.DEDUCT:
        money_minor -= min(_worth_minor(ruleset, shortfall), money_minor)
    values: Row = {
        "order_id": order["id"],
        "state": "BOOKED",
        "points_returned": returned,
        "points_reversed": reversed_,
        "shortfall": shortfall,
        "money_minor": money_minor,
        "booked_at": desk.now,
    }
    if is_new:
        refund.update(values)
        desk.insert("order_refund", **refund)
        desk.see(desk.loaded.refunds, refund["external_id"], refund)
    else:
        desk.update("order_refund", refund["id"], **values)
    desk.see(desk.loaded.orders, order["external_id"], order | {"state": "REFUNDED"})
    desk.update("shop_order", order["id"], state="REFUNDED", shortfall=shortfall)
    if order["reservation_id"] is not None:
        desk.update("reservation", order["reservation_id"], state="REFUNDED")


def _give_back(desk: Desk, ruleset: Ruleset, book: Book, order: Row, cause: Cause) -> int:
    """Return what the order redeemed to the lots it came from."""
    drawn = _returning(desk, book, order["reservation_id"])
    days = ruleset.refunds.expired_lot_grace_days
    terms = None
    if days:
        ends = after_days(book.at, days + 1, ruleset.time_zone)
        terms = LotTerms(book.at, ends)
    return book.give_back(drawn, book.at, cause, expired_terms=terms)


def _returning(desk: Desk, book: Book, reservation_id: int | None) -> list[Draw]:
    """What a reservation drew and nobody gave back yet; noted as returned."""
    for position, hold in enumerate(book.changes.holds_opened):
        if hold.reservation_id == reservation_id:
            # Held in this very unit, by a late commit: its draws are still to be inserted.
            returned = tuple(replace(draw, returned=draw.amount) for draw in hold.draws)
            book.changes.holds_opened[position] = replace(hold, draws=returned)
            return list(hold.draws)
    rows = desk.loaded.draws.get(reservation_id, []) if reservation_id is not None else []
    for row in rows:
        desk.update("draw", row["id"], returned=row["amount"])
    return [
        Draw(row["lot_id"], row["unit"], row["amount"] - row["returned"])
        for row in rows
        if row["amount"] > row["returned"]
    ]


def _worth_minor(ruleset: Ruleset, points: int) -> int:
    """What points would have paid at checkout, in minor units, rounded down."""
    tender = ruleset.tender
    return points * tender.minor // tender.points if tender else 0
