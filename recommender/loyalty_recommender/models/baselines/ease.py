"""A linear map from what was bought to what else is: shallow, exact, and large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Mask, Scores
from loyalty_recommender.errors import BadSettings, FitFailed
from loyalty_recommender.models.base import Progress, Query, silent
from loyalty_recommender.models.baselines.scored import best_of, counted
from loyalty_recommender.models.gram import zero_diagonal_map
from loyalty_recommender.topk import Ranking, nothing

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Ease:
    """Least squares from products to products with a zero diagonal, in closed form.

    Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019.
    """

    products_max: int = 6_000
    """Only so many of the most bought products take part, 1 to 20,000: memory grows with the
    square (three matrices of 144 MB for 6,000), time with the cube. The others are never
    answered."""
    regularization: float = 300.0
    """Weight of the squared map, > 0. Of 100 to 3,000, 300 found most that is new at day 225 of
    Complete Journey."""

    def __post_init__(self) -> None:
        if not 1 <= self.products_max <= 20_000:
            raise BadSettings(f"products_max must be 1 to 20000, found {self.products_max}")
        if not self.regularization > 0:
            raise BadSettings(f"regularization must be above 0, found {self.regularization}")

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedEase:
        """Invert the Gram matrix of the products."""
        days = interactions.household_days()
        kept = np.sort(np.argsort(-days, kind="stable")[: self.products_max]).astype(np.int32)
        kept = kept[days[kept] > 0]
        if not len(kept):
            raise FitFailed("there are no purchases to learn from")
        bought = interactions.by_member()[:, kept]
        gram = (bought.T @ bought).toarray().astype(np.float32)
        progress(0.1)
        weights = zero_diagonal_map(gram, self.regularization)
        progress(1.0)
        return FittedEase(weights, kept, np.array([len(days)], dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class FittedEase:
    """The map; a member is ``log1p(visits)`` of each product of the history times the map."""

    weights: Scores
    """(kept, kept) float32 from what was bought (rows) to what is scored (columns)."""
    kept: Indices
    """(kept,) which products take part, rising."""
    products: AnyArray
    """(1,) how many products there are in all."""

    strategy: ClassVar[str] = "ease"

    def knows(self, query: Query) -> bool:
        """Whether anything in the member's history takes part."""
        return bool(np.isin(query.history.product, self.kept).any())

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Products by predicted purchase."""
        bought, visits = counted(query.history)
        at = np.searchsorted(self.kept, bought)
        at[at == len(self.kept)] = 0
        inside = self.kept[at] == bought
        if not inside.any():
            return nothing()
        given = np.log1p(visits[inside]).astype(np.float32)
        scores = np.zeros(int(self.products[0]), dtype=np.float32)
        scores[self.kept] = given @ self.weights[at[inside]]
        may = np.zeros(len(scores), dtype=np.bool_)
        may[self.kept] = allowed[self.kept]
        return best_of(scores, first, may)

    def arrays(self) -> dict[str, AnyArray]:
        """The map, and which products it is of."""
        return {"weights": self.weights, "kept": self.kept, "products": self.products}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read the map back."""
        return cls(arrays["weights"], arrays["kept"], arrays["products"])
