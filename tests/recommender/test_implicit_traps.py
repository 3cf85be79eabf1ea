"""What implicit 0.7.3 does to the unwary, shown in implicit itself.

A test that fails here after an upgrade says that a guard of ``implicit_adapter`` may be lifted;
most of what the guards promise is asked in test_implicit_adapter.py. Left out: the wrappers of
approximate neighbours find 60 % of the best products on such factors, but need libraries of their
own, which nothing here installs.
"""

import ast
import inspect
import io

import implicit.utils
import numpy as np
import pytest
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import (
    ItemItemRecommender,
    TFIDFRecommender,
    normalize,
    tfidf_weight,
)
from implicit.utils import ParameterWarning
from scipy import sparse
from threadpoolctl import threadpool_info, threadpool_limits

from loyalty_recommender import implicit_adapter
from loyalty_recommender.models.baselines.bpr import Bpr

PADDED = -float(np.finfo(np.float32).max)
"""The score of a product that may not be answered."""


def bought(members: int = 60, products: int = 40, share: float = 0.3) -> sparse.csr_matrix:
    """Who bought what, by chance."""
    return sparse.csr_matrix(
        (np.random.default_rng(5).random((members, products)) < share).astype(np.float32)
    )


def nobody(products: int = 40) -> sparse.csr_matrix:
    """The row of somebody who never bought anything."""
    return sparse.csr_matrix((1, products), dtype=np.float32)


def als(weights: sparse.csr_matrix, seed: object = 1) -> AlternatingLeastSquares:
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(factors=4, random_state=seed, num_threads=1)
        model.fit(weights, show_progress=False)
    return model


def item_item(weights: sparse.csr_matrix) -> ItemItemRecommender:
    model = ItemItemRecommender(K=40, num_threads=1)
    model.fit(weights.astype(np.float64), show_progress=False)
    return model


def test_item_item_with_a_filter_answers_far_more_than_asked_for() -> None:
    weights = bought()

    found, _ = item_item(weights).recommend(
        0, weights[0].astype(np.float64), N=5, filter_items=list(range(20))
    )

    assert len(found) > 10


def test_item_item_answers_what_was_bought_before_at_a_large_n() -> None:
    weights = bought()
    liked = set(weights[0].indices.tolist())
    model, row = item_item(weights), weights[0].astype(np.float64)

    few, _ = model.recommend(0, row, N=10, filter_already_liked_items=True)
    many, _ = model.recommend(0, row, N=40, filter_already_liked_items=True)

    assert not liked & set(few.tolist())
    assert liked <= set(many.tolist())


def test_factors_pad_a_short_answer_with_what_is_excluded() -> None:
    weights = bought()

    found, scores = als(weights).recommend(0, weights[0], N=10, filter_items=list(range(38)))

    assert len(found) == 10
    excluded = found < 38
    assert excluded.sum() >= 8
    assert (scores[excluded] == PADDED).all()


def test_an_empty_history_gives_products_by_position() -> None:
    model = als(bought())

    found, scores = model.recommend(0, nobody(), N=5, recalculate_user=True)

    assert found.tolist() == [4, 3, 2, 1, 0]
    assert not scores.any()


def test_an_object_fitted_again_on_more_members_ends_in_nan() -> None:
    model = als(bought(members=20))

    with pytest.raises(Exception, match="NaN encountered in factors"):
        model.fit(bought(members=200), show_progress=False)


def test_a_model_seeded_with_a_generator_is_saved_but_cannot_be_loaded() -> None:
    model, file = als(bought(), np.random.default_rng(1)), io.BytesIO()
    model.save(file)
    file.seek(0)

    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        AlternatingLeastSquares.load(file)


def bpr(weights: sparse.csr_matrix, threads: int) -> bytes:
    model = BayesianPersonalizedRanking(
        factors=8, iterations=5, random_state=3, num_threads=threads
    )
    model.fit(weights, show_progress=False)
    return model.item_factors.tobytes()


def test_bpr_in_two_threads_ends_elsewhere_at_each_run() -> None:
    weights = bought(3_000, 1_000, 0.03)

    once, alone = bpr(weights, 2), bpr(weights, 1)

    # The threads race; on a busy machine one may end before the other starts, but not always.
    assert any(bpr(weights, 2) != once for _ in range(50))
    assert bpr(weights, 1) == alone


def test_our_bpr_is_the_same_at_each_run() -> None:
    weights = bought(3_000, 1_000, 0.03)
    settings = Bpr(factors=8, iterations=5)

    def factors() -> list[bytes]:
        found = implicit_adapter.bpr_factors(
            weights,
            factors=settings.factors,
            learning_rate=settings.learning_rate,
            regularization=settings.regularization,
            iterations=settings.iterations,
            seed=settings.seed,
            progress=lambda share: None,
        )
        return [each.tobytes() for each in found]

    assert factors() == factors() == factors()


def test_blas_threads_beside_its_own_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(implicit.utils, "_checked_blas_config", False)

    with (
        threadpool_limits(limits=2, user_api="blas"),
        pytest.warns(RuntimeWarning, match="OpenBLAS is configured to use 2 threads"),
    ):
        AlternatingLeastSquares(factors=4)


def test_our_fits_run_beside_one_blas_thread() -> None:
    seen: set[int] = set()

    def look(share: float) -> None:
        seen.update(each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas")

    shared = {"factors": 4, "regularization": 0.01, "iterations": 2, "seed": 7, "progress": look}
    with threadpool_limits(limits=2, user_api="blas"):
        implicit_adapter.als_factors(bought(), alpha=1.0, **shared)
        implicit_adapter.bpr_factors(bought(), learning_rate=0.05, **shared)

    assert seen == {1}


def test_tfidf_passes_itself_a_matrix_of_the_wrong_kind() -> None:
    with pytest.warns(ParameterWarning, match="expects CSR input"):
        TFIDFRecommender(K=5, num_threads=1).fit(bought().astype(np.float64), show_progress=False)


def test_tfidf_of_a_row_of_everything_is_below_zero() -> None:
    weights = np.zeros((3, 3), dtype=np.float32)
    weights[0] = weights[1:, 0] = 1.0

    assert (normalize(tfidf_weight(sparse.csr_matrix(weights).T)).data < 0).any()


def test_the_calls_that_trap_are_never_made() -> None:
    """Nor are members solved for by implicit, one at a time: with ``num_threads`` at its default
    that starts all threads for microseconds of work (12 ms for 0.2 on two busy cores)."""
    called = {
        node.func.attr
        for node in ast.walk(ast.parse(inspect.getsource(implicit_adapter)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }

    trapped = {
        "recommend",
        "recommend_all",
        "similar_items",
        "similar_users",
        "rank_items",
        "recalculate_user",
        "recalculate_item",
        "partial_fit_users",
        "partial_fit_items",
        "save",
        "load",
    }
    assert "fit" in called
    assert called & trapped == set()
