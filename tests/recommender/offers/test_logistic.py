"""Weights that are known, and how far a prior holds them."""

import numpy as np
import pytest

from loyalty_recommender.errors import FitFailed
from loyalty_recommender.offers.logistic import Logistic, chances

TRUE = Logistic(-2.0, np.array([1.5, 0.0, -0.7]))


@pytest.fixture(scope="module")
def rows() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    features = random.normal(size=(40_000, 3)) * [1.0, 1.0, 5.0] + [0.0, 0.0, 2.0]
    return features, random.random(len(features)) < chances(TRUE.log_odds(features))


def test_weights_are_found_again(rows: tuple[np.ndarray, np.ndarray]) -> None:
    found = Logistic.fit(*rows, penalty=1e-3)

    assert found.constant == pytest.approx(TRUE.constant, abs=0.1)
    assert found.weights == pytest.approx(TRUE.weights, abs=0.06)


def test_the_mean_chance_is_the_share_that_happened(rows: tuple[np.ndarray, np.ndarray]) -> None:
    features, outcome = rows

    found = Logistic.fit(features, outcome, penalty=100.0)

    assert chances(found.log_odds(features)).mean() == pytest.approx(outcome.mean(), rel=1e-4)


def test_two_groups_have_the_log_odds_of_their_shares() -> None:
    features = np.array([[0.0]] * 10 + [[1.0]] * 10)
    outcome = np.array([True] * 2 + [False] * 8 + [True] * 6 + [False] * 4)

    found = Logistic.fit(features, outcome, penalty=1e-9)

    assert found.log_odds(np.array([[0.0], [1.0]])) == pytest.approx(np.log([2 / 8, 6 / 4]))


def test_a_strong_penalty_keeps_the_order_of_the_prior(
    rows: tuple[np.ndarray, np.ndarray],
) -> None:
    features, outcome = rows
    prior = Logistic(9.0, np.array([0.0, 1.0, 0.0]))

    weak = Logistic.fit(features, outcome, penalty=1e-3, prior=prior)
    strong = Logistic.fit(features, outcome, penalty=1e9, prior=prior)

    assert weak.weights == pytest.approx(TRUE.weights, abs=0.06)
    # Only the second feature can tell, and it says nothing: constant and slope are free.
    assert strong.weights == pytest.approx([0.0, 0.0, 0.0], abs=0.06)
    assert chances(strong.log_odds(features)).mean() == pytest.approx(outcome.mean(), rel=1e-3)


def test_a_fixed_weight_stays_in_proportion(rows: tuple[np.ndarray, np.ndarray]) -> None:
    prior = Logistic(0.0, np.array([3.0, 0.0, 1.0]))

    found = Logistic.fit(*rows, penalty=1e-3, prior=prior, fixed=np.array([True, False, True]))

    assert found.weights[2] / found.weights[0] == pytest.approx(1 / 3)


def test_some_of_the_zeros_do_for_all(rows: tuple[np.ndarray, np.ndarray]) -> None:
    features, outcome = rows
    kept = outcome | (np.arange(len(outcome)) % 4 == 0)
    share = (~outcome & kept).sum() / (~outcome).sum()

    whole = Logistic.fit(features, outcome, penalty=1.0)
    part = Logistic.fit(features[kept], outcome[kept], penalty=1.0, zeros_share=share)

    assert part.constant == pytest.approx(whole.constant, abs=0.1)
    assert part.weights == pytest.approx(whole.weights, abs=0.06)


def test_perfectly_parted_outcomes_stay_finite() -> None:
    features = np.arange(20.0)[:, None]

    found = Logistic.fit(features, features[:, 0] > 9.5, penalty=1.0)

    assert np.isfinite(found.weights).all()
    assert found.log_odds(np.array([[0.0], [19.0]]))[1] > 0


@pytest.mark.parametrize("outcome", [True, False])
def test_one_outcome_alone_teaches_nothing(outcome: bool) -> None:
    with pytest.raises(FitFailed, match="both outcomes"):
        Logistic.fit(np.ones((3, 1)), np.array([outcome] * 3), penalty=1.0)


def test_a_feature_that_is_no_number_is_refused() -> None:
    with pytest.raises(FitFailed, match="finite"):
        Logistic.fit(np.array([[1.0], [np.nan]]), np.array([True, False]), penalty=1.0)


def test_chances_of_extreme_log_odds_are_quiet() -> None:
    assert chances(np.array([-1e6, 0.0, 1e6])) == pytest.approx([0.0, 0.5, 1.0])
