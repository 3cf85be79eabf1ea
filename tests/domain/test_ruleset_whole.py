"""A file that says everything, and one that leaves out what it may."""

from pathlib import Path

from loyalty.domain.conditions import CategoryIs
from loyalty.domain.registry import built_in
from loyalty.domain.rulesets.ruleset import (
    AdjustmentPolicy,
    Benefit,
    BrokenMinimum,
    Clawback,
    DiscountBase,
    EarningBase,
    EarningRule,
    HoldPolicy,
    MarginPolicy,
    Multiplier,
    PointsTender,
    PointType,
    RefundPolicy,
    Rounding,
    Ruleset,
    Tier,
    TierPolicy,
    UnknownCost,
)
from loyalty.domain.rulesets.ruleset_file import read_ruleset

ROOT = Path(__file__).parents[2]
MINIMAL = (ROOT / "examples" / "minimal.toml").read_text()


FULL = """
code = "full"
name = "Всё и ещё немного"
currency = "JPY"
time_zone = "Asia/Tokyo"
expiring_soon_days = 0

[[point_types]]
code = "coins"
name = "Coins"
is_spendable = true
pending_days = 3
expires_after_months = 1

[[point_types]]
code = "stars"
name = "Stars"
is_spendable = false

[earning]
discounts = "before"
includes_shipping = true
includes_points_used = true

[[earning.rules]]
code = "tea"
point_type = "coins"
points = 2
per_minor = 500
rounding = "half_up"
uses_tier_multiplier = true
points_max_per_order = 1_000
conditions = [{ kind = "category", any_of = ["TEA"] }]
multipliers = [{ rate_bp = 0, conditions = [{ kind = "brand", any_of = ["X", "Y"] }] }]

[tier_policy]
point_type = "stars"
grace_days = 7

[[tiers]]
code = "a"
name = "A"
threshold = 0

[[tiers]]
code = "b"
name = "B"
threshold = 1
multiplier_bp = 11_000
benefits = [{ code = "hat", name = "A hat" }]

[tender]
point_type = "coins"
points = 1
minor = 1
points_min = 10
share_bp_max = 100

[margin]
floor_bp = 0
unknown_cost = "deny"
counts_points_used = false

[holds]
quote_ttl_s = 1
ttl_s = 2
ttl_s_max = 3
extended_ttl_s_max = 4

[refunds]
clawback = "deduct"
broken_minimum = "reverse"
expired_lot_grace_days = 5

[adjustments]
approval_above = 6
approval_above_minor = 7
"""


def test_every_setting_arrives():
    assert read_ruleset(FULL, built_in(), version=7) == Ruleset(
        code="full",
        name="Всё и ещё немного",
        currency="JPY",
        time_zone="Asia/Tokyo",
        point_types=(
            PointType("coins", "Coins", True, 3, 1),
            PointType("stars", "Stars", False),
        ),
        earning_base=EarningBase(DiscountBase.BEFORE, True, True),
        earning_rules=(
            EarningRule(
                code="tea",
                point_type="coins",
                points=2,
                per_minor=500,
                rounding=Rounding.HALF_UP,
                conditions=(CategoryIs(("TEA",)),),
                multipliers=(Multiplier((built_in().conditions.by_name["brand"](("X", "Y")),), 0),),
                uses_tier_multiplier=True,
                points_max_per_order=1_000,
            ),
        ),
        tier_policy=TierPolicy(
            "stars",
            (Tier("a", "A", 0), Tier("b", "B", 1, 11_000, (Benefit("hat", "A hat"),))),
            7,
        ),
        tender=PointsTender("coins", 1, 1, 10, 100),
        margin=MarginPolicy(0, UnknownCost.DENY, 0, False),
        holds=HoldPolicy(1, 2, 3, 4),
        refunds=RefundPolicy(Clawback.DEDUCT, BrokenMinimum.REVERSE, 5),
        adjustments=AdjustmentPolicy(6, 7),
        expiring_soon_days=0,
        version=7,
    )


def test_what_is_left_out_has_the_defaults_of_the_domain():
    assert read_ruleset(MINIMAL, built_in()) == Ruleset(
        code="minimal",
        name="Our points",
        currency="EUR",
        time_zone="Europe/Budapest",
        point_types=(PointType("points", "Points"),),
        earning_base=EarningBase(),
        earning_rules=(EarningRule("shopping", "points", 1, 100),),
        tier_policy=TierPolicy("points", (Tier("member", "Member", 0),)),
    )
