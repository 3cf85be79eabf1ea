"""The checkout command that turns a hold into a redemption and books the order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from loyalty.domain.book import Book
from loyalty.domain.ledger import Cause, LotTerms
from loyalty.domain.money import Money
from loyalty.domain.order import Earned, OrderContext, context_to_dict
from loyalty.domain.quote_codec import from_dict
from loyalty.domain.quote_terms import Quote
from loyalty.errors import (
    AlreadyExists,
    Conflict,
    HoldExpired,
    InsufficientPoints,
    MemberNotActive,
    TotalMismatch,
)
from loyalty.services.desk import Desk, Idempotent, Needs, Row
from loyalty.services.refunds import refund_waiting
from loyalty.services.reservations import found_reservation, hold_quoted, state_at

Outcome = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Commit:
    """Turn a hold into a redemption, and book what the order earned as pending.

    ``flags_mismatch``: a total other than the quote's is booked and flagged, not refused.
    ``is_flagged``: something else differs, and is flagged too.
    """

    tenant_id: int
    idempotent: Idempotent | None
    reservation_id: int
    order_external_id: str
    paid: Money
    occurred_at: datetime | None
    source: str = "checkout"
    flags_mismatch: bool = False
    is_flagged: bool = False
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(reservations=(self.reservation_id,), orders=(self.order_external_id,))

    def decide(self, desk: Desk) -> Outcome:
        row = found_reservation(desk, self.reservation_id)
        known = desk.loaded.orders.get(self.order_external_id)
        if known is not None:
            if known["reservation_id"] == self.reservation_id:
                return {"order": known["id"], "booked": False}
            raise AlreadyExists(
                f"order {self.order_external_id!r} is booked already, from another checkout",
                field=("input", "orderExternalId"),
            )
        state = state_at(row, desk.moment_of(row["member_id"]))
        if state not in ("HELD", "EXPIRED"):
            raise Conflict(f"the reservation is {state.lower()}, wanted held")
        quote = from_dict(orjson.loads(row["quote"]))
        wanted = Money(quote.payable_minor, quote.cart.currency)
        mismatch = self.paid != wanted
        if mismatch and not self.flags_mismatch:
            raise TotalMismatch(
                f"{wanted.text()} {wanted.currency}", f"{self.paid.text()} {self.paid.currency}"
            )
        if state == "EXPIRED":
            _hold_again(desk, row, quote)
        order_id = desk.ids.next()
        book = desk.book_of(row["member_id"])
        occurred_at = min(self.occurred_at or desk.now, desk.now)
        earned: tuple[Earned, ...] = ()
        if book is not None:
            if row["id"] in book.accounts.holds:
                book.redeem(self.reservation_id, book.at, order_id)
            earned = earn_quoted(book, quote, order_id, occurred_at)
            desk.touch(row["member_id"], "order")
        desk.update("reservation", self.reservation_id, state="COMMITTED", order_id=order_id)
        flagged = mismatch or self.is_flagged
        _book_order(desk, self, order_id, row, quote, earned, flagged, occurred_at)
        refund_waiting(desk, self.order_external_id)
        return {"order": order_id, "booked": True}


def earn_quoted(
    book: Book, quote: Quote, order_id: int, occurred_at: datetime
) -> tuple[Earned, ...]:
    """Open the lots a quote promised."""
    wanted = [
        (item.point_type, item.points, LotTerms(item.available_at, item.expires_at))
        for item in quote.earnings
    ]
    lots = book.earn(wanted, occurred_at, Cause(order_id=order_id))
    return tuple(
        Earned(item.point_type, item.points, lot_id, tuple(item.by_line))
        for item, lot_id in zip(quote.earnings, lots, strict=True)
    )


def _hold_again(desk: Desk, row: Row, quote: Quote) -> None:
    """A late commit holds again what timed out, or fails plainly; it never oversells."""
    book = desk.book_of(row["member_id"])
    if book is None:
        return
    state = desk.members[row["member_id"]]["state"]
    if state != "ACTIVE":
        raise MemberNotActive(state)
    try:
        hold_quoted(book, row["id"], quote, desk.now)
    except InsufficientPoints as short:
        raise HoldExpired(
            f"the hold timed out and {short.requested} points could not be held again: "
            f"{short.available} are available"
        ) from short
    lots = {draw.lot_id for draw in book.accounts.holds[row["id"]].draws}
    for drawn in desk.loaded.draws.get(row["id"], ()):
        if drawn["lot_id"] not in lots:
            desk.delete("draw", drawn["id"])


def _book_order(
    desk: Desk,
    commit: Commit,
    order_id: int,
    row: Row,
    quote: Quote,
    earned: tuple[Earned, ...],
    mismatch: bool,
    occurred_at: datetime,
) -> None:
    context = OrderContext(quote.ruleset_version, quote.tier, earned, quote.hash)
    order: Row = {
        "id": order_id,
        "external_id": commit.order_external_id,
        "member_id": row["member_id"],
        "state": "PAID",
        "source": commit.source,
        "currency": quote.cart.currency,
        "total_minor": quote.total_minor,
        "discount_minor": quote.discount_minor,
        "tender_points": quote.tender.points if quote.tender else 0,
        "tender_minor": quote.tender.value_minor if quote.tender else 0,
        "points_earned": points_earned(desk, earned),
        "points_redeemed": sum(quote.points_needed.values()),
        "shortfall": 0,
        "mismatch": mismatch,
        "reservation_id": commit.reservation_id,
        "ruleset_version": quote.ruleset_version,
        "tier": quote.tier,
        "context": orjson.dumps(context_to_dict(context)).decode(),
        "occurred_at": occurred_at,
        "booked_at": desk.now,
    }
    desk.insert("shop_order", **order)
    desk.see(desk.loaded.orders, commit.order_external_id, order)
    for number, line in enumerate(quote.lines):
        desk.insert(
            "order_line",
            order_id=order_id,
            line=number,
            product=line.product,
            quantity=line.quantity,
            amount_minor=line.gross_minor,
            discount_minor=line.discount_minor,
        )


def points_earned(desk: Desk, earned: tuple[Earned, ...]) -> int:
    """Points of the spendable type among what an order earned."""
    spendable = desk.ruleset.spendable.code
    return sum(item.points for item in earned if item.point_type == spendable)
