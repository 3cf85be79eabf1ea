"""What offers changed, with its interval: whole numbers beside the same by floating numbers."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.offers.offer_effect import (
    Difference,
    Effect,
    Group,
    effect_of,
    group_of,
    target_effect_of,
    uplift_of,
)

sales = st.lists(st.one_of(st.none(), st.integers(0, 10**7)), min_size=2, max_size=40)


def test_groups_too_small_tell_nothing():
    one, some = group_of([5]), group_of([5, None, 3])

    assert effect_of(one, some) == Effect(one, some, None, None)
    assert effect_of(some, Group()) == Effect(some, Group(), None, None)
    assert (Group().rate_bp, Group().sales_per_member_minor) == (None, None)
    assert (some.rate_bp, some.sales_per_member_minor) == (6_666, 2)


def test_a_known_difference():
    offered = group_of([100] * 60 + [None] * 40)
    held_out = group_of([100] * 50 + [None] * 50)

    found = effect_of(offered, held_out)

    # .1 plus or minus 1.96 times the root of .24/100 + .25/100.
    assert found.rate == Difference(1_000, -373, 2_373)


@given(sales, sales)
def test_intervals_are_those_of_the_normal_approximation(first, second):
    found = effect_of(group_of(first), group_of(second))

    assert found.sales is not None
    assert found.rate is not None
    values = [[x or 0 for x in each] for each in (first, second)]
    means = [statistics.fmean(each) for each in values]
    error = math.sqrt(sum(statistics.variance(each) / len(each) for each in values))
    assert math.isclose(found.sales.found, means[0] - means[1], abs_tol=0.51, rel_tol=1e-9)
    for bound, sign in ((found.sales.low, -1), (found.sales.high, 1)):
        wanted = means[0] - means[1] + sign * 1.96 * error
        assert math.isclose(bound, wanted, abs_tol=1.1, rel_tol=1e-6)
    assert found.sales.low <= found.sales.found <= found.sales.high
    assert found.rate.low <= found.rate.found <= found.rate.high


def test_a_known_uplift():
    found = uplift_of(Group(100, 60), Group(100, 50))

    # Odds of 3 to 2 and of 1 to 1; e to the 1.96 times the root of 1/60 + 1/40 + 1/50 + 1/50.
    assert found == Difference(15_000, 8_567, 26_264)


@pytest.mark.parametrize(
    ("offered", "held_out"),
    [
        (Group(), Group(9, 3)),
        (Group(9, 9), Group(9, 3)),
        (Group(9, 0), Group(9, 3)),
        (Group(9, 3), Group(9, 0)),
        (Group(9, 3), Group(9, 9)),
    ],
)
def test_where_all_or_none_bought_no_odds_can_be_told(offered, held_out):
    assert uplift_of(offered, held_out) is None


counts = st.integers(2, 10_000).flatmap(
    lambda members: st.builds(Group, st.just(members), st.integers(1, members - 1))
)


@given(counts, counts)
def test_an_uplift_the_other_way_round_is_its_reciprocal(first, second):
    there, back = uplift_of(first, second), uplift_of(second, first)

    assert there is not None
    assert back is not None
    assert there.low <= there.found <= there.high
    # Rounded to basis points, each by one at most.
    assert (there.low - 1) * (back.high - 1) <= 10**8 <= (there.low + 1) * (back.high + 1)


def test_an_offer_that_holds_what_was_assumed_is_seen_to():
    effect = target_effect_of("fresh", Group(1_000, 300), Group(200, 40), assumed_bp=15_000)

    assert effect.rate == Difference(1_000, 377, 1_623)
    assert effect.uplift is not None
    assert effect.uplift.low < effect.assumed_bp < effect.uplift.high
