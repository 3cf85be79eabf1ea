"""What a member may like and never bought: ALS, trends and leanings, weighed by learned weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Mask, Scores
from loyalty_recommender.features.novel import (
    NAMES,
    Candidates,
    Leanings,
    NovelScorer,
    bought_weights,
    novel_features,
)
from loyalty_recommender.features.statistics import ProductStatistics
from loyalty_recommender.fixed import first_allowed
from loyalty_recommender.history import changes
from loyalty_recommender.listwise import Question, learned_weights
from loyalty_recommender.models.als import Als, FittedAls
from loyalty_recommender.models.autoencoder import Autoencoder, FittedAutoencoder
from loyalty_recommender.models.base import Progress, Query, own, silent
from loyalty_recommender.models.item_item import FittedItemItem, ItemItem
from loyalty_recommender.models.repeat import check_learning, checked_weights, end_day
from loyalty_recommender.pasts import pasts, split_day
from loyalty_recommender.priors import NOVEL
from loyalty_recommender.topk import Ranking, best, nothing

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions

BY_AFFINITY = 200
"""Candidates with the largest affinity by ALS, at least."""
BY_TRIALS = 60
"""Candidates that most members have lately bought for the first time, at least."""


@dataclass(frozen=True, slots=True)
class Novel:
    """Candidates by ALS and by recent first purchases, ranked by learned weights.

    Source of the candidates: Hu, Koren, Volinsky 2008, by implicit. Weights are learned on the
    members' own past, with ALS and the likenesses fitted on what lay before it.
    """

    als: Als = field(default_factory=lambda: Als(factors=32, regularization=3.0, iterations=10))
    similar: ItemItem = field(default_factory=lambda: ItemItem(over="members", neighbours=50))
    autoencoder: Autoencoder = field(default_factory=Autoencoder)
    strength: float = 10.0
    """How firmly the weights are held to those of ``priors``, > 0."""
    share: float = 0.15
    """Of the candidates not bought, how many the training looks at, above 0 up to 1."""
    seed: int = 7

    def __post_init__(self) -> None:
        check_learning(self.strength, self.share, self.seed)

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedNovel:
        """Learn the weights at an earlier day, then everything else at the end of the data."""
        day = split_day(interactions)
        before = interactions.rows(interactions.day < day)
        weights = NOVEL
        if len(before):
            earlier = self._parts(before, day, weights)
            progress(0.4)
            weights = learned_weights(
                _questions(interactions, earlier, day, self.seed),
                NOVEL,
                strength=self.strength,
                share=self.share,
                seed=self.seed,
            )
        progress(0.6)
        fitted = self._parts(interactions, end_day(interactions), weights)
        progress(1.0)
        return fitted

    def _parts(self, interactions: Interactions, day: int, weights: Scores) -> FittedNovel:
        return FittedNovel(
            self.als.fit(interactions),
            self.similar.fit(interactions),
            self.autoencoder.fit(interactions),
            NovelScorer.of(weights, ProductStatistics.of(interactions, day)),
        )


def _questions(
    interactions: Interactions, model: FittedNovel, day: int, seed: int
) -> Iterator[Question]:
    everything = np.ones(len(interactions.products), dtype=np.bool_)
    for past in pasts(interactions, day, seed=seed):
        tried = past.tried()
        query = Query(past.history, day)
        if len(tried) and model.knows(query):
            candidates, features = model.described(query, everything)
            yield Question(features, np.isin(candidates, tried), len(tried))


@dataclass(frozen=True, slots=True, eq=False)
class FittedNovel:
    """Vectors, likenesses, statistics of the products, and weights."""

    als: FittedAls
    similar: FittedItemItem
    autoencoder: FittedAutoencoder
    scorer: NovelScorer

    strategy: ClassVar[str] = "novel"

    def knows(self, query: Query) -> bool:
        """Whether the member bought any product that has a vector."""
        return self.als.knows(query)

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Products the member never bought, by how likely it tries them soon."""
        if not self.knows(query):
            return nothing()
        candidates, leanings = self._candidates(query, first, allowed)
        scores = self.scorer.scores(candidates, leanings, self.similar.neighbours)
        return best(candidates.products, scores, first)

    def described(self, query: Query, allowed: Mask) -> tuple[Indices, Scores]:
        """The products worth a closer look, and their features.

        Returns:
            Rising positions (candidates,), and (candidates, columns).
        """
        candidates, leanings = self._candidates(query, 1, allowed)
        similar, statistics = self.similar.neighbours, self.scorer.statistics
        return candidates.products, novel_features(candidates, leanings, similar, statistics)

    def _candidates(self, query: Query, first: int, allowed: Mask) -> tuple[Candidates, Leanings]:
        """Products worth a closer look, and what the member's past says."""
        pairs = query.pairs
        may = allowed.copy()
        may[pairs.product] = False
        vector = self.als.vector(query.history)
        near, _ = self.als.products.nearest(vector, max(BY_AFFINITY, 2 * first), may)
        trials = first_allowed(self.scorer.statistics.trials, max(BY_TRIALS, first), may).products
        found = np.sort(np.concatenate((near, trials)))
        found = found[changes(found)]
        bought = bought_weights(pairs)
        towards = self.autoencoder.vector(pairs.product, bought)
        leanings = Leanings.of(pairs, bought, vector, towards, self.scorer.statistics)
        vectors, targets = self.als.products.rows_of(found), self.autoencoder.rows_of(found)
        return Candidates(found, vectors, targets), leanings

    def arrays(self) -> dict[str, AnyArray]:
        """Those of every part."""
        return {
            "weights": self.scorer.weights,
            **self.scorer.statistics.arrays(),
            **{f"als_{name}": array for name, array in self.als.arrays().items()},
            **{f"similar_{name}": array for name, array in self.similar.arrays().items()},
            **{f"map_{name}": array for name, array in self.autoencoder.arrays().items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read every part back.

        Raises:
            ValueError: weights of another version's columns.
        """
        return cls(
            FittedAls.from_arrays(own(arrays, "als_")),
            FittedItemItem.from_arrays(own(arrays, "similar_")),
            FittedAutoencoder.from_arrays(own(arrays, "map_")),
            NovelScorer.of(
                checked_weights(arrays["weights"], len(NAMES)),
                ProductStatistics.from_arrays(arrays),
            ),
        )
