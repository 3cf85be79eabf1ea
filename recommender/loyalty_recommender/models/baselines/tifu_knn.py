"""What a member buys again, decayed in two steps, mixed with what the nearest members buy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray, Indices, Mask
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.models.base import Progress, Query, silent
from loyalty_recommender.models.baselines.scored import best_of
from loyalty_recommender.rows import Rows
from loyalty_recommender.topk import Ranking, nothing

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class TifuKnn:
    """Temporal item frequencies with nearest neighbours.

    Source: Hu, He, Gao, Zhang, "Modeling Personalized Item Frequency Information for Next-basket
    Recommendation", SIGIR 2020. Groups are counted from the last visit, so that the oldest one,
    not the newest, is short where visits do not divide.
    """

    group: int = 1
    """Visits to a group, >= 1. Of 1 to 14, 1 found most of the next visits of Complete Journey at
    day 225: a decay from visit to visit, without the second step."""
    within: float = 1.0
    """Factor by which each visit of a group counts less than the one after it, in (0, 1]."""
    between: float = 0.96
    """Factor by which each group counts less than the one after it, in (0, 1]."""
    own: float = 0.5
    """Share of the member's own vector; the rest is the neighbours' mean, in [0, 1]."""
    neighbours: int = 100
    """How many members are nearest, >= 1."""

    def __post_init__(self) -> None:
        if self.group < 1 or self.neighbours < 1:
            raise BadSettings(
                f"group and neighbours must be at least 1, found {self.group} and {self.neighbours}"
            )
        if not (0 < self.within <= 1 and 0 < self.between <= 1 and 0 <= self.own <= 1):
            raise BadSettings(
                "within and between must be above 0 and at most 1, own 0 to 1, "
                f"found {self.within}, {self.between} and {self.own}"
            )

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedTifuKnn:
        """Make a vector of every member."""
        products = max(len(interactions.products), 1)
        weights = self.weights(interactions.member, interactions.day)
        key = interactions.member.astype(np.int64) * products + interactions.product
        pairs, pair = np.unique(key, return_inverse=True)
        values = np.bincount(pair, weights=weights, minlength=len(pairs))
        rows = Rows.of(pairs // products, pairs % products, values, len(interactions.members))
        progress(1.0)
        return FittedTifuKnn.of(self, rows, len(interactions.products))

    def weights(self, member: Indices, day: Indices) -> NDArray[np.float64]:
        """What each row counts, (rows,), in any order."""
        if not len(day):
            return np.empty(0, dtype=np.float64)
        span = int(day.max()) - int(day.min()) + 1
        key = member.astype(np.int64) * span + (day - day.min())
        visits, visit = np.unique(key, return_inverse=True)
        _, of_member, count = np.unique(visits // span, return_inverse=True, return_counts=True)
        ends = np.cumsum(count)[of_member]
        later = ends - 1 - np.arange(len(visits))
        count = count[of_member]
        group, place = later // self.group, later % self.group
        size = np.minimum(self.group, count - group * self.group)
        groups = -(-count // self.group)
        worth = self.within**place / size * self.between**group / groups
        weights: NDArray[np.float64] = worth[visit]
        return weights


@dataclass(frozen=True, slots=True, eq=False)
class FittedTifuKnn:
    """Vectors of the members who taught; the one who asks is made a vector from the history."""

    settings: TifuKnn
    vectors: Rows
    """(members, products)."""
    products: int
    squares: AnyArray
    """(members,) squared lengths of the vectors; infinite for a member without purchases, who is
    nobody's neighbour."""

    strategy: ClassVar[str] = "tifu-knn"

    @classmethod
    def of(cls, settings: TifuKnn, vectors: Rows, products: int) -> Self:
        """Take the vectors of the members."""
        sizes = np.diff(vectors.starts)
        row = np.repeat(np.arange(len(sizes)), sizes)
        squares: AnyArray = np.bincount(
            row, weights=np.square(vectors.values), minlength=len(sizes)
        )
        squares[sizes == 0] = np.inf
        return cls(settings, vectors, products, squares)

    def knows(self, query: Query) -> bool:
        """Whether the member has bought anything."""
        return len(query.history.product) > 0

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Products by own and neighbours' frequency; nobody is a neighbour of oneself."""
        if not self.knows(query):
            return nothing()
        history = query.history
        alone = np.zeros(len(history.product), dtype=np.int32)
        weights = self.settings.weights(alone, history.day)
        own = np.bincount(history.product, weights=weights, minlength=self.products)
        scores = self.settings.own * own
        if self.settings.own < 1:
            scores += (1 - self.settings.own) * self._neighbours_mean(own, query.member)
        return best_of(scores, first, allowed & (scores > 0))

    def _neighbours_mean(self, own: AnyArray, member: int | None) -> AnyArray:
        members = self._matrix()
        # The asker's own length is the same for all and changes no order.
        distance = self.squares - 2 * (members @ own)
        if member is not None:
            distance[member] = np.inf
        nearest = np.argsort(distance, kind="stable")[: self.settings.neighbours]
        nearest = nearest[np.isfinite(distance[nearest])]
        rows = [self.vectors.row(each) for each in nearest.tolist()]
        bought = np.concatenate([each for each, _ in rows]) if rows else np.empty(0, np.int32)
        values = np.concatenate([each for _, each in rows]) if rows else np.empty(0, np.float32)
        mean: AnyArray = np.bincount(bought, weights=values, minlength=self.products)
        mean /= max(len(nearest), 1)
        return mean

    def _matrix(self) -> Any:
        from scipy import sparse

        rows = self.vectors
        return sparse.csr_matrix(
            (rows.values, rows.products, rows.starts), shape=(len(rows), self.products), copy=False
        )

    def arrays(self) -> dict[str, AnyArray]:
        """The vectors as sparse rows, and the settings that make more of them."""
        each = self.settings
        numbers = [each.group, each.within, each.between, each.own, each.neighbours, self.products]
        return {**self.vectors.arrays(), "settings": np.array(numbers, dtype=np.float64)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read the vectors back."""
        group, within, between, own, neighbours, products = arrays["settings"].tolist()
        settings = TifuKnn(int(group), within, between, own, int(neighbours))
        return cls.of(settings, Rows.from_arrays(arrays), int(products))
