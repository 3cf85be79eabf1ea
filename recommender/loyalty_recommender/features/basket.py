"""About products that may complete a cart: bought before, or neighbours of what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Scores
from loyalty_recommender.features import repeat
from loyalty_recommender.features.pairs import HALF_LIVES_DAYS, Pairs, decay
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
    day: int,
) -> Scores:
    """Describe every product of a past, and after them ``fresh`` ones that were never bought.

    Args:
        pairs: of the same history and day.
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
    if old:
        found[:old, :of_past] = repeat.repeat_features(history, pairs, statistics, day)
        found[:old, of_past + 4 : of_past + 7] = _shared_visits(history, pairs, basket)
    rest = found[:, of_past:]
    rest[old:, 0] = 1.0
    at = np.minimum(
        np.searchsorted(neighbours.product, products), max(len(neighbours.product) - 1, 0)
    )
    if len(neighbours.product):
        is_near = neighbours.product[at] == products
        rest[:, 1] = np.log(np.where(is_near, neighbours.total[at], 0.0) + LIKENESS_LEAST)
        rest[:, 2] = np.log(np.where(is_near, neighbours.most[at], 0.0) + LIKENESS_LEAST)
        rest[:, 3] = np.log1p(np.where(is_near, neighbours.count[at], 0))
    else:
        rest[:, 1:3] = np.log(LIKENESS_LEAST)
    for column, kind in ((7, _TYPE), (8, _CATEGORY)):
        rest[:, column] = _lines_of_kind(products, basket, statistics, kind) > 0
    lines = _lines_of_kind(products, basket, statistics, _DEPARTMENT)
    rest[:, 9] = np.log1p(lines)
    rest[:, 10] = lines / max(len(basket), 1)
    rest[:, 11] = statistics.popular[products, 1]
    rest[old:, 12:15] = rest[old:, (1, 2, 11)]
    # The past speaks of them already, in other columns.
    rest[:old, 12:15] = 0.0
    return found


def _shared_visits(history: History, pairs: Pairs, basket: Indices) -> Scores:
    """How often each product was bought in visits that also had products of the cart, (pairs, 3).

    Each visit fades with a half-life of 120 days. What a product shares with itself is not
    counted.
    """
    visit = np.searchsorted(history.visit_days, history.day)
    in_cart = np.isin(history.product, basket).astype(np.float32)
    shared = np.bincount(visit, weights=in_cart)
    sizes = np.bincount(visit)
    fading = decay(pairs.ages, _DAYS_120)
    others = (shared[visit] - in_cart) * fading
    starts = pairs.starts
    own = np.add.reduceat(others, starts)
    base = pairs.decayed[:, _DAYS_120]
    per_size = np.add.reduceat(others / np.sqrt(sizes[visit]), starts)
    found = np.empty((len(pairs), 3), dtype=np.float32)
    found[:, 0] = np.log(own + 0.05)
    found[:, 1] = np.log((own + 0.1) / (base + 0.5))
    found[:, 2] = np.log(per_size + 0.05)
    return found


def _lines_of_kind(
    products: Indices, basket: Indices, statistics: ProductStatistics, kind: int
) -> AnyArray:
    """How many lines of the cart are of each product's kind, (products,)."""
    codes = statistics.kinds[kind]
    counts = np.bincount(codes[basket], minlength=int(statistics.kind_counts[kind]))
    found: AnyArray = counts[codes[products]]
    return found
