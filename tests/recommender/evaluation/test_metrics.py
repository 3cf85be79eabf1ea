"""Figures by hand, and against the definitions written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_recommender.evaluation import metrics

PRODUCTS = 12


def measured(answers: list[list[int]], truths: list[list[int]], k: int) -> tuple[list, list]:
    padded = np.array([each + [-1] * (PRODUCTS - len(each)) for each in answers], dtype=np.int32)
    wanted = [np.array(sorted(each), dtype=np.int32) for each in truths]
    hits = metrics.hits(padded, wanted, PRODUCTS)
    sizes = metrics.sizes(wanted)
    return metrics.recall(hits, sizes, k).tolist(), metrics.ndcg(hits, sizes, k).tolist()


def test_by_hand() -> None:
    recall, ndcg = measured([[5, 1, 7], [0]], [[1, 7, 9], [3]], k=3)

    ideal = 1 + 1 / np.log2(3) + 1 / 2
    assert recall == [pytest.approx(2 / 3), 0.0]
    assert ndcg == [pytest.approx((1 / np.log2(3) + 1 / 2) / ideal), 0.0]


def test_the_ideal_is_no_longer_than_k() -> None:
    recall, ndcg = measured([[0, 1]], [[0, 1, 2, 3]], k=2)

    assert recall == [0.5]
    assert ndcg == [pytest.approx(1.0)]


def test_padding_is_no_hit_though_the_last_product_of_the_one_before_was_wanted() -> None:
    """-1 added to a question's first product is the last product of the question before."""
    recall, _ = measured([[0], []], [[PRODUCTS - 1], [4]], k=10)

    assert recall == [0.0, 0.0]


lists = st.lists(st.integers(0, PRODUCTS - 1), unique=True)


@given(st.lists(st.tuples(lists, lists.filter(len)), min_size=1, max_size=5), st.integers(1, 12))
def test_many_at_once_are_each_by_its_definition(cases: list, k: int) -> None:
    recall, ndcg = measured([each for each, _ in cases], [each for _, each in cases], k)

    for at, (answer, truth) in enumerate(cases):
        gains = [1 / np.log2(rank + 2) for rank, each in enumerate(answer[:k]) if each in truth]
        ideal = sum(1 / np.log2(rank + 2) for rank in range(min(k, len(truth))))
        assert recall[at] == pytest.approx(len(set(answer[:k]) & set(truth)) / len(truth))
        assert ndcg[at] == pytest.approx(sum(gains) / ideal)


@pytest.mark.parametrize("k", [0, 4])
def test_k_beyond_the_answers_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match="k must be 1 to 3"):
        metrics.recall(np.zeros((1, 3), dtype=np.bool_), np.array([1]), k)
