"""Recall and nDCG of ranked answers with known truth, for many questions at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray, Indices

PADDING = -1


def hits(answers: Indices, truths: Sequence[Indices], products: int) -> NDArray[np.bool_]:
    """Where an answer names a product that was wanted, (questions, depth).

    Args:
        answers: (questions, depth) positions, best first, distinct; -1 pads short answers.
        truths: what was wanted, per question.
        products: how many there are.
    """
    question = np.repeat(np.arange(len(truths)), [len(each) for each in truths])
    wanted = np.concatenate(truths) if len(truths) else np.empty(0, dtype=np.int64)
    key = question * np.int64(products) + wanted
    asked = np.arange(len(answers), dtype=np.int64)[:, None] * products + answers
    found: NDArray[np.bool_] = np.isin(asked, key) & (answers != PADDING)
    return found


def sizes(truths: Sequence[Indices]) -> NDArray[np.int64]:
    """How much was wanted, (questions,)."""
    return np.array([len(each) for each in truths], dtype=np.int64)


def recall(found: NDArray[np.bool_], wanted: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Hits among the first k over the size of the truth, (questions,).

    Args:
        found: (questions, depth), depth >= k.
        wanted: (questions,) > 0.
    """
    _check(found, k)
    share: NDArray[np.float64] = found[:, :k].sum(axis=1) / wanted
    return share


def ndcg(found: NDArray[np.bool_], wanted: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """Normalised discounted cumulative gain at k, binary gain, (questions,).

    The ideal answer has min(k, wanted) hits at the top.

    Source: Järvelin, Kekäläinen, "Cumulated Gain-Based Evaluation of IR Techniques", ACM TOIS
    20(4), 2002, with the discount 1 / log2(rank + 1).
    """
    _check(found, k)
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(wanted, k) - 1]
    gained: NDArray[np.float64] = (found[:, :k] @ discounts) / ideal
    return gained


def _check(found: AnyArray, k: int) -> None:
    if not 1 <= k <= found.shape[1]:
        raise ValueError(f"k must be 1 to {found.shape[1]}, found {k}")
