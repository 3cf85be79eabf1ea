"""A member's past, one row per product: how often, how lately, how regularly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import Indices, Scores
from loyalty_recommender.history import History

HALF_LIVES_DAYS = (7.0, 15.0, 30.0, 60.0, 120.0, 365.0)
"""Time constants of the decayed counts: from this week's habit to the year's."""

AGES_MAX = 4096
"""Older visits count as old as this, in days."""

_AGES = np.arange(AGES_MAX)
# Looked up, not computed: an exponential of every row would cost more than all the rest.
_DECAY = np.exp2(-_AGES / np.array(HALF_LIVES_DAYS)[:, None]).astype(np.float32)
_LOG = np.log(np.maximum(_AGES, 1)).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """One row per product the member bought, by rising product."""

    product: Indices
    """(pairs,)"""
    starts: Indices
    """(pairs,) where each product's rows begin in the history."""
    times: Indices
    """(pairs,) visits with the product, >= 1."""
    ages: Indices
    """(rows,) days since each row of the history, >= 1: what is bought today is a day old."""
    last: Indices
    """(pairs,) days since the last visit with the product, >= 1."""
    first: Indices
    """(pairs,) days since the first."""
    decayed: Scores
    """(half-lives, pairs) visits, each halved in weight with every half-life."""

    @classmethod
    def of(cls, history: History, day: int) -> Self:
        """Sum a history up as of a day, in days since 1970-01-01."""
        product = history.product
        starts = history.starts
        times = np.empty_like(starts)
        np.subtract(starts[1:], starts[:-1], out=times[:-1])
        times[-1:] = len(product) - starts[-1:]
        ages = np.minimum(np.maximum(np.int32(day) - history.day, 1), AGES_MAX - 1)
        decayed = np.empty((len(HALF_LIVES_DAYS), len(starts)), dtype=np.float32)
        if len(starts):
            for at, weights in enumerate(_DECAY):
                np.add.reduceat(weights[ages], starts, out=decayed[at])
        return cls(
            product[starts],
            starts,
            times,
            ages,
            last=ages[starts + times - 1],
            first=ages[starts],
            decayed=decayed,
        )

    def __len__(self) -> int:
        return len(self.product)

    def log_gaps(self) -> Scores:
        """(pairs,) sum of the logarithms of the days between visits; 0 after a single one."""
        if not len(self):
            return np.empty(0, dtype=np.float32)
        gaps = np.zeros(len(self.ages), dtype=np.int32)
        np.subtract(self.ages[:-1], self.ages[1:], out=gaps[1:])
        # From one product to the next there is no gap.
        gaps[self.starts] = 1
        sums: Scores = np.add.reduceat(_LOG[np.maximum(gaps, 1)], self.starts)
        return sums


def log_days(days: Indices) -> Scores:
    """Natural logarithm of whole days, 1 to ``AGES_MAX`` - 1."""
    found: Scores = _LOG[days]
    return found


def decay(ages: Indices, half_life: int) -> Scores:
    """Weights of ages in days by one of ``HALF_LIVES_DAYS``, named by its position."""
    found: Scores = _DECAY[half_life][ages]
    return found
