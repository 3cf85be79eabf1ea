"""The pool of personal offers in a ruleset file: what it says, and what is refused."""

from pathlib import Path

import pytest

from loyalty.domain.conditions import CategoryIs, MinimumPurchase, ProductIs
from loyalty.domain.offers.offers import OfferAim, OfferConsent, OfferPolicy, OfferTarget, PoolOffer
from loyalty.domain.registry import built_in
from loyalty.domain.rewards import PercentageOff
from loyalty.domain.rulesets.ruleset import Reward
from loyalty.domain.rulesets.ruleset_file import read_ruleset
from loyalty.domain.rulesets.ruleset_text import describe
from loyalty.errors import BadRuleset

MINIMAL = (Path(__file__).parents[2] / "examples" / "minimal.toml").read_text()
REWARDS = """
[[rewards]]
code = "fifth"
name = "20 % off"
needs_offer = true
does = { kind = "percentage_off", rate_bp = 2000 }
"""
OFFERS = """
[offer_policy]
open_max = 2
target_days_between = 7
holdout_bp = 500
consent = "profiling_and_marketing"
margin_bp = 3000
uplift_bp = 20000

[[offers]]
code = "fresh"
name = "20 % off {target}"
reward = "fifth"
bonus_points = 50
valid_days = 10
uses_max = 2
budget_minor = 10000
budget_points = 5000
days_between = 30
objective = "win_back"
conditions = [{ kind = "minimum_purchase", minor = 500 }]
targets = [
  { code = "fruit", name = "fruit", categories = ["APPLES", "PEARS"] },
  { code = "tea", name = "tea", products = ["p1"] },
]
"""


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(BadRuleset) as refused:
        read_ruleset(text, built_in())
    return refused.value.problems


def test_everything_a_pool_may_say():
    rules = read_ruleset(MINIMAL + REWARDS + OFFERS, built_in())

    assert rules.offer_policy == OfferPolicy(
        2, 7, 500, OfferConsent.PROFILING_AND_MARKETING, 3_000, 20_000
    )
    fruit = OfferTarget("fruit", "fruit", categories=("APPLES", "PEARS"))
    tea = OfferTarget("tea", "tea", products=("p1",))
    (offer,) = rules.offers
    assert offer == PoolOffer(
        "fresh", "20 % off {target}", "fifth", (fruit, tea), (MinimumPurchase(500),), 50, 10, 2,
        10_000, 5_000, 30, OfferAim.WIN_BACK,
    )  # fmt: skip
    assert offer.named(tea) == "20 % off tea"
    assert (fruit.condition, tea.condition) == (
        CategoryIs(("APPLES", "PEARS")),
        ProductIs(("p1",)),
    )
    assert rules.rewards[-1] == Reward("fifth", "20 % off", PercentageOff(2_000), needs_offer=True)


def test_a_pool_is_described_in_plain_words():
    told = describe(read_ruleset(MINIMAL + REWARDS + OFFERS, built_in()))

    start = next(at for at, line in enumerate(told) if line.startswith("Personal offers"))
    assert told[start : start + 5] == [
        "Personal offers, with consent to profiling and marketing: at most 2 at a time, for the "
        "same target every 7 days, 5 % of the members get none; margin taken for unknown cost "
        "30 %, odds of a purchase x2",
        "  fresh: 20 % off {target}, by fifth, for win back, with 50 bonus points, 2 uses within "
        "10 days, again after 30 days, budget 100.00 EUR, budget 5000 points",
        "    if minimum_purchase (5.00 EUR)",
        "    fruit: fruit, category (any of APPLES, PEARS)",
        "    tea: tea, product (any of p1)",
    ]
    assert any("by personal offer only" in line for line in told)


@pytest.mark.parametrize(
    ("found", "instead", "problem"),
    [
        (
            'reward = "fifth"',
            'reward = "fourth"',
            'offers[0].reward: found "fourth", wanted one of the rewards with needs_offer: fifth',
        ),
        (
            "needs_offer = true",
            "needs_offer = false",
            'offers[0].reward: found "fifth", wanted a reward with needs_offer = true',
        ),
        (
            "needs_offer = true",
            "needs_offer = true\nneeds_coupon = true",
            "rewards[0].needs_coupon: found it with needs_offer, wanted one of the two",
        ),
        (
            "needs_offer = true",
            "needs_offer = true\nuses_per_member_max = 2",
            "rewards[0].uses_per_member_max: found it with needs_offer, wanted one of the two",
        ),
        (
            'products = ["p1"]',
            "products = []",
            "offers[0].targets[1]: found none, wanted one of products, categories, departments, "
            "brands",
        ),
        (
            'products = ["p1"]',
            'products = ["p1"], brands = ["x"]',
            "offers[0].targets[1]: found products and brands, wanted one of products, categories, "
            "departments, brands",
        ),
        (
            'code = "tea"',
            'code = "fruit"',
            'offers[0].targets[1].code: found "fruit", wanted another code than '
            "offers[0].targets[0] has",
        ),
        (
            'code = "tea"',
            f'code = "{"t" * 60}"',
            f'offers[0].targets[1].code: found "{"t" * 60}", wanted a code that makes at most 64 '
            "characters with the offer's",
        ),
        (
            "bonus_points = 50",
            "bonus_points = 0",
            "offers[0].budget_points: found 5000, wanted none, because the offer brings 0 "
            "bonus_points",
        ),
        (
            "holdout_bp = 500",
            "holdout_bp = 10000",
            "offer_policy.holdout_bp: found 10000, wanted a whole number from 0 to 9000",
        ),
        (
            'objective = "win_back"',
            'objective = "more"',
            'offers[0].objective: found "more", wanted one of profit, uptake, win_back, try_new',
        ),
    ],
)
def test_what_does_not_go_together_is_told(found: str, instead: str, problem: str):
    text = MINIMAL + REWARDS + OFFERS
    assert found in text

    assert problems_of(text.replace(found, instead)) == (problem,)
