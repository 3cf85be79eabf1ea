"""Checkout commands: reserve, extend, commit, release.

Each is decided at a desk, under the member's lock. The signed quote is honoured as it was
given; only what can be used up is looked at again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from loyalty.domain.book import Book
from loyalty.domain.ledger import Cause, LotTerms, instant, micros
from loyalty.domain.money import Money
from loyalty.domain.order import Earned, OrderContext, context_to_dict
from loyalty.domain.quote_codec import from_dict, to_dict
from loyalty.domain.quote_terms import Quote
from loyalty.domain.ruleset import HoldPolicy
from loyalty.errors import (
    AlreadyExists,
    BadInput,
    Conflict,
    HoldExpired,
    InsufficientPoints,
    MemberNotActive,
    NotFound,
    QuoteExpired,
    TotalMismatch,
)
from loyalty.services.desk import Desk, Idempotent, Needs, Row

Outcome = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reserve:
    """Hold what a signed quote takes, for one cart; replaces the cart's earlier hold."""

    tenant_id: int
    idempotent: Idempotent
    quote: Quote
    ttl_s: int | None
    at: datetime | None = None

    def needs(self) -> Needs:
        member = self.quote.member
        return Needs(members=(member,) if member else (), carts=(self.quote.cart.id,))

    def decide(self, desk: Desk) -> Outcome:
        quote, policy = self.quote, desk.ruleset.holds
        if quote.valid_until <= desk.now:
            raise QuoteExpired(f"the quote was valid until {quote.valid_until.isoformat()}")
        ttl_s = lifetime_s(policy, self.ttl_s, policy.ttl_s_max)
        _release_open(desk, quote.cart.id)
        member_id = _active_member(desk, quote.member)
        reservation_id = desk.ids.next()
        expires_at = desk.now + timedelta(seconds=ttl_s)
        if member_id is not None:
            _hold(desk.books[member_id], reservation_id, quote, expires_at)
            desk.touch(member_id, "reserved")
        row: Row = {
            "id": reservation_id,
            "member_id": member_id,
            "cart_id": quote.cart.id,
            "state": "HELD",
            "quote": orjson.dumps(to_dict(quote)).decode(),
            "order_id": None,
            "created_at": desk.now,
            "expires_at": expires_at,
            "extended_until_max": desk.now + timedelta(seconds=policy.extended_ttl_s_max),
        }
        desk.insert("reservation", **row)
        return reservation_outcome(row)


@dataclass(frozen=True, slots=True)
class Extend:
    """Give a slow payment more time, up to the ruleset's limit."""

    tenant_id: int
    idempotent: Idempotent
    reservation_id: int
    ttl_s: int
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(reservations=(self.reservation_id,))

    def decide(self, desk: Desk) -> Outcome:
        row = open_reservation(desk, self.reservation_id)
        policy = desk.ruleset.holds
        ttl_s = lifetime_s(policy, self.ttl_s, policy.extended_ttl_s_max)
        limit = instant(row["extended_until_max"])
        expires_at = desk.now + timedelta(seconds=ttl_s)
        if expires_at > limit:
            raise BadInput(
                f"found {self.ttl_s} seconds from now, wanted at most until {limit.isoformat()}",
                field=("input", "ttlSeconds"),
            )
        book = desk.book_of(row["member_id"])
        if book is None:
            desk.update("reservation", self.reservation_id, expires_at=expires_at)
        else:
            book.extend(self.reservation_id, expires_at)
            desk.touch(row["member_id"], "extended")
        return reservation_outcome(row | {"expires_at": expires_at})


@dataclass(frozen=True, slots=True)
class Release:
    """Give a hold back. One that timed out by itself is given back already."""

    tenant_id: int
    idempotent: Idempotent
    reservation_id: int
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(reservations=(self.reservation_id,))

    def decide(self, desk: Desk) -> Outcome:
        row = _reservation(desk, self.reservation_id)
        state = state_at(row, desk.now)
        if state == "HELD":
            _give_back(desk, row)
            row = row | {"state": "RELEASED"}
        elif state not in ("RELEASED", "EXPIRED"):
            raise Conflict(f"the reservation is {state.lower()}, wanted held")
        return reservation_outcome(row | {"state": row["state"] if state == "HELD" else state})


@dataclass(frozen=True, slots=True)
class Commit:
    """Turn a hold into a redemption, and book what the order earned as pending."""

    tenant_id: int
    idempotent: Idempotent | None
    reservation_id: int
    order_external_id: str
    paid: Money
    occurred_at: datetime | None
    source: str = "checkout"
    flags_mismatch: bool = False
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(reservations=(self.reservation_id,), orders=(self.order_external_id,))

    def decide(self, desk: Desk) -> Outcome:
        row = _reservation(desk, self.reservation_id)
        known = desk.loaded.orders.get(self.order_external_id)
        if known is not None:
            if known["reservation_id"] == self.reservation_id:
                return {"order": known["id"], "booked": False}
            raise AlreadyExists(
                f"order {self.order_external_id!r} is booked already, from another checkout",
                field=("input", "orderExternalId"),
            )
        state = state_at(row, desk.now)
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
        _book_order(desk, self, order_id, row, quote, earned, mismatch, occurred_at)
        return {"order": order_id, "booked": True}


def lifetime_s(policy: HoldPolicy, asked_s: int | None, longest_s: int) -> int:
    """How long to hold, in seconds; refuses what the ruleset does not allow."""
    if asked_s is None:
        return policy.ttl_s
    if not 1 <= asked_s <= longest_s:
        raise BadInput(
            f"found {asked_s} seconds, wanted 1 to {longest_s}", field=("input", "ttlSeconds")
        )
    return asked_s


def state_at(row: Row, at: datetime) -> str:
    """A reservation's state by the clock, whether or not anybody settled it."""
    expires_at = row["expires_at"]
    ends = instant(expires_at) if isinstance(expires_at, int) else expires_at
    if row["state"] == "HELD" and ends <= at:
        return "EXPIRED"
    return str(row["state"])


def reservation_outcome(row: Row) -> Outcome:
    """What a reservation looked like when it was answered; JSON-able."""
    expires_at = row["expires_at"]
    return {
        "reservation": row["id"],
        "state": row["state"],
        "expires_at": expires_at if isinstance(expires_at, int) else micros(expires_at),
    }


def open_reservation(desk: Desk, reservation_id: int) -> Row:
    """The row of a reservation that is still held.

    Raises:
        NotFound: none of that id. Conflict: it is no longer held.
    """
    row = _reservation(desk, reservation_id)
    state = state_at(row, desk.now)
    if state != "HELD":
        raise Conflict(f"the reservation is {state.lower()}, wanted held")
    return row


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


def _active_member(desk: Desk, name: str | None) -> int | None:
    if name is None:
        return None
    if name not in desk.names:
        raise NotFound("member", name)
    member_id = desk.names[name]
    state = desk.members[member_id]["state"]
    if state != "ACTIVE":
        raise MemberNotActive(state)
    return member_id


def _hold(book: Book, reservation_id: int, quote: Quote, expires_at: datetime) -> None:
    wanted = quote.points_needed
    # A quote takes points of one type at present; a hold has one expiry for all of them.
    if len(wanted) > 1:
        raise BadInput(f"found points of {', '.join(wanted)} in one quote, wanted one point type")
    unit, points = next(iter(wanted.items()), ("", 0))
    book.hold(reservation_id, unit, points, book.at, expires_at)


def _hold_again(desk: Desk, row: Row, quote: Quote) -> None:
    """A late commit holds again what timed out, or fails plainly; it never oversells."""
    for drawn in desk.loaded.draws.get(row["id"], ()):
        desk.delete("draw", drawn["id"])
    book = desk.book_of(row["member_id"])
    if book is None:
        return
    state = desk.members[row["member_id"]]["state"]
    if state != "ACTIVE":
        raise MemberNotActive(state)
    try:
        _hold(book, row["id"], quote, desk.now)
    except InsufficientPoints as short:
        raise HoldExpired(
            f"the hold timed out and {short.requested} points could not be held again: "
            f"{short.available} are available"
        ) from short


def _reservation(desk: Desk, reservation_id: int) -> Row:
    row = desk.loaded.reservations.get(reservation_id)
    if row is None:
        raise NotFound("reservation", str(reservation_id), field=("input", "reservationId"))
    return row


def _release_open(desk: Desk, cart_id: str) -> None:
    open_id = desk.loaded.open_carts.pop(cart_id, None)
    if open_id is None:
        return
    row = desk.loaded.reservations[open_id]
    if state_at(row, desk.now) == "HELD":
        _give_back(desk, row)
    elif row["member_id"] is None:
        desk.update("reservation", open_id, state="EXPIRED")


def _give_back(desk: Desk, row: Row) -> None:
    book = desk.book_of(row["member_id"])
    if book is not None and row["id"] in book.accounts.holds:
        book.release(row["id"], book.at)
        desk.touch(row["member_id"], "released")
    desk.update("reservation", row["id"], state="RELEASED")


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
    desk.loaded.orders[commit.order_external_id] = order
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
