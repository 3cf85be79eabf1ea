"""Exact best-K: of a list of scores, and of inner products with many vectors.

Both order by falling score and, where scores are equal, by product index, so that an answer
never depends on the order of memory.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import Indices, Mask, Scores

FIRST_BLOCK = 1024
"""Vectors scored before the first look at whether to stop."""

BLOCK = 4096
"""Vectors scored before every other look."""

ROUNDING = 1.0 + 1e-4
"""Slack on the bound: float32 sums of a few hundred terms err by far less than 1e-4."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """Products, best first, never padded: shorter than asked where there is no more."""

    products: Indices
    """(found,) positions in the model's products."""
    scores: Scores
    """(found,) falling, finite."""

    def __len__(self) -> int:
        return len(self.products)


def nothing() -> Ranking:
    """The ranking without products."""
    return Ranking(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32))


def best(products: Indices, scores: Scores, first: int) -> Ranking:
    """Order candidates by falling score, then by product.

    Args:
        products: (candidates,) distinct positions.
        scores: (candidates,) finite.
        first: how many at most, >= 1.
    """
    if len(scores) > first:
        # Everything equal to the K-th score stays in: the tie is broken below, by product.
        kth = np.partition(scores, len(scores) - first)[len(scores) - first]
        kept = np.flatnonzero(scores >= kth)
        products, scores = products[kept], scores[kept]
    order = np.lexsort((products, -scores))[:first]
    return Ranking(products[order], scores[order])


@dataclass(frozen=True, slots=True, eq=False)
class NormOrdered:
    """Vectors by falling length, so that a search for large inner products may stop early.

    Source: the Cauchy-Schwarz inequality, ``q·v <= |q| |v|``; once the K-th best product found
    exceeds ``|q|`` times the length of the next vector, no later one can enter. As in Teflioudi,
    Gemulla, Mykytiuk, "LEMP: Fast Retrieval of Large Entries in a Matrix Product", SIGMOD 2015,
    section 3.
    """

    vectors: Scores
    """(products, factors) float32, lengths falling."""
    products: Indices
    """(products,) which product each row is."""
    lengths: Scores
    """(products,) Euclidean length of each row."""
    position: Indices
    """(products,) which row each product is."""
    has_length: Mask
    """(products,) by product, whether its vector is other than zero."""

    @classmethod
    def of(cls, vectors: Scores) -> Self:
        """Order vectors given by product, (products, factors)."""
        lengths = np.linalg.norm(vectors, axis=1)
        order = np.argsort(-lengths, kind="stable").astype(np.int32)
        return cls.from_ordered(np.ascontiguousarray(vectors[order]), order)

    @classmethod
    def from_ordered(cls, vectors: Scores, products: Indices) -> Self:
        """Take what ``of`` has ordered, as read back from disk."""
        position = np.empty(len(products), dtype=np.int32)
        position[products] = np.arange(len(products), dtype=np.int32)
        lengths = np.linalg.norm(vectors, axis=1).astype(np.float32)
        return cls(vectors, products, lengths, position, (lengths > 0)[position])

    def rows_of(self, products: Indices) -> Scores:
        """The vectors of some products, (asked, factors)."""
        found: Scores = self.vectors.take(self.position.take(products), axis=0)
        return found

    def largest(self, query: Scores, first: int, allowed: Mask) -> Ranking:
        """The products with the largest inner product, exactly, under any filter.

        Args:
            query: (factors,) float32.
            first: how many at most, >= 1.
            allowed: (products,) by product, not by row.
        """
        return best(*self.nearest(query, first, allowed), first)

    def nearest(self, query: Scores, first: int, allowed: Mask) -> tuple[Indices, Scores]:
        """Those that ``largest`` orders, unordered, and perhaps a few that are as near as its last.

        Returns:
            Distinct products and their scores, (found,) each.
        """
        reach = float(np.linalg.norm(query)) * ROUNDING
        products, scores = np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32)
        least = -np.inf
        start, size = 0, FIRST_BLOCK
        while start < len(self.vectors) and reach * float(self.lengths[start]) >= least:
            scored = self.vectors[start : start + size] @ query
            rows = self.products[start : start + size]
            if least > -np.inf:
                # Few are left, so that the filter is asked about few.
                near = (scored >= least).nonzero()[0]
                scored, rows = scored.take(near), rows.take(near)
            kept = allowed.take(rows)
            products = np.concatenate((products, rows[kept]))
            scores = np.concatenate((scores, scored[kept]))
            if len(scores) > first:
                place = len(scores) - first
                least = float(np.partition(scores, place)[place])
                kept = scores >= least
                products, scores = products[kept], scores[kept]
            elif len(scores) == first:
                least = float(scores.min())
            start, size = start + size, BLOCK
        return products, scores
