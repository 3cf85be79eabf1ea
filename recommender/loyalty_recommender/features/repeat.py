"""About products a member bought before: will it be in the next visit?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import Indices, Scores
from loyalty_recommender.features.pairs import HALF_LIVES_DAYS, Pairs, log_days
from loyalty_recommender.features.statistics import KINDS, LEAST, ProductStatistics
from loyalty_recommender.history import History

NAMES = (
    *(f"visits, half-life {days:g} days" for days in HALF_LIVES_DAYS),
    "times",
    "days since the last visit",
    "days since the last visit, unlogged",
    "bought more than once",
    "overdue by the member's rhythm",
    "overdue by the member's rhythm, squared",
    "overdue by the member's rhythm, above zero",
    "visits without it since",
    "share of the visits since the first",
    "visits per buyer",
    "days between visits, of everybody",
    "popularity, 7 days",
    "popularity, 28 days",
    "popularity, 120 days",
    "visits of its type, 30 days",
    "visits of its type, 120 days",
    "days since its type",
    "visits of its category, 120 days",
    "days since its category",
)
"""Columns of ``repeat_features``. All but one are logarithms: of counts, days and ratios."""

COUNT_LEAST = 0.02
OWN_GAPS_PRIOR = 2.0
"""How many gaps of everybody a member's own rhythm with a product starts with."""

# NumPy scalars of the columns' own type: with Python's, everything would become twice as wide.
_COUNT_LEAST, _LEAST = np.float32(COUNT_LEAST), np.float32(LEAST)
_OWN_GAPS_PRIOR, _HUNDREDTH = np.float32(OWN_GAPS_PRIOR), np.float32(0.01)
_DAYS_30, _DAYS_120 = HALF_LIVES_DAYS.index(30.0), HALF_LIVES_DAYS.index(120.0)
_CATEGORY, _TYPE = KINDS.index("category"), KINDS.index("type")


def repeat_features(history: History, pairs: Pairs, statistics: ProductStatistics) -> Scores:
    """Describe every product of a past.

    Args:
        pairs: of the same history.

    Returns:
        (pairs, columns) float32, see ``NAMES``.
    """
    found = np.empty((len(pairs), len(NAMES)), dtype=np.float32)
    for at, column in enumerate(_columns(history, pairs, statistics)):
        found[:, _OWN[at]] = column
    found[:, OF_PRODUCT] = of_product(statistics, pairs.product)
    return found


OF_PRODUCT = slice(len(HALF_LIVES_DAYS) + 9, len(HALF_LIVES_DAYS) + 14)
"""The columns that say the same of a product whoever asks."""

_OWN = [at for at in range(len(NAMES)) if not OF_PRODUCT.start <= at < OF_PRODUCT.stop]


def of_product(statistics: ProductStatistics, products: Indices) -> Scores:
    """Columns ``OF_PRODUCT`` of some products, (products, 5)."""
    return np.column_stack(
        (statistics.repeats[products], statistics.gap[products], statistics.popular[products])
    )


@dataclass(frozen=True, slots=True, eq=False)
class RepeatScorer:
    """``repeat_features`` times weights, without writing the features down.

    What does not depend on the member is summed up once for all requests.
    """

    weights: Scores
    """(columns,)"""
    statistics: ProductStatistics
    base: Scores
    """(products,)"""

    @classmethod
    def of(cls, weights: Scores, statistics: ProductStatistics) -> Self:
        """Sum up what is the same for all."""
        everything = np.arange(len(statistics.repeats), dtype=np.int32)
        return cls(weights, statistics, of_product(statistics, everything) @ weights[OF_PRODUCT])

    def scores(self, history: History, pairs: Pairs) -> Scores:
        """One score per product of a past, (pairs,) float32.

        Args:
            pairs: of the same history.
        """
        found = self.base[pairs.product]
        weights = self.weights[_OWN]
        for weight, column in zip(weights, _columns(history, pairs, self.statistics), strict=True):
            found += weight * column
        return found


def _columns(history: History, pairs: Pairs, statistics: ProductStatistics) -> Iterator[Scores]:
    """Every column but ``OF_PRODUCT``, each (pairs,), float32."""
    product, times, last = pairs.product, pairs.times, pairs.last
    yield from np.log(pairs.decayed + _COUNT_LEAST)
    log_times, log_last = log_days(times), log_days(last)
    yield log_times
    yield log_last
    yield last.astype(np.float32) * _HUNDREDTH
    yield (times > 1).astype(np.float32)
    gaps = pairs.log_gaps() + _OWN_GAPS_PRIOR * statistics.gap[product]
    counted = times.astype(np.float32)
    overdue: Scores = log_last - gaps / (counted + _OWN_GAPS_PRIOR - np.float32(1.0))
    yield overdue
    yield overdue * overdue
    yield np.maximum(overdue, np.float32(0.0))
    visits_to = history.visits_to()
    day, start = history.day, history.visit_days[0] if history.visits else 0
    made = history.visits
    since = made - visits_to[day[pairs.starts + times - 1] - start]
    ever = made + 1 - visits_to[day[pairs.starts] - start]
    yield log_days(since + 1)
    yield np.log(counted + np.float32(0.3)) - log_days(ever + 1)
    for kind, half_lives in ((_TYPE, (_DAYS_30, _DAYS_120)), (_CATEGORY, (_DAYS_120,))):
        codes, size = statistics.kinds[product, kind], statistics.codes
        for half_life in half_lives:
            sums = np.bincount(codes, weights=pairs.decayed[half_life], minlength=size)
            yield np.log(sums[codes].astype(np.float32) + _LEAST)
        yield log_days(_least(codes, last, size)[codes])


def _least(codes: Indices, values: Indices, size: int) -> Indices:
    """The smallest value of each code, (size,)."""
    found = np.full(size, np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(found, codes, values)
    return found
