"""Members as they were: nothing from after the day, nothing of their own in what judges them."""

import numpy as np

from loyalty_recommender.features.statistics import ProductStatistics
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.pasts import LATER_DAYS, judged_by_others, pasts, split_day

DAY_S = 86_400
RANDOM = np.random.default_rng(11)
MEMBER = RANDOM.integers(0, 12, 900)
PRODUCT = RANDOM.integers(0, 20, 900)
DAY = RANDOM.integers(0, 120, 900)


def shop(product: np.ndarray = PRODUCT) -> Interactions:
    # Numbers of equal length sort as they count.
    return Interactions.from_columns(MEMBER + 100, product + 100, DAY * DAY_S)


def test_a_past_ends_before_the_day_and_what_came_starts_on_it() -> None:
    day = split_day(shop())

    found = list(pasts(shop(), day, seed=1))

    assert day == 120 - LATER_DAYS
    assert len(found) == 12
    for at, past in enumerate(found):
        own = (at == MEMBER) & (day > DAY)
        assert sorted(zip(past.history.product, past.history.day, strict=True)) == sorted(
            set(zip(PRODUCT[own], DAY[own], strict=True))
        )
        assert past.day.min() >= day
        assert set(past.first_visit()) == set(PRODUCT[(at == MEMBER) & (past.day.min() == DAY)])
        assert set(past.tried()) == set(past.product) - set(past.history.product)


def test_what_a_member_buys_is_no_part_of_the_statistics_it_is_judged_by() -> None:
    mine = MEMBER == 3
    changed = np.where(mine, 19 - PRODUCT, PRODUCT)
    day = split_day(shop())

    one = list(judged_by_others(shop(), day, seed=1))
    two = list(judged_by_others(shop(changed), day, seed=1))

    even, odd = (one[0][0], two[0][0]), (one[-1][0], two[-1][0])
    # Member 3 is odd: the odd are judged by the even alone, who bought the same in both.
    np.testing.assert_array_equal(odd[0].popular, odd[1].popular)
    assert not np.array_equal(even[0].popular, even[1].popular)
    assert len(one) == len(two) == 12


def test_half_of_the_members_stand_for_all() -> None:
    day = split_day(shop())
    half = shop().rows(shop().member % 2 == 0)

    counted = ProductStatistics.of(half, day + LATER_DAYS, stands_for=2.0)

    plain = ProductStatistics.of(half, day + LATER_DAYS)
    np.testing.assert_allclose(
        np.exp(counted.popular) - 0.05, 2.0 * (np.exp(plain.popular) - 0.05), rtol=1e-4
    )
