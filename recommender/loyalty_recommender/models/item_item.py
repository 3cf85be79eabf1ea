"""Products that go with products: neighbours by TF-IDF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Mask
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.models.base import Progress, Query, silent
from loyalty_recommender.rows import Rows
from loyalty_recommender.topk import Ranking, best, nothing

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class ItemItem:
    """Cosine of TF-IDF weighted columns: products of the same visits, or of the same members.

    Source: Deshpande, Karypis, "Item-Based Top-N Recommendation Algorithms", ACM TOIS 22(1),
    2004; weights and neighbours by implicit.
    """

    over: Literal["visits", "members"] = "visits"
    """"visits" finds what is bought together, "members" what the same people buy."""
    neighbours: int = 50
    """Neighbours kept per product, 1 to 1,000; enough that filters leave some."""

    def __post_init__(self) -> None:
        if self.over not in ("visits", "members"):
            raise BadSettings(f"over must be visits or members, found {self.over!r}")
        if not 1 <= self.neighbours <= 1000:
            raise BadSettings(f"neighbours must be 1 to 1000, found {self.neighbours}")

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedItemItem:
        """Find the neighbours of every product."""
        # Imported here so that serving, which imports this module, never pays for implicit.
        from loyalty_recommender.implicit_adapter import tfidf_neighbours

        visits = self.over == "visits"
        matrix = interactions.by_visit() if visits else interactions.by_member()
        rows = tfidf_neighbours(matrix, self.neighbours)
        progress(1.0)
        return FittedItemItem(rows)


@dataclass(frozen=True, slots=True, eq=False)
class FittedItemItem:
    """The nearest products of each product."""

    neighbours: Rows
    """(products, products) cosine in (0, 1], without the product itself."""

    strategy: ClassVar[str] = "item-item"

    def knows(self, query: Query) -> bool:
        """Whether any product of the basket has neighbours."""
        starts = self.neighbours.starts
        return bool(np.any(starts[query.basket + 1] > starts[query.basket]))

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Products by the sum of their similarities to the basket, the basket left out."""
        if not self.knows(query):
            return nothing()
        rows = [self.neighbours.row(int(each)) for each in np.unique(query.basket)]
        if len(rows) == 1:
            products, scores = rows[0]
        else:
            everything = np.concatenate([each for each, _ in rows])
            values = np.concatenate([each for _, each in rows])
            products, at = np.unique(everything, return_inverse=True)
            scores = np.bincount(at, weights=values).astype(np.float32)
        kept = allowed[products] & ~np.isin(products, query.basket)
        return best(products[kept], scores[kept], first)

    def arrays(self) -> dict[str, AnyArray]:
        """The neighbours as sparse rows."""
        return self.neighbours.arrays()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read the neighbours back."""
        return cls(Rows.from_arrays(arrays))
