"""What a member buys again, its first habits put in order once more by boosted trees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Mask, Scores
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.features.repeat import repeat_features
from loyalty_recommender.listwise import Question, weighed
from loyalty_recommender.models.base import Progress, Query, own, silent
from loyalty_recommender.models.repeat import FittedRepeat, Repeat, questions
from loyalty_recommender.topk import Ranking, best, nothing
from loyalty_recommender.trees import Trees

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Boosted:
    """LambdaMART over the features of ``Repeat`` and its score, for the first habits only.

    Needs the extra ``boosted`` to learn, and nothing to answer. The settings were chosen on
    Complete Journey before day 225.
    """

    linear: Repeat = field(default_factory=Repeat)
    """Ranks all habits; the trees start from its score."""
    first: int = 64
    """How many of them the trees put in order, 2 to 1,000."""
    weight: float = 2.0
    """What the trees' score counts beside the linear one, both in their spreads over the list,
    > 0."""
    periods: int = 3
    """How many times four weeks back the members are looked at, 1 to 12."""
    trees: int = 150
    """1 to 1,000."""
    leaves: int = 15
    """Of a tree, 2 to 255."""
    depth: int = 6
    """Of a tree, 1 to 16."""
    learning_rate: float = 0.05
    """What each tree counts, above 0 up to 1."""
    rows_min: int = 300
    """Products of lists that a leaf needs, >= 1."""
    seed: int = 7

    def __post_init__(self) -> None:
        whole = (self.first, self.periods, self.trees, self.leaves, self.depth, self.rows_min)
        least, most = (2, 1, 1, 2, 1, 1), (1000, 12, 1000, 255, 16, 2**31 - 1)
        if not all(low <= each <= high for low, each, high in zip(least, whole, most, strict=True)):
            raise BadSettings(
                "first, periods, trees, leaves, depth and rows_min must lie in "
                f"{least} to {most}, found {whole}"
            )
        if not self.weight > 0 or not 0 < self.learning_rate <= 1 or self.seed < 0:
            raise BadSettings(
                "weight must be above 0, learning_rate above 0 up to 1 and seed not negative, "
                f"found {self.weight}, {self.learning_rate} and {self.seed}"
            )

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedBoosted:
        """Learn the linear weights, then trees over the lists that they put in order.

        Raises:
            FitFailed: LightGBM is not installed.
        """
        # Imported here so that serving, which imports this module, never needs LightGBM.
        from loyalty_recommender.boosting import boosted_trees

        linear = self.linear.fit(interactions)
        progress(0.3)
        lists = [
            found
            for each in questions(interactions, self.periods, self.seed)
            if (found := self._list(each, linear.weights)) is not None
        ]
        progress(0.6)
        trees = Trees.of([])
        if lists:
            trees = boosted_trees(
                np.concatenate([features for features, _ in lists]),
                np.concatenate([bought for _, bought in lists]),
                np.array([len(bought) for _, bought in lists]),
                trees=self.trees,
                leaves=self.leaves,
                depth=self.depth,
                learning_rate=self.learning_rate,
                rows_min=self.rows_min,
                seed=self.seed,
                progress=lambda share: progress(0.6 + 0.4 * share),
            )
        progress(1.0)
        return FittedBoosted(linear, trees, np.array([self.first, self.weight]))

    def _list(self, question: Question, weights: Scores) -> tuple[Scores, Mask] | None:
        scores = weighed(question.features, weights)
        chosen = _first(scores, self.first)
        bought = question.bought[chosen]
        # Nothing can be put in order where all or nothing was bought.
        if bought.all() or not bought.any():
            return None
        return _columns(question.features[chosen], scores[chosen]), bought


@dataclass(frozen=True, slots=True, eq=False)
class FittedBoosted:
    """Linear weights, and trees for the first habits that they name."""

    linear: FittedRepeat
    trees: Trees
    settings: AnyArray
    """(2,) how many the trees put in order, and what they count."""

    strategy: ClassVar[str] = "boosted"

    def knows(self, query: Query) -> bool:
        """Whether the member has bought anything."""
        return self.linear.knows(query)

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Products the member bought before, by how likely the next visit holds them."""
        if not self.knows(query):
            return nothing()
        pairs = query.pairs
        statistics = self.linear.statistics
        features = repeat_features(query.history, pairs, statistics)
        scores = weighed(features, self.linear.weights)
        # Chosen before the filter, so that what is shown of a list is in the list's order.
        chosen = _first(scores, int(self.settings[0]))
        columns = _columns(features[chosen], scores[chosen])
        again = columns[:, -1] + np.float32(self.settings[1]) * _spread(self.trees.scores(columns))
        whole = scores - scores.max() + again.min() - 1.0
        whole[chosen] = again
        kept = allowed[pairs.product]
        return best(pairs.product[kept], whole[kept], first)

    def arrays(self) -> dict[str, AnyArray]:
        """Those of the linear model and of the trees."""
        return {
            "settings": self.settings,
            **{f"linear_{name}": array for name, array in self.linear.arrays().items()},
            **{f"trees_{name}": array for name, array in self.trees.arrays().items()},
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read both back.

        Raises:
            ValueError: weights of another version's columns.
        """
        return cls(
            FittedRepeat.from_arrays(own(arrays, "linear_")),
            Trees.from_arrays(own(arrays, "trees_")),
            arrays["settings"],
        )


def _first(scores: Scores, count: int) -> AnyArray:
    """Positions of the largest scores, equal ones by position."""
    chosen: AnyArray = np.argsort(-scores, kind="stable")[:count]
    return chosen


def _columns(features: Scores, scores: Scores) -> Scores:
    """What the trees look at: the features, and the linear score in its spread over the list."""
    return np.column_stack((features, _spread(scores)))


def _spread(scores: Scores) -> Scores:
    """Scores less their mean over the list, in standard deviations; 0 where all are alike."""
    away = scores - scores.mean()
    deviation = float(scores.std())
    found: Scores = (away / deviation if deviation > 1e-6 else np.zeros_like(away)).astype(
        np.float32
    )
    return found
