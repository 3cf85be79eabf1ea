"""What a refund books, in the context in which its order was judged."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from loyalty.domain.books.accounts import Hold
from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import Cause, LotTerms, micros
from loyalty.domain.calendar import after_days
from loyalty.domain.order import Earned
from loyalty.domain.refunds.order_facts import OrderFacts
from loyalty.domain.refunds.refund import HeldDraw, RefundTerms, Step, refund
from loyalty.domain.refunds.refund_asks import (
    Asked,
    LineAsk,
    asks_from_json,
    asks_to_json,
    check,
    has_come_back,
    is_too_much,
    portion_of,
)
from loyalty.domain.refunds.refund_codec import booked_to_json, refunded_to_json
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.domain.units import credit_unit, gift_unit, is_money
from loyalty.services.books.desk import Desk, Row
from loyalty.services.books.quotas import restore_uses
from loyalty.services.orders.order_edits import EDIT, edit_order
from loyalty.services.orders.order_facts import context_of, facts_of, refunded_of

CANCELLATION = "CANCELLATION"
"""The kind of a refund of everything that leaves its order cancelled."""
DONE = ("REFUNDED", "CANCELLED")
"""States of an order of which nothing is left to refund."""

Asks = Sequence[LineAsk] | None
"""The lines of one step; None for all that is left."""


def refund_waiting(desk: Desk, order_external_id: str) -> None:
    """Book the refunds that arrived before their order, now that it is there.

    In the sequence in which they happened, whatever the one in which they arrived. Those in
    other money than the order's move nothing, and the order is flagged.
    """
    waiting = desk.loaded.refunds_waiting.get(order_external_id, ())
    order = desk.loaded.orders[order_external_id]
    others = [row for row in waiting if is_of_other_money(row, order)]
    if others:
        # Before the rest, so that the flag is not taken for one that a refund may take back.
        desk.update("shop_order", order["id"], mismatch=True)
        order = order | {"mismatch": True}
        desk.see(desk.loaded.orders, order_external_id, order)
    for row in others:
        book_step(desk, order, row, None, is_new=False)
    rest = [row for row in waiting if row not in others]
    for row in sorted(rest, key=lambda row: (_micros(row["occurred_at"]), row["external_id"])):
        order = desk.loaded.orders[order_external_id]
        refund_order(desk, order, row, asks_of(row), is_new=False, is_strict=False)
    desk.see(desk.loaded.refunds_waiting, order_external_id, [])


def refund_order(
    desk: Desk, order: Row, row: Row, asks: Asks, *, is_new: bool, is_strict: bool
) -> None:
    """Book one step.

    Args:
        row: of the refund, with its kind.
        is_new: whether it is still to be inserted.
        is_strict: refuse more than is left; else as much as there is comes back, and what a
            shop reports beyond that is flagged.

    Raises:
        BadInput, RefundTooLarge: of a strict step; nothing moved.
    """
    before = refunded_of(order)
    # What an earlier release refunded, it refunded as a whole, and kept no account of.
    is_known = order["state"] not in DONE or order.get("refunds") is not None
    asked: Asked | None = before.asked.adding(asks)
    if row["kind"] == EDIT:
        order, asked = edit_order(desk, order, row) if is_known else (order, None)
    if is_strict and asks is not None:
        facts = facts_of(desk, order, context_of(order))
        check(facts, before.asked, asks, order["currency"])
    book_step(desk, order, row, asked if is_known else None, is_new=is_new)


def book_step(desk: Desk, order: Row, row: Row, asked: Asked | None, *, is_new: bool) -> None:
    """Move the value of what is asked by now beyond what was booked, and note it.

    Args:
        row: of the refund that books it.
        asked: None for one that moves nothing.
    """
    ruleset, context = desk.ruleset_of(order), context_of(order)
    facts = facts_of(desk, order, context)
    step = None
    if asked is not None:
        step = _moved(desk, order, row, facts, context.earned, asked)
    _note_refund(desk, order, row, ruleset, step, is_new=is_new)
    _note_order(desk, order, row, facts, ruleset, step)


def asks_of(row: Row) -> Asks:
    """What a stored refund asks for."""
    text = row.get("lines") if row["kind"] != EDIT else None
    return asks_from_json(orjson.loads(text)) if text else None


def lines_text(asks: Asks, currency: str | None) -> str | None:
    """How a refund's row keeps what it asks for; ``currency``: that of its amounts."""
    return None if asks is None else orjson.dumps(asks_to_json(asks, currency)).decode()


def currency_of(row: Row) -> str | None:
    """The currency of the amounts that a stored refund or change names; None: of none.

    An earlier release kept none: amounts were the order's.
    """
    kept = orjson.loads(row["lines"]) if row.get("lines") else None
    return kept.get("currency") if isinstance(kept, dict) else None


def is_of_other_money(row: Row, order: Row) -> bool:
    """Whether a stored refund names amounts in another currency than its order's.

    It came before its order, so nobody could say so, and it counts for nothing.
    """
    return currency_of(row) not in (None, order["currency"])


def _moved(
    desk: Desk,
    order: Row,
    row: Row,
    facts: OrderFacts,
    earned: Sequence[Earned],
    asked: Asked,
) -> Step:
    """Move the value of one step, and note what the draws gave back."""
    before, ruleset = refunded_of(order), desk.ruleset_of(order)
    book = desk.book_of(order["member_id"])
    at = desk.moment_of(order["member_id"])
    days = ruleset.refunds.expired_lot_grace_days
    grace = LotTerms(at, after_days(at, days + 1, ruleset.time_zone)) if days else None
    currency = order["currency"]
    using = RefundTerms(
        ruleset.refunds, ruleset.tender, book, desk.books, credit_unit(currency),
        gift_unit(currency), at, grace,
    )  # fmt: skip
    step = refund(
        facts,
        earned if book is not None else (),
        held_draws(desk, order["reservation_id"]),
        replace(before, asked=asked),
        portion_of(facts, asked),
        using,
        Cause(order_id=order["id"], refund_id=row["id"]),
        may_lessen=row["kind"] == EDIT,
    )
    _note_draws(desk, order["reservation_id"], step.draws)
    if book is not None:
        desk.touch(order["member_id"], "refund")
    return step


def held_draws(desk: Desk, reservation_id: int | None) -> list[HeldDraw]:
    """What a reservation's order was paid with, in the sequence drawn, holder by holder.

    The rows do not tell the sequence: a late commit that draws on a lot again keeps its row.
    """
    if reservation_id is None:
        return []
    # Held in this very unit, by a late commit: what it drew before counts no more.
    again = {id: hold for id, book in desk.books.items() if (hold := _fresh(book, reservation_id))}
    found = [
        HeldDraw(id, draw.lot_id, draw.unit, draw.amount, draw.returned)
        for id, hold in again.items()
        for draw in hold.draws
    ]
    found += [
        HeldDraw(row["holder_id"], row["lot_id"], row["unit"], row["amount"], row["returned"])
        for row in desk.loaded.draws.get(reservation_id, ())
        if row["holder_id"] not in again
    ]

    def drawn(draw: HeldDraw) -> tuple[object, ...]:
        lot = desk.books[draw.holder_id].accounts.lots[draw.lot_id]
        return draw.holder_id, *lot.drawn_by

    return sorted(found, key=drawn)


def _fresh(book: Book, reservation_id: int) -> Hold | None:
    opened = (hold for hold in book.changes.holds_opened if hold.reservation_id == reservation_id)
    return next(opened, None)


def _note_draws(desk: Desk, reservation_id: int | None, moved: Sequence[HeldDraw]) -> None:
    returned = {draw.lot_id: draw.returned for draw in moved}
    if reservation_id is None or not returned:
        return
    for book in desk.books.values():
        for position, hold in enumerate(book.changes.holds_opened):
            if hold.reservation_id == reservation_id:
                draws = [
                    replace(draw, returned=returned.pop(draw.lot_id, draw.returned))
                    for draw in hold.draws
                ]
                book.changes.holds_opened[position] = replace(hold, draws=tuple(draws))
    rows = []
    for row in desk.loaded.draws.get(reservation_id, ()):
        if row["lot_id"] in returned:
            row = row | {"returned": returned[row["lot_id"]]}
            desk.update("draw", row["id"], returned=row["returned"])
        rows.append(row)
    desk.see(desk.loaded.draws, reservation_id, rows)


def _note_refund(
    desk: Desk, order: Row, row: Row, ruleset: Ruleset, step: Step | None, *, is_new: bool
) -> None:
    values: Row = {"order_id": order["id"], "state": "BOOKED", "booked_at": desk.now}
    if step is not None:
        booked, spendable = step.booked, ruleset.spendable.code
        values |= {
            # A change by which more is bought again is less than nothing; ``booked`` says so.
            "points_returned": max(
                sum(points for unit, points in booked.returned.items() if not is_money(unit)), 0
            ),
            "points_reversed": max(booked.reversed.get(spendable, 0), 0),
            "shortfall": step.after.shortfall(spendable),
            "money_minor": max(booked.money_minor, 0),
            "credit_minor": max(booked.credit_minor, 0),
            "gift_minor": max(booked.gift_minor, 0),
            "booked": orjson.dumps(booked_to_json(booked)).decode(),
        }
    row = row | values
    if is_new:
        desk.insert("order_refund", **row)
    else:
        desk.update("order_refund", row["id"], **values)
    desk.see(desk.loaded.refunds, row["external_id"], row)
    others = desk.loaded.refunds_booked.get(order["external_id"], ())
    kept = [other for other in others if other["id"] != row["id"]]
    desk.see(desk.loaded.refunds_booked, order["external_id"], [*kept, row])


def _note_order(
    desk: Desk, order: Row, row: Row, facts: OrderFacts, ruleset: Ruleset, step: Step | None
) -> None:
    state = order["state"]
    columns: Row = {}
    if step is not None:
        if state != "CANCELLED":
            state = _state_after(facts, step)
        # A line that is not known yet may come with a change of the order.
        is_other = bool(order["mismatch"]) and not refunded_of(order).is_flagged
        too_much = is_too_much(facts, step.after.asked)
        after = replace(step.after, is_flagged=too_much and not is_other)
        columns = {
            "shortfall": step.after.shortfall(ruleset.spendable.code),
            "refunds": orjson.dumps(refunded_to_json(after)).decode(),
            "mismatch": is_other or too_much,
        }
        if order["reservation_id"] is not None:
            uses = [(use.kind, use.subject) for use in step.restored]
            restore_uses(desk, order["reservation_id"], uses)
    if row["kind"] == CANCELLATION:
        state = "CANCELLED"
    columns["state"] = state
    desk.update("shop_order", order["id"], **columns)
    desk.see(desk.loaded.orders, order["external_id"], order | columns)
    if order["reservation_id"] is not None and state != order["state"]:
        held = {"CANCELLED": "REFUNDED", "PAID": "COMMITTED"}.get(state, state)
        desk.update("reservation", order["reservation_id"], state=held)


def _state_after(facts: OrderFacts, step: Step) -> str:
    if step.is_all:
        return "REFUNDED"
    came_back = has_come_back(facts, step.after.asked) or any(step.after.booked.returned.values())
    return "PARTIALLY_REFUNDED" if came_back else "PAID"


def _micros(at: Any) -> int:
    return at if isinstance(at, int) else micros(at)
