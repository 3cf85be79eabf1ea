"""Which members get which offers: laws over random members, and tables of single rules."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.domain.offers.offer_plan import (
    PPM,
    Chooser,
    Planned,
    Prospect,
    Standing,
    expected_uses,
    figures,
    goods_of,
    is_held_out,
    weighed,
    with_uplift,
)
from loyalty.domain.offers.offer_states import (
    OfferCounts,
    OfferReason,
    OfferState,
    WhyOffered,
    offer_state,
    reason_from_json,
    reason_to_json,
)
from loyalty.domain.offers.offers import OfferAim, OfferPolicy, OfferTarget, PoolOffer
from loyalty.domain.quotes.quote_holdings import BudgetFacts

AT = datetime(2026, 3, 5, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TEA = OfferTarget("tea", "tea", categories=("TEA",))
JAM = OfferTarget("jam", "jam", categories=("JAM",))
WHY = OfferReason(WhyOffered.BOUGHT_BEFORE, 3)
FRESH = PoolOffer("fresh", "Fresh", "fifth", (TEA, JAM), valid_days=10, days_between=5)
OTHER = PoolOffer("other", "Other", "fifth", (TEA,), bonus_points=20, days_between=0)
POLICY = OfferPolicy(open_max=2, target_days_between=3, holdout_bp=0)
FREE = (0, 1)


def prospect(member: int = 1, offer: str = "fresh", target: str = "tea", **more: int) -> Prospect:
    given = {"chance_ppm": 300_000, "discount_minor": 50, "margin_minor": 900} | more
    return Prospect(member, offer, target, reason=WHY, **given)


def plan(
    *prospects: Prospect,
    policy: OfferPolicy = POLICY,
    standings: dict[int, Standing] | None = None,
    **budgets: BudgetFacts,
) -> list[Planned]:
    pool = (FRESH, OTHER)
    by_code = {offer.code: offer for offer in pool}
    found = [weighed(each, by_code[each.offer], policy, FREE) for each in prospects]
    chooser = Chooser(pool, policy, tenant_id=7, at=AT, budgets=budgets, standings=standings or {})
    return chooser.chosen([each for each in found if each is not None])


@pytest.mark.parametrize(
    ("chance", "uplift", "with_it"),
    [
        (0, 15_000, 0),
        (500_000, 10_000, 500_000),
        (500_000, 15_000, 600_000),
        (100_000, 20_000, 181_818),
        (PPM, 15_000, PPM),
    ],
)
def test_an_offer_multiplies_the_odds(chance: int, uplift: int, with_it: int):
    assert with_uplift(chance, uplift) == with_it


@given(st.integers(0, PPM), st.integers(10_000, 100_000), st.integers(1, 20))
def test_more_uplift_and_more_uses_never_expect_less(chance: int, uplift: int, uses: int):
    likely = with_uplift(chance, uplift)

    assert chance <= likely <= PPM
    assert expected_uses(chance, uses) <= expected_uses(likely, uses) <= uses * PPM
    exact = sum(Fraction(chance, PPM) ** power for power in range(1, uses + 1))
    # Each power loses less than two millionths beyond what the one before lost.
    assert exact * PPM - 2 * uses * uses <= expected_uses(chance, uses) <= exact * PPM


def test_an_offer_is_worth_what_it_changes_less_what_all_its_uses_cost():
    found = weighed(prospect(), FRESH, POLICY, FREE)

    likely = with_uplift(300_000, POLICY.uplift_bp)
    assert found is not None
    assert (found.uses_ppm, found.cost_ppm) == (likely, likely * 50)
    assert found.worth_ppm == (likely - 300_000) * 900 - likely * 50


def test_a_habit_is_not_worth_paying_for():
    assert weighed(prospect(chance_ppm=950_000), FRESH, POLICY, FREE) is None
    uptake = replace(FRESH, objective=OfferAim.UPTAKE)
    assert weighed(prospect(chance_ppm=950_000), uptake, POLICY, FREE) is not None


def test_bonus_points_cost_what_they_are_worth():
    free = weighed(prospect(offer="other"), OTHER, POLICY, FREE)
    paid = weighed(prospect(offer="other"), OTHER, POLICY, (1, 10))

    assert free is not None
    assert paid is not None
    assert free.points_ppm == free.uses_ppm * 20
    assert free.worth_ppm - paid.worth_ppm == free.uses_ppm * 2


def test_one_member_gets_each_offer_and_each_target_once():
    found = plan(
        prospect(target="tea"),
        prospect(target="jam", margin_minor=800),
        prospect(offer="other", target="tea", margin_minor=800),
    )

    assert [(x.prospect.offer, x.prospect.target) for x in found] == [("fresh", "tea")]


@pytest.mark.parametrize(
    ("case", "standing", "is_chosen"),
    [
        ("none before", Standing(), True),
        ("as many as there may be", Standing(open=2), False),
        ("one less", Standing(open=1), True),
        ("the same too lately", Standing({"fresh": AT - 5 * DAY + DAY / 9}), False),
        ("the same long enough ago", Standing({"fresh": AT - 5 * DAY}), True),
        ("the target too lately", Standing({}, {goods_of(TEA): AT - 2 * DAY}), False),
        ("the target long enough ago", Standing({}, {goods_of(TEA): AT - 3 * DAY}), True),
        ("another target lately", Standing({}, {goods_of(JAM): AT + DAY}), True),
    ],
)
def test_frequency_caps(case: str, standing: Standing, is_chosen: bool):
    assert bool(plan(prospect(), standings={1: standing})) == is_chosen


def test_who_is_held_out_takes_nothing_of_the_budget():
    members = range(1, 41)
    everybody = [prospect(member) for member in members]
    out = {member for member in members if is_held_out(7, member, 5_000)}
    (one,) = plan(prospect())
    room = BudgetFacts(-(-one.cost_ppm * (len(members) - len(out)) // PPM))

    found = plan(*everybody, policy=replace(POLICY, holdout_bp=5_000), fresh=room)

    given = {item.prospect.member_id for item in found if not item.is_held_out}
    assert 10 < len(out) < 30
    assert given == set(members) - out


def test_a_hash_holds_out_about_its_share_and_always_the_same_members():
    out = [is_held_out(7, member, 1_000) for member in range(5_000)]

    assert 400 < sum(out) < 600
    assert out == [is_held_out(7, member, 1_000) for member in range(5_000)]
    assert out != [is_held_out(8, member, 1_000) for member in range(5_000)]
    assert not any(is_held_out(7, member, 0) for member in range(500))
    assert all(is_held_out(7, m, 2_000) for m in range(5_000) if out[m])


prospects = st.builds(
    Prospect,
    member_id=st.integers(1, 12),
    offer=st.sampled_from(["fresh", "other"]),
    target=st.just("tea"),
    chance_ppm=st.integers(0, PPM),
    discount_minor=st.integers(0, 300),
    margin_minor=st.integers(0, 3_000),
    reason=st.just(WHY),
)
limits = st.one_of(st.none(), st.integers(0, 500))


@settings(deadline=None)
@given(
    st.lists(prospects, max_size=40),
    limits,
    limits,
    st.sampled_from([0, 3_000, 9_000]),
    st.randoms(use_true_random=False),
)
def test_a_plan_keeps_its_budgets_and_caps_whatever_the_members(
    members, minor, points, holdout_bp, rng
):
    policy = replace(POLICY, holdout_bp=holdout_bp)
    budget = BudgetFacts(minor, points)
    found = plan(*members, policy=policy, fresh=budget, other=budget)

    given = [item for item in found if not item.is_held_out]
    for code in ("fresh", "other"):
        own = [item for item in given if item.prospect.offer == code]
        assert minor is None or sum(item.cost_ppm for item in own) <= minor * PPM
        assert points is None or sum(item.points_ppm for item in own) <= points * PPM
    assert all(item.worth_ppm > 0 for item in found)
    counts = Counter((item.prospect.member_id, item.prospect.target) for item in found)
    assert set(counts.values()) <= {1}
    for item in found:
        out = is_held_out(7, item.prospect.member_id, holdout_bp)
        assert item.is_held_out == out
    for sums in figures((FRESH, OTHER), found):
        own = [item for item in given if item.prospect.offer == sums.offer]
        assert sums.members == len(own)
        assert sums.cost_minor * PPM >= sum(item.cost_ppm for item in own)
        assert minor is None or sums.cost_minor <= minor
    # The sequence in which members are looked at changes nothing.
    unique = {(x.member_id, x.offer): x for x in members}
    shuffled = list(unique.values())
    rng.shuffle(shuffled)
    again = plan(*shuffled, policy=policy, fresh=budget, other=budget)
    assert again == plan(*unique.values(), policy=policy, fresh=budget, other=budget)


@given(st.lists(prospects, min_size=1, max_size=30), st.integers(0, 200))
def test_nothing_worth_more_for_its_cost_is_left_out_for_the_budget_alone(members, minor):
    """Of offers left out, none that ranks before the first one that did not fit would fit."""
    members = [replace(x, member_id=n, offer="fresh") for n, x in enumerate(members)]
    found = plan(*members, fresh=BudgetFacts(minor))

    taken = {item.prospect.member_id for item in found}
    left_ppm = minor * PPM - sum(item.cost_ppm for item in found)
    for each in members:
        item = weighed(each, FRESH, POLICY, FREE)
        if item is not None and each.member_id not in taken:
            assert item.cost_ppm > left_ppm


LATER = AT + DAY
counts = st.builds(
    OfferCounts, st.integers(1, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)
)


@given(counts, st.booleans(), st.booleans(), st.integers(-3, 3))
def test_the_state_follows_from_counts_and_clock(c, is_active, is_withdrawn, days):
    state = offer_state(
        c, ends_at=AT + days * DAY, is_active=is_active, is_withdrawn=is_withdrawn, at=AT
    )

    assert (state is OfferState.USED) == (c.used >= c.most)
    if state in (OfferState.OFFERED, OfferState.ACTIVE, OfferState.RESTORED):
        assert c.left > 0
        assert days > 0
        assert not is_withdrawn
    # Once it is over nothing but its uses changes that.
    later = offer_state(
        c, ends_at=AT + days * DAY, is_active=is_active, is_withdrawn=is_withdrawn, at=LATER
    )
    if state in (OfferState.USED, OfferState.WITHDRAWN, OfferState.EXPIRED):
        assert later is state
    withdrawn = offer_state(
        c, ends_at=AT + days * DAY, is_active=is_active, is_withdrawn=True, at=AT
    )
    assert withdrawn in (OfferState.USED, OfferState.WITHDRAWN)


def test_a_reason_survives_writing():
    for reason in (WHY, OfferReason(WhyOffered.NOT_LATELY, 9, AT.date())):
        assert reason_from_json(reason_to_json(reason)) == reason
    assert reason_from_json({}) is None
