"""What becomes of value whose member has left for good."""

from loyalty.domain.book import Book
from loyalty.domain.ledger import Cause


def forfeit(book: Book) -> dict[str, int]:
    """End what is left: points expire, whether active yet or not, and debts are written off.

    Returns:
        What was forfeited, by point type or currency.
    """
    forfeited: dict[str, int] = {}
    for lot in sorted(book.accounts.lots.values(), key=lambda lot: lot.id):
        if lot.remaining:
            forfeited[lot.unit] = forfeited.get(lot.unit, 0) + lot.remaining
            book.expire([lot], book.at)
    book.accounts.outlook = None
    book.write_off(book.at, Cause())
    return forfeited
