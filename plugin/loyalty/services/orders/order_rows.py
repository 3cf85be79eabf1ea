"""What an order's row says of what it redeemed and earned."""

from collections.abc import Sequence

from loyalty.domain.order import Earned
from loyalty.domain.quotes.quote_terms import Quote
from loyalty.services.books.desk import Desk, Row


def redeemed_columns(row: Row, quote: Quote) -> Row:
    """What an order's row says of the reservation that it redeemed."""
    return {
        "reservation_id": row["id"],
        "tender_points": quote.tender.points if quote.tender else 0,
        "tender_minor": quote.tender.value_minor if quote.tender else 0,
        "points_redeemed": sum(quote.points_needed.values()),
        "credit_minor": quote.credit.minor if quote.credit else 0,
        "gift_minor": sum(used.minor for used in quote.gift_cards),
        "tax_minor": quote.tax_minor,
    }


def points_earned(desk: Desk, earned: Sequence[Earned]) -> int:
    """Points of the spendable type among what an order earned."""
    spendable = desk.ruleset.spendable.code
    return sum(item.points for item in earned if item.point_type == spendable)
