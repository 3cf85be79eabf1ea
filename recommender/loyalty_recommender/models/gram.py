"""Linear algebra that a linear map between products is learned by."""

from __future__ import annotations

import numpy as np

from loyalty_recommender.arrays import Scores
from loyalty_recommender.errors import FitFailed


def zero_diagonal_map(gram: Scores, regularization: float) -> Scores:
    """Least squares from each product's column to all others, in closed form.

    Args:
        gram: (products, products) float32, what the columns have in common; written over.
        regularization: weight of the squared map, > 0.

    Returns:
        (products, products) float32 from what was bought (rows) to what is scored (columns).

    Raises:
        FitFailed: the numbers do not suffice for an inverse.

    Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equation 8.
    """
    # Imported here so that serving, which imports this module's users, never pays for implicit.
    from loyalty_recommender.implicit_adapter import blas_in_one_thread

    gram[np.diag_indices_from(gram)] += np.float32(regularization)
    # In one thread: sums in several end in other last digits on another machine.
    with blas_in_one_thread():
        weights = _inverse(gram)
    weights /= -np.diag(weights)
    weights[np.diag_indices_from(weights)] = 0.0
    if not np.isfinite(weights).all():
        raise FitFailed("EASE ended with numbers that are not finite; regularize more")
    return weights


def _inverse(gram: Scores) -> Scores:
    """Of a symmetric matrix with positive eigenvalues, in place where possible; by Cholesky, in
    half the time of a general inverse."""
    from scipy.linalg import lapack

    factor, failed = lapack.spotrf(gram, lower=True, overwrite_a=True)
    if not failed:
        half, failed = lapack.spotri(factor, lower=True, overwrite_c=True)
    if failed:
        raise FitFailed("EASE met a matrix that is not positive; regularize more")
    inverse: Scores = np.tril(half)
    inverse += np.tril(half, -1).T
    return inverse


def largest_directions(matrix: Scores, count: int) -> tuple[Scores, Scores]:
    """The largest singular directions of a square matrix.

    Args:
        matrix: (products, products) float32.
        count: how many; there are never more than products.

    Returns:
        Left ones times their sizes and right ones, (products, directions) float32 each: the
        first times the second, transposed, comes nearest to the matrix.
    """
    from scipy.sparse.linalg import svds

    from loyalty_recommender.implicit_adapter import blas_in_one_thread

    with blas_in_one_thread():
        # Searching for a few of many is far quicker; it cannot find nearly all.
        if 3 * count < len(matrix):
            start = np.random.default_rng(1).standard_normal(len(matrix)).astype(np.float32)
            left, size, right = svds(matrix, k=count, v0=start)
        else:
            left, size, right = np.linalg.svd(matrix)
    largest = np.argsort(-size, kind="stable")[:count]
    sources = np.ascontiguousarray(left[:, largest] * size[largest], dtype=np.float32)
    targets = np.ascontiguousarray(right[largest].T, dtype=np.float32)
    return sources, targets
