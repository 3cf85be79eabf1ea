"""What a reservation sets aside, whoever holds it: points, credit, gift cards, uses, stock."""

from datetime import datetime

from loyalty.domain.books.book import Book
from loyalty.domain.money import Money
from loyalty.domain.quotes.quote_terms import GiftUsed, Quote
from loyalty.domain.units import credit_unit, gift_unit
from loyalty.errors import InsufficientCredit, InsufficientPoints, QuoteChanged
from loyalty.services.books.desk import Desk
from loyalty.services.books.quotas import has_all_uses, hold_uses, release_uses, spend_uses


def hold_quoted(
    desk: Desk, member_id: int | None, reservation_id: int, quote: Quote, expires_at: datetime
) -> None:
    """Hold all that a quote takes.

    Raises:
        InsufficientPoints, InsufficientCredit: the member has less by now. QuoteChanged: a gift
            card or a coupon has. OutOfStock: a reward's stock ran out.
    """
    book = desk.book_of(member_id)
    if book is not None:
        _hold_own(book, reservation_id, quote, expires_at)
    for used in quote.gift_cards:
        _hold_gift(desk, reservation_id, used, quote.cart.currency, expires_at)
    hold_uses(desk, quote.uses, member_id, reservation_id, expires_at)


def give_back(desk: Desk, reservation_id: int) -> None:
    """Give back all that a reservation holds, to everybody."""
    for holder_id in desk.holders_of(reservation_id):
        book = desk.books[holder_id]
        if reservation_id in book.accounts.holds:
            book.release(reservation_id, book.at)
            desk.touch(holder_id, "released")
    release_uses(desk, reservation_id)


def redeem_held(desk: Desk, reservation_id: int, order_id: int) -> None:
    """Turn all that a reservation holds into a redemption.

    Raises:
        QuoteChanged: a coupon was revoked, or a gift card blocked meanwhile.
    """
    for holder_id in desk.holders_of(reservation_id):
        book = desk.books[holder_id]
        if reservation_id in book.accounts.holds:
            card = desk.loaded.gift_cards.get(holder_id)
            if card is not None and card["state"] != "ACTIVE":
                raise QuoteChanged(f"the gift card …{card['last4']} was blocked since it was held")
            book.redeem(reservation_id, book.at, order_id)
            desk.touch(holder_id, "order")
    spend_uses(desk, reservation_id)


def holds_all(desk: Desk, reservation_id: int, member_id: int | None, quote: Quote) -> bool:
    """Whether all that a quote takes is still held.

    Who holds for a reservation have clocks of their own, which do not run back. A gift card that
    was used by others after the hold timed out has given it back, whatever the clock says now.
    """
    holders = [used.holder_id for used in quote.gift_cards if used.minor]
    if member_id is not None:
        holders.append(member_id)
    return has_all_uses(desk, reservation_id) and all(
        id in desk.books and reservation_id in desk.books[id].accounts.holds for id in holders
    )


def extend_held(desk: Desk, reservation_id: int, expires_at: datetime) -> None:
    """Let everybody hold for longer."""
    for holder_id in desk.holders_of(reservation_id):
        book = desk.books[holder_id]
        if reservation_id in book.accounts.holds:
            book.extend(reservation_id, expires_at)
            desk.touch(holder_id, "extended")


def _hold_own(book: Book, reservation_id: int, quote: Quote, expires_at: datetime) -> None:
    wanted = {unit: points for unit, points in quote.points_needed.items() if points}
    for unit, points in wanted.items():
        book.hold(reservation_id, unit, points, book.at, expires_at)
    if quote.credit is not None and quote.credit.minor:
        currency, minor = quote.cart.currency, quote.credit.minor
        try:
            book.hold(reservation_id, credit_unit(currency), minor, book.at, expires_at)
        except InsufficientPoints as short:
            raise InsufficientCredit(
                Money(short.requested, currency).text(),
                Money(short.available, currency).text(),
                currency,
            ) from short
    if reservation_id not in book.accounts.holds:
        # The member's card shows the reservation although it takes nothing of the member's.
        book.hold(reservation_id, "", 0, book.at, expires_at)


def _hold_gift(
    desk: Desk, reservation_id: int, used: GiftUsed, currency: str, expires_at: datetime
) -> None:
    card, book = desk.loaded.gift_cards.get(used.holder_id), desk.books.get(used.holder_id)
    if card is None or book is None or card["state"] != "ACTIVE":
        raise QuoteChanged(f"the gift card {used.label} can no longer be used")
    try:
        book.hold(reservation_id, gift_unit(currency), used.minor, book.at, expires_at)
    except InsufficientPoints as short:
        wanted, left = Money(short.requested, currency), Money(short.available, currency)
        raise QuoteChanged(
            f"{wanted.text()} {currency} of the gift card {used.label} wanted, "
            f"{left.text()} {currency} left"
        ) from short
    desk.touch(used.holder_id, "reserved")
