"""A checkout to measure quotes with: 20 lines and 12 candidates of mixed kinds that interact.

Rewards overlap on the lines, share points and exclusive groups, are limited by caps and by the
margin of line and order, and points and credit pay beside them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.conditions import CategoryIs, MinimumPurchase, TierAtLeast
from loyalty.domain.quotes.quote_holdings import CouponFacts, Holdings, QuotaFacts
from loyalty.domain.quotes.quote_terms import ALL_CREDIT, ALL_POINTS, Choice, MemberFacts
from loyalty.domain.rewards import FreeProduct, FreeShipping, MoneyOff, PercentageOff
from loyalty.domain.rulesets.ruleset import (
    Benefit,
    CreditPolicy,
    DiscountCaps,
    EarningBase,
    EarningRule,
    MarginPolicy,
    PointsTender,
    PointType,
    Reward,
    Ruleset,
    Tier,
    TierPolicy,
    UnknownCost,
)

AT = datetime(2026, 3, 5, 12, tzinfo=UTC)
_CATEGORIES = ("tea", "coffee", "wine", "bread", "cheese")


@dataclass(frozen=True, slots=True)
class QuoteCase:
    """Everything that ``loyalty.domain.quotes.quote.quote`` is asked with."""

    ruleset: Ruleset
    member: MemberFacts
    cart: Cart
    choice: Choice
    at: datetime
    holdings: Holdings


def quote_case(number: int = 0, lines: int = 20) -> QuoteCase:
    """The case of that number: carts and balances differ, all of 12 candidates.

    The same number gives the same case on every machine.
    """
    member = MemberFacts(
        "anna",
        True,
        "ACTIVE",
        "gold",
        {"points": 900 + 137 * number % 1_900, "stars": 3},
        {"points": 400},
    )
    cart = Cart(
        f"cart-{number}",
        "EUR",
        tuple(_line(number, place) for place in range(lines)),
        shipping_minor=590,
        shipping_tax_bp=2_700,
    )
    codes = ("WELCOME-10", "CHEESE-3")
    holdings = Holdings(
        coupons=(
            CouponFacts(1, codes[0], "welcome", ends_at=AT + timedelta(days=9), left_member=1),
            CouponFacts(2, codes[1], "cheese", left_total=40),
        ),
        quotas={"mug": QuotaFacts(left_total=12)},
        credit_minor=1_500,
    )
    choice = Choice(ALL_POINTS, codes=codes, credit=ALL_CREDIT)
    return QuoteCase(_ruleset(), member, cart, choice, AT, holdings)


def _line(number: int, place: int) -> CartLine:
    price = 299 + 173 * (number + 7 * place) % 2_900
    return CartLine(
        f"line-{place}",
        "mug" if place == 3 else f"product-{place}",
        1 + (number + place) % 3,
        price,
        None if place % 7 == 6 else price * (30 + (11 * place + number) % 40) // 127,
        _CATEGORIES[(place + number) % 5],
        tax_bp=(2_700, 500)[place % 2],
    )


def _ruleset() -> Ruleset:
    return Ruleset(
        code="club",
        name="Club",
        currency="EUR",
        time_zone="Europe/Budapest",
        point_types=(
            PointType("points", "Points", pending_days=14, expires_after_months=12),
            PointType("stars", "Stars"),
        ),
        earning_base=EarningBase(),
        earning_rules=(EarningRule("shopping", "points", 1, 100, uses_tier_multiplier=True),),
        tier_policy=TierPolicy(
            "points",
            (
                Tier("basic", "Basic", 0),
                Tier(
                    "gold",
                    "Gold",
                    1_000,
                    15_000,
                    (
                        Benefit("gold-5", "5 % for Gold", PercentageOff(500), priority=60),
                        Benefit("gold-ship", "Free shipping", FreeShipping(), priority=70),
                    ),
                ),
            ),
        ),
        rewards=(
            _points("five", MoneyOff(500), 500, 10, MinimumPurchase(2_000), group="voucher"),
            _points("ten", MoneyOff(1_000), 950, 11, MinimumPurchase(4_000), group="voucher"),
            _points("tea-20", PercentageOff(2_000), 300, 20, CategoryIs(("tea", "coffee"))),
            _points("wine-15", PercentageOff(1_500, 2_000), 250, 21, CategoryIs(("wine",))),
            _points("bread-3", MoneyOff(300), 260, 22, CategoryIs(("bread", "cheese"))),
            Reward("mug", "A mug", FreeProduct(("mug",)), 2, "stars", priority=30, stocked=True),
            Reward("star-8", "8 % off", PercentageOff(800), 3, "stars", priority=31),
            Reward("welcome", "10 % off", PercentageOff(1_000), needs_coupon=True,
                   exclusive_group="percent", priority=40),
            Reward("cheese", "3.00 off cheese", MoneyOff(300), needs_coupon=True, priority=41,
                   conditions=(CategoryIs(("cheese",)),)),
            Reward("gold-12", "12 % off", PercentageOff(1_200, 1_500), 400, "points",
                   (TierAtLeast("gold"),), "percent", 50),
        ),
        tender=PointsTender("points", 1, 1, 100, 5_000),
        margin=MarginPolicy(1_200, UnknownCost.CAP, 3_000, True, 300),
        caps=DiscountCaps(line_bp_max=6_000, order_bp_max=4_000),
        credit=CreditPolicy(),
        version=1,
    )  # fmt: skip


def _points(
    code: str,
    does: MoneyOff | PercentageOff,
    points: int,
    priority: int,
    condition: MinimumPurchase | CategoryIs,
    *,
    group: str | None = None,
) -> Reward:
    return Reward(code, code, does, points, "points", (condition,), group, priority)
