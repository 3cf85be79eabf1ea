"""About products a member never bought: will it try them in the next weeks?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Scores
from loyalty_recommender.features.pairs import HALF_LIVES_DAYS, Pairs
from loyalty_recommender.features.statistics import KINDS, LEAST, ProductStatistics
from loyalty_recommender.rows import Rows

NAMES = (
    "affinity by ALS",
    "affinity by ALS, logged",
    "affinity by ALS, for a vector of length 1",
    "likeness to what was bought",
    "expected trials, all kinds",
    *(f"expected trials, {kind.replace('_', ' and ')}" for kind in KINDS),
    "first purchases, 7 days",
    "first purchases, 28 days",
    "first purchases, 56 days",
    "popularity, 28 days",
    "popularity, 120 days",
    "popularity, 7 to 28 days",
    "popularity, 28 to 120 days",
    "likeness to what was bought, by activity",
    "popularity, 28 days, by activity",
    "affinity by ALS for length 1, by activity",
    "popularity, 7 to 28 days, by activity",
)
"""Columns of ``novel_features``."""

TRIED_HALF_LIFE_DAYS = 90.0
"""How fast a first purchase stops telling of a leaning to its kind."""

LIKENESS_LEAST = 1e-3
AFFINITY_LEAST = 1e-4
ACTIVITY_USUAL = 1.8
"""Log of the decayed visits that a usual member has: where the by-activity columns cross zero."""

_DAYS_30, _DAYS_120 = HALF_LIVES_DAYS.index(30.0), HALF_LIVES_DAYS.index(120.0)


@dataclass(frozen=True, slots=True, eq=False)
class Leanings:
    """What one member's past says, summed up for all its candidates."""

    vector: Scores
    """(factors,) by ALS."""
    tried: tuple[AnyArray, ...]
    """For each of ``KINDS`` (codes,): log of the decayed first purchases within it."""
    weight: Scores
    """(products,) log1p of the decayed visits, 0 for what was not bought."""
    activity: float

    @classmethod
    def of(cls, pairs: Pairs, vector: Scores, statistics: ProductStatistics) -> Self:
        """Sum a past up."""
        fresh = np.exp2(-pairs.first / TRIED_HALF_LIFE_DAYS)
        tried = tuple(
            np.log(np.bincount(codes[pairs.product], weights=fresh, minlength=size) + LEAST)
            for codes, size in zip(statistics.kinds, statistics.kind_counts.tolist(), strict=True)
        )
        weight = np.zeros(len(statistics.repeats), dtype=np.float32)
        weight[pairs.product] = np.log1p(pairs.decayed[:, _DAYS_120])
        recent = float(pairs.decayed[:, _DAYS_30].sum())
        return cls(vector, tried, weight, float(np.log(recent + 0.1)) - ACTIVITY_USUAL)


def novel_features(
    candidates: Indices,
    vectors: Scores,
    leanings: Leanings,
    similar: Rows,
    statistics: ProductStatistics,
) -> Scores:
    """Describe candidates.

    Args:
        candidates: (candidates,) products the member never bought.
        vectors: (candidates, factors) theirs by ALS.
        similar: each product's neighbours over members.

    Returns:
        (candidates, columns) float32, see ``NAMES``.
    """
    found = np.empty((len(candidates), len(NAMES)), dtype=np.float32)
    affinity = vectors @ leanings.vector
    length = float(np.linalg.norm(leanings.vector))
    found[:, 0] = affinity
    found[:, 1] = np.log(np.maximum(affinity, AFFINITY_LEAST))
    found[:, 2] = affinity / length if length > 0.0 else 0.0
    found[:, 3] = np.log(_likeness(candidates, leanings.weight, similar) + LIKENESS_LEAST)
    for at, tried in enumerate(leanings.tried):
        codes = statistics.kinds[at, candidates]
        found[:, 5 + at] = tried[codes] + statistics.kind_share[at, candidates]
    found[:, 4] = np.log(np.exp(found[:, 5:10]).sum(axis=1))
    found[:, 10:13] = statistics.first[candidates]
    popular = statistics.popular[candidates]
    found[:, 13:15] = popular[:, 1:]
    found[:, 15:17] = popular[:, :2] - popular[:, 1:]
    found[:, 17:] = found[:, (3, 13, 2, 15)] * leanings.activity
    return found


def _likeness(candidates: Indices, weight: Scores, similar: Rows) -> Scores:
    """Sum over each candidate's neighbours of likeness times the member's weight of them."""
    starts = similar.starts[candidates]
    sizes = similar.starts[candidates + 1] - starts
    held = np.flatnonzero(sizes)
    if not len(held):
        return np.zeros(len(candidates), dtype=np.float32)
    sizes = sizes[held]
    ends = np.cumsum(sizes)
    begins = ends - sizes
    rows = np.arange(ends[-1]) + np.repeat(starts[held] - begins, sizes)
    parts = similar.values[rows] * weight[similar.products[rows]]
    sums = np.zeros(len(candidates), dtype=np.float32)
    sums[held] = np.add.reduceat(parts, begins)
    return sums
