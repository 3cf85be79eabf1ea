"""About products that may complete a cart: bought before, or neighbours of what is in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Scores
from loyalty_recommender.features import repeat
from loyalty_recommender.features.pairs import HALF_LIVES_DAYS, Pairs, decay, log_days
from loyalty_recommender.features.statistics import KINDS, ProductStatistics
from loyalty_recommender.history import History
from loyalty_recommender.rows import Rows

OF_CART = (
    "never bought",
    "goes with the cart, in sum",
    "goes with the cart, at most",
    "goes with how many of the cart",
    "own visits that shared products with the cart",
    "own visits that shared products with the cart, by share",
    "shared products per own visit, for its size",
    "its type is in the cart",
    "its category is in the cart",
    "its department in the cart",
    "its department in the cart, unlogged",
    "popularity, 28 days, bought or not",
    "never bought: goes with the cart, in sum",
    "never bought: goes with the cart, at most",
    "never bought: popularity, 28 days",
)
NAMES = (*repeat.NAMES, *OF_CART)
"""Columns of ``basket_features``; those of ``repeat`` are 0 for what was never bought."""

LIKENESS_LEAST = 1e-3
_LIKENESS_LEAST, _OWN_LEAST = np.float32(LIKENESS_LEAST), np.float32(0.05)
_DAYS_120 = HALF_LIVES_DAYS.index(120.0)
_DEPARTMENT, _CATEGORY, _TYPE = (KINDS.index(each) for each in ("department", "category", "type"))


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """What goes with a cart, by rising product, the cart itself left out."""

    product: Indices
    """(found,)"""
    total: Scores
    """(found,) sum of the likenesses to the products of the cart."""
    most: Scores
    """(found,) the largest of them."""
    count: Indices
    """(found,) to how many."""

    @classmethod
    def of(cls, basket: Indices, together: Rows) -> Self:
        """Gather the neighbours of all products of a cart.

        Args:
            basket: (lines,) distinct.
            together: each product's neighbours over visits.
        """
        rows = [together.row(each) for each in basket.tolist()]
        products = np.concatenate([each for each, _ in rows]) if rows else basket
        if not len(products):
            nothing = np.empty(0, dtype=np.float32)
            return cls(products.astype(np.int32), nothing, nothing, products.astype(np.int32))
        values = np.concatenate([each for _, each in rows])
        order = np.argsort(products, kind="stable")
        products, values = products[order], values[order]
        starts = np.flatnonzero(np.diff(products, prepend=-1))
        found = products[starts]
        kept = np.isin(found, basket, invert=True)
        return cls(
            found[kept],
            np.add.reduceat(values, starts)[kept],
            np.maximum.reduceat(values, starts)[kept],
            np.diff(starts, append=len(products))[kept].astype(np.int32),
        )

    def only(self, kept: AnyArray) -> Self:
        """Some of them, by truth values or positions."""
        return type(self)(self.product[kept], self.total[kept], self.most[kept], self.count[kept])

    def strongest(self, first: int) -> Self:
        """Only the ``first`` with the largest sums, equal ones by product."""
        if len(self.product) <= first:
            return self
        return self.only(np.sort(np.lexsort((self.product, -self.total))[:first]))


def basket_features(
    history: History,
    pairs: Pairs,
    basket: Indices,
    neighbours: Neighbours,
    fresh: Indices,
    statistics: ProductStatistics,
) -> Scores:
    """Describe every product of a past, and after them ``fresh`` ones that were never bought.

    Args:
        pairs: of the same history.
        basket: (lines,) distinct products in the cart.
        neighbours: of the basket, all of them.
        fresh: (fresh,) rising.

    Returns:
        (pairs + fresh, columns) float32, see ``NAMES``.
    """
    old = len(pairs)
    products = np.concatenate((pairs.product, fresh))
    found = np.zeros((len(products), len(NAMES)), dtype=np.float32)
    of_past = len(repeat.NAMES)
    rest = found[:, of_past:]
    if old:
        found[:old, :of_past] = repeat.repeat_features(history, pairs, statistics)
        for at, column in enumerate(_shared_visits(history, pairs, basket)):
            rest[:old, 4 + at] = column
    rest[old:, 0] = 1.0
    for at, column in zip(_SHARED, _of_cart(products, basket, neighbours, statistics), strict=True):
        rest[:, at] = column
    rest[:, 11] = statistics.popular[products, 1]
    rest[old:, 12:15] = rest[old:, _AGAIN]
    return found


_SHARED = (1, 2, 3, 7, 8, 9, 10)
"""Columns of the cart that old and fresh products share."""
_AGAIN = (1, 2, 11)
"""Columns that fresh products have once more."""


@dataclass(frozen=True, slots=True, eq=False)
class BasketScorer:
    """``basket_features`` times weights, without writing the features down."""

    weights: Scores
    """(columns,)"""
    statistics: ProductStatistics
    past: repeat.RepeatScorer

    @classmethod
    def of(cls, weights: Scores, statistics: ProductStatistics) -> Self:
        """Sum up what is the same for all."""
        past = repeat.RepeatScorer.of(weights[: len(repeat.NAMES)], statistics)
        return cls(weights, statistics, past)

    def scores(
        self,
        history: History,
        pairs: Pairs,
        basket: Indices,
        neighbours: Neighbours,
        fresh: Indices,
    ) -> Scores:
        """One score per product of the past and then per fresh one, (pairs + fresh,) float32.

        Arguments as ``basket_features``.
        """
        rest = self.weights[len(repeat.NAMES) :]
        found = np.empty(len(pairs) + len(fresh), dtype=np.float32)
        old, new = found[: len(pairs)], found[len(pairs) :]
        popular = self.statistics.popular[:, 1]
        if len(pairs):
            old[:] = self.past.scores(history, pairs)
            for weight, column in zip(
                rest[4:7], _shared_visits(history, pairs, basket), strict=True
            ):
                old += weight * column
            old += rest[11] * popular[pairs.product]
            columns = _of_cart(pairs.product, basket, neighbours, self.statistics)
            for at, column in zip(_SHARED, columns, strict=True):
                old += rest[at] * column
        again = rest.copy()
        again[list(_AGAIN)] += rest[12:15]
        new[:] = rest[0] + again[11] * popular[fresh]
        columns = _of_cart(fresh, basket, neighbours, self.statistics)
        for at, column in zip(_SHARED, columns, strict=True):
            new += again[at] * column
        return found


def _of_cart(
    products: Indices, basket: Indices, neighbours: Neighbours, statistics: ProductStatistics
) -> Iterator[Scores]:
    """Columns ``_SHARED`` of some products, each (products,), float32."""
    if len(neighbours.product):
        at = np.minimum(np.searchsorted(neighbours.product, products), len(neighbours.product) - 1)
        is_near = neighbours.product[at] == products
        yield np.log(neighbours.total[at] * is_near + _LIKENESS_LEAST)
        yield np.log(neighbours.most[at] * is_near + _LIKENESS_LEAST)
        yield log_days(neighbours.count[at] * is_near + 1)
    else:
        nothing = np.zeros(len(products), dtype=np.float32)
        yield nothing + np.log(_LIKENESS_LEAST)
        yield nothing + np.log(_LIKENESS_LEAST)
        yield nothing
    lines = np.bincount(statistics.kinds[basket].ravel(), minlength=statistics.codes)
    counts = lines[statistics.kinds[products]]
    yield (counts[:, _TYPE] > 0).astype(np.float32)
    yield (counts[:, _CATEGORY] > 0).astype(np.float32)
    of_department = counts[:, _DEPARTMENT].astype(np.int32)
    yield log_days(of_department + 1)
    yield of_department.astype(np.float32) / np.float32(max(len(basket), 1))


def _shared_visits(history: History, pairs: Pairs, basket: Indices) -> Iterator[Scores]:
    """How often each product was bought in visits that also had products of the cart.

    Each visit fades with a half-life of 120 days. What a product shares with itself is not
    counted. Three columns, each (pairs,), float32.
    """
    is_given = np.zeros(int(max(history.product[-1], basket[-1])) + 1, dtype=np.float32)
    is_given[basket] = 1.0
    in_cart = is_given[history.product]
    visit = history.day - history.visit_days[0]
    shared = np.bincount(visit, weights=in_cart).astype(np.float32)
    sizes = np.bincount(visit).astype(np.float32)
    # Days without a visit are looked up by nobody.
    by_size = np.float32(1.0) / np.sqrt(np.maximum(sizes, np.float32(1.0)))
    others = (shared[visit] - in_cart) * decay(pairs.ages, _DAYS_120)
    own = np.add.reduceat(others, pairs.starts)
    yield np.log(own + _OWN_LEAST)
    yield np.log((own + np.float32(0.1)) / (pairs.decayed[_DAYS_120] + np.float32(0.5)))
    yield np.log(np.add.reduceat(others * by_size[visit], pairs.starts) + _OWN_LEAST)
