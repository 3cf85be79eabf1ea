"""What everybody buys, the recent counting more: for those a model does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import DAY_S, AnyArray, Mask
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.fixed import first_allowed, ordered
from loyalty_recommender.models.base import Progress, Query, silent
from loyalty_recommender.models.decay import visit_weights
from loyalty_recommender.topk import Ranking

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Popularity:
    """Visits that contain a product, each halved in weight with every half-life."""

    half_life_days: float = 28.0
    """Age in days at which a visit counts half, > 0."""
    recent_days: float | None = None
    """Count only visits of the last so many days of the data, > 0; None counts all."""

    def __post_init__(self) -> None:
        if not self.half_life_days > 0:
            raise BadSettings(f"half_life_days must be above 0, found {self.half_life_days}")
        if self.recent_days is not None and not self.recent_days > 0:
            raise BadSettings(f"recent_days must be above 0, found {self.recent_days}")

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedPopularity:
        """Count every product's visits."""
        if self.recent_days is not None and len(interactions):
            start_s = interactions.span[1] - round(self.recent_days * DAY_S)
            interactions = interactions.rows(interactions.time > start_s)
        weights = visit_weights(interactions, self.half_life_days)
        counts = np.bincount(
            interactions.product, weights=weights, minlength=len(interactions.products)
        )
        progress(1.0)
        return FittedPopularity(ordered(counts))


@dataclass(frozen=True, slots=True, eq=False)
class FittedPopularity:
    """Products by falling popularity."""

    ranking: Ranking

    strategy: ClassVar[str] = "popularity"

    def knows(self, query: Query) -> bool:
        """Always, as long as anything was bought at all: it is the last resort."""
        return len(self.ranking) > 0

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """The same products for everybody, less what is not allowed."""
        return first_allowed(self.ranking, first, allowed)

    def arrays(self) -> dict[str, AnyArray]:
        """Products in order, with their counts."""
        return {"products": self.ranking.products, "scores": self.ranking.scores}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read the order back."""
        return cls(Ranking(arrays["products"], arrays["scores"]))
