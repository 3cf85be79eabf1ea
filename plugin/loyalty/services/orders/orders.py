"""The order command: an order that a shop reports as paid."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import Cause, LotTerms
from loyalty.domain.earning import earned
from loyalty.domain.order import (
    Earned,
    OrderContext,
    PaidOrder,
    context_to_dict,
    tier_at,
)
from loyalty.domain.quotes.quote_terms import Quote
from loyalty.errors import BadInput, LoyaltyError
from loyalty.services.books.desk import Desk, Idempotent, Needs, Row
from loyalty.services.checkout.commit import (
    Commit,
    check_redeemable,
    payable,
    quote_of,
    redeem,
)
from loyalty.services.orders.order_facts import (
    checkout_facts,
    counted,
    earning_lines,
    ids_of,
    line_ids,
    refunded_of,
)
from loyalty.services.orders.order_lines import check_gross
from loyalty.services.orders.order_rows import points_earned, redeemed_columns
from loyalty.services.orders.refunds import refund_waiting

Outcome = dict[str, Any]

AHEAD_MAX = timedelta(minutes=5)
"""How far a shop's clock may run ahead of ours."""


@dataclass(frozen=True, slots=True)
class BookOrder:
    """Book an order that a shop reports as paid; a second report changes nothing.

    An unknown customer becomes a prospect, so that an order that overtakes its customer's
    own event loses nothing. With ``as_of_order`` the past is booked as it would have been
    then: what is due is settled up to the order's own moment, as an import wants it.
    """

    tenant_id: int
    order: PaidOrder
    source: str
    as_of_order: bool = False
    idempotent: Idempotent | None = None

    @property
    def at(self) -> datetime | None:
        return self.order.occurred_at if self.as_of_order else None

    def needs(self) -> Needs:
        order = self.order
        member = (order.member,) if order.member else ()
        reservation = (order.reservation_id,) if order.reservation_id else ()
        return Needs(
            members=member,
            enrols=member,
            reservations=reservation,
            orders=(order.external_id,),
            history_of=() if self.as_of_order else member,
        )

    def decide(self, desk: Desk) -> Outcome:
        order = self.order
        known = desk.loaded.orders.get(order.external_id)
        if known is not None:
            return self._reported_again(desk, known)
        if order.occurred_at > desk.now + AHEAD_MAX:
            raise BadInput(f"found occurredAt {order.occurred_at.isoformat()}, wanted the past")
        if order.currency != desk.ruleset.currency:
            # Points are earned per unit of the program's money; another money's numbers would
            # earn many times too much or too little.
            raise BadInput(
                f"found currency {order.currency}, wanted {desk.ruleset.currency}, the program's"
            )
        check_gross(order.lines, order.shipping_minor)
        if order.reservation_id in desk.loaded.reservations:
            outcome = self._committed(desk)
        else:
            # A reservation that is named and not there was not redeemed: the shop should know.
            outcome = self._booked(desk, mismatch=order.reservation_id is not None)
        refund_waiting(desk, order.external_id)
        return outcome

    def _reported_again(self, desk: Desk, known: Row) -> Outcome:
        """The order is there already; only a reservation that no report named yet is news."""
        again: Outcome = {"order": known["id"], "booked": False}
        reservation_id = self.order.reservation_id
        if known["mismatch"]:
            return again
        if known["reservation_id"] is not None:
            # It may have come from its checkout, and this be the first word of what was paid.
            if self._differs(known):
                desk.update("shop_order", known["id"], mismatch=True)
                desk.see(desk.loaded.orders, known["external_id"], known | {"mismatch": True})
            return again
        if reservation_id is None:
            return again
        if reservation_id in desk.loaded.reservations:
            outcome = self._redeemed(desk)
            if outcome is not None:
                return outcome
        desk.update("shop_order", known["id"], mismatch=True)
        desk.see(desk.loaded.orders, known["external_id"], known | {"mismatch": True})
        return again

    def _differs(self, known: Row) -> bool:
        """Whether an order that redeemed a quote was paid otherwise, by this report."""
        if refunded_of(known).asked.edit is not None:
            # Its lines were changed since, so this report is of what it was before.
            return False
        order = self.order
        totals = (order.currency, order.total_minor)
        if totals != (known["currency"], known["total_minor"]):
            return True
        tender = known["tender_minor"] + (known["credit_minor"] or 0) + (known["gift_minor"] or 0)
        return order.paid_minor not in (None, known["total_minor"] - tender)

    def _committed(self, desk: Desk) -> Outcome:
        """The order settles a checkout of ours: the hold becomes a redemption.

        An order that is reported as paid is never lost: one that was paid otherwise than
        quoted is booked as paid, and when the hold cannot be kept, without it; both are flagged.
        """
        outcome = self._redeemed(desk)
        return self._booked(desk, mismatch=True) if outcome is None else outcome

    def _redeemed(self, desk: Desk) -> Outcome | None:
        """Redeem the reservation the order names; None, and nothing moved, when it cannot be."""
        order = self.order
        assert order.reservation_id is not None
        held = desk.loaded.reservations[order.reservation_id]
        holder = held["member_id"]
        commit = Commit(
            tenant_id=self.tenant_id,
            idempotent=None,
            reservation_id=order.reservation_id,
            order_external_id=order.external_id,
            paid=order.paid,
            occurred_at=order.occurred_at,
            source=self.source,
            flags_mismatch=True,
            is_flagged=order.member is not None and desk.names.get(order.member) != holder,
        )
        noted = desk.noted()
        ids = dict.fromkeys((holder, *desk.holders_of(order.reservation_id)))
        books = [desk.books[id] for id in ids if id is not None]
        marks = [book.mark() for book in books]
        is_new = order.external_id not in desk.loaded.orders
        try:
            if is_new and order.paid != payable(quote_of(held)):
                check_redeemable(desk, held)
                return self._booked(desk, mismatch=True, held=held)
            return commit.decide(desk)
        except LoyaltyError:
            desk.back_to(noted)
            for book, mark in zip(books, marks, strict=True):
                book.back_to(mark)
            return None

    def _booked(self, desk: Desk, *, mismatch: bool = False, held: Row | None = None) -> Outcome:
        """Book the order as it was paid: its lines, its total and what those earn.

        With ``held`` that reservation is redeemed as it was quoted, and the order is of its
        member and tier.
        """
        order = self.order
        order_id = desk.ids.next()
        member_id = desk.names.get(order.member) if order.member else None
        quote: Quote | None = None
        if held is not None:
            member_id, quote = held["member_id"], quote_of(held)
            redeem(desk, held, quote, order_id)
        book = desk.book_of(member_id)
        tier: str | None = None
        gained: tuple[Earned, ...] = ()
        if book is not None and member_id is not None:
            tier = quote.tier if quote else None
            tier = tier or self._tier(desk, book)
            if desk.members[member_id]["state"] in ("ACTIVE", "PROSPECT"):
                gained = self._earned(desk, book, tier, order_id, quote)
            desk.touch(member_id, "order")
        lines, ids = counted(order.lines), ids_of(order.lines)
        context = OrderContext(
            desk.ruleset.version, tier, gained, line_ids=ids, paid_minor=order.paid_minor
        )
        if quote is not None:
            names = line_ids(context, len(lines))
            facts = checkout_facts(desk, quote, names, lines, order.shipping_minor)
            context = replace(context, quote_hash=quote.hash, facts=facts)
        row: Row = {
            "id": order_id,
            "external_id": order.external_id,
            "member_id": member_id,
            "state": "PAID",
            "source": self.source,
            "currency": order.currency,
            "total_minor": order.total_minor,
            "discount_minor": sum(line.discount_minor for line in order.lines),
            "tender_points": 0,
            "tender_minor": 0,
            "points_earned": points_earned(desk, gained),
            "points_redeemed": 0,
            "shortfall": 0,
            "mismatch": mismatch,
            "reservation_id": None,
            "ruleset_version": desk.ruleset.version,
            "tier": tier,
            "context": orjson.dumps(context_to_dict(context)).decode(),
            "occurred_at": order.occurred_at,
            "booked_at": desk.now,
        }
        if held is not None and quote is not None:
            row |= redeemed_columns(held, quote)
        desk.insert("shop_order", **row)
        desk.see(desk.loaded.orders, order.external_id, row)
        desk.see(desk.loaded.order_lines, order_id, lines)
        tenant_id, row_ids = self.tenant_id, desk.ids.take(len(order.lines))
        rows = [
            (
                row_ids[number], tenant_id, order_id, number, line.product, line.quantity,
                line.amount_minor, line.discount_minor,
            )
            for number, line in enumerate(order.lines)
        ]  # fmt: skip
        desk.insert_tuples("order_line", rows)
        return {"order": order_id, "booked": True}

    def _tier(self, desk: Desk, book: Book) -> str:
        """The tier at the order's moment, as far as it is known now."""
        present = book.accounts.standing.tier
        if self.order.occurred_at >= book.accounts.standing.since:
            return present
        history = desk.loaded.history.get(book.accounts.member_id, ())
        lowest = desk.ruleset.tier_policy.tiers[0].code
        return tier_at(history, self.order.occurred_at, lowest)

    def _earned(
        self, desk: Desk, book: Book, tier: str, order_id: int, quote: Quote | None
    ) -> tuple[Earned, ...]:
        """Open the lots that the order earns; with ``quote``, less what that paid otherwise."""
        order = self.order
        points_minor = quote.tender.value_minor if quote and quote.tender else 0
        credit_minor = quote.credit.minor if quote and quote.credit else 0
        credit_minor += sum(card.minor for card in quote.gift_cards) if quote else 0
        gained = earned(
            desk.ruleset,
            tier,
            earning_lines(order.lines),
            shipping_minor=order.shipping_minor,
            points_used_minor=points_minor,
            credit_used_minor=credit_minor,
            at=order.occurred_at,
        )
        wanted = [
            (item.point_type, item.points, LotTerms(item.available_at, item.expires_at))
            for item in gained
        ]
        lots = book.earn(wanted, order.occurred_at, Cause(order_id=order_id))
        return tuple(
            Earned(item.point_type, item.points, lot_id, item.by_line)
            for item, lot_id in zip(gained, lots, strict=True)
        )
