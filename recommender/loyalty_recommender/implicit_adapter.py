"""The only module that speaks implicit 0.7.3: typed functions over its untyped classes.

What they guard against, each with a test in tests/recommender/test_implicit_adapter.py or, where
the trap is shown in implicit itself, in test_implicit_traps.py:

- A fitted object that is fitted again on more members starts from the old factors and ends in
  NaN: every call makes a fresh object.
- A ``Generator`` as random state makes a model that cannot be saved and loaded: seeds are ints.
- implicit's own threads times OpenBLAS's threads slow a fit down many times and raise a
  warning: BLAS gets one thread around each fit, and the old number back afterwards. The small
  matrices of the features are no faster in several, either.
- TF-IDF of a row that holds every product has the weight log(n) - log(n + 1) < 0, and of one
  that holds all but one exactly 0: columns then divide 0 by 0. Such rows tell products apart in
  no way and are dropped first.
- ``TFIDFRecommender.fit`` passes itself a matrix of the wrong kind and warns about it: the weights
  are computed by implicit's functions here and handed to its base class.
- BPR in two threads ends elsewhere at each run: it gets one.
- Neighbour lists contain the product itself, and entries of weight zero: both are removed.

``recommend`` and ``similar_items`` are never called: they pad short lists with filtered products
scored -3.4e38, ignore N with ``filter_items``, return liked products at a large N, and arbitrary
ones for an empty history. Nor is ``recalculate_user``, which starts all threads for one member, nor
``save``.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from implicit.cpu.bpr import BayesianPersonalizedRanking
from implicit.nearest_neighbours import (
    ItemItemRecommender,
    bm25_weight,
    normalize,
    tfidf_weight,
)
from scipy import sparse
from threadpoolctl import threadpool_limits

from loyalty_recommender.arrays import Scores
from loyalty_recommender.errors import FitFailed
from loyalty_recommender.rows import Rows

VERSION = "0.7.3"
"""The version whose behaviour the guards were written against."""


def blas_in_one_thread() -> AbstractContextManager[object]:
    """While it is entered, matrices are multiplied in one thread; the whole process is meant."""
    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits


def als_factors(
    weights: sparse.csr_matrix,
    *,
    factors: int,
    alpha: float,
    regularization: float,
    iterations: int,
    seed: int,
    progress: Callable[[float], None],
    threads: int = 0,
) -> tuple[Scores, Scores]:
    """Factorise a matrix of members by products.

    Args:
        weights: (members, products) float32, >= 0, zero means not seen.
        progress: told the share of the iterations done.
        threads: 0 for all cores.

    Returns:
        Vectors of members (members, factors) and of products (products, factors), float32.
        Rows without weights are zero.

    Raises:
        FitFailed: there are no weights, or the factors are not finite.
    """
    matrix = _checked(weights)

    def iterated(iteration: int, elapsed_s: float, loss: float | None) -> None:
        progress((iteration + 1) / iterations)

    with blas_in_one_thread():
        model = AlternatingLeastSquares(
            factors=factors,
            alpha=alpha,
            regularization=regularization,
            iterations=iterations,
            random_state=int(seed),
            num_threads=threads,
        )
        model.fit(matrix, show_progress=False, callback=iterated)
    return _finite(model, matrix, "ALS", "more regularization")


def tfidf_neighbours(weights: sparse.csr_matrix, neighbours: int, *, threads: int = 0) -> Rows:
    """Find each product's nearest products by the cosine of TF-IDF weighted columns.

    Args:
        weights: (members or visits, products) float32, >= 0.
        neighbours: how many at most per product, >= 1.
        threads: 0 for all cores.

    Returns:
        (products, products) cosines above zero, without the products themselves.

    Raises:
        FitFailed: there are no weights.
    """
    matrix = _informative(_checked(weights))
    products = int(matrix.shape[1])
    if matrix.nnz == 0:
        return Rows.of(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), products)
    with blas_in_one_thread():
        # One more than asked for: the nearest product of each is itself.
        model = ItemItemRecommender(K=min(neighbours + 1, products), num_threads=threads)
        model.fit(normalize(tfidf_weight(matrix.T)).T.tocsr(), show_progress=False)
    return _rows(model.similarity, itself=False)


def bpr_factors(
    weights: sparse.csr_matrix,
    *,
    factors: int,
    learning_rate: float,
    regularization: float,
    iterations: int,
    seed: int,
    progress: Callable[[float], None],
) -> tuple[Scores, Scores]:
    """Learn to rank what was bought above what was not, in one thread.

    Args:
        weights: (members, products) float32; only where it is above zero matters.
        progress: told the share of the iterations done.

    Returns:
        Vectors of members and of products, (…, factors + 1), float32: the last number of a
        product is its popularity term, and 1 for every member with purchases. Rows without
        weights are zero.

    Raises:
        FitFailed: there are no weights, or the factors are not finite.
    """
    matrix = _checked(weights)

    def iterated(iteration: int, elapsed_s: float, correct: float, skipped: float) -> None:
        progress((iteration + 1) / iterations)

    with blas_in_one_thread():
        model = BayesianPersonalizedRanking(
            factors=factors,
            learning_rate=learning_rate,
            regularization=regularization,
            iterations=iterations,
            random_state=int(seed),
            num_threads=1,
        )
        model.fit(matrix, show_progress=False, callback=iterated)
    return _finite(model, matrix, "BPR", "a smaller learning rate")


def bm25_neighbours(
    weights: sparse.csr_matrix, neighbours: int, *, k1: float, b: float, threads: int = 0
) -> Rows:
    """Find each product's nearest products by inner products of BM25-weighted columns.

    Args:
        weights: (members or visits, products) float32, >= 0.
        neighbours: how many at most per product, >= 1; the product itself is one of them.
        threads: 0 for all cores.

    Returns:
        (products, products) above zero.

    Raises:
        FitFailed: there are no weights.
    """
    matrix = _informative(_checked(weights))
    products = int(matrix.shape[1])
    if matrix.nnz == 0:
        return Rows.of(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), products)
    with blas_in_one_thread():
        model = ItemItemRecommender(K=min(neighbours, products), num_threads=threads)
        model.fit(bm25_weight(matrix.T, K1=k1, B=b).T.tocsr(), show_progress=False)
    return _rows(model.similarity, itself=True)


def _rows(found: sparse.csr_matrix, *, itself: bool) -> Rows:
    """What is above zero, with or without each product's value for itself; the rows are sorted in
    place."""
    found.sort_indices()
    sizes = np.diff(found.indptr)
    kept = found.data > 0
    if not itself:
        kept &= found.indices != np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    starts = np.zeros(len(kept) + 1, dtype=np.int64)
    np.cumsum(kept, out=starts[1:])
    return Rows(
        starts[found.indptr],
        found.indices[kept].astype(np.int32, copy=False),
        found.data[kept].astype(np.float32, copy=False),
    )


def _informative(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """Without rows that hold all products or all but one: their weight would be 0 or below."""
    return matrix[np.flatnonzero(np.diff(matrix.indptr) + 1 < matrix.shape[1])]


def _finite(model: Any, matrix: sparse.csr_matrix, name: str, remedy: str) -> tuple[Scores, Scores]:
    """The factors of a fitted model, zero where there was nothing to learn from."""
    members = np.ascontiguousarray(model.user_factors, dtype=np.float32)
    products = np.ascontiguousarray(model.item_factors, dtype=np.float32)
    if not (np.isfinite(members).all() and np.isfinite(products).all()):
        raise FitFailed(f"{name} ended with vectors that are not finite; {remedy} may help")
    members[np.diff(matrix.indptr) == 0] = 0.0
    products[np.bincount(matrix.indices, minlength=matrix.shape[1]) == 0] = 0.0
    return members, products


def _checked(weights: sparse.csr_matrix) -> sparse.csr_matrix:
    matrix = sparse.csr_matrix(weights, dtype=np.float32)
    if matrix.nnz == 0:
        raise FitFailed(f"there are no purchases to learn from in a matrix of {matrix.shape}")
    if not (np.isfinite(matrix.data).all() and (matrix.data >= 0).all()):
        raise FitFailed("weights must be finite and not negative")
    return matrix
