"""The fast search answers exactly what sorting everything answers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from loyalty_recommender import topk
from loyalty_recommender.topk import NormOrdered, best

# Whole numbers: their float32 sums are exact in any order, so that equal scores are really equal.
WHOLE = st.integers(-3, 3).map(float)


def naive(scores: np.ndarray, first: int, allowed: np.ndarray) -> list[tuple[int, float]]:
    pairs = [(at, float(score)) for at, score in enumerate(scores) if allowed[at]]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:first]


@given(st.data(), st.integers(1, 60), st.integers(1, 4), st.integers(1, 70))
def test_any_vectors_any_filter(data: st.DataObject, rows: int, factors: int, first: int) -> None:
    vectors = data.draw(arrays.arrays(np.float32, (rows, factors), elements=WHOLE))
    query = data.draw(arrays.arrays(np.float32, factors, elements=WHOLE))
    allowed = data.draw(arrays.arrays(np.bool_, rows))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(topk, "FIRST_BLOCK", 4)
        patch.setattr(topk, "BLOCK", 16)
        found = NormOrdered.of(vectors).largest(query, first, allowed)

    assert list(zip(found.products.tolist(), found.scores.tolist(), strict=True)) == naive(
        vectors @ query, first, allowed
    )


@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0], ids=["equal lengths", "some", "very unequal"])
@pytest.mark.parametrize("allowed_share", [1.0, 0.02])
def test_many_real_vectors(spread: float, allowed_share: float) -> None:
    random = np.random.default_rng(3)
    vectors = random.normal(size=(20_000, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors *= np.exp(spread * random.normal(size=(20_000, 1))).astype(np.float32)
    allowed = random.random(20_000) < allowed_share
    search = NormOrdered.of(vectors)

    for query in random.normal(size=(10, 16)).astype(np.float32):
        found = search.largest(query, 25, allowed)

        expected = naive(vectors @ query, 25, allowed)
        assert found.products.tolist() == [product for product, _ in expected]
        np.testing.assert_allclose(found.scores, [score for _, score in expected], rtol=1e-4)


@given(st.lists(WHOLE, max_size=50), st.integers(1, 60))
def test_best_of_a_list(scores: list[float], first: int) -> None:
    array = np.array(scores, dtype=np.float32)

    found = best(np.arange(len(scores), dtype=np.int32), array, first)

    expected = naive(array, first, np.ones(len(scores), dtype=np.bool_))
    assert list(zip(found.products.tolist(), found.scores.tolist(), strict=True)) == expected


def test_a_long_vector_ends_the_search_early() -> None:
    vectors = np.zeros((50_000, 2), dtype=np.float32)
    vectors[:, 0] = 1e-6
    vectors[40_000, 0] = 5.0

    class Counting(np.ndarray):
        scored = 0

        def __matmul__(self, other: np.ndarray) -> np.ndarray:
            Counting.scored += len(self)
            return np.asarray(self) @ other

    search = NormOrdered.of(vectors)
    watched = replace(search, vectors=search.vectors.view(Counting))

    found = watched.largest(
        np.array([1.0, 0.0], dtype=np.float32), 1, np.ones(50_000, dtype=np.bool_)
    )

    assert (found.products.tolist(), found.scores.tolist()) == ([40_000], [5.0])
    assert Counting.scored == topk.FIRST_BLOCK
