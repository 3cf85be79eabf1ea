"""Products that were first bought only recently, the newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import DAY_S, AnyArray, Mask
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.fixed import first_allowed, ordered
from loyalty_recommender.models.base import Progress, Query, silent
from loyalty_recommender.topk import Ranking

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Products whose first purchase lies near the end of the data."""

    recent_days: float = 28.0
    """How recent the first purchase must be, in days, > 0.

    As long a time at the beginning of the data shows no arrivals either: there, everything
    is bought for the first time.
    """

    def __post_init__(self) -> None:
        if not self.recent_days > 0:
            raise BadSettings(f"recent_days must be above 0, found {self.recent_days}")

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedArrivals:
        """Find every product's first purchase."""
        freshness = np.zeros(len(interactions.products), dtype=np.float64)
        if len(interactions):
            start_s, end_s = interactions.span
            seen_s = np.full(len(interactions.products), end_s, dtype=np.int64)
            np.minimum.at(seen_s, interactions.product, interactions.time)
            age_days = (end_s - seen_s) / DAY_S
            is_new = (age_days < self.recent_days) & ((seen_s - start_s) / DAY_S > self.recent_days)
            is_new &= interactions.household_days() > 0
            freshness[is_new] = 1.0 - age_days[is_new] / self.recent_days
        progress(1.0)
        return FittedArrivals(ordered(freshness))


@dataclass(frozen=True, slots=True, eq=False)
class FittedArrivals:
    """New products; the score falls from 1 at the end of the data to 0 at the age limit."""

    ranking: Ranking

    strategy: ClassVar[str] = "arrivals"

    def knows(self, query: Query) -> bool:
        """Whether anything is new at all."""
        return len(self.ranking) > 0

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """The same products for everybody, less what is not allowed."""
        return first_allowed(self.ranking, first, allowed)

    def arrays(self) -> dict[str, AnyArray]:
        """Products in order, with their freshness."""
        return {"products": self.ranking.products, "scores": self.ranking.scores}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read the order back."""
        return cls(Ranking(arrays["products"], arrays["scores"]))
