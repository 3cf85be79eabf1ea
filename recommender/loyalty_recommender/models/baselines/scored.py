"""Answers of models that score every product at once."""

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Mask
from loyalty_recommender.history import History
from loyalty_recommender.topk import Ranking, best


def best_of(scores: AnyArray, first: int, allowed: Mask) -> Ranking:
    """The best of scores by product, (products,), that pass a filter of the same shape."""
    kept = np.flatnonzero(allowed).astype(np.int32)
    return best(kept, scores[kept].astype(np.float32), first)


def counted(history: History) -> tuple[Indices, AnyArray]:
    """The distinct products of a history, and in how many visits each was bought."""
    products, visits = np.unique(history.product, return_counts=True)
    return products, visits
