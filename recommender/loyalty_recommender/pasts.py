"""Members as they were at an earlier day, with what they bought in the weeks after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from loyalty_recommender.arrays import Indices
from loyalty_recommender.features.statistics import ProductStatistics
from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions

LATER_DAYS = 28
"""How long after the day purchases are looked at."""

VISITS_MIN = 5
"""Visits before the day that a member needs: with fewer, there are no habits to learn from."""

MEMBERS_MAX = 4_000
"""Members looked at, drawn at random: a few weights need no more, and a large shop trains no
longer for them."""


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """One member at a day."""

    history: History
    """What it had bought before that day."""
    product: Indices
    """(rows,) what it bought in the days after, by product."""
    day: Indices
    """(rows,) when."""

    def first_visit(self) -> Indices:
        """Products of the first visit after the day, rising."""
        found: Indices = self.product[self.day == self.day.min()]
        return found

    def first_large_visit(self, products_min: int) -> Indices | None:
        """Products of the first visit with at least so many; None where there is none."""
        days, sizes = np.unique(self.day, return_counts=True)
        large = days[sizes >= products_min]
        return self.product[self.day == large[0]] if len(large) else None

    def tried(self) -> Indices:
        """Products bought for the first time after the day, rising."""
        return np.setdiff1d(self.product, self.history.product)


def split_day(interactions: Interactions, back: int = 1) -> int:
    """The day that leaves the last ``LATER_DAYS`` of the data, ``back`` times, to look at."""
    return int(interactions.day.max()) + 1 - LATER_DAYS * back if len(interactions) else 0


def pasts(interactions: Interactions, day: int, *, seed: int) -> Iterator[Past]:
    """Every member, or a random part of many, that visited before a day and after it.

    Args:
        interactions: rows by member, product and day.
        day: in days since 1970-01-01.
    """
    edges = np.searchsorted(interactions.member, np.arange(len(interactions.members) + 1))
    later = (interactions.day >= day) & (interactions.day < day + LATER_DAYS)
    returned = np.unique(interactions.member[later])
    if len(returned) > MEMBERS_MAX:
        random = np.random.default_rng(seed)
        returned = np.sort(random.choice(returned, MEMBERS_MAX, replace=False))
    for member in returned.tolist():
        rows = slice(edges[member], edges[member + 1])
        product, days = interactions.product[rows], interactions.day[rows]
        before, after = days < day, later[rows]
        history = History.sorted(product[before], days[before])
        if history.visits >= VISITS_MIN:
            yield Past(history, product[after], days[after])


def judged_by_others(
    interactions: Interactions, day: int, *, seed: int
) -> Iterator[tuple[ProductStatistics, Past]]:
    """As ``pasts``, each with statistics of the day that its own purchases are no part of.

    What is known of a seldom bought product comes from few members. Were the member's own
    purchases among it, the weights would learn to tell by it what this member alone buys, which
    is true of the past only.
    """
    before = interactions.day < day
    for half in (0, 1):
        own = interactions.member % 2 == half
        others = ProductStatistics.of(interactions.rows(before & ~own), day, stands_for=2.0)
        for past in pasts(interactions.rows(own), day, seed=seed):
            yield others, past
