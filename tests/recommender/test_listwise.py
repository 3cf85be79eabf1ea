"""The weights found are those under which what was bought is most probable."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty_recommender.listwise import LISTS_MIN, Question, learned_weights

COLUMNS = 4
TRUE = np.array([1.0, -2.0, 0.5, 0.0])


def questions(
    seed: int, *, scale: float = 1.0, lists: int = 2 * LISTS_MIN, bought_max: int = 3
) -> list[Question]:
    """Lists of 3 to 40 products, of which some were bought by the chances of ``TRUE``."""
    random = np.random.default_rng(seed)

    def drawn() -> Iterator[Question]:
        for _ in range(lists):
            size = int(random.integers(3, 41))
            features = random.normal(size=(size, COLUMNS)).astype(np.float32)
            noise = random.gumbel(size=size)
            taken = int(random.integers(1, bought_max + 1))
            bought = np.zeros(size, dtype=np.bool_)
            bought[np.argsort(-(scale * features @ TRUE + noise))[:taken]] = True
            yield Question(features, bought, taken)

    return list(drawn())


def loss(asked: list[Question], weights: np.ndarray, prior: np.ndarray, strength: float) -> float:
    """As it is written in the paper, list by list, plus the distance from the prior."""
    spread = np.concatenate([each.features for each in asked]).std(axis=0, dtype=np.float64)
    value = strength * ((weights * spread - prior) ** 2).sum() / 2
    for each in asked:
        score = each.features.astype(np.float64) @ weights
        logs = score - np.log(np.exp(score - score.max()).sum()) - score.max()
        value -= logs[each.bought].sum() / each.wanted**0.5
    return float(value)


@pytest.mark.parametrize("strength", [1e-3, 10.0, 1e4])
@pytest.mark.parametrize("prior", [np.zeros(COLUMNS), np.array([-9.0, 9.0, -9.0, 9.0])])
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0.1, 1.0, 30.0]))
@settings(max_examples=5, deadline=None)
def test_any_other_weights_are_worse(
    strength: float, prior: np.ndarray, seed: int, scale: float
) -> None:
    asked = questions(seed, scale=scale)

    found = learned_weights(
        asked, prior.astype(np.float32), strength=strength, share=1.0, seed=1
    ).astype(np.float64)

    least = loss(asked, found, prior, strength)
    for column in range(COLUMNS):
        for away in (0.05, -0.05):
            other = found.copy()
            other[column] += away * max(1.0, abs(other[column]))
            assert loss(asked, other, prior, strength) > least


def test_with_few_lists_the_prior_stays() -> None:
    prior = np.arange(COLUMNS, dtype=np.float32)

    found = learned_weights(
        questions(3, lists=LISTS_MIN - 1), prior, strength=1.0, share=1.0, seed=1
    )

    assert found.tolist() == prior.tolist()


def test_many_lists_tell_the_weights_that_they_were_drawn_by() -> None:
    asked = questions(4, lists=6000, bought_max=1)

    found = learned_weights(
        asked, np.zeros(COLUMNS, dtype=np.float32), strength=1.0, share=1.0, seed=1
    )

    np.testing.assert_allclose(found, TRUE, atol=0.06)
