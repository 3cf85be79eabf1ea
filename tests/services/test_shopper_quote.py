"""A shopper's quote tells nothing of the cost, however the browser asks."""

from datetime import UTC, datetime

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quote_terms import ALL_POINTS, Choice, MemberFacts, Outcome, Quote
from loyalty.domain.reasons import Reason
from loyalty.domain.registry import built_in
from loyalty.domain.ruleset import Ruleset
from loyalty.domain.ruleset_file import read_ruleset
from loyalty.services.catalogue import Product
from loyalty.services.shopper_quote import at_catalogue_prices, quote_for_shopper

from .conftest import PROGRAM

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULES = (
    PROGRAM
    + """
[[rewards]]
code = "half"
name = "Half price"
does = { kind = "percentage_off", rate_bp = 5000 }
[tender]
point_type = "points"
points = 1
minor = 1
[margin]
floor_bp = 1000
"""
)
MEMBER = MemberFacts("ann", True, "ACTIVE", "base", {"points": 5_000})


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    return read_ruleset(RULES, built_in(), version=1)


def product(price_minor: int | None, cost_minor: int | None) -> Product:
    return Product(
        id=1,
        external_id="tea",
        name="Tea",
        category=None,
        department=None,
        brand=None,
        image_url=None,
        price_minor=price_minor,
        currency="EUR",
        cost_minor=cost_minor,
        stock=None,
        tiers=(),
        invented=(),
        is_active=True,
    )


def seen(ruleset: Ruleset, asked_minor: int, cost_minor: int, price_minor: int | None) -> Quote:
    """What a shopper sees who asks for one tea at a price of its own."""
    known = {"tea": product(price_minor, cost_minor)}
    cart = Cart("c", "EUR", (CartLine("1", "tea", 1, asked_minor, cost_minor),))
    priced = at_catalogue_prices(cart, known)
    return quote_for_shopper(ruleset, MEMBER, priced, Choice(ALL_POINTS), AT)


def figures(quote: Quote) -> tuple[object, ...]:
    return (
        [(line.gross_minor, line.discount_minor, line.tender_minor) for line in quote.lines],
        [(c.code, c.outcome, c.reason, c.gap, c.nearest, c.discount_minor, c.cut_minor)
         for c in quote.candidates],
        quote.payable_minor,
    )  # fmt: skip


def test_a_reward_that_the_guard_would_cut_is_only_said_to_be_limited(ruleset: Ruleset) -> None:
    # At half price 10.00 would go down to 5.00; with a cost of 6.00 the floor is 6.67.
    quote = seen(ruleset, 1_000, 600, 1_000)

    half = next(item for item in quote.candidates if item.code == "half")
    assert (half.outcome, half.reason) == (Outcome.REJECTED, Reason.MARGIN_LIMIT)
    assert (half.gap, half.nearest, half.discount_minor, half.cut_minor) == (None, None, 0, 0)


@pytest.mark.parametrize("cost_minor", [560, 600, 650, 700, 740])
def test_costs_that_the_guard_cuts_at_cannot_be_told_apart(
    ruleset: Ruleset, cost_minor: int
) -> None:
    one, other = seen(ruleset, 1_000, cost_minor, 1_000), seen(ruleset, 1_000, 600, 1_000)

    assert figures(one) == figures(other)


@pytest.mark.parametrize("asked_minor", [1, 500, 666, 667, 999, 100_000])
def test_a_price_made_up_by_the_browser_is_not_taken(ruleset: Ruleset, asked_minor: int) -> None:
    assert figures(seen(ruleset, asked_minor, 600, 1_000)) == figures(
        seen(ruleset, 1_000, 600, 1_000)
    )


@pytest.mark.parametrize("cost_minor", [1, 600, 5_000])
def test_without_a_price_of_the_shops_the_cost_stays_out_of_it(
    ruleset: Ruleset, cost_minor: int
) -> None:
    assert figures(seen(ruleset, 1_000, cost_minor, None)) == figures(
        seen(ruleset, 1_000, 600, None)
    )
