"""Random programs, members, carts, choices and holdings for the laws of a quote."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from hypothesis import strategies as st

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.conditions import CategoryIs, Condition, MinimumPurchase, TierAtLeast
from loyalty.domain.quotes.quote import (
    ALL_CREDIT,
    ALL_POINTS,
    CREDIT,
    NO_CREDIT,
    NO_POINTS,
    TENDER,
    Choice,
    CouponFacts,
    CreditWanted,
    GiftCardFacts,
    Holdings,
    MemberFacts,
    Objective,
    PointsWanted,
    QuotaFacts,
    exact_credit,
    exactly,
)
from loyalty.domain.rewards import FreeProduct, FreeShipping, MoneyOff, PercentageOff, RewardKind
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
CATEGORIES = ("wine", "beer", "bread")
PRODUCTS = ("p", "q", "r")


class Case(NamedTuple):
    """One question."""

    ruleset: Ruleset
    member: MemberFacts | None
    cart: Cart
    choice: Choice
    holdings: Holdings


def cases(rewards_max: int = 6) -> st.SearchStrategy[Case]:
    """Cases by a number that stands for each: building them from parts takes many times longer."""
    return st.integers(0, 2**48).map(lambda seed: case(seed, rewards_max))


def case(seed: int, rewards_max: int = 6, rewards_min: int = 0) -> Case:
    """The case of that number; the same on every machine. In every second one most rewards
    apply, so that there is something to choose.
    """
    rng = _Dice(seed)
    rng.is_kind = seed % 2 == 0
    cart = _cart(rng)
    ruleset = _ruleset(rng, rng.randint(rewards_min, rewards_max))
    codes = [reward.code for reward in ruleset.rewards]
    codes += [
        benefit.code for tier in ruleset.tier_policy.tiers for benefit in tier.benefits
        if benefit.does
    ]  # fmt: skip
    holdings = _holdings(rng, ruleset)
    member = _member(rng) if rng.randrange(20) else None
    return Case(ruleset, member, cart, _choice(rng, codes, holdings), holdings)


class _Dice(Random):
    is_kind = False

    def one_in(self, count: int, kind: int = 0) -> bool:
        """Whether something that keeps rewards out happens: less often in a kind case."""
        return self.randrange(count * (kind or 5) if self.is_kind else count) == 0


def _cart(rng: _Dice) -> Cart:
    rates = rng.choice([[0], [0], [2_500], [2_700, 500], [2_000, 550, 0]])
    lines = tuple(
        CartLine(
            str(index),
            rng.choice(PRODUCTS),
            rng.randint(1, 3),
            rng.choice([rng.randint(0, 1_500), rng.randint(0, 20)]),
            rng.choice([None, rng.randint(0, 1_200)]),
            rng.choice([None, *CATEGORIES]),
            tax_bp=rng.choice(rates),
        )
        for index in range(rng.randint(1, 5))
    )
    return Cart(
        "cart", "EUR", lines, rng.choice([0, 0, 490]), rng.random() < 0.6, rng.choice(rates)
    )


def _member(rng: _Dice) -> MemberFacts:
    available = {"points": rng.randint(-50, 900), "stars": rng.randint(0, 5)}
    if rng.is_kind:
        available["points"] += 400
    return MemberFacts(
        "anna",
        not rng.one_in(10),
        "ACTIVE",
        rng.choice(["gold"] if rng.is_kind else ["basic", "gold", None]),
        available,
        {kind: rng.randint(0, max(points, 0)) for kind, points in available.items()},
    )


def _does(rng: _Dice) -> RewardKind:
    return rng.choice(
        [
            MoneyOff(rng.randint(1, 900)),
            MoneyOff(rng.randint(1, 100)),
            PercentageOff(rng.randint(1, 10_000), rng.choice([None, rng.randint(1, 500)])),
            PercentageOff(rng.randint(1, 3_000)),
            FreeProduct(tuple(rng.sample(PRODUCTS, rng.randint(1, 2))), rng.randint(1, 3)),
            FreeShipping(rng.choice([None, rng.randint(1, 600)])),
        ]
    )


def _conditions(rng: _Dice, *, tiers: bool = True) -> tuple[Condition, ...]:
    kinds: list[Condition] = [
        CategoryIs(tuple(rng.sample(CATEGORIES, rng.randint(1, 2)))),
        MinimumPurchase(rng.randint(1, 4_000)),
    ]
    if tiers:
        kinds.append(TierAtLeast("gold"))
    return tuple(rng.sample(kinds, rng.choice([0, 0, 0, 1] if rng.is_kind else [0, 0, 1, 2])))


def _reward(rng: _Dice, index: int) -> Reward:
    kind = rng.choice(["points", "points", "stars", None])
    return Reward(
        code=f"r{index}",
        name=f"Reward {index}",
        does=_does(rng),
        points=0 if kind is None else rng.randint(0, 400 if kind == "points" else 3),
        point_type=kind,
        conditions=_conditions(rng),
        exclusive_group=rng.choice([None, None, "a", "b"]),
        priority=rng.randint(1, 3),
        needs_coupon=rng.one_in(6, 2),
        stocked=rng.one_in(6, 2),
        uses_per_member_max=rng.choice([None, None, None, 2]),
    )


def _benefits(rng: _Dice) -> tuple[Benefit, ...]:
    return (
        Benefit("shown", "Only shown"),
        Benefit("b0", "Benefit", _does(rng), _conditions(rng, tiers=False),
                rng.choice([None, "a"]), rng.randint(1, 3)),
    )  # fmt: skip


def _ruleset(rng: _Dice, count: int) -> Ruleset:
    # Of the rewards counted one may be a benefit, so that there are never more candidates.
    benefits: tuple[Benefit, ...] = ()
    if count and rng.randrange(3) == 0:
        benefits, count = _benefits(rng), count - 1
    lower = benefits if rng.randrange(2) else ()
    tender = margin = None
    if rng.randrange(3):
        tender = PointsTender(
            "points", rng.randint(1, 7), rng.randint(1, 7), rng.randint(1, 60),
            rng.choice([10_000, rng.randint(1, 10_000)]),
        )  # fmt: skip
    if rng.randrange(2 if rng.is_kind else 3):
        margin = MarginPolicy(
            rng.randint(0, 6_000),
            rng.choice(list(UnknownCost)),
            rng.randint(0, 10_000),
            rng.random() < 0.5,
            rng.choice([None, rng.randint(0, 6_000)]),
        )
    caps = DiscountCaps()
    if rng.one_in(3, 2):
        caps = DiscountCaps(
            rng.choice([None, rng.randint(1, 10_000)]),
            rng.choice([None, rng.randint(1, 10_000)]),
            rng.choice([None, rng.randint(1, 2_000)]),
        )
    credit = None
    if rng.randrange(2):
        credit = CreditPolicy(share_bp_max=rng.choice([10_000, rng.randint(1, 10_000)]))
    return Ruleset(
        code="club",
        name="Club",
        currency="EUR",
        time_zone="Europe/Budapest",
        point_types=(PointType("points", "Points", pending_days=3), PointType("stars", "Stars")),
        earning_base=EarningBase(),
        earning_rules=(EarningRule("one", "points", 1, 10, uses_tier_multiplier=True),),
        tier_policy=TierPolicy(
            "points",
            (Tier("basic", "B", 0, 10_000, lower), Tier("gold", "G", 900, 15_000, benefits)),
        ),
        rewards=tuple(_reward(rng, index) for index in range(count)),
        tender=tender,
        margin=margin,
        caps=caps,
        credit=credit,
        version=3,
    )


def _holdings(rng: _Dice, ruleset: Ruleset) -> Holdings:
    coupons: list[CouponFacts] = []
    quotas: dict[str, QuotaFacts] = {}
    for reward in ruleset.rewards:
        for _ in range(rng.choice([0, 1, 2]) if reward.needs_coupon else rng.randrange(8) // 7):
            coupons.append(_coupon(rng, reward.code, len(coupons)))
        if reward.is_counted and rng.randrange(4):
            quotas[reward.code] = QuotaFacts(
                rng.choice([None, rng.randint(0, 3)]), rng.choice([None, rng.randint(0, 2)])
            )
    rng.shuffle(coupons)
    if rng.randrange(12) == 0:
        coupons.append(_coupon(rng, "gone", len(coupons)))
    cards = tuple(
        GiftCardFacts(
            place,
            f"…{place:04}",
            rng.choice(["EUR"] * 5 + ["HUF"]),
            rng.randint(0, 900),
            rng.choice([None, None, AT + timedelta(days=rng.randint(-2, 9))]),
            rng.randrange(8) == 0,
        )
        for place in range(rng.choice([0, 0, 1, 2]))
    )
    unknown = ("NOBODY-KNOWS",) if rng.randrange(10) == 0 else ()
    credit = rng.choice([0, rng.randint(0, 900), rng.randint(0, 5_000)])
    return Holdings(tuple(coupons), unknown, cards, quotas, credit)


def _coupon(rng: _Dice, reward: str, place: int) -> CouponFacts:
    # One in three cannot be used, for one reason or another.
    trouble = rng.randrange(16)
    ends_at = rng.choice([None, AT + timedelta(days=rng.randint(1, 120))])
    return CouponFacts(
        coupon_id=100 + place,
        code=f"C{place}",
        reward=reward,
        starts_at=AT + timedelta(days=1) if trouble == 0 else AT - timedelta(days=9),
        ends_at=AT if trouble == 1 else ends_at,
        is_revoked=trouble == 2,
        left_total=0 if trouble == 3 else rng.choice([None, 1, 5]),
        left_member=0 if trouble == 4 else rng.choice([None, 1]),
    )


def _choice(rng: _Dice, codes: list[str], holdings: Holdings) -> Choice:
    handed_in = tuple(coupon.code for coupon in holdings.coupons)
    names = [*codes, *handed_in, TENDER, CREDIT]
    pinned = rng.sample(names, min(rng.choice([0, 0, 1, 2, 3]), len(names)))
    left = [name for name in names if name not in (*pinned, TENDER, CREDIT)]
    excluded = rng.sample(left, min(rng.choice([0, 0, 0, 1, 2]), len(left)))
    if rng.is_kind:
        pinned, excluded = pinned[: rng.choice([0, 0, 0, 1])], excluded[: rng.choice([0, 0, 1])]
    points: PointsWanted = rng.choice([NO_POINTS, ALL_POINTS, exactly(rng.randint(1, 900))])
    credit: CreditWanted = rng.choice(
        [NO_CREDIT, NO_CREDIT, ALL_CREDIT, exact_credit(rng.randint(1, 1_500))]
    )
    objective = rng.choice([Objective.MOST_SAVED, *Objective])
    if rng.is_kind and objective is Objective.PINNED:
        objective = Objective.MOST_SAVED
    return Choice(points, tuple(pinned), tuple(excluded), objective, handed_in, credit)
