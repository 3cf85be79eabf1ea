"""A program's whole rule set as one immutable value.

An edit publishes a new version and never changes an old one. ``ruleset_file`` reads it from
TOML and explains what is wrong with a bad one.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from loyalty.domain.conditions import Condition
from loyalty.domain.offers.offers import OfferPolicy, PoolOffer
from loyalty.domain.recommendations.boosts import RecommendationPolicy
from loyalty.domain.rewards import RewardKind


class Rounding(StrEnum):
    """The direction in which a rule rounds, once."""

    DOWN = "down"
    HALF_UP = "half_up"
    UP = "up"


class DiscountBase(StrEnum):
    """Whether points are earned on prices before or after discounts."""

    BEFORE = "before"
    AFTER = "after"


class TaxBase(StrEnum):
    """Whether points are earned on tax: as the shop gives its prices, never, or always."""

    AS_PRICED = "as_priced"
    WITHOUT = "without"
    WITH = "with"


class UnknownCost(StrEnum):
    """What the margin guard does about lines whose cost the shop did not give."""

    ALLOW = "allow"
    CAP = "cap"
    DENY = "deny"


class Clawback(StrEnum):
    """What happens when a refund takes back points that are already spent."""

    ALLOW_DEFICIT = "allow_deficit"
    CLAMP = "clamp"
    DEDUCT = "deduct"


class BrokenMinimum(StrEnum):
    """What happens to a reward whose minimum purchase a refund breaks."""

    KEEP = "keep"
    PRORATE = "prorate"
    REVERSE = "reverse"


@dataclass(frozen=True, slots=True)
class PointType:
    """What is counted.

    A lot of it becomes active ``pending_days`` after it was earned and expires at the end of
    the day ``expires_after_months`` later (None: never), both in the program's time zone.
    """

    code: str
    name: str
    is_spendable: bool = True
    pending_days: int = 0
    expires_after_months: int | None = None


@dataclass(frozen=True, slots=True)
class Multiplier:
    """Lines that all ``conditions`` cover count ``rate_bp`` / 10,000 times."""

    conditions: tuple[Condition, ...]
    rate_bp: int


@dataclass(frozen=True, slots=True)
class EarningRule:
    """``points`` for every ``per_minor`` minor units of the covered lines.

    Multipliers of several matching entries multiply, the tier's among them when
    ``uses_tier_multiplier``. Rounded once, for the whole order.
    """

    code: str
    point_type: str
    points: int
    per_minor: int
    rounding: Rounding = Rounding.DOWN
    conditions: tuple[Condition, ...] = ()
    multipliers: tuple[Multiplier, ...] = ()
    uses_tier_multiplier: bool = False
    points_max_per_order: int | None = None


@dataclass(frozen=True, slots=True)
class EarningBase:
    """On what points are earned (law 19).

    ``discounts``: before or after what rewards take off. ``includes_shipping``: shipping
    counts, spread over no line. ``includes_points_used``: what was paid with points counts;
    ``includes_credit_used``: what was paid with credit and gift cards does. ``tax``: of carts
    that tell its rates; reports of orders tell none and count as priced.
    """

    discounts: DiscountBase = DiscountBase.AFTER
    includes_shipping: bool = False
    includes_points_used: bool = False
    includes_credit_used: bool = True
    tax: TaxBase = TaxBase.AS_PRICED


@dataclass(frozen=True, slots=True)
class Benefit:
    """What a tier brings beside its multiplier; shown to the member.

    With ``does`` it applies at checkout by itself, for members of that very tier, like a
    reward that costs nothing; the other settings are those of a reward.
    """

    code: str
    name: str
    does: RewardKind | None = None
    conditions: tuple[Condition, ...] = ()
    exclusive_group: str | None = None
    priority: int = 100


@dataclass(frozen=True, slots=True)
class Tier:
    """A rank reached at ``threshold`` qualifying points."""

    code: str
    name: str
    threshold: int
    multiplier_bp: int = 10_000
    benefits: tuple[Benefit, ...] = ()


@dataclass(frozen=True, slots=True)
class TierPolicy:
    """The ranks, lowest first (its threshold is 0), and how one is lost.

    Qualifying points are lots of ``point_type``; their expiry is the rolling period. When
    the sum falls below the tier's threshold the tier is kept for ``grace_days``.
    """

    point_type: str
    tiers: tuple[Tier, ...]
    grace_days: int = 0

    @property
    def ranks(self) -> tuple[str, ...]:
        return tuple(tier.code for tier in self.tiers)

    def named(self, code: str) -> Tier:
        return next(tier for tier in self.tiers if tier.code == code)

    def reached(self, qualifying: int) -> Tier:
        """The highest tier whose threshold ``qualifying`` points reach."""
        return [tier for tier in self.tiers if tier.threshold <= max(qualifying, 0)][-1]


@dataclass(frozen=True, slots=True)
class Reward:
    """Something a member may take at checkout.

    ``points`` of ``point_type`` are its price (0: free for those who meet the conditions).
    Of the rewards in one ``exclusive_group`` at most one applies. Rewards apply in the order
    of ``priority``, lowest first, each on what the earlier ones left. ``needs_coupon``: only
    by a coupon's code; ``needs_offer``: only by a member's personal offer. ``stocked``: only as
    long as the stock set for it lasts. ``uses_per_member_max``: so often at most for one member,
    None for no limit.
    """

    code: str
    name: str
    does: RewardKind
    points: int = 0
    point_type: str | None = None
    conditions: tuple[Condition, ...] = ()
    exclusive_group: str | None = None
    priority: int = 100
    needs_coupon: bool = False
    stocked: bool = False
    uses_per_member_max: int | None = None
    needs_offer: bool = False

    @property
    def is_counted(self) -> bool:
        """Whether its uses are counted, for its stock or for each member."""
        return self.stocked or self.uses_per_member_max is not None


@dataclass(frozen=True, slots=True)
class DiscountCaps:
    """The most that rewards and benefits together take off, None for no limit.

    ``line_bp_max``: of any line's price. ``order_bp_max``: of the lines' prices together.
    ``order_minor_max``: of the lines together, in minor units. Shipping does not count.
    """

    line_bp_max: int | None = None
    order_bp_max: int | None = None
    order_minor_max: int | None = None


@dataclass(frozen=True, slots=True)
class CreditPolicy:
    """Store credit as a means of payment.

    At most ``share_bp_max`` basis points of an order's total may be paid so. Credit given out
    expires at the end of the day ``expires_after_months`` later, None: never.
    """

    enabled: bool = True
    expires_after_months: int | None = None
    share_bp_max: int = 10_000


@dataclass(frozen=True, slots=True)
class PointsTender:
    """Points as a means of payment: ``points`` are worth ``minor`` minor units.

    At most ``share_bp_max`` basis points of the order's total may be paid so, and at least
    ``points_min`` points at a time.
    """

    point_type: str
    points: int
    minor: int
    points_min: int = 1
    share_bp_max: int = 10_000


@dataclass(frozen=True, slots=True)
class MarginPolicy:
    """No order goes below ``floor_bp`` basis points of margin where its cost is known.

    Margin is (what is charged for the lines - their cost) / what is charged, without tax;
    points used to pay count as not charged when ``counts_points_used``. Lines of unknown cost:
    ALLOW leaves them out, DENY allows no discount on them, CAP allows at most
    ``unknown_cap_bp`` of their price as discount. No single line goes below ``line_floor_bp``,
    None for no floor per line; with one, CAP holds for each line, too.
    """

    floor_bp: int
    unknown_cost: UnknownCost = UnknownCost.ALLOW
    unknown_cap_bp: int = 0
    counts_points_used: bool = True
    line_floor_bp: int | None = None


@dataclass(frozen=True, slots=True)
class HoldPolicy:
    """How long a quote stands and value is held, in seconds."""

    quote_ttl_s: int = 900
    ttl_s: int = 900
    ttl_s_max: int = 1_800
    extended_ttl_s_max: int = 172_800


@dataclass(frozen=True, slots=True)
class RefundPolicy:
    """What a refund does with what was spent, broken or expired meanwhile."""

    clawback: Clawback = Clawback.ALLOW_DEFICIT
    broken_minimum: BrokenMinimum = BrokenMinimum.KEEP
    expired_lot_grace_days: int = 30


@dataclass(frozen=True, slots=True)
class AdjustmentPolicy:
    """How large a merchant's correction may be on one person's word.

    One that brings what a person moved on one member's account within 24 hours, up and down
    added, to more than ``approval_above`` points, or ``approval_above_minor`` minor units of
    credit, waits for a second person. None: no limit.
    """

    approval_above: int | None = None
    approval_above_minor: int | None = None


@dataclass(frozen=True, slots=True)
class TierRule:
    """A tier policy and since when it is in force; ``time_zone`` is that of its days."""

    since: datetime
    policy: TierPolicy
    time_zone: str


@dataclass(frozen=True, slots=True)
class Ruleset:
    """One published version of a program.

    ``tier_rules``: the tier policies of the versions up to this one, oldest first; empty where
    they never changed. See ``tier_rules.with_past``.
    """

    code: str
    name: str
    currency: str
    time_zone: str
    point_types: tuple[PointType, ...]
    earning_base: EarningBase
    earning_rules: tuple[EarningRule, ...]
    tier_policy: TierPolicy
    rewards: tuple[Reward, ...] = ()
    tender: PointsTender | None = None
    margin: MarginPolicy | None = None
    holds: HoldPolicy = HoldPolicy()
    refunds: RefundPolicy = RefundPolicy()
    caps: DiscountCaps = DiscountCaps()
    credit: CreditPolicy | None = None
    adjustments: AdjustmentPolicy = AdjustmentPolicy()
    expiring_soon_days: int = 60
    offers: tuple[PoolOffer, ...] = ()
    offer_policy: OfferPolicy = field(default_factory=OfferPolicy)
    recommendations: RecommendationPolicy = field(default_factory=RecommendationPolicy)
    version: int = 0
    tier_rules: tuple[TierRule, ...] = field(default=(), compare=False, repr=False)

    def point_type(self, code: str) -> PointType:
        return next(item for item in self.point_types if item.code == code)

    @property
    def spendable(self) -> PointType:
        """The point type meant when none is named."""
        return next(item for item in self.point_types if item.is_spendable)
