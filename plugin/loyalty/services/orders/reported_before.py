"""Orders that were reported as paid before their checkout was committed."""

from dataclasses import replace

import orjson

from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import Cause, LotTerms
from loyalty.domain.money import allocated
from loyalty.domain.order import Earned, context_to_dict
from loyalty.domain.quotes.quote_terms import Quote
from loyalty.domain.refunds.order_facts_of import reported_facts
from loyalty.domain.rulesets.ruleset import Clawback
from loyalty.services.books.desk import Desk, Row
from loyalty.services.checkout.reservations import as_instant
from loyalty.services.orders.order_facts import (
    checkout_facts,
    context_of,
    facts_of,
    refunded_of,
    ruleset_at,
)
from loyalty.services.orders.order_rows import points_earned, redeemed_columns


def onto_reported(
    desk: Desk, known: Row, row: Row, quote: Quote, *, agrees: bool, flagged: bool
) -> None:
    """Put what was redeemed onto an order that was reported as paid before its checkout was.

    The lines stay as they were reported. Where what was paid ``agrees`` with the quote, what
    the order earned becomes what the quote promised, so that it does not matter which came
    first; else it stays too, and the order is flagged. So it does where the order's lines were
    changed since: the quote was of other lines. An order that was reported without a member
    becomes that of the reservation's.
    """
    is_changed = refunded_of(known).asked.edit is not None
    agrees = agrees and not is_changed
    columns = redeemed_columns(row, quote) | {"discount_minor": quote.discount_minor}
    reported = context_of(known)
    differs = known["total_minor"] != quote.total_minor
    differs = differs or reported.paid_minor not in (None, quote.payable_minor)
    columns["mismatch"] = bool(known["mismatch"]) or flagged or differs or not agrees
    columns["member_id"] = row["member_id"]
    facts = facts_of(desk, known, reported)
    ids = [line.id for line in facts.lines]
    counts = [
        (line.quantity, line.gross_minor, line.gross_minor - line.net_minor) for line in facts.lines
    ]
    shipping = facts.shipping.net_minor
    if is_changed:
        rules = ruleset_at(desk, quote.ruleset_version)
        facts = reported_facts(ids, counts, shipping, quote, rules)
    else:
        facts = checkout_facts(desk, quote, ids, counts, shipping)
    context = replace(reported, facts=facts)
    book = desk.book_of(row["member_id"])
    if agrees:
        earned: tuple[Earned, ...] = ()
        if book is not None:
            earned = earn_as_quoted(desk, book, known, reported.earned, quote)
        context = replace(
            context,
            ruleset_version=quote.ruleset_version,
            tier=quote.tier,
            earned=earned,
            quote_hash=quote.hash,
        )
        columns |= {
            "ruleset_version": quote.ruleset_version,
            "tier": quote.tier,
            "points_earned": points_earned(desk, earned),
        }
    columns["context"] = orjson.dumps(context_to_dict(context)).decode()
    desk.update("shop_order", known["id"], **columns)
    desk.see(desk.loaded.orders, known["external_id"], known | columns)


def earn_as_quoted(
    desk: Desk, book: Book, known: Row, reported: tuple[Earned, ...], quote: Quote
) -> tuple[Earned, ...]:
    """Bring what a known order earned to what its quote promised.

    A report knows neither the points that paid nor the tier of the quote, so the two may
    differ: what is too much is taken back from its own lot, what is missing is earned. Its day
    may be another one, too: what nobody has touched yet is earned anew with the quote's dates.
    """
    cause = Cause(order_id=known["id"])
    may_owe = desk.ruleset_of(known).refunds.clawback is Clawback.ALLOW_DEFICIT
    promised = {item.point_type: item for item in quote.earnings}
    left = {unit: item.points for unit, item in promised.items()}
    earned: list[Earned] = []
    for item in reported:
        points = min(item.points, left.get(item.point_type, 0))
        lot = book.accounts.lots[item.lot_id]
        if points and lot.remaining == item.points:
            whole = promised[item.point_type]
            is_same = (lot.available_at, lot.expires_at) == (whole.available_at, whole.expires_at)
            points = points if is_same else 0
        if points < item.points:
            book.reverse(item.lot_id, item.points - points, book.at, cause, may_owe=may_owe)
        if points:
            weights = (*item.by_line, item.points - sum(item.by_line))
            by_line = tuple(allocated(points, weights)[:-1])
            earned.append(Earned(item.point_type, points, item.lot_id, by_line))
            left[item.point_type] -= points
    missing = [replace(promised[unit], points=points) for unit, points in left.items() if points]
    if missing:
        more = [
            (item.point_type, item.points, LotTerms(item.available_at, item.expires_at))
            for item in missing
        ]
        occurred_at = min(as_instant(known["occurred_at"]), desk.now)
        lots = book.earn(more, occurred_at, cause)
        for added, lot_id in zip(missing, lots, strict=True):
            whole = promised[added.point_type]
            weights = (*whole.by_line, whole.by_shipping)
            by_line = tuple(allocated(added.points, weights)[:-1])
            earned.append(Earned(added.point_type, added.points, lot_id, by_line))
    return tuple(earned)
