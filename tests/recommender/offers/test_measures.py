"""Areas against a count of all pairs, recall and calibration with known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_recommender.offers.measures import Asked, Calibration, auc, auc_interval


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcomes, scores with ties, and whole weights."""
    size = draw(st.integers(2, 25))
    outcome = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    scores = draw(st.lists(st.integers(-3, 3), min_size=size, max_size=size))
    times = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    return np.array(outcome), np.array(scores, dtype=float), np.array(times, dtype=float)


def counted(outcome: np.ndarray, scores: np.ndarray) -> float:
    pairs = [
        1.0 if mine > theirs else 0.5 if mine == theirs else 0.0
        for mine in scores[outcome]
        for theirs in scores[~outcome]
    ]
    return float(np.mean(pairs)) if pairs else float("nan")


@given(scored())
def test_the_area_is_the_share_of_pairs_in_order(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    outcome, scores, _ = case

    assert auc(outcome, scores) == pytest.approx(counted(outcome, scores), nan_ok=True)


@given(scored())
def test_a_weight_is_as_good_as_repeating_the_pair(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    outcome, scores, times = case
    again = np.repeat(np.arange(len(scores)), times.astype(int))

    found = auc(outcome, scores, times)

    assert found == pytest.approx(counted(outcome[again], scores[again]), nan_ok=True)


@given(scored())
def test_turning_scores_round_turns_the_area_round(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    outcome, scores, _ = case

    assert auc(outcome, -scores) == pytest.approx(1 - auc(outcome, scores), nan_ok=True)


def test_the_interval_holds_the_area_and_widens_with_fewer_households() -> None:
    random = np.random.default_rng(1)
    outcome = random.random(600) < 0.2
    scores = random.normal(size=600) + outcome

    many = auc_interval(outcome, scores, np.arange(600), rounds=200)
    few = auc_interval(outcome, scores, np.arange(600) // 60, rounds=200)

    assert many.mean == few.mean == pytest.approx(auc(outcome, scores))
    assert many.low < many.mean < many.high
    assert few.low < few.mean < few.high


def test_recall_counts_redeemed_offers_among_the_first() -> None:
    outcome = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]], dtype=bool)
    scores = np.array([[4, 1, 3, 2], [1, 1, 1, 1], [7, 7, 7, 7]], dtype=float)

    asked = Asked.of(outcome.ravel(), scores.ravel(), np.array([5, 6, 7]), k=2)

    assert asked.household.tolist() == [5, 7]
    # Equal scores are ranked by offer, so the last of four is not among the first two.
    assert asked.recall.tolist() == [0.5, 0.0]
    assert asked.auc.tolist() == [0.5, 0.5]


def test_a_member_that_redeemed_every_offer_has_no_area_but_a_recall() -> None:
    asked = Asked.of(np.array([True]), np.array([0.3]), np.array([1]))

    assert asked.recall.tolist() == [1.0]
    assert np.isnan(asked.auc).all()
    assert np.isnan(asked.auc_interval().mean)


def test_chances_that_are_right_have_no_error() -> None:
    chance = np.repeat([0.1, 0.5], 1000)
    outcome = np.concatenate([np.arange(1000) < 100, np.arange(1000) < 500])

    found = Calibration.of(outcome, chance, np.arange(2000))

    assert (found.expected, found.observed) == (pytest.approx(600), 600)
    assert found.log_loss < found.log_loss_base
    assert found.log_loss == pytest.approx(
        -np.mean([0.1 * np.log(0.1) + 0.9 * np.log(0.9), np.log(0.5)])
    )


def test_chances_twice_too_high_have_an_error_of_one() -> None:
    chance = np.full(1000, 0.2)

    found = Calibration.of(np.arange(1000) < 100, chance, np.arange(1000) // 100)

    assert found.error == pytest.approx(1.0)
    (all_,) = found.bins
    assert (all_.chance, all_.pairs) == (pytest.approx(0.2), 1000)
    # One household of ten did all of it, so it might have been none, or three.
    assert (all_.share.low, all_.share.mean, all_.share.high) == (0.0, 0.1, 0.3)
