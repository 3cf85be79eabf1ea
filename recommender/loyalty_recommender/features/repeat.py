"""About products a member bought before: will it be in the next visit?"""

from __future__ import annotations

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

_DAYS_30, _DAYS_120 = HALF_LIVES_DAYS.index(30.0), HALF_LIVES_DAYS.index(120.0)
_CATEGORY, _TYPE = KINDS.index("category"), KINDS.index("type")


def repeat_features(
    history: History, pairs: Pairs, statistics: ProductStatistics, day: int
) -> Scores:
    """Describe every product of a past.

    Args:
        pairs: of the same history and day.
        day: of the question, in days since 1970-01-01.

    Returns:
        (pairs, columns) float32, see ``NAMES``.
    """
    product, times, last = pairs.product, pairs.times, pairs.last
    found = np.empty((len(pairs), len(NAMES)), dtype=np.float32)
    logs = len(HALF_LIVES_DAYS)
    np.log(pairs.decayed + COUNT_LEAST, out=found[:, :logs])
    log_last = log_days(last)
    gap = statistics.gap[product]
    rhythm = (pairs.log_gaps() + OWN_GAPS_PRIOR * gap) / (times + (OWN_GAPS_PRIOR - 1.0))
    overdue = log_last - rhythm
    # Days rise, so positions among them count the visits on and before a day.
    made = len(history.visit_days)
    since = made - np.searchsorted(history.visit_days, history.day[pairs.starts + times - 1]) - 1
    ever = made - np.searchsorted(history.visit_days, history.day[pairs.starts])
    found[:, logs] = log_days(times)
    found[:, logs + 1] = log_last
    found[:, logs + 2] = last / 100.0
    found[:, logs + 3] = times > 1
    found[:, logs + 4] = overdue
    found[:, logs + 5] = overdue * overdue
    found[:, logs + 6] = np.maximum(overdue, 0.0)
    found[:, logs + 7] = np.log1p(since)
    found[:, logs + 8] = np.log((times + 0.3) / (ever + 1.0))
    found[:, logs + 9] = statistics.repeats[product]
    found[:, logs + 10] = gap
    found[:, logs + 11 : logs + 14] = statistics.popular[product]
    column = logs + 14
    for kind, half_lives in ((_TYPE, (_DAYS_30, _DAYS_120)), (_CATEGORY, (_DAYS_120,))):
        codes, size = statistics.kinds[kind][product], int(statistics.kind_counts[kind])
        for half_life in half_lives:
            sums = np.bincount(codes, weights=pairs.decayed[:, half_life], minlength=size)
            found[:, column] = np.log(sums[codes] + LEAST)
            column += 1
        found[:, column] = log_days(_least(codes, last, size)[codes])
        column += 1
    return found


def _least(codes: Indices, values: Indices, size: int) -> Indices:
    """The smallest value of each code, (size,)."""
    found = np.full(size, np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(found, codes, values)
    return found
