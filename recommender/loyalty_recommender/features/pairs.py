"""A member's past, one row per product: how often, how lately, how regularly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
_DECAY = np.exp2(-_AGES[:, None] / np.array(HALF_LIVES_DAYS)).astype(np.float32)
_DECAY_OF = np.ascontiguousarray(_DECAY.T)
# Complex numbers are pairs of real ones to the processor: two sums are made in the time of one.
_DECAY_TWO = _DECAY.view(np.complex64)
_LOG = np.log(np.maximum(_AGES, 1)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Pairs:
    """One row per product the member bought, by rising product."""

    history: History
    """The past that this sums up."""
    product: Indices
    """(pairs,)"""
    starts: Indices
    """(pairs,) where each product's rows begin in the history."""
    times: Indices
    """(pairs,) visits with the product, >= 1."""
    last: Indices
    """(pairs,) days since the last visit with the product, >= 1: what is bought today is a day
    old."""
    first: Indices
    """(pairs,) days since the first."""
    last_day: Indices
    """(pairs,) the day of the last visit with the product, since 1970-01-01."""
    first_day: Indices
    """(pairs,) that of the first."""
    day: int
    """As of when, in days since 1970-01-01."""

    @classmethod
    def of(cls, history: History, day: int) -> Self:
        """Sum a history up as of a day, in days since 1970-01-01."""
        starts, times = history.starts, history.times
        first_day = history.day.take(starts)
        last_day = history.day.take(starts + times - 1)
        return cls(
            history,
            history.bought,
            starts,
            times,
            last=_ages(last_day, day),
            first=_ages(first_day, day),
            last_day=last_day,
            first_day=first_day,
            day=day,
        )

    def __len__(self) -> int:
        return len(self.product)

    @cached_property
    def ages(self) -> Indices:
        """(rows,) days since each row of the history, >= 1."""
        return _ages(self.history.day, self.day)

    @cached_property
    def decayed(self) -> Scores:
        """(half-lives, pairs) visits, each halved in weight with every half-life."""
        if not len(self):
            return np.empty((len(HALF_LIVES_DAYS), 0), dtype=np.float32)
        summed = np.add.reduceat(_DECAY_TWO.take(self.ages, axis=0), self.starts, axis=0)
        found: Scores = summed.view(np.float32).T
        return found

    def log_gaps(self) -> Scores:
        """(pairs,) sum of the logarithms of the days between visits; 0 after a single one."""
        if not len(self):
            return np.empty(0, dtype=np.float32)
        gaps = np.empty_like(self.ages)
        np.subtract(self.ages[:-1], self.ages[1:], out=gaps[1:])
        # From one product to the next there is no gap.
        gaps[self.starts] = 0
        sums: Scores = np.add.reduceat(_LOG.take(gaps), self.starts)
        return sums


def _ages(days: Indices, day: int) -> Indices:
    ages: Indices = np.int32(day) - days
    np.maximum(ages, 1, out=ages)
    np.minimum(ages, AGES_MAX - 1, out=ages)
    return ages


def log_days(days: Indices) -> Scores:
    """Natural logarithm of whole days or visits, >= 1; of many as of ``AGES_MAX`` - 1."""
    found: Scores = _LOG.take(days, mode="clip")
    return found


def decay(ages: Indices, half_life: int) -> Scores:
    """Weights of ages in days by one of ``HALF_LIVES_DAYS``, named by its position."""
    found: Scores = _DECAY_OF[half_life].take(ages)
    return found
