"""Repeat behaviour: what this member buys again and again, the recent counting more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Mask
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.models.base import Progress, Query, silent
from loyalty_recommender.models.decay import LEAST_WEIGHT
from loyalty_recommender.topk import Ranking, best, nothing

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Personal:
    """Visits of a member with a product, each halved in weight with every half-life."""

    half_life_days: float = 90.0
    """Age in days at which a visit counts half, > 0. Of 30 to 120, 90 found most of the next
    visits of Complete Journey at days 197 and 225."""

    def __post_init__(self) -> None:
        if not self.half_life_days > 0:
            raise BadSettings(f"half_life_days must be above 0, found {self.half_life_days}")

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedPersonal:
        """There is nothing to learn: each answer counts the visits of its own member."""
        progress(1.0)
        return FittedPersonal(self.half_life_days)


@dataclass(frozen=True, slots=True, eq=False)
class FittedPersonal:
    """Decayed visits of the member who asks."""

    half_life_days: float

    strategy: ClassVar[str] = "personal"

    def knows(self, query: Query) -> bool:
        """Whether the member has bought anything."""
        return len(query.history.product) > 0

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Products the member bought before, by decayed visits."""
        if not self.knows(query):
            return nothing()
        past = query.history
        age_days = np.maximum(query.day - past.day, 0)
        weights = np.maximum(np.exp2(-age_days / self.half_life_days), LEAST_WEIGHT)
        starts = np.flatnonzero(np.diff(past.product, prepend=-1))
        products, counts = past.product[starts], np.add.reduceat(weights, starts)
        kept = allowed[products]
        return best(products[kept], counts[kept].astype(np.float32), first)

    def arrays(self) -> dict[str, AnyArray]:
        """The half-life."""
        return {"half_life_days": np.array([self.half_life_days])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read the half-life back."""
        return cls(float(arrays["half_life_days"][0]))
