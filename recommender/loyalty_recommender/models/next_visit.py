"""What the next visit holds: habits first, and after them what is new to the member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Mask, Scores
from loyalty_recommender.models.base import Query, own
from loyalty_recommender.models.boosted import FittedBoosted
from loyalty_recommender.models.novel import FittedNovel
from loyalty_recommender.models.repeat import FittedRepeat
from loyalty_recommender.topk import Ranking, best, nothing


@dataclass(frozen=True, slots=True, eq=False)
class FittedNextVisit:
    """Both kinds of products in one ranking; made of two models that have learned.

    What is bought again is many times likelier in the next visit than anything new, so that new
    products begin where the habits end.
    """

    repeat: FittedRepeat | FittedBoosted
    novel: FittedNovel

    strategy: ClassVar[str] = "next-visit"

    def knows(self, query: Query) -> bool:
        """Whether the member has bought anything."""
        return self.repeat.knows(query)

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Habits by how likely they are, then what is new."""
        if not self.knows(query):
            return nothing()
        habits = self.repeat.recommend(query, first, allowed)
        if len(habits) == first or not self.novel.knows(query):
            return best(habits.products, 1.0 + bounded(habits.scores), first)
        fresh = self.novel.recommend(query, first - len(habits), allowed)
        return best(
            np.concatenate((habits.products, fresh.products)),
            np.concatenate((1.0 + bounded(habits.scores), bounded(fresh.scores))),
            first,
        )

    def arrays(self) -> dict[str, AnyArray]:
        """Those of both."""
        return {
            **{f"repeat_{name}": array for name, array in self.repeat.arrays().items()},
            **{f"novel_{name}": array for name, array in self.novel.arrays().items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read both back."""
        return cls(
            FittedRepeat.from_arrays(own(arrays, "repeat_")),
            FittedNovel.from_arrays(own(arrays, "novel_")),
        )


def bounded(scores: Scores) -> Scores:
    """Any scores as scores in (0, 1), in the same order, whatever else was answered."""
    bounded: Scores = (0.5 + 0.5 * scores / (1.0 + np.abs(scores))).astype(np.float32)
    return bounded
