"""Intervals by drawing households again: what a mean could have been in another town.

Several questions of one household resemble each other, so households are drawn, each with all
its questions; the mean is taken over the questions.

Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile
intervals); Cameron, Gelbach, Miller, "Bootstrap-Based Improvements for Inference with Clustered
Errors", Review of Economics and Statistics 90(3), 2008 (drawing clusters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray

ROUNDS = 2_000
SHARE = 0.95
SEED = 20_170_101


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, and between what it lies in 95 % of the draws."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """How often each household is drawn, ready for any number of columns of figures."""

    household: NDArray[np.int64]
    """(questions,) 0 .. households-1."""
    times: NDArray[np.float32]
    """(rounds, households)."""
    questions: NDArray[np.float64]
    """(rounds,) how many questions each draw holds."""

    @classmethod
    def of(cls, households: AnyArray, *, rounds: int = ROUNDS, seed: int = SEED) -> Self:
        """Draw as many households as there are, with replacement.

        Args:
            households: (questions,) whose each question is, any integers.
        """
        distinct, household = np.unique(households, return_inverse=True)
        count = len(distinct)
        drawn = np.random.default_rng(seed).integers(0, max(count, 1), (rounds, count))
        times = np.zeros((rounds, count), dtype=np.float32)
        for each, row in zip(drawn, times, strict=True):
            row += np.bincount(each, minlength=count)
        of_household = np.bincount(household, minlength=count).astype(np.float64)
        return cls(household, times, times @ of_household)

    def interval(self, values: AnyArray, *, share: float = SHARE) -> Interval:
        """The mean over questions, with its interval.

        Args:
            values: (questions,) one figure each.
        """
        if not len(values):
            return Interval(float("nan"), float("nan"), float("nan"))
        sums = np.bincount(self.household, weights=values, minlength=self.times.shape[1])
        means = (self.times @ sums) / self.questions
        low, high = np.quantile(means, [(1 - share) / 2, (1 + share) / 2])
        return Interval(float(np.mean(values)), float(low), float(high))

    def ratio(self, ours: AnyArray, theirs: AnyArray, *, share: float = SHARE) -> Interval:
        """The mean of ours over the mean of theirs, on the same questions, with its interval.

        Args:
            theirs: (questions,) with a mean above zero; draws in which it is zero are passed over.
        """
        households = self.times.shape[1]
        means = [
            self.times @ np.bincount(self.household, weights=values, minlength=households)
            for values in (ours, theirs)
        ]
        drawn = means[1] > 0
        ratios = means[0][drawn] / means[1][drawn]
        low, high = np.quantile(ratios, [(1 - share) / 2, (1 + share) / 2])
        return Interval(float(np.mean(ours) / np.mean(theirs)), float(low), float(high))


def interval(values: AnyArray, households: AnyArray, *, seed: int = SEED) -> Interval:
    """The mean over questions, with its 95 % interval over households.

    Args:
        values: (questions,) one figure each.
        households: (questions,) whose each question is.
    """
    return Draws.of(households, seed=seed).interval(values)


def paired_difference(
    ours: AnyArray, theirs: AnyArray, households: AnyArray, *, seed: int = SEED
) -> Interval:
    """How much better ours is than theirs on the same questions, with its 95 % interval.

    Args:
        ours: (questions,) one figure each.
        theirs: (questions,) the other model's figures on the same questions.
        households: (questions,) whose each question is.
    """
    if not len(ours) == len(theirs) == len(households):
        raise ValueError(
            f"wanted one figure of both per question, found {len(ours)}, {len(theirs)} "
            f"and {len(households)} households"
        )
    return interval(np.asarray(ours, dtype=np.float64) - theirs, households, seed=seed)
