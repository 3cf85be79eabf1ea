"""The commands that take an order back: lines of it, the rest of it, or all of it, cancelled."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.domain.books.ledger import instant, micros
from loyalty.domain.refunds.order_facts import SHIPPING
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.errors import BadInput, Conflict, LoyaltyError, NotFound
from loyalty.services.books.desk import Desk, Idempotent, Needs, Row
from loyalty.services.orders.order_edits import EDITED, OrderEdit
from loyalty.services.orders.order_facts import refunded_of
from loyalty.services.orders.order_lines import check_gross
from loyalty.services.orders.refunds import (
    CANCELLATION,
    asks_of,
    currency_of,
    lines_text,
    refund_order,
)

Outcome = dict[str, Any]
PREVIEW = "\x1fpreview"
"""Stands for a refund's name where none is booked. Not printable, so no shop can have it."""


def cancellation_name(order_external_id: str) -> str:
    """The name of an order's cancellation, of which there is one at most."""
    return "\x1fcancel:" + hashlib.sha256(order_external_id.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Refund lines of an order, or all that is left of it.

    What came back of the order earns and redeems no more. With ``may_wait`` it is a shop's
    report: a refund of an order that is not known yet is kept until it arrives, and more than
    is left counts for what is left; without, these are refusals.

    ``lines`` None: the whole order. ``kind`` CANCELLATION: the whole order, which is then
    cancelled. ``edit``: no refund, but the order's lines as they are now (kind EDIT).
    ``currency``: that of the amounts in ``lines``, None where there are none.
    """

    tenant_id: int
    order_external_id: str
    refund_external_id: str
    reason: str | None
    occurred_at: datetime | None
    may_wait: bool = False
    idempotent: Idempotent | None = None
    at: datetime | None = None
    lines: tuple[LineAsk, ...] | None = None
    kind: str = "REFUND"
    edit: OrderEdit | None = None
    currency: str | None = None

    @property
    def _text(self) -> str | None:
        if self.edit is not None:
            return self.edit.text()
        return lines_text(self.lines, self.currency)

    def needs(self) -> Needs:
        return Needs(orders=(self.order_external_id,), refunds=(self.refund_external_id,))

    def decide(self, desk: Desk) -> Outcome:
        if self.edit is not None:
            check_gross(self.edit.lines, self.edit.shipping_minor)
        known = desk.loaded.refunds.get(self.refund_external_id)
        if known is not None:
            self._check_same(known)
            return {"refund": known["id"], "order": known["order_id"], "booked": False}
        order = desk.loaded.orders.get(self.order_external_id)
        refund: Row = {
            "id": desk.ids.next(),
            "external_id": self.refund_external_id,
            "order_external_id": self.order_external_id,
            "order_id": None,
            "state": "WAITING",
            "reason": self.reason,
            "kind": self.kind,
            "lines": self._text,
            "occurred_at": self._moment(desk, order),
            "booked_at": desk.now,
        }
        if order is None:
            return self._waits(desk, refund)
        self._check_currency(order)
        if not self.may_wait:
            self._check_open(order)
            self._check_latest(order)
        refund_order(desk, order, refund, self.lines, is_new=True, is_strict=not self.may_wait)
        return {"refund": refund["id"], "order": order["id"], "booked": True}

    def _moment(self, desk: Desk, order: Row | None) -> datetime:
        """When it happened, by the shop. Of two changes that tells which is the later."""
        if self.edit is None:
            return min(self.occurred_at or desk.now, desk.now)
        if self.occurred_at is not None:
            # A clock that runs ahead of ours keeps the sequence of its own words.
            return self.occurred_at
        last = refunded_of(order).asked.edit if order is not None else None
        return desk.now if last is None else max(desk.now, instant(last.at + 1))

    def _waits(self, desk: Desk, refund: Row) -> Outcome:
        if not self.may_wait:
            raise NotFound("order", self.order_external_id, field=("input", "orderExternalId"))
        desk.insert("order_refund", **refund)
        loaded = desk.loaded
        desk.see(loaded.refunds, self.refund_external_id, refund)
        waiting = loaded.refunds_waiting.get(self.order_external_id, ())
        desk.see(loaded.refunds_waiting, self.order_external_id, [*waiting, refund])
        return {"refund": refund["id"], "order": None, "booked": False}

    def _check_same(self, known: Row) -> None:
        """Raises Conflict when the refund of this id is another one."""
        field, name = ("input", "refundExternalId"), f"refund {self.refund_external_id!r}"
        if self.edit is not None:
            field = ("input", "editExternalId")
            name = f"change {self.refund_external_id.removeprefix(EDITED)!r}"
        if known["order_external_id"] != self.order_external_id:
            raise Conflict(f"{name} belongs to another order", field=field)
        same = known["kind"] == self.kind and (
            self._is_kept_as(known) if self.edit is None else self.edit.is_kept_as(known["lines"])
        )
        if not same:
            raise Conflict(f"{name} is known with other lines", field=field)

    def _is_kept_as(self, known: Row) -> bool:
        return asks_of(known) == self.lines and currency_of(known) in (None, self.currency)

    def _check_currency(self, order: Row) -> None:
        """Raises BadInput when amounts are of other money than the order's. A program's currency
        may be another one by now.
        """
        if self.edit is not None and self.edit.currency != order["currency"]:
            raise BadInput(
                f"found {self.edit.currency}, wanted {order['currency']}, the order's",
                field=("input", "lines", "0", "amount", "currencyCode"),
            )
        if self.currency in (None, order["currency"]):
            return
        at, ask = next((n, ask) for n, ask in enumerate(self.lines or ()) if ask.amount_minor)
        raise BadInput(
            f"found {self.currency}, wanted {order['currency']}, the order's",
            field=("input", "shipping") if ask.line == SHIPPING else ("lines", str(at), "amount"),
        )

    def _check_open(self, order: Row) -> None:
        """Raises Conflict when nothing is left that could be refunded as a whole."""
        state, name = order["state"], self.order_external_id
        if state == "CANCELLED" or (state == "REFUNDED" and self.kind != CANCELLATION):
            raise Conflict(f"order {name!r} is {state.lower()} already")

    def _check_latest(self, order: Row) -> None:
        """Raises Conflict when a later change of the order is known than this one."""
        last = refunded_of(order).asked.edit
        if self.edit is None or self.occurred_at is None or last is None:
            return
        if (micros(self.occurred_at), self.refund_external_id) <= (last.at, last.name):
            name, by = self.order_external_id, last.name.removeprefix(EDITED)
            raise Conflict(
                f"order {name!r} was changed later already, by change {by!r}",
                field=("input", "occurredAt"),
            )


def edit_name(edit_external_id: str) -> str:
    """The name of a change of an order; apart from those of refunds."""
    return EDITED + edit_external_id


class Foreseen(LoyaltyError):
    """What a refund would have booked: a refusal, so that its unit lets go of all of it."""

    retryable = True

    def __init__(self, refund: Row, order: Row) -> None:
        super().__init__("a preview books nothing")
        self.refund = refund
        self.order = order


@dataclass(frozen=True, slots=True)
class PreviewRefund:
    """Decide a refund and let go of it again: the same answer, and nothing moves."""

    refund: RefundOrder
    at: datetime | None = None
    idempotent: Idempotent | None = None

    @property
    def tenant_id(self) -> int:
        return self.refund.tenant_id

    def needs(self) -> Needs:
        return self.refund.needs()

    def decide(self, desk: Desk) -> Outcome:
        self.refund.decide(desk)
        loaded = desk.loaded
        raise Foreseen(
            dict(loaded.refunds[self.refund.refund_external_id]),
            dict(loaded.orders[self.refund.order_external_id]),
        )
