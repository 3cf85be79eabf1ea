"""A shopper's quote tells nothing of the cost, however the browser asks."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import (
    ALL_POINTS,
    Choice,
    MemberFacts,
    Outcome,
    Quote,
    exactly,
)
from loyalty.domain.reasons import Reason
from loyalty.domain.registry import built_in
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.domain.rulesets.ruleset_file import read_ruleset
from loyalty.services.catalogue import Product
from loyalty.services.checkout.shopper_quote import at_catalogue_prices, quote_for_shopper

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
        type=None,
        department=None,
        brand=None,
        image_url=None,
        price_minor=price_minor,
        currency="EUR",
        cost_minor=cost_minor,
        stock=None,
        tiers=(),
        tiers_until=None,
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


FLOORS = (
    RULES.replace('does = { kind = "percentage_off", rate_bp = 5000 }',
                  'does = { kind = "money_off", off_minor = 300 }')
    + "line_floor_bp = 0\n"
)  # fmt: skip


def without(quote: Quote, code: str) -> Quote:
    """The answer but for one candidate: whether each is limited is a bit that is told."""
    return replace(quote, candidates=tuple(x for x in quote.candidates if x.code != code))


ONLY_HALF = Choice(excluded=("five-off",))


def of_two(rules: str, costs: tuple[int, int], choice: Choice, *, included: bool = True) -> Quote:
    """What a shopper sees of two lines of 10.00 with these costs."""
    lines = tuple(
        CartLine(str(place), "tea", 1, 1_000, cost, tax_bp=2_500)
        for place, cost in enumerate(costs)
    )
    cart = Cart("c", "EUR", lines, tax_included=included)
    return quote_for_shopper(read_ruleset(rules, built_in()), MEMBER, cart, choice, AT)


@pytest.mark.parametrize("included", [True, False])
def test_where_a_voucher_comes_off_does_not_tell_the_cost(included: bool) -> None:
    """A floor per line moves it to other lines without making it smaller."""
    one, other = (
        of_two(FLOORS, costs, ONLY_HALF, included=included) for costs in ((800, 100), (750, 100))
    )
    free = of_two(FLOORS, (100, 100), ONLY_HALF, included=included)

    assert figures(without(one, "five-off")) == figures(without(other, "five-off"))
    half = next(item for item in one.candidates if item.code == "half")
    limited = included or half.reason is not None
    assert (half.reason is Reason.MARGIN_LIMIT) == limited
    assert [line.discount_minor for line in free.lines] == [150, 150]


@pytest.mark.parametrize("choice", [Choice(), Choice(ALL_POINTS), Choice(exactly(5_000))])
@pytest.mark.parametrize("cost_minor", [500, 640, 700])
def test_how_many_points_could_pay_does_not_tell_the_cost(choice: Choice, cost_minor: int) -> None:
    one = of_two(RULES, (cost_minor, cost_minor), replace(choice, excluded=("half", "five-off")))
    other = of_two(RULES, (600, 600), replace(choice, excluded=("half", "five-off")))

    assert figures(without(one, "five-off")) == figures(without(other, "five-off"))
    points = next(item for item in one.candidates if item.code == "POINTS")
    assert (points.reason, points.points, points.discount_minor, points.nearest) == (
        Reason.MARGIN_LIMIT, 0, 0, None,
    )  # fmt: skip


def test_how_far_the_search_may_be_from_the_best_is_not_told(ruleset: Ruleset) -> None:
    assert seen(ruleset, 1_000, 600, 1_000).gap_minor == 0


CHANGES = (
    PROGRAM
    + """
[[rewards]]
code = "from-twenty"
name = "Half from 20.00"
does = { kind = "percentage_off", rate_bp = 5000 }
conditions = [{ kind = "minimum_purchase", minor = 2000 }]
[[rewards]]
code = "with-coupon"
name = "Half by coupon"
does = { kind = "percentage_off", rate_bp = 5000 }
needs_coupon = true
[tender]
point_type = "points"
points = 1
minor = 1
share_bp_max = 2000
[margin]
floor_bp = 1000
line_floor_bp = 1000
"""
)


@pytest.mark.parametrize(
    ("code", "kind"),
    [("from-twenty", "ADD_TO_CART"), ("with-coupon", "ADD_CODE"), ("POINTS", "USE_POINTS")],
)
def test_a_change_after_which_the_margin_has_a_say_is_not_proposed(code: str, kind: str) -> None:
    """The shopper's quote of the changed cart would leave the reward out all the same."""
    rules, choice = read_ruleset(CHANGES, built_in()), Choice(excluded=("five-off",))

    def proposed(of: Callable[..., Quote], cost_minor: int) -> str | None:
        """Of two lines of 9.95, of which one costs the shop so much."""
        lines = (CartLine("1", "tea", 1, 995, cost_minor), CartLine("2", "tea", 1, 995, 80))
        found = of(rules, MEMBER, Cart("c", "EUR", lines), choice, AT)
        nearest = next(item.nearest for item in found.candidates if item.code == code)
        return None if nearest is None else nearest.kind

    assert proposed(quote, 880) == kind
    assert proposed(quote_for_shopper, 880) is None
    assert proposed(quote_for_shopper, 80) == kind
