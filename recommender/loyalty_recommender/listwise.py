"""Weights for a few features, learned from which of many products were then bought.

Each question is a list of candidate products of one member, some of which were bought. The
probability of a product is the softmax of its weighted features over its list, so that whatever is
the same for all products of a list (how much a member buys at all) plays no part. This is the
conditional (multinomial) logit of McFadden, "Conditional logit analysis of qualitative choice
behavior", 1974, also known as ListNet's top-one loss (Cao et al., ICML 2007).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from loyalty_recommender.arrays import AnyArray, Mask, Scores
from loyalty_recommender.errors import FitFailed

NEGATIVES_MIN = 50
"""Candidates that were not bought and stay in each list at least."""


LISTS_MIN = 100
"""With fewer lists than this the prior stays: some twenty weights would learn nothing but their
accidents."""

STEPS_MAX = 60
"""Steps of the search for the best weights, those that led too far counted."""

GAIN_LEAST = 1e-5
"""The search ends where one more step promises less, in twice the nats of probability."""

ROWS_AT_ONCE = 65_536

SPREAD_MIN = 0.05
"""Columns are logarithms, shares and yes or no, so that less than this is no spread at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One list: what could have been bought, and what was."""

    features: Scores
    """(candidates, columns)"""
    bought: Mask
    """(candidates,)"""
    wanted: int
    """How many products were bought in all, candidates or not."""


def weighed(features: Scores, weights: Scores) -> Scores:
    """The weighted sum of each row, (rows,).

    Not a product of matrices: those round differently with the number of rows, and an answer
    must not depend on what else was looked at.
    """
    found: Scores = np.vecdot(features, weights)
    return found


def learned_weights(
    questions: Iterable[Question], prior: Scores, *, strength: float, share: float, seed: int
) -> Scores:
    """Find the weights under which what was bought is most probable.

    Args:
        questions: lists without a purchase are passed over; ``LISTS_MIN`` others are needed.
        prior: (columns,) weights without any evidence, for features divided by their spread,
            which differs from shop to shop.
        strength: how many squared deviations of the standardised weights from the prior one
            nat of probability outweighs, > 0: a shop with few members stays near the prior.
        share: of the candidates that were not bought, how many are looked at, 0 to 1; drawn at
            random and weighted up.

    Returns:
        (columns,) float32, for the plain features.

    Raises:
        FitFailed: a feature is not finite.
    """
    # Imported here so that serving, which imports this module's users, never pays for implicit.
    from loyalty_recommender.implicit_adapter import blas_in_one_thread

    with blas_in_one_thread():
        lists = _Lists.of(questions, len(prior), share, seed)
        if lists is None:
            return prior.astype(np.float32)
        if not np.isfinite(lists.features).all():
            raise FitFailed("a feature is not finite")
        spread = lists.features.std(axis=0, dtype=np.float64)
        # A column that hardly varied here may vary in an answer: its weight must not explode there.
        spread = np.maximum(spread, SPREAD_MIN)
        mean = lists.features.mean(axis=0, dtype=np.float64)
        # In place: these rows are most of what a training holds.
        np.subtract(lists.features, mean.astype(np.float32), out=lists.features)
        np.divide(lists.features, spread.astype(np.float32), out=lists.features)
        weights: Scores = (_lowest(lists, prior.astype(np.float64), strength) / spread).astype(
            np.float32
        )
        return weights


def _lowest(lists: _Lists, prior: AnyArray, strength: float) -> AnyArray:
    """Where the loss and the squared distance from the prior are least in sum, (columns,).

    By Newton's method: the sum has one lowest point, and with a few dozen columns its curvature
    costs no more than two slopes. Four to seven steps find it; methods that know the slope alone
    took around a hundred and stopped within 0.6 standard errors of it.
    """
    weights, least = prior, np.inf
    tried = prior
    for _ in range(STEPS_MAX):
        at = lists.at(tried)
        away = tried - prior
        value = at.value + strength * float(away @ away) / 2.0
        if value > least:
            # Too far along a direction that leads down for certain, if by little.
            tried = (weights + tried) / 2.0
            continue
        weights, least = tried, value
        slope = at.slope + strength * away
        curvature = lists.curvature(at) + strength * np.eye(len(prior))
        step = np.linalg.solve(curvature, slope)
        if float(slope @ step) < GAIN_LEAST:
            break
        tried = weights - step
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class _Lists:
    """Lists one after the other."""

    features: Scores
    bought: AnyArray
    offset: AnyArray
    """(rows,) log of how many candidates a row stands for."""
    starts: AnyArray
    sizes: AnyArray
    weight: AnyArray
    """(lists,)"""

    @classmethod
    def of(
        cls, questions: Iterable[Question], columns: int, share: float, seed: int
    ) -> _Lists | None:
        random = np.random.default_rng(seed)
        features, bought, offsets, sizes, weights = [], [], [], [], []
        for each in questions:
            if not each.bought.any():
                continue
            others = np.flatnonzero(~each.bought)
            looked_at = min(max(round(share * len(others)), NEGATIVES_MIN), len(others))
            chosen = random.choice(others, looked_at, replace=False)
            rows = np.concatenate((np.flatnonzero(each.bought), chosen))
            offset = np.zeros(len(rows))
            if looked_at:
                offset[-looked_at:] = np.log(len(others) / looked_at)
            features.append(each.features[rows])
            bought.append(each.bought[rows])
            offsets.append(offset)
            sizes.append(len(rows))
            # Between counting each member alike and each purchase alike.
            weights.append(max(each.wanted, 1) ** -0.5)
        if len(sizes) < LISTS_MIN:
            return None
        ends = np.cumsum(sizes)
        return cls(
            np.concatenate(features).reshape(-1, columns),
            np.concatenate(bought).astype(np.float64),
            np.concatenate(offsets),
            ends - np.array(sizes),
            np.array(sizes),
            np.array(weights),
        )

    def at(self, weights: AnyArray) -> _Look:
        """Negative log-likelihood of what was bought, its slope, and what it comes from."""
        score = (self.features @ weights.astype(np.float32)).astype(np.float64) + self.offset
        top = np.maximum.reduceat(score, self.starts)
        chance = np.exp(score - np.repeat(top, self.sizes))
        total = np.add.reduceat(chance, self.starts)
        chance /= np.repeat(total, self.sizes)
        purchases = np.add.reduceat(self.bought, self.starts)
        of_list = self.weight * purchases
        of_row = np.repeat(self.weight, self.sizes) * self.bought
        value = float(of_list @ (np.log(total) + top) - of_row @ score)
        slope = chance * np.repeat(of_list, self.sizes) - of_row
        slope = (slope.astype(np.float32) @ self.features).astype(np.float64)
        return _Look(value, slope, chance, of_list)

    def curvature(self, look: _Look) -> AnyArray:
        """How the slope changes with the weights, (columns, columns).

        Of each list, the spread of its features where every product counts by its chance.
        """
        columns = self.features.shape[1]
        found = np.zeros((columns, columns))
        ends = self.starts + self.sizes
        # Some lists at a time, so that little of it all is held twice.
        block = ends // ROWS_AT_ONCE
        edges = [*np.flatnonzero(np.diff(block, prepend=-1)).tolist(), len(ends)]
        for first, last in pairwise(edges):
            rows = slice(self.starts[first], ends[last - 1])
            sizes, of_list = self.sizes[first:last], look.of_list[first:last].astype(np.float32)
            features = self.features[rows]
            counted = features * look.chance[rows, None].astype(np.float32)
            mean = np.add.reduceat(counted, self.starts[first:last] - self.starts[first], axis=0)
            counted *= np.repeat(of_list, sizes)[:, None]
            found += features.T @ counted - mean.T @ (mean * of_list[:, None])
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """The lists seen under some weights."""

    value: float
    slope: AnyArray
    """(columns,)"""
    chance: AnyArray
    """(rows,) each product's probability in its list."""
    of_list: AnyArray
    """(lists,) what a list counts."""
