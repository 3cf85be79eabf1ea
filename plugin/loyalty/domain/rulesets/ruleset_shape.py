"""How a ruleset file is arranged, and how large its numbers and lists may be."""

from dataclasses import dataclass, field

from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.offers.offers import OfferPolicy, OfferTarget, PoolOffer
from loyalty.domain.recommendations.boosts import Boost, RecommendationPolicy
from loyalty.domain.rulesets.ruleset import (
    AdjustmentPolicy,
    Benefit,
    CreditPolicy,
    DiscountCaps,
    EarningBase,
    EarningRule,
    HoldPolicy,
    MarginPolicy,
    Multiplier,
    PointsTender,
    PointType,
    RefundPolicy,
    Reward,
    Tier,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarningTable(EarningBase):
    """The table ``earning``."""

    rules: tuple[EarningRule, ...]


@dataclass(frozen=True, slots=True)
class TierPolicyTable:
    """The table ``tier_policy``; the tiers stand beside it."""

    point_type: str
    grace_days: int = 0


@dataclass(frozen=True, slots=True)
class RulesetFile:
    """What a ruleset holds, arranged for whoever writes it."""

    code: str
    name: str
    currency: str
    time_zone: str
    point_types: tuple[PointType, ...]
    earning: EarningTable
    tier_policy: TierPolicyTable
    tiers: tuple[Tier, ...]
    rewards: tuple[Reward, ...] = ()
    tender: PointsTender | None = None
    margin: MarginPolicy | None = None
    holds: HoldPolicy = field(default_factory=HoldPolicy)
    refunds: RefundPolicy = field(default_factory=RefundPolicy)
    caps: DiscountCaps = field(default_factory=DiscountCaps)
    credit: CreditPolicy | None = None
    adjustments: AdjustmentPolicy = field(default_factory=AdjustmentPolicy)
    expiring_soon_days: int = 60
    offers: tuple[PoolOffer, ...] = ()
    offer_policy: OfferPolicy = field(default_factory=OfferPolicy)
    recommendations: RecommendationPolicy = field(default_factory=RecommendationPolicy)


RANGES: dict[tuple[type, str], tuple[int, int]] = {
    (RulesetFile, "point_types"): (1, 20),
    (RulesetFile, "tiers"): (1, 20),
    (RulesetFile, "rewards"): (0, 200),
    (RulesetFile, "expiring_soon_days"): (0, 3_650),
    (RulesetFile, "offers"): (0, 100),
    (PointType, "pending_days"): (0, 3_650),
    (PointType, "expires_after_months"): (1, 600),
    (EarningTable, "rules"): (1, 200),
    (EarningRule, "points"): (1, 1_000_000),
    (EarningRule, "per_minor"): (1, AMOUNT_MINOR_MAX),
    (EarningRule, "points_max_per_order"): (1, AMOUNT_MINOR_MAX),
    (EarningRule, "multipliers"): (0, 200),
    (EarningRule, "conditions"): (0, 50),
    (Multiplier, "conditions"): (1, 50),
    # Nothing to a hundred times.
    (Multiplier, "rate_bp"): (0, 1_000_000),
    (TierPolicyTable, "grace_days"): (0, 3_650),
    (Tier, "threshold"): (0, AMOUNT_MINOR_MAX),
    (Tier, "multiplier_bp"): (0, 1_000_000),
    (Tier, "benefits"): (0, 50),
    (Benefit, "conditions"): (0, 50),
    (Benefit, "priority"): (0, 10_000),
    (Reward, "points"): (0, AMOUNT_MINOR_MAX),
    (Reward, "conditions"): (0, 50),
    (Reward, "priority"): (0, 10_000),
    (Reward, "uses_per_member_max"): (1, 1_000_000),
    (DiscountCaps, "line_bp_max"): (1, 10_000),
    (DiscountCaps, "order_bp_max"): (1, 10_000),
    (DiscountCaps, "order_minor_max"): (1, AMOUNT_MINOR_MAX),
    (CreditPolicy, "expires_after_months"): (1, 600),
    (CreditPolicy, "share_bp_max"): (1, 10_000),
    (PointsTender, "points"): (1, AMOUNT_MINOR_MAX),
    (PointsTender, "minor"): (1, AMOUNT_MINOR_MAX),
    (PointsTender, "points_min"): (1, AMOUNT_MINOR_MAX),
    (PointsTender, "share_bp_max"): (1, 10_000),
    (MarginPolicy, "floor_bp"): (0, 9_999),
    (MarginPolicy, "unknown_cap_bp"): (0, 10_000),
    (MarginPolicy, "line_floor_bp"): (0, 9_999),
    (HoldPolicy, "quote_ttl_s"): (1, 86_400),
    (HoldPolicy, "ttl_s"): (1, 1_800),
    (HoldPolicy, "ttl_s_max"): (1, 1_800),
    (HoldPolicy, "extended_ttl_s_max"): (1, 604_800),
    (RefundPolicy, "expired_lot_grace_days"): (0, 3_650),
    (AdjustmentPolicy, "approval_above"): (0, AMOUNT_MINOR_MAX),
    (AdjustmentPolicy, "approval_above_minor"): (0, AMOUNT_MINOR_MAX),
    (PoolOffer, "targets"): (1, 100),
    (PoolOffer, "conditions"): (0, 50),
    (PoolOffer, "bonus_points"): (0, 1_000_000),
    (PoolOffer, "valid_days"): (1, 365),
    (PoolOffer, "uses_max"): (1, 100),
    (PoolOffer, "budget_minor"): (1, AMOUNT_MINOR_MAX),
    (PoolOffer, "budget_points"): (1, AMOUNT_MINOR_MAX),
    (PoolOffer, "days_between"): (0, 3_650),
    (OfferTarget, "products"): (0, 1_000),
    (OfferTarget, "categories"): (0, 200),
    (OfferTarget, "departments"): (0, 200),
    (OfferTarget, "brands"): (0, 200),
    (OfferPolicy, "open_max"): (1, 50),
    (OfferPolicy, "target_days_between"): (0, 3_650),
    (OfferPolicy, "holdout_bp"): (0, 9_000),
    (OfferPolicy, "margin_bp"): (0, 10_000),
    # Once to ten times the odds.
    (OfferPolicy, "uplift_bp"): (10_000, 100_000),
    (RecommendationPolicy, "max_per_category"): (1, 50),
    (RecommendationPolicy, "max_per_department"): (1, 50),
    (RecommendationPolicy, "max_per_brand"): (1, 50),
    (RecommendationPolicy, "capped_windows"): (0, 20),
    (RecommendationPolicy, "boosts"): (0, 50),
    # A tenth to ten times.
    (Boost, "factor_bp"): (1_000, 100_000),
    (Boost, "windows"): (0, 20),
    (Boost, "conditions"): (0, 50),
    (Boost, "margin_bp_min"): (0, 9_000),
    (Boost, "margin_bp_max"): (0, 9_000),
    (Boost, "stock_min"): (0, 1_000_000_000),
    (Boost, "stock_max"): (0, 1_000_000_000),
}
"""Smallest and largest value of whole numbers, fewest and most items of lists."""
