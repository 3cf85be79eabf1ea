from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.cart import CartLine
from loyalty.domain.conditions import CategoryIs, Condition, MinimumPurchase, TierAtLeast
from loyalty.domain.earning import Earning, EarningLine, earned
from loyalty.domain.rulesets.ruleset import (
    DiscountBase,
    EarningBase,
    EarningRule,
    Multiplier,
    PointType,
    Rounding,
    Ruleset,
    Tier,
    TierPolicy,
)
from loyalty.errors import BadInput

AT = datetime(2026, 3, 5, 12, tzinfo=UTC)
AVAILABLE = datetime(2026, 3, 18, 23, tzinfo=UTC)
EXPIRES = datetime(2027, 3, 5, 23, tzinfo=UTC)

TIERS = TierPolicy(
    "status",
    (
        Tier("basic", "Basic", 0),
        Tier("silver", "Silver", 500, 12_500),
        Tier("gold", "Gold", 2_000, 15_000),
    ),
)
PER_EURO = EarningRule("per-euro", "points", points=1, per_minor=100)


def ruleset(*rules: EarningRule, base: EarningBase | None = None) -> Ruleset:
    return Ruleset(
        code="test",
        name="Test",
        currency="EUR",
        time_zone="Europe/Budapest",
        point_types=(
            PointType("points", "Points", pending_days=14, expires_after_months=12),
            PointType("status", "Status points", is_spendable=False),
        ),
        earning_base=base or EarningBase(),
        earning_rules=rules,
        tier_policy=TIERS,
    )


def line(
    net_minor: int, category: str | None = None, *, gross_minor: int | None = None
) -> EarningLine:
    gross = net_minor if gross_minor is None else gross_minor
    return EarningLine(CartLine("l", "p", 1, gross, category=category), net_minor)


def points(
    rules: Ruleset,
    *lines: EarningLine,
    tier: str | None = None,
    shipping_minor: int = 0,
    points_used_minor: int = 0,
    credit_used_minor: int = 0,
) -> tuple[int, tuple[int, ...]]:
    found = earned(
        rules,
        tier,
        lines,
        shipping_minor=shipping_minor,
        points_used_minor=points_used_minor,
        credit_used_minor=credit_used_minor,
        at=AT,
    )
    assert len(found) <= 1
    return (found[0].points, found[0].by_line) if found else (0, ())


def test_an_order_earns_each_point_type_by_its_own_terms() -> None:
    rules = ruleset(PER_EURO, EarningRule("status", "status", points=1, per_minor=1_000))

    found = earned(
        rules, "basic", [line(2_550), line(1_449)], shipping_minor=500, points_used_minor=0, at=AT
    )

    assert found == (
        Earning("points", 39, (24, 15), AVAILABLE, EXPIRES),
        Earning("status", 3, (1, 2), AT, None),
    )
    assert [earning.by_shipping for earning in found] == [0, 0]


@pytest.mark.parametrize(
    ("case", "rule", "tier", "lines", "expected"),
    [
        ("less than one point earns nothing", PER_EURO, None, [line(99)], (0, ())),
        ("rounded once for the order, not by line", PER_EURO, None, [line(50), line(50)],
         (1, (0, 1))),
        ("rounded half up", replace(PER_EURO, rounding=Rounding.HALF_UP), None, [line(150)],
         (2, (2,))),
        ("rounded up", replace(PER_EURO, rounding=Rounding.UP), None, [line(101)], (2, (2,))),
        ("a guest's tier multiplies by one", replace(PER_EURO, uses_tier_multiplier=True), None,
         [line(1_000)], (10, (10,))),
        ("a tier unknown to the rules, too", replace(PER_EURO, uses_tier_multiplier=True), "old",
         [line(1_000)], (10, (10,))),
        ("silver", replace(PER_EURO, uses_tier_multiplier=True), "silver", [line(1_000)],
         (12, (12,))),
        ("a rule may leave the tier out", PER_EURO, "gold", [line(1_000)], (10, (10,))),
        ("only the covered lines", replace(PER_EURO, conditions=(CategoryIs(("wine",)),)), None,
         [line(1_000, "wine"), line(2_000, "beer"), line(3_000)], (10, (10, 0, 0))),
        ("category multiplier", replace(PER_EURO, multipliers=(
            Multiplier((CategoryIs(("wine",)),), 30_000),)), None,
         [line(1_000, "wine"), line(1_000, "beer")], (40, (30, 10))),
        ("multipliers multiply", replace(PER_EURO, uses_tier_multiplier=True, multipliers=(
            Multiplier((CategoryIs(("wine", "beer")),), 20_000),
            Multiplier((CategoryIs(("wine",)),), 15_000))), "gold",
         [line(1_000, "wine"), line(1_000, "beer"), line(1_000)], (90, (45, 30, 15))),
        ("a multiplier may exclude", replace(PER_EURO, multipliers=(
            Multiplier((CategoryIs(("tobacco",)),), 0),)), None,
         [line(5_000, "tobacco"), line(1_000)], (10, (0, 10))),
        ("a multiplier with its own minimum", replace(PER_EURO, multipliers=(
            Multiplier((MinimumPurchase(5_000),), 20_000),)), None, [line(4_999)], (49, (49,))),
        ("the same, met", replace(PER_EURO, multipliers=(
            Multiplier((MinimumPurchase(5_000),), 20_000),)), None, [line(5_000)], (100, (100,))),
        ("a rule for a tier", replace(PER_EURO, conditions=(TierAtLeast("silver"),)), "basic",
         [line(1_000)], (0, ())),
        ("the same, met", replace(PER_EURO, conditions=(TierAtLeast("silver"),)), "gold",
         [line(1_000)], (10, (10,))),
        ("capped, and the cap spread", replace(PER_EURO, points_max_per_order=15), None,
         [line(1_000), line(1_000)], (15, (7, 8))),
        ("one point for 1,000 HUF", EarningRule("huf", "points", 1, 1_000), None, [line(12_990)],
         (12, (12,))),
        ("no lines", PER_EURO, None, [], (0, ())),
    ],
)  # fmt: skip
def test_points_of_one_rule(
    case: str,
    rule: EarningRule,
    tier: str | None,
    lines: list[EarningLine],
    expected: tuple[int, tuple[int, ...]],
) -> None:
    assert points(ruleset(rule), *lines, tier=tier) == expected


def test_rules_of_one_point_type_add_up_each_rounded_by_itself() -> None:
    bonus = EarningRule(
        "wine", "points", 1, 200, conditions=(CategoryIs(("wine",)),), rounding=Rounding.UP
    )

    assert points(ruleset(PER_EURO, bonus), line(950, "wine"), line(950)) == (24, (14, 10))


@pytest.mark.parametrize(
    ("case", "base", "expected"),
    [
        ("after discounts, without points used and shipping", EarningBase(), (60, (20, 40))),
        ("before discounts", EarningBase(DiscountBase.BEFORE), (110, (40, 70))),
        ("points used count", EarningBase(includes_points_used=True), (90, (30, 60))),
        ("shipping counts", EarningBase(includes_shipping=True), (70, (20, 40))),
        ("everything counts", EarningBase(DiscountBase.BEFORE, True, True), (150, (50, 90))),
        ("credit used does not count", EarningBase(includes_credit_used=False), (42, (14, 28))),
        ("nor do either", EarningBase(includes_points_used=True, includes_credit_used=False),
         (72, (24, 48))),
    ],
)  # fmt: skip
def test_the_base_is_a_declared_policy(
    case: str, base: EarningBase, expected: tuple[int, tuple[int, ...]]
) -> None:
    lines = [line(3_000, gross_minor=5_000), line(6_000, gross_minor=9_000)]

    found = points(
        ruleset(PER_EURO, base=base), *lines, shipping_minor=1_000, points_used_minor=3_000,
        credit_used_minor=1_800,
    )  # fmt: skip

    assert found == expected


def test_points_that_pay_more_than_the_lines_pay_shipping() -> None:
    base = EarningBase(includes_shipping=True)

    found = points(
        ruleset(PER_EURO, base=base), line(1_000), shipping_minor=900, points_used_minor=1_200
    )

    assert found == (7, (0,))


def test_shipping_has_no_category_but_counts_for_the_cart() -> None:
    base = EarningBase(includes_shipping=True)
    wine = replace(PER_EURO, conditions=(CategoryIs(("wine",)),))
    large = replace(PER_EURO, conditions=(MinimumPurchase(1_000),))

    assert points(ruleset(wine, base=base), line(1_000, "wine"), shipping_minor=500) == (10, (10,))
    assert points(ruleset(large, base=base), line(1_000), shipping_minor=500) == (15, (10,))


def test_more_points_than_can_be_counted_are_refused() -> None:
    rule = EarningRule("silly", "points", points=10**9, per_minor=1)

    with pytest.raises(BadInput, match="would earn"):
        points(ruleset(rule), line(10**9))


categories = st.sampled_from(["wine", "beer", "bread", None])
conditions = st.lists(
    st.lists(st.sampled_from(["wine", "beer", "bread"]), min_size=1).map(
        lambda names: CategoryIs(tuple(names))
    ),
    max_size=1,
).map(tuple)
rules = st.builds(
    EarningRule,
    code=st.just("r"),
    point_type=st.just("points"),
    points=st.integers(1, 1_000),
    per_minor=st.integers(1, 10_000),
    rounding=st.sampled_from(Rounding),
    conditions=conditions,
    multipliers=st.lists(st.builds(Multiplier, conditions, st.integers(0, 50_000)), max_size=3).map(
        tuple
    ),
    uses_tier_multiplier=st.booleans(),
    points_max_per_order=st.none() | st.integers(1, 10_000),
)
bases = st.builds(EarningBase, st.sampled_from(DiscountBase), st.booleans(), st.booleans())


@st.composite
def earning_lines(draw: st.DrawFn) -> EarningLine:
    gross = draw(st.integers(0, 100_000))
    return line(draw(st.integers(0, gross)), draw(categories), gross_minor=gross)


def covered(category: str | None, conditions: tuple[Condition, ...]) -> bool:
    return all(isinstance(item, CategoryIs) and category in item.any_of for item in conditions)


def exact_points(
    rule: EarningRule, tier: str | None, weighted: list[tuple[str | None, Fraction]]
) -> int:
    """The rule as its words say it, in fractions."""
    total = Fraction(0)
    for category, base in weighted:
        if not covered(category, rule.conditions):
            continue
        for multiplier in rule.multipliers:
            if covered(category, multiplier.conditions):
                base *= Fraction(multiplier.rate_bp, 10_000)
        total += base * rule.points / rule.per_minor
    if rule.uses_tier_multiplier and tier is not None:
        total *= Fraction(TIERS.named(tier).multiplier_bp, 10_000)
    count = {
        Rounding.DOWN: floor(total),
        Rounding.UP: ceil(total),
        Rounding.HALF_UP: floor(total + Fraction(1, 2)),
    }[rule.rounding]
    return min(count, rule.points_max_per_order or count)


@given(
    rules,
    bases,
    st.sampled_from([None, "basic", "silver", "gold"]),
    st.lists(earning_lines(), max_size=8),
    st.integers(0, 5_000),
    st.data(),
)
def test_points_equal_the_rule_in_fractions(
    rule: EarningRule,
    base: EarningBase,
    tier: str | None,
    lines: list[EarningLine],
    shipping_minor: int,
    data: st.DataObject,
) -> None:
    net = sum(item.net_minor for item in lines)
    used = data.draw(st.sampled_from([0, net // 3, net]))

    count, by_line = points(
        ruleset(rule, base=base),
        *lines,
        tier=tier,
        shipping_minor=shipping_minor,
        points_used_minor=used,
    )

    weighted: list[tuple[str | None, Fraction]] = []
    running = taken = 0
    for item in lines:
        whole = item.line.gross_minor if base.discounts is DiscountBase.BEFORE else item.net_minor
        running += item.net_minor
        share = used * running // net - taken if net else 0
        taken += share
        weighted.append((item.line.category, Fraction(whole)))
        if not base.includes_points_used:
            weighted[-1] = (item.line.category, Fraction(whole - share))
    if base.includes_shipping:
        weighted.append((None, Fraction(shipping_minor)))
    assert count == exact_points(rule, tier, weighted)
    assert sum(by_line) <= count
    assert sum(by_line) == count or base.includes_shipping
    assert all(part >= 0 for part in by_line)
