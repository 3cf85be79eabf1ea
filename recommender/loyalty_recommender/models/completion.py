"""What completes a cart: habits, what goes with its products, what the member takes with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Mask, Scores
from loyalty_recommender.features.basket import (
    NAMES,
    BasketScorer,
    Neighbours,
    basket_features,
)
from loyalty_recommender.features.pairs import Pairs
from loyalty_recommender.features.statistics import ProductStatistics
from loyalty_recommender.history import History
from loyalty_recommender.listwise import Question, learned_weights
from loyalty_recommender.models.base import Progress, Query, own, silent
from loyalty_recommender.models.item_item import FittedItemItem, ItemItem
from loyalty_recommender.models.repeat import check_learning, checked_weights, end_day
from loyalty_recommender.pasts import judged_by_others, split_day
from loyalty_recommender.priors import COMPLETION
from loyalty_recommender.topk import Ranking, best, nothing

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions

FRESH_MAX = 150
"""Neighbours of the cart that the member never bought and that are looked at, at least."""

VISIT_PRODUCTS_MIN = 4
"""Smaller visits teach nothing about carts."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Bought before or neighbours of the cart, ranked by learned weights.

    Source of the neighbours: Deshpande, Karypis 2004, by implicit. Weights are learned on the
    members' own past: of a visit, one half is given and the other looked for.
    """

    together: ItemItem = field(default_factory=lambda: ItemItem(neighbours=100))
    strength: float = 10.0
    """How firmly the weights are held to those of ``priors``, > 0."""
    share: float = 0.15
    """Of the products not bought, how many the training looks at, above 0 up to 1."""
    seed: int = 7

    def __post_init__(self) -> None:
        check_learning(self.strength, self.share, self.seed)

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedCompletion:
        """Learn the weights at an earlier day, then everything else at the end of the data."""
        day = split_day(interactions)
        before = interactions.rows(interactions.day < day)
        weights = COMPLETION
        if len(before):
            earlier = FittedCompletion(
                self.together.fit(before),
                BasketScorer.of(weights, ProductStatistics.of(before, day)),
            )
            progress(0.4)
            weights = learned_weights(
                _questions(interactions, earlier, day, self.seed),
                COMPLETION,
                strength=self.strength,
                share=self.share,
                seed=self.seed,
            )
        progress(0.6)
        fitted = FittedCompletion(
            self.together.fit(interactions),
            BasketScorer.of(weights, ProductStatistics.of(interactions, end_day(interactions))),
        )
        progress(1.0)
        return fitted


def _questions(
    interactions: Interactions, model: FittedCompletion, day: int, seed: int
) -> Iterator[Question]:
    random = np.random.default_rng(seed)
    for statistics, past in judged_by_others(interactions, day, seed=seed):
        visit = past.first_large_visit(VISIT_PRODUCTS_MIN)
        if visit is None:
            continue
        dealt = random.permutation(visit)
        half = len(dealt) // 2
        basket, wanted = np.sort(dealt[:half]), dealt[half:]
        products, features = model.described(past.history, basket, day, statistics)
        yield Question(features, np.isin(products, wanted), len(wanted))


@dataclass(frozen=True, slots=True, eq=False)
class FittedCompletion:
    """Neighbours over visits, statistics of the products, and weights."""

    together: FittedItemItem
    scorer: BasketScorer

    strategy: ClassVar[str] = "completion"

    def knows(self, query: Query) -> bool:
        """Whether there is a cart that anything goes with, or whose owner has habits."""
        if not len(query.basket):
            return False
        return len(query.history.product) > 0 or self.together.knows(query)

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Products by how likely the visit that the cart begins holds them, too."""
        if not self.knows(query):
            return nothing()
        basket = np.unique(query.basket)
        pairs = query.pairs
        may = allowed.copy()
        may[basket] = False
        neighbours, fresh = self._neighbours(pairs, basket, first, may)
        scores = self.scorer.scores(query.history, pairs, basket, neighbours, fresh)
        products = np.concatenate((pairs.product, fresh))
        kept = may.take(products)
        return best(products[kept], scores[kept], first)

    def described(
        self, history: History, basket: Indices, day: int, statistics: ProductStatistics
    ) -> tuple[Indices, Scores]:
        """What was bought before and some neighbours of the cart, with their features.

        Args:
            basket: (lines,) distinct, rising.

        Returns:
            Distinct positions (candidates,), the cart left out, and (candidates, columns).
        """
        pairs = Pairs.of(history, day)
        may = np.ones(len(statistics.repeats), dtype=np.bool_)
        may[basket] = False
        neighbours, fresh = self._neighbours(pairs, basket, 1, may)
        features = basket_features(history, pairs, basket, neighbours, fresh, statistics)
        products = np.concatenate((pairs.product, fresh))
        kept = may.take(products)
        return products[kept], features[kept]

    def _neighbours(
        self, pairs: Pairs, basket: Indices, first: int, may: Mask
    ) -> tuple[Neighbours, Indices]:
        """What goes with a cart, and which of it may be shown and was never bought."""
        neighbours = Neighbours.of(basket, self.together.neighbours)
        is_open = may.copy()
        is_open[pairs.product] = False
        may_be = is_open.take(neighbours.product)
        return neighbours, neighbours.strongest(may_be, max(FRESH_MAX, first))

    def arrays(self) -> dict[str, AnyArray]:
        """Those of every part."""
        return {
            "weights": self.scorer.weights,
            **self.scorer.statistics.arrays(),
            **{f"together_{name}": array for name, array in self.together.arrays().items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read every part back.

        Raises:
            ValueError: weights of another version's columns.
        """
        return cls(
            FittedItemItem.from_arrays(own(arrays, "together_")),
            BasketScorer.of(
                checked_weights(arrays["weights"], len(NAMES)),
                ProductStatistics.from_arrays(arrays),
            ),
        )
