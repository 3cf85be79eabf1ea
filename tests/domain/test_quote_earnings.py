"""On what a quote's points are earned: the declared base, with tax and with what else paid."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_holdings import Holdings
from loyalty.domain.quotes.quote_terms import ALL_CREDIT, ALL_POINTS, Choice, MemberFacts
from loyalty.domain.registry import built_in
from loyalty.domain.rulesets.ruleset import EarningBase, TaxBase
from loyalty.domain.rulesets.ruleset_file import read_ruleset

AT = datetime(2026, 3, 5, 12, tzinfo=UTC)
RULES = """
code = "shop"
name = "Shop"
currency = "EUR"
time_zone = "Europe/Budapest"
[[point_types]]
code = "points"
name = "Points"
[earning]
[[earning.rules]]
code = "base"
point_type = "points"
points = 1
per_minor = 10
[tier_policy]
point_type = "points"
[[tiers]]
code = "base"
name = "Base"
threshold = 0
[tender]
point_type = "points"
points = 1
minor = 1
[credit]
"""
ANN = MemberFacts("ann", True, "ACTIVE", "base", {"points": 2_000})


def earned(base: EarningBase, choice: Choice, *, tax_included: bool) -> int:
    """Points of one line of 100.00 at 25 % tax, a point for each 0.10 that counts."""
    ruleset = replace(read_ruleset(RULES, built_in()), earning_base=base)
    line = CartLine("1", "tea", 1, 10_000, tax_bp=2_500)
    cart = Cart("c", "EUR", (line,), tax_included=tax_included)
    found = quote(ruleset, ANN, cart, choice, AT, Holdings(credit_minor=3_000))
    return sum(item.points for item in found.earnings)


@pytest.mark.parametrize(
    ("tax", "tax_included", "expected"),
    [
        (TaxBase.AS_PRICED, True, 1_000),
        (TaxBase.AS_PRICED, False, 1_000),
        (TaxBase.WITHOUT, True, 800),
        (TaxBase.WITHOUT, False, 1_000),
        (TaxBase.WITH, True, 1_000),
        (TaxBase.WITH, False, 1_250),
    ],
)
def test_tax_counts_as_declared(tax: TaxBase, tax_included: bool, expected: int) -> None:
    assert earned(EarningBase(tax=tax), Choice(), tax_included=tax_included) == expected


@pytest.mark.parametrize(
    ("tax", "tax_included", "expected"),
    [
        # Of 100.00, points pay 20.00 and credit 30.00, a half; of 125.00, two fifths.
        (TaxBase.AS_PRICED, True, 500),
        (TaxBase.WITHOUT, True, 400),
        (TaxBase.AS_PRICED, False, 600),
        (TaxBase.WITH, False, 750),
    ],
)
def test_what_else_paid_takes_its_part_of_what_counts(
    tax: TaxBase, tax_included: bool, expected: int
) -> None:
    base = EarningBase(tax=tax, includes_points_used=False, includes_credit_used=False)

    choice = Choice(ALL_POINTS, credit=ALL_CREDIT)

    assert earned(base, choice, tax_included=tax_included) == expected


def test_the_file_says_it() -> None:
    text = RULES.replace("[earning]", '[earning]\ntax = "without"\nincludes_credit_used = false')

    base = read_ruleset(text, built_in()).earning_base

    assert (base.tax, base.includes_credit_used) == (TaxBase.WITHOUT, False)
