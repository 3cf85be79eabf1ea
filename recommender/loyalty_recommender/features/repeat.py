"""About products a member bought before: will it be in the next visit?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Scores
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
    own = _columns(history, pairs, statistics)
    of_all = of_product(statistics, pairs.product).T
    return np.concatenate((own[: OF_PRODUCT.start], of_all, own[OF_PRODUCT.start :])).T


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
    own: Scores
    """Those of the columns that depend on the member."""
    base: Scores
    """(products,) what the other columns come to."""

    @classmethod
    def of(cls, weights: Scores, statistics: ProductStatistics) -> Self:
        """Sum up what is the same for all."""
        everything = np.arange(len(statistics.repeats), dtype=np.int32)
        base = of_product(statistics, everything) @ weights[OF_PRODUCT]
        return cls(weights, statistics, weights[_OWN], base)

    def scores(self, history: History, pairs: Pairs) -> Scores:
        """One score per product of a past, (pairs,) float32.

        Args:
            pairs: of the same history.
        """
        found = self.base.take(pairs.product)
        # Not a product of matrices, for the reason that ``listwise.weighed`` gives.
        found += np.einsum("i,ij->j", self.own, _columns(history, pairs, self.statistics))
        return found


def _columns(history: History, pairs: Pairs, statistics: ProductStatistics) -> Scores:
    """Every column but ``OF_PRODUCT``, (columns, pairs) float32.

    Each is written where it belongs: of a few hundred numbers, a call costs more than the sum.
    """
    times, last, last_before = pairs.times, pairs.last, OF_PRODUCT.start
    found = np.empty((len(_OWN), len(pairs)), dtype=np.float32)
    visits, kinds = found[: len(HALF_LIVES_DAYS)], found[last_before:]
    rhythm = found[len(HALF_LIVES_DAYS) : last_before]
    np.add(pairs.decayed, _COUNT_LEAST, out=visits)
    np.log(visits, out=visits)
    log_times, log_last, plain, again, overdue, squared, above, without, share = rhythm
    log_times[:] = log_days(times)
    log_last[:] = log_days(last)
    np.multiply(last, _HUNDREDTH, out=plain)
    np.greater(times, 1, out=again)
    gaps = statistics.gap.take(pairs.product)
    gaps *= _OWN_GAPS_PRIOR
    gaps += pairs.log_gaps()
    counted = times.astype(np.float32)
    gaps /= counted + (_OWN_GAPS_PRIOR - np.float32(1.0))
    np.subtract(log_last, gaps, out=overdue)
    np.multiply(overdue, overdue, out=squared)
    np.maximum(overdue, np.float32(0.0), out=above)
    # Visits from that of each product on: one more than after it.
    visits_to, start = history.visits_to(), history.visit_days[:1]
    made = history.visits + 1
    without[:] = log_days(made - visits_to.take(pairs.last_day - start))
    counted += np.float32(0.3)
    np.log(counted, out=share)
    share -= log_days(made + 1 - visits_to.take(pairs.first_day - start))
    codes = statistics.kinds.take(pairs.product, axis=0)
    at = 0
    for kind, half_lives in ((_TYPE, (_DAYS_30, _DAYS_120)), (_CATEGORY, (_DAYS_120,))):
        of_kind = codes[:, kind].astype(np.intp)
        for half_life in half_lives:
            sums = np.bincount(of_kind, weights=pairs.decayed[half_life])
            kinds[at] = sums.take(of_kind)
            kinds[at] += _LEAST
            at += 1
        kinds[at] = _least(of_kind, last).take(of_kind)
        at += 1
    np.log(kinds, out=kinds)
    return found


def _least(codes: AnyArray, values: Indices) -> Indices:
    """The smallest value of each code, (codes,)."""
    found = np.full(int(codes.max(initial=-1)) + 1, np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(found, codes, values)
    return found
