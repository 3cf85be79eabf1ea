"""What a member buys again: its own rhythm with each product, weighed by learned weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Mask, Scores
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.features.pairs import Pairs
from loyalty_recommender.features.repeat import NAMES, RepeatScorer, repeat_features
from loyalty_recommender.features.statistics import ProductStatistics
from loyalty_recommender.listwise import Question, learned_weights
from loyalty_recommender.models.base import Progress, Query, silent
from loyalty_recommender.pasts import judged_by_others, split_day
from loyalty_recommender.priors import REPEAT
from loyalty_recommender.topk import Ranking, best, nothing

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Repeat:
    """Logistic (conditional logit) weights over decayed counts, rhythm and popularity.

    Learned on the members' own past: what they had bought up to four and eight weeks
    before the end of the data, and what their first visit after that held.
    """

    periods: int = 2
    """How many times four weeks back the members are looked at, 1 to 12."""
    strength: float = 10.0
    """How firmly the weights are held to those of ``priors``, > 0."""
    share: float = 0.25
    """Of the products not bought, how many the training looks at, above 0 up to 1."""
    seed: int = 7

    def __post_init__(self) -> None:
        if not 1 <= self.periods <= 12:
            raise BadSettings(f"periods must be 1 to 12, found {self.periods}")
        check_learning(self.strength, self.share, self.seed)

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedRepeat:
        """Learn the weights, then count the products as of the end of the data."""
        weights = learned_weights(
            questions(interactions, self.periods, self.seed),
            REPEAT,
            strength=self.strength,
            share=self.share,
            seed=self.seed,
        )
        progress(0.9)
        now = ProductStatistics.of(interactions, end_day(interactions))
        progress(1.0)
        return FittedRepeat.of(weights, now)


def questions(interactions: Interactions, periods: int, seed: int) -> Iterator[Question]:
    """Each member's habits as they were some weeks ago, and which the next visit held."""
    for back in range(1, periods + 1):
        day = split_day(interactions, back)
        for statistics, past in judged_by_others(interactions, day, seed=seed):
            pairs = Pairs.of(past.history, day)
            features = repeat_features(past.history, pairs, statistics)
            visit = past.first_visit()
            yield Question(features, np.isin(pairs.product, visit), len(visit))


@dataclass(frozen=True, slots=True, eq=False)
class FittedRepeat:
    """Weights, and what is known of the products."""

    scorer: RepeatScorer

    strategy: ClassVar[str] = "repeat"

    @classmethod
    def of(cls, weights: Scores, statistics: ProductStatistics) -> Self:
        """Put both together.

        Args:
            weights: (columns,) of ``repeat_features``.
        """
        return cls(RepeatScorer.of(weights, statistics))

    @property
    def weights(self) -> Scores:
        """(columns,) of ``repeat_features``."""
        return self.scorer.weights

    @property
    def statistics(self) -> ProductStatistics:
        """What is known of the products."""
        return self.scorer.statistics

    def knows(self, query: Query) -> bool:
        """Whether the member has bought anything."""
        return len(query.history.product) > 0

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Products the member bought before, by how likely the next visit holds them."""
        if not self.knows(query):
            return nothing()
        pairs = query.pairs
        scores = self.scorer.scores(query.history, pairs)
        kept = allowed.take(pairs.product)
        return best(pairs.product[kept], scores[kept], first)

    def arrays(self) -> dict[str, AnyArray]:
        """The weights and the statistics."""
        return {"weights": self.weights, **self.statistics.arrays()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read both back.

        Raises:
            ValueError: weights of another version's columns.
        """
        return cls.of(
            checked_weights(arrays["weights"], len(NAMES)), ProductStatistics.from_arrays(arrays)
        )


def end_day(interactions: Interactions) -> int:
    """The day after the last purchase."""
    return int(interactions.day.max()) + 1 if len(interactions) else 0


def checked_weights(weights: Scores, columns: int) -> Scores:
    """The weights, if they are as many as there are columns."""
    if weights.shape != (columns,):
        raise ValueError(f"{columns} weights are wanted, found {weights.shape}")
    return np.asarray(weights)


def check_learning(strength: float, share: float, seed: int) -> None:
    """Refuse settings that no weights could be learned with.

    Raises:
        BadSettings: out of range.
    """
    if not strength > 0 or not 0 < share <= 1 or seed < 0:
        raise BadSettings(
            "strength must be above 0, share above 0 up to 1 and seed not negative, "
            f"found {strength}, {share} and {seed}"
        )
