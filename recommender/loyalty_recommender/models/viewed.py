"""What goes with products that somebody looked at and has not bought; after it what is popular."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from loyalty_recommender.arrays import Mask
from loyalty_recommender.features.statistics import POPULAR_DAYS
from loyalty_recommender.models.base import Fitted, Query
from loyalty_recommender.models.completion import FRESH_MAX, FittedCompletion
from loyalty_recommender.models.next_visit import bounded
from loyalty_recommender.topk import Ranking, best, nothing

PULL = 0.5
"""How much the logarithm of popularity counts beside one look; beside more, as much less. Chosen on
the cuts at days 169, 197 and 225 (decision 52)."""


_DAYS_28 = POPULAR_DAYS.index(28.0)


@dataclass(frozen=True, slots=True, eq=False)
class FittedViewed:
    """Takes what was looked at for a cart; made of two models that have learned.

    Nobody knows what visitors looked at while a model learns, only what they bought. Of the models
    there are, the one that completes carts finds by far the most of the rest of a visit
    (decision 52). It has learned on halves of large carts: the fewer looks there are, the more what
    is popular anyway counts beside them.
    """

    completion: FittedCompletion
    popular: Fitted

    strategy: ClassVar[str] = "viewed"

    def knows(self, query: Query) -> bool:
        """Whether anything goes with what was looked at."""
        return self.completion.together.knows(Query(basket=query.viewed))

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """What goes with what was looked at, none of that itself, and then what is popular."""
        if not self.knows(query):
            return nothing()
        may = allowed.copy()
        may[query.viewed] = False
        asked = replace(query, basket=query.viewed)
        near = self.completion.recommend(asked, max(first, FRESH_MAX), may)
        popular = self.completion.scorer.statistics.popular[near.products, _DAYS_28]
        pull = np.float32(PULL / len(query.viewed))
        near = best(near.products, near.scores + pull * popular, first)
        if len(near) == first:
            return near
        may[near.products] = False
        rest = self.popular.recommend(query, first - len(near), may)
        return Ranking(
            np.concatenate((near.products, rest.products)),
            np.concatenate((1.0 + bounded(near.scores), bounded(rest.scores))),
        )
