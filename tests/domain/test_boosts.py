"""Boosts and caps: what a ruleset declares of the order of recommendations."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.conditions import BrandIs, CategoryIs, Condition, Facts, TierAtLeast
from loyalty.domain.recommendations.boosts import (
    Boost,
    BoostedWindow,
    RecommendationPolicy,
    boosted_order,
)
from loyalty.domain.registry import built_in
from loyalty.domain.rulesets.ruleset_file import read_ruleset
from loyalty.domain.rulesets.ruleset_text import describe
from loyalty.errors import BadRuleset

AT = datetime(2026, 3, 5, 12, tzinfo=UTC)
MINIMAL = (Path(__file__).parents[2] / "examples" / "minimal.toml").read_text()
DECLARED = """
[recommendations]
max_per_category = 3
max_per_department = 9
max_per_brand = 4
capped_windows = ["FOR_YOU", "TRENDING"]

[[recommendations.boosts]]
code = "own-brand"
factor_bp = 15000
windows = ["FOR_YOU", "RANK_PRODUCTS"]
conditions = [{ kind = "brand", any_of = ["OURS"] }]

[[recommendations.boosts]]
code = "good-margin"
factor_bp = 12500
margin_bp_min = 3000
margin_bp_max = 6000

[[recommendations.boosts]]
code = "nearly-gone"
factor_bp = 5000
stock_min = 1
stock_max = 3
"""


def test_everything_that_may_be_declared() -> None:
    rules = read_ruleset(MINIMAL + DECLARED, built_in())

    assert rules.recommendations == RecommendationPolicy(
        3,
        9,
        4,
        (BoostedWindow.FOR_YOU, BoostedWindow.TRENDING),
        (
            Boost(
                "own-brand",
                15_000,
                (BoostedWindow.FOR_YOU, BoostedWindow.RANK_PRODUCTS),
                (BrandIs(("OURS",)),),
            ),
            Boost("good-margin", 12_500, margin_bp_min=3_000, margin_bp_max=6_000),
            Boost("nearly-gone", 5_000, stock_min=1, stock_max=3),
        ),
    )
    told = describe(rules)
    at = told.index("Recommendations in FOR_YOU, TRENDING: at most 3 of a category, "
                    "9 of a department, 4 of a brand")  # fmt: skip
    assert told[at + 1 : at + 9] == [
        "Boost own-brand: x1.5 further up in FOR_YOU, RANK_PRODUCTS",
        "  if brand (any of OURS)",
        "Boost good-margin: x1.25 further up in all windows",
        "  if the margin is at least 30 %",
        "  if the margin is below 60 %",
        "Boost nearly-gone: x0.5 further up in all windows",
        "  if at least 1 are in stock",
        "  if at most 3 are in stock",
    ]


@pytest.mark.parametrize(
    ("found", "wrong", "problem"),
    [
        ("max_per_category = 3", "max_per_category = 0",
         "max_per_category: found 0, wanted a whole number from 1 to 50"),
        ("max_per_category", "max_per_categroy",
         "max_per_categroy: unknown key, did you mean max_per_category?"),
        ('["FOR_YOU", "TRENDING"]', '["HOME"]',
         'capped_windows[0]: found "HOME", wanted one of FOR_YOU, BUY_AGAIN, '
         "NEXT_VISIT, CART, SIMILAR, BOUGHT_TOGETHER, TRENDING, NEW_ARRIVALS, RANK_PRODUCTS"),
        ("factor_bp = 15000", "factor_bp = 999",
         "boosts[0].factor_bp: found 999, wanted a whole number from 1000 to 100000"),
        ("factor_bp = 15000", "factor_bp = 1.5",
         "boosts[0].factor_bp: found 1.5, wanted a whole number from 1000 to 100000; "
         "no decimals: money is in minor units, rates are in basis points"),
        ("factor_bp = 15000", "factor_bp = 10000",
         "boosts[0].factor_bp: found 10000, wanted another: that is once, and moves "
         "nothing"),
        ('code = "good-margin"', 'code = "own-brand"',
         'boosts[1].code: found "own-brand", wanted another code than '
         "recommendations.boosts[0] has"),
        ('conditions = [{ kind = "brand", any_of = ["OURS"] }]', "",
         "boosts[0].conditions: found none, and no limit of margin or stock, wanted "
         "one of them: a boost of everything moves nothing"),
        ("margin_bp_min = 3000", "margin_bp_min = 3100",
         "boosts[1].margin_bp_min: found 3100, wanted a multiple of 1000: narrower "
         "bands would tell shoppers the cost"),
        ("margin_bp_min = 3000", "margin_bp_min = 6000",
         "boosts[1].margin_bp_min: found 6000, wanted less than margin_bp_max, 6000"),
        ("stock_min = 1", "stock_min = 4",
         "boosts[2].stock_min: found 4, wanted at most stock_max, 3"),
        ('kind = "brand"', 'kind = "tier_at_least", tier = "nobody"',
         'boosts[0].conditions[0].tier: found "nobody", wanted one of '),
    ],
)  # fmt: skip
def test_what_cannot_be_declared_is_refused(found: str, wrong: str, problem: str) -> None:
    assert found in DECLARED
    text = MINIMAL + DECLARED.replace(found, wrong, 1)
    if "tier_at_least" in wrong:
        text = text.replace(', any_of = ["OURS"]', "")

    with pytest.raises(BadRuleset) as refused:
        read_ruleset(text, built_in())

    (told,) = refused.value.problems
    assert told.startswith(f"recommendations.{problem}")


TEA = CartLine("1", "tea", 1, 1_000, 600, "TEA", "DRINKS", "OURS")


def applies(boost: Boost, line: CartLine, stock: int | None = None, tier: str = "base") -> bool:
    cart = Cart("c", "EUR", (line,))
    return boost.applies(line, stock, Facts(cart, tier, ("base", "gold"), AT, AT))


@pytest.mark.parametrize(
    ("price", "cost", "least", "limit", "expected"),
    [
        (1_000, 700, 3_000, None, True),
        (1_000, 701, 3_000, None, False),
        (1_000, 400, None, 6_000, False),
        (1_000, 401, None, 6_000, True),
        (1_000, 1_500, None, 0, True),
        (1_000, 1_000, 0, None, True),
        (1_000, 1_001, 0, None, False),
        (1_000, None, 0, None, False),
        (0, 0, 0, None, False),
        (2**53 - 1, 2**53 - 2, 1_000, None, False),
    ],
)
def test_margin_is_compared_exactly(
    price: int, cost: int | None, least: int | None, limit: int | None, expected: bool
) -> None:
    boost = Boost("m", 20_000, margin_bp_min=least, margin_bp_max=limit)

    assert applies(boost, TEA._replace(unit_minor=price, cost_minor=cost)) is expected


@pytest.mark.parametrize(
    ("conditions", "stock_min", "stock", "expected"),
    [
        ((CategoryIs(("TEA",)),), None, None, True),
        ((CategoryIs(("TEA",)), BrandIs(("THEIRS",))), None, None, False),
        ((TierAtLeast("gold"),), None, None, False),
        ((), 5, 5, True),
        ((), 5, 4, False),
        ((), 5, None, False),
        ((CategoryIs(("MILK",)),), 5, 9, False),
    ],
)
def test_all_that_a_boost_says_must_apply(
    conditions: tuple[Condition, ...], stock_min: int | None, stock: int | None, expected: bool
) -> None:
    boost = Boost("b", 20_000, conditions=conditions, stock_min=stock_min)

    assert applies(boost, TEA, stock) is expected


TWICE, HALF = Boost("twice", 20_000), Boost("half", 5_000)


@pytest.mark.parametrize(
    ("boosts", "expected"),
    [
        ([(), (), ()], [0, 1, 2]),
        # Of equals the one that was further up.
        ([(), (TWICE,), ()], [0, 1, 2]),
        ([(), (), (TWICE,)], [0, 2, 1]),
        ([(HALF,), (), ()], [0, 1, 2]),
        ([(HALF,), (HALF,), (), ()], [0, 2, 1, 3]),
        ([(), (), (TWICE, TWICE)], [2, 0, 1]),
        ([(), (), (TWICE, HALF)], [0, 1, 2]),
    ],
)
def test_a_place_is_divided_by_the_factors(
    boosts: list[tuple[Boost, ...]], expected: list[int]
) -> None:
    assert boosted_order(boosts) == expected


@given(st.lists(st.lists(st.integers(1_000, 100_000), max_size=3), max_size=40))
def test_a_boost_never_parts_products_of_equal_boosts(factors: list[list[int]]) -> None:
    boosts = [tuple(Boost(str(each), each) for each in some) for some in factors]

    order = boosted_order(boosts)

    assert sorted(order) == list(range(len(factors)))
    for kind in {tuple(sorted(some)) for some in factors}:
        of_kind = [at for at in order if tuple(sorted(factors[at])) == kind]
        assert of_kind == sorted(of_kind)


def test_caps_count_each_kind_that_a_product_has() -> None:
    policy = RecommendationPolicy(max_per_category=2, max_per_brand=1)
    caps = policy.caps_of("FOR_YOU")
    assert caps is not None

    admitted = [
        caps.admits(*kinds)
        for kinds in [
            ("TEA", "DRINKS", "OURS"),
            ("TEA", "DRINKS", "OURS"),
            ("TEA", "DRINKS", "THEIRS"),
            ("TEA", "DRINKS", None),
            (None, "DRINKS", None),
            (None, None, "OURS"),
        ]
    ]

    assert admitted == [True, False, True, False, True, False]


def test_caps_hold_where_they_are_declared_to() -> None:
    policy = RecommendationPolicy(max_per_category=2)
    some = replace(policy, capped_windows=(BoostedWindow.TRENDING,))

    held = {
        window: (policy.caps_of(window) is not None, some.caps_of(window) is not None)
        for window in BoostedWindow
    }

    assert held.pop(BoostedWindow.RANK_PRODUCTS) == (False, False)
    assert held.pop(BoostedWindow.TRENDING) == (True, True)
    assert set(held.values()) == {(True, False)}
    assert RecommendationPolicy().caps_of("TRENDING") is None
