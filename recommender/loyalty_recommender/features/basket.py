"""About products that may complete a cart: bought before, or neighbours of what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import Indices, Mask, Scores
from loyalty_recommender.features import repeat
from loyalty_recommender.features.pairs import HALF_LIVES_DAYS, Pairs, decay, log_days
from loyalty_recommender.features.statistics import KINDS, ProductStatistics
from loyalty_recommender.history import History, changes
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
        near, likeness = together.beside(basket)
        there = likeness > 0
        products, values = near[there], likeness[there]
        if not len(products):
            return cls(products, values, values, products)
        # Each line's are in order already, which a stable sort makes use of.
        order = np.argsort(products, kind="stable")
        products, values = products.take(order), values.take(order)
        starts = changes(products).nonzero()[0]
        found = products.take(starts)
        own = np.minimum(np.searchsorted(found, basket), len(found) - 1)
        kept = np.ones(len(found), dtype=np.bool_)
        kept[own[found.take(own) == basket]] = False
        return cls(
            found[kept],
            np.add.reduceat(values, starts)[kept],
            np.maximum.reduceat(values, starts)[kept],
            np.diff(np.append(starts, len(products)))[kept].astype(np.int32),
        )

    def strongest(self, kept: Mask, first: int) -> Indices:
        """Of some of them, (found,), the products of the ``first`` largest sums, rising; of equal
        sums the first products."""
        product, total = self.product[kept], self.total[kept]
        if len(product) <= first:
            return product
        place = len(total) - first
        least = np.partition(total, place)[place]
        chosen = total > least
        equal = (total == least).nonzero()[0]
        chosen[equal[: first - int(chosen.sum())]] = True
        found: Indices = product[chosen]
        return found


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
        rest[:old, _OWN] = _shared_visits(history, pairs, basket).T
    rest[old:, 0] = 1.0
    rest[:, _SHARED] = _of_cart(products, basket, neighbours, statistics).T
    rest[old:, 12:15] = rest[old:, _AGAIN]
    return found


_OWN = slice(4, 7)
"""Columns of the cart that only products bought before have."""
_SHARED = [1, 2, 3, 7, 8, 9, 10, 11]
"""Columns of the cart that old and fresh products share."""
_AGAIN = [1, 2, 11]
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
        old, again = len(pairs), rest.copy()
        again[_AGAIN] += rest[12:15]
        shared = _of_cart(
            np.concatenate((pairs.product, fresh)), basket, neighbours, self.statistics
        )
        found: Scores = np.einsum("i,ij->j", rest[_SHARED], shared)
        found[old:] = rest[0] + np.einsum("i,ij->j", again[_SHARED], shared[:, old:])
        if old:
            own = _shared_visits(history, pairs, basket)
            found[:old] += self.past.scores(history, pairs)
            found[:old] += np.einsum("i,ij->j", rest[_OWN], own)
        return found


def _of_cart(
    products: Indices, basket: Indices, neighbours: Neighbours, statistics: ProductStatistics
) -> Scores:
    """Columns ``_SHARED`` of some products, (columns, products) float32."""
    found = np.zeros((len(_SHARED), len(products)), dtype=np.float32)
    near, count, is_type, is_category, department, plain, popular = (
        found[:2],
        *found[2:],
    )
    if len(neighbours.product):
        # Where each product is among the neighbours, counted from 1: 0 is none of them. A table,
        # since looking every product up among them would cost more.
        position = np.zeros(len(statistics.repeats), dtype=np.int32)
        position[neighbours.product] = np.arange(1, len(neighbours.product) + 1)
        at = position.take(products)
        is_near = at.nonzero()[0]
        at = at[is_near] - 1
        near[0, is_near] = neighbours.total.take(at)
        near[1, is_near] = neighbours.most.take(at)
        count[is_near] = log_days(neighbours.count.take(at) + 1)
    near += _LIKENESS_LEAST
    np.log(near, out=near)
    in_cart = statistics.kinds.take(basket, axis=0)
    lines = np.bincount(in_cart.ravel(), minlength=statistics.codes).astype(np.int32)
    codes = statistics.kinds.take(products, axis=0)
    np.greater(lines.take(codes[:, _TYPE]), 0, out=is_type)
    np.greater(lines.take(codes[:, _CATEGORY]), 0, out=is_category)
    of_department = lines.take(codes[:, _DEPARTMENT])
    department[:] = log_days(of_department + 1)
    np.divide(of_department, max(len(basket), 1), out=plain)
    popular[:] = statistics.popular[products, 1]
    return found


def _shared_visits(history: History, pairs: Pairs, basket: Indices) -> Scores:
    """How often each product was bought in visits that also had products of the cart.

    Each visit fades with a half-life of 120 days. What a product shares with itself is not
    counted.

    Returns:
        Columns ``_OWN``, (columns, pairs) float32.
    """
    is_given = np.zeros(int(max(history.product[-1], basket[-1])) + 1, dtype=np.float32)
    is_given[basket] = 1.0
    in_cart = is_given.take(history.product)
    visit = history.day - history.visit_days[0]
    shared = np.bincount(visit, weights=in_cart).astype(np.float32)
    sizes = np.bincount(visit).astype(np.float32)
    # Days without a visit are looked up by nobody.
    by_size = np.float32(1.0) / np.sqrt(np.maximum(sizes, np.float32(1.0)))
    others = (shared.take(visit) - in_cart) * decay(pairs.ages, _DAYS_120)
    found = np.empty((3, len(pairs)), dtype=np.float32)
    own = np.add.reduceat(others, pairs.starts)
    found[0] = own + _OWN_LEAST
    np.divide(own + np.float32(0.1), pairs.decayed[_DAYS_120] + np.float32(0.5), out=found[1])
    others *= by_size.take(visit)
    found[2] = np.add.reduceat(others, pairs.starts) + _OWN_LEAST
    return np.log(found, out=found)
