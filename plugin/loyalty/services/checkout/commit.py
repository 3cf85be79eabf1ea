"""The checkout command that turns a hold into a redemption and books the order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import Cause, LotTerms
from loyalty.domain.books.lots import Draw
from loyalty.domain.money import Money
from loyalty.domain.order import Earned, OrderContext, context_to_dict
from loyalty.domain.quotes.quote_codec import promised_from_dict
from loyalty.domain.quotes.quote_terms import Quote
from loyalty.domain.refunds.order_facts_of import quoted_facts
from loyalty.errors import (
    AlreadyExists,
    BadInput,
    Conflict,
    HoldExpired,
    InsufficientCredit,
    InsufficientPoints,
    MemberNotActive,
    OutOfStock,
    QuoteChanged,
    TotalMismatch,
)
from loyalty.services.books.desk import Desk, Idempotent, Needs, Row
from loyalty.services.checkout.holding import give_back, hold_quoted, holds_all, redeem_held
from loyalty.services.checkout.reservations import found_reservation, state_at
from loyalty.services.orders.order_facts import (
    ruleset_at,
)
from loyalty.services.orders.order_rows import points_earned, redeemed_columns
from loyalty.services.orders.refunded_before import can_be_undone, refund_again, undo_refunds
from loyalty.services.orders.refunds import refund_waiting
from loyalty.services.orders.reported_before import onto_reported

Outcome = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Commit:
    """Turn a hold into a redemption, and book what the order earned as pending.

    The shop's report of the order may have come first: then the hold is redeemed onto it, and
    what came back of it since is decided anew.

    ``flags_mismatch``: an order reported before is flagged, not refused, when what was paid
    differs from the quote.
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
                if not known["mismatch"]:
                    # Booked as quoted, so whoever says otherwise has taken too much or too little.
                    self._is_other(payable(quote_of(row)))
                return {"order": known["id"], "booked": False}
            _check_open(known, row)
        check_redeemable(desk, row)
        quote = quote_of(row)
        mismatch = self._is_other(payable(quote))
        order_id = desk.ids.next() if known is None else known["id"]
        if known is not None:
            known = undo_refunds(desk, known)
        redeem(desk, row, quote, order_id)
        if known is not None:
            onto_reported(desk, known, row, quote, agrees=not mismatch, flagged=self.is_flagged)
            refund_again(desk, self.order_external_id)
            return {"order": order_id, "booked": True}
        book = desk.book_of(row["member_id"])
        occurred_at = min(self.occurred_at or desk.now, desk.now)
        earned: tuple[Earned, ...] = ()
        if book is not None:
            earned = earn_quoted(book, quote, order_id, occurred_at)
        flagged = mismatch or self.is_flagged
        _book_order(desk, self, order_id, row, quote, earned, flagged, occurred_at)
        refund_waiting(desk, self.order_external_id)
        return {"order": order_id, "booked": True}

    def _is_other(self, wanted: Money) -> bool:
        """Whether another sum was paid than was quoted; raises unless that is flagged."""
        if self.paid == wanted:
            return False
        if self.flags_mismatch:
            return True
        # A program's currency may be another one by now; what was quoted is still paid in its own.
        if self.paid.currency != wanted.currency:
            raise BadInput(
                f"found {self.paid.currency}, wanted {wanted.currency}, the quote's currency",
                field=("input", "paid", "currencyCode"),
            )
        raise TotalMismatch(
            f"{wanted.text()} {wanted.currency}", f"{self.paid.text()} {self.paid.currency}"
        )


def quote_of(row: Row) -> Quote:
    """What the quote that a reservation holds promises."""
    return promised_from_dict(row["quoted"] if "quoted" in row else orjson.loads(row["quote"]))


def payable(quote: Quote) -> Money:
    """What a quote asks to be paid with money."""
    return Money(quote.payable_minor, quote.cart.currency)


def check_redeemable(desk: Desk, row: Row) -> None:
    """Raises Conflict when a reservation was spent or given back."""
    state = state_at(row, desk.moment_of(row["member_id"]))
    if state not in ("HELD", "EXPIRED"):
        raise Conflict(f"the reservation is {state.lower()}, wanted held")


def redeem(desk: Desk, row: Row, quote: Quote, order_id: int) -> None:
    """Turn a reservation's hold into a redemption; one that timed out is held again first.

    So is one that timed out for somebody who holds for it, or for a counter, by a clock that was
    ahead of ours.

    Raises:
        HoldExpired: it timed out and what it held is gone. MemberNotActive: it timed out and
            its member may move no value.
    """
    is_over = state_at(row, desk.moment_of(row["member_id"])) == "EXPIRED"
    if is_over or not holds_all(desk, row["id"], row["member_id"], quote):
        _hold_again(desk, row, quote)
    redeem_held(desk, row["id"], order_id)
    if row["member_id"] is not None:
        desk.touch(row["member_id"], "order")
    desk.update("reservation", row["id"], state="COMMITTED", order_id=order_id)


def _check_open(known: Row, row: Row) -> None:
    """Raises AlreadyExists unless a known order may still redeem the reservation."""
    name = known["external_id"]
    if known["reservation_id"] is not None:
        found = "is booked already, from another checkout"
    elif known["member_id"] not in (None, row["member_id"]):
        found = "is booked already, for another member"
    elif not can_be_undone(known):
        found = f"is {known['state'].lower()} already, by an earlier release that kept no account"
    else:
        return
    raise AlreadyExists(f"order {name!r} {found}", field=("input", "orderExternalId"))


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
    member_id = row["member_id"]
    if member_id is not None:
        state = desk.members[member_id]["state"]
        if state != "ACTIVE":
            raise MemberNotActive(state)
    # What the clock has not ended yet for a gift card is given back, to be held as one again.
    give_back(desk, row["id"])
    try:
        hold_quoted(desk, member_id, row["id"], quote, desk.now)
    except InsufficientPoints as short:
        raise HoldExpired(
            f"the hold timed out and {short.requested} points could not be held again: "
            f"{short.available} are available"
        ) from short
    except (InsufficientCredit, QuoteChanged, OutOfStock) as gone:
        raise HoldExpired(
            f"the hold timed out and could not be held again: {gone.message}"
        ) from gone
    lots = {
        draw.lot_id
        for holder_id in desk.holders_of(row["id"])
        for draw in _drawn_by(desk, holder_id, row["id"])
    }
    for drawn in desk.loaded.draws.get(row["id"], ()):
        if drawn["lot_id"] not in lots:
            desk.delete("draw", drawn["id"])


def _drawn_by(desk: Desk, holder_id: int, reservation_id: int) -> tuple[Draw, ...]:
    hold = desk.books[holder_id].accounts.holds.get(reservation_id)
    return () if hold is None else hold.draws


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
    facts = quoted_facts(quote, ruleset_at(desk, quote.ruleset_version))
    context = OrderContext(quote.ruleset_version, quote.tier, earned, quote.hash, facts)
    order: Row = {
        "id": order_id,
        "external_id": commit.order_external_id,
        "member_id": row["member_id"],
        "state": "PAID",
        "source": commit.source,
        "currency": quote.cart.currency,
        "total_minor": quote.total_minor,
        "discount_minor": quote.discount_minor,
        "points_earned": points_earned(desk, earned),
        "shortfall": 0,
        "mismatch": mismatch,
        "ruleset_version": quote.ruleset_version,
        "tier": quote.tier,
        "context": orjson.dumps(context_to_dict(context)).decode(),
        "occurred_at": occurred_at,
        "booked_at": desk.now,
    } | redeemed_columns(row, quote)
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
