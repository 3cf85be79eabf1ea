"""Random programs, members, carts and choices for the laws of a quote."""

from datetime import UTC, datetime
from typing import NamedTuple

from hypothesis import strategies as st

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.conditions import CategoryIs, Condition, MinimumPurchase, TierAtLeast
from loyalty.domain.quote import (
    ALL_POINTS,
    NO_POINTS,
    TENDER,
    Choice,
    MemberFacts,
    Objective,
    exactly,
)
from loyalty.domain.rewards import MoneyOff, PercentageOff
from loyalty.domain.ruleset import (
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


class Case(NamedTuple):
    """One question."""

    ruleset: Ruleset
    member: MemberFacts | None
    cart: Cart
    choice: Choice


lines = st.builds(
    CartLine,
    id=st.just(""),
    product=st.sampled_from(["p", "q"]),
    quantity=st.integers(1, 3),
    unit_minor=st.integers(0, 1_500),
    cost_minor=st.none() | st.integers(0, 1_200),
    category=st.none() | st.sampled_from(CATEGORIES),
)
carts = st.builds(
    lambda found, shipping: Cart(
        "cart",
        "EUR",
        tuple(
            CartLine(str(i), x.product, x.quantity, x.unit_minor, x.cost_minor, x.category)
            for i, x in enumerate(found)
        ),
        shipping,
    ),
    st.lists(lines, min_size=1, max_size=5),
    st.sampled_from([0, 0, 490]),
)
members = st.builds(
    MemberFacts,
    external_id=st.just("anna"),
    is_active=st.sampled_from([True] * 9 + [False]),
    state=st.just("ACTIVE"),
    tier=st.sampled_from(["basic", "gold", None]),
    available=st.fixed_dictionaries({"points": st.integers(-50, 900), "stars": st.integers(0, 5)}),
)
conditions = st.one_of(
    st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=2).map(
        lambda names: CategoryIs(tuple(names))
    ),
    st.builds(MinimumPurchase, st.integers(1, 4_000)),
    st.just(TierAtLeast("gold")),
)


@st.composite
def rewards(draw: st.DrawFn, index: int) -> Reward:
    kind = draw(st.sampled_from(["points", "points", "stars", None]))
    return Reward(
        code=f"r{index}",
        name=f"Reward {index}",
        does=draw(
            st.builds(MoneyOff, st.integers(1, 900))
            | st.builds(PercentageOff, st.integers(1, 10_000), st.none() | st.integers(1, 500))
        ),
        points=0 if kind is None else draw(st.integers(0, 400 if kind == "points" else 3)),
        point_type=kind,
        conditions=tuple[Condition, ...](draw(st.lists(conditions, max_size=2))),
        exclusive_group=draw(st.sampled_from([None, None, "a", "b"])),
        priority=draw(st.integers(1, 3)),
    )


tenders = st.none() | st.builds(
    PointsTender,
    point_type=st.just("points"),
    points=st.integers(1, 7),
    minor=st.integers(1, 7),
    points_min=st.integers(1, 60),
    share_bp_max=st.integers(1, 10_000),
)
margins = st.none() | st.builds(
    MarginPolicy,
    floor_bp=st.integers(0, 6_000),
    unknown_cost=st.sampled_from(UnknownCost),
    unknown_cap_bp=st.integers(0, 10_000),
    counts_points_used=st.booleans(),
)


@st.composite
def rulesets(draw: st.DrawFn, rewards_max: int) -> Ruleset:
    count = draw(st.integers(0, rewards_max))
    return Ruleset(
        code="club",
        name="Club",
        currency="EUR",
        time_zone="Europe/Budapest",
        point_types=(PointType("points", "Points", pending_days=3), PointType("stars", "Stars")),
        earning_base=EarningBase(),
        earning_rules=(EarningRule("one", "points", 1, 10, uses_tier_multiplier=True),),
        tier_policy=TierPolicy("points", (Tier("basic", "B", 0), Tier("gold", "G", 900, 15_000))),
        rewards=tuple(draw(rewards(index)) for index in range(count)),
        tender=draw(tenders),
        margin=draw(margins),
        version=3,
    )


@st.composite
def choices(draw: st.DrawFn, codes: tuple[str, ...]) -> Choice:
    some = st.lists(st.sampled_from(codes), max_size=3, unique=True)
    pinned = draw(st.just([]) | some)
    excluded = [code for code in draw(st.just([]) | some) if code not in (*pinned, TENDER)]
    return Choice(
        draw(st.sampled_from([NO_POINTS, ALL_POINTS]) | st.builds(exactly, st.integers(1, 900))),
        tuple(pinned),
        tuple(excluded),
        draw(st.sampled_from([Objective.MOST_SAVED, *Objective])),
    )


@st.composite
def cases(draw: st.DrawFn, rewards_max: int = 6) -> Case:
    ruleset = draw(rulesets(rewards_max))
    codes = (*(reward.code for reward in ruleset.rewards), TENDER)
    member = draw(members) if draw(st.integers(0, 19)) else None
    return Case(ruleset, member, draw(carts), draw(choices(codes)))
