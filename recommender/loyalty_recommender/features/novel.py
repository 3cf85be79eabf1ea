"""About products a member never bought: will it try them in the next weeks?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import Indices, Scores
from loyalty_recommender.features.pairs import AGES_MAX, HALF_LIVES_DAYS, Pairs
from loyalty_recommender.features.statistics import KINDS, LEAST, ProductStatistics
from loyalty_recommender.listwise import weighed
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
    "goes with all that was bought",
    "likeness to what was bought, by activity",
    "popularity, 28 days, by activity",
    "affinity by ALS for length 1, by activity",
    "popularity, 7 to 28 days, by activity",
    "goes with all that was bought, by activity",
)
"""Columns of ``novel_features``."""

TRIED_HALF_LIFE_DAYS = 90.0
"""How fast a first purchase stops telling of a leaning to its kind."""

LIKENESS_LEAST = 1e-3
AFFINITY_LEAST = 1e-4
ACTIVITY_USUAL = 1.8
"""Log of the decayed visits that a usual member has: where the by-activity columns cross zero."""

# NumPy scalars of the columns' own type: with Python's, everything would become twice as wide.
_LEAST, _LIKENESS_LEAST = np.float32(LEAST), np.float32(LIKENESS_LEAST)
_AFFINITY_LEAST = np.float32(AFFINITY_LEAST)
_TRIED = np.exp2(-np.arange(AGES_MAX) / TRIED_HALF_LIFE_DAYS)
_DAYS_30, _DAYS_120 = HALF_LIVES_DAYS.index(30.0), HALF_LIVES_DAYS.index(120.0)


def bought_weights(pairs: Pairs) -> Scores:
    """How much each product bought counts, (pairs,): ``log1p`` of its decayed visits."""
    found: Scores = np.log1p(pairs.decayed[_DAYS_120])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Leanings:
    """What one member's past says, summed up for all its candidates."""

    vector: Scores
    """(factors,) by ALS."""
    towards: Scores
    """(directions,) by the autoencoder."""
    tried: Scores
    """(codes,) decayed first purchases within each kind."""
    weight: Scores
    """(products,) log1p of the decayed visits, 0 for what was not bought."""
    activity: np.float32

    @classmethod
    def of(
        cls,
        pairs: Pairs,
        bought: Scores,
        vector: Scores,
        towards: Scores,
        statistics: ProductStatistics,
    ) -> Self:
        """Sum a past up.

        Args:
            bought: as by ``bought_weights``.
            vector: (factors,) the member's by ALS.
            towards: (directions,) the member's by the autoencoder.
        """
        fresh = _TRIED.take(pairs.first)
        codes = statistics.kinds.take(pairs.product, axis=0)
        tried = np.bincount(
            codes.ravel(), weights=fresh.repeat(codes.shape[1]), minlength=statistics.codes
        )
        weight = np.zeros(len(statistics.repeats), dtype=np.float32)
        weight[pairs.product] = bought
        recent = float(pairs.decayed[_DAYS_30].sum())
        activity = np.float32(np.log(recent + 0.1) - ACTIVITY_USUAL)
        return cls(vector, towards, tried.astype(np.float32), weight, activity)


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Products that a member never bought, and where they lie."""

    products: Indices
    """(candidates,)"""
    vectors: Scores
    """(candidates, factors) by ALS."""
    targets: Scores
    """(candidates, directions) by the autoencoder."""


@dataclass(frozen=True, slots=True, eq=False)
class _Views:
    """What is worked out of a member's leanings for each candidate, (candidates,) each."""

    affinity: Scores
    log_affinity: Scores
    likeness: Scores
    """Logged."""
    goes_with: Scores
    expected: Scores
    """Expected trials over all kinds, logged."""
    tried: Scores
    """(candidates, 5) logged."""

    @classmethod
    def of(
        cls,
        candidates: Candidates,
        leanings: Leanings,
        similar: Rows,
        statistics: ProductStatistics,
    ) -> Self:
        products = candidates.products
        affinity = weighed(candidates.vectors, leanings.vector)
        tried = leanings.tried.take(statistics.kinds.take(products, axis=0)) + _LEAST
        shares = np.exp(statistics.kind_share.take(products, axis=0))
        likeness = _likeness(products, leanings.weight, similar)
        return cls(
            affinity,
            np.log(np.maximum(affinity, _AFFINITY_LEAST)),
            np.log(likeness + _LIKENESS_LEAST),
            weighed(candidates.targets, leanings.towards),
            np.log(weighed(tried, shares)),
            np.log(tried),
        )


def novel_features(
    candidates: Candidates,
    leanings: Leanings,
    similar: Rows,
    statistics: ProductStatistics,
) -> Scores:
    """Describe candidates.

    Args:
        similar: each product's neighbours over members.

    Returns:
        (candidates, columns) float32, see ``NAMES``.
    """
    views = _Views.of(candidates, leanings, similar, statistics)
    products = candidates.products
    found = np.empty((len(products), len(NAMES)), dtype=np.float32)
    found[:, 0] = views.affinity
    found[:, 1] = views.log_affinity
    found[:, 2] = views.affinity * _inverse_length(leanings.vector)
    found[:, 3] = views.likeness
    found[:, 4] = views.expected
    found[:, 5:10] = views.tried + statistics.kind_share[products]
    found[:, 10:17] = _of_product(statistics, products)
    found[:, 17] = views.goes_with
    found[:, 18:] = found[:, _BY_ACTIVITY] * leanings.activity
    return found


@dataclass(frozen=True, slots=True, eq=False)
class NovelScorer:
    """``novel_features`` times weights, without writing the features down.

    What does not depend on the member is summed up once for all requests.
    """

    weights: Scores
    """(columns,)"""
    statistics: ProductStatistics
    base: Scores
    """(products,)"""
    by_activity: Scores
    """(products,)"""

    @classmethod
    def of(cls, weights: Scores, statistics: ProductStatistics) -> Self:
        """Sum up what is the same for all."""
        own = _of_product(statistics, np.arange(len(statistics.repeats), dtype=np.int32))
        base = own @ weights[10:17] + statistics.kind_share @ weights[5:10]
        by_activity = own[:, 3] * weights[19] + own[:, 5] * weights[21]
        return cls(weights, statistics, base, by_activity)

    def scores(self, candidates: Candidates, leanings: Leanings, similar: Rows) -> Scores:
        """One score per candidate, (candidates,) float32; arguments as ``novel_features``."""
        products = candidates.products
        views = _Views.of(candidates, leanings, similar, self.statistics)
        weights, activity = self.weights, leanings.activity
        inverse = _inverse_length(leanings.vector)
        of_affinity = weights[0] + (weights[2] + activity * weights[20]) * inverse
        found: Scores = (
            self.base.take(products)
            + activity * self.by_activity.take(products)
            + of_affinity * views.affinity
            + weights[1] * views.log_affinity
            + (weights[3] + activity * weights[18]) * views.likeness
            + (weights[17] + activity * weights[22]) * views.goes_with
            + weights[4] * views.expected
            + weighed(views.tried, weights[5:10])
        )
        return found


def _of_product(statistics: ProductStatistics, products: Indices) -> Scores:
    """Columns 10 to 16 of some products, (products, 7)."""
    popular = statistics.popular[products]
    return np.column_stack(
        (statistics.first[products], popular[:, 1:], popular[:, :2] - popular[:, 1:])
    )


_BY_ACTIVITY = (3, 13, 2, 15, 17)


def _inverse_length(vector: Scores) -> np.float32:
    length = float(np.linalg.norm(vector))
    return np.float32(1.0 / length if length > 0.0 else 0.0)


def _likeness(candidates: Indices, weight: Scores, similar: Rows) -> Scores:
    """Sum over each candidate's neighbours of likeness times the member's weight of them."""
    products, likeness = similar.beside(candidates)
    sums: Scores = np.vecdot(weight.take(products), likeness)
    return sums
