"""Intervals: they hold what they promise, and households stay together."""

import numpy as np
import pytest

from loyalty_recommender.evaluation.bootstrap import Draws, interval, paired_difference


def test_the_interval_is_that_of_the_normal_law_where_that_holds() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 1000)

    found = interval(values, np.arange(1000))

    spread = 1.96 * values.std() / np.sqrt(1000)
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - spread, abs=0.02)
    assert found.high == pytest.approx(values.mean() + spread, abs=0.02)


def test_questions_of_one_household_are_not_counted_as_news() -> None:
    """Each household says the same four times: the interval is that of asking it once."""
    once = np.random.default_rng(2).normal(0.0, 1.0, 200)
    households = np.arange(200)

    four_times = interval(np.repeat(once, 4), np.repeat(households, 4))

    assert four_times.high == pytest.approx(interval(once, households).high)
    assert four_times.low == pytest.approx(interval(once, households).low)


def test_the_mean_is_over_questions_not_over_households() -> None:
    assert interval(np.array([1.0, 0.0, 0.0]), np.array([7, 9, 9])).mean == pytest.approx(1 / 3)


def test_about_95_of_100_intervals_hold_the_truth() -> None:
    random = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        of_household = random.normal(0.5, 0.3, 80)
        households = random.integers(0, 80, 240)
        found = interval(of_household[households], households)
        held += found.low <= 0.5 <= found.high

    assert 180 <= held <= 198


def test_a_small_steady_difference_is_seen_though_both_vary_much() -> None:
    theirs = np.random.default_rng(4).normal(0.0, 10.0, 300)
    households = np.arange(300) // 2

    found = paired_difference(theirs + 0.01, theirs, households)

    assert found.low == pytest.approx(0.01)
    assert found.high == pytest.approx(0.01)


def test_the_same_figures_give_the_same_interval() -> None:
    values, households = np.arange(10.0), np.arange(10)

    assert interval(values, households) == interval(values, households)


def test_no_questions_have_no_mean() -> None:
    assert np.isnan(interval(np.empty(0), np.empty(0)).mean)


def test_figures_on_other_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="found 2, 1 and 2 households"):
        paired_difference(np.zeros(2), np.zeros(1), np.zeros(2))


def test_a_ratio_varies_less_than_what_it_is_made_of() -> None:
    random = np.random.default_rng(5)
    theirs = random.gamma(2.0, 1.0, 400)
    households = np.arange(400) // 2

    found = Draws.of(households).ratio(0.9 * theirs, theirs)

    assert found.mean == pytest.approx(0.9)
    assert found.low == pytest.approx(0.9)
    assert found.high == pytest.approx(0.9)


def test_draws_without_anything_to_compare_with_are_passed_over() -> None:
    found = Draws.of(np.arange(2)).ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]))

    assert (found.low, found.mean, found.high) == (0.5, 0.5, 0.5)
