"""Bayesian personalised ranking: a bought product should score above one not bought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Mask, Scores
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.models.base import Progress, Query, silent
from loyalty_recommender.topk import NormOrdered, Ranking, nothing

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Bpr:
    """Vectors and a popularity term per product, learned from sampled pairs.

    Source: Rendle, Freudenthaler, Gantner, Schmidt-Thieme, "BPR: Bayesian Personalized Ranking
    from Implicit Feedback", UAI 2009; by implicit, in one thread, because with two the result
    depends on their race.
    """

    factors: int = 64
    """Length of the vectors, 1 to 1,024."""
    learning_rate: float = 0.02
    """Step of the gradient, > 0."""
    regularization: float = 0.001
    """Weight of the squared vectors in the loss, >= 0."""
    iterations: int = 20
    """Rounds of as many sampled pairs as there are purchases, >= 1. On Complete Journey at day 225,
    100 rounds find less than half of what 20 do."""
    seed: int = 7
    """Start of the random numbers, >= 0."""

    def __post_init__(self) -> None:
        if not 1 <= self.factors <= 1024:
            raise BadSettings(f"factors must be 1 to 1024, found {self.factors}")
        if not self.learning_rate > 0 or self.regularization < 0:
            raise BadSettings(
                "learning_rate must be above 0 and regularization not below, "
                f"found {self.learning_rate} and {self.regularization}"
            )
        if self.iterations < 1 or self.seed < 0:
            raise BadSettings(
                "iterations must be at least 1 and seed not negative, "
                f"found {self.iterations} and {self.seed}"
            )

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedBpr:
        """Learn a vector for each member and product."""
        from loyalty_recommender.implicit_adapter import bpr_factors

        members, products = bpr_factors(
            interactions.by_member(),
            factors=self.factors,
            learning_rate=self.learning_rate,
            regularization=self.regularization,
            iterations=self.iterations,
            seed=self.seed,
            progress=progress,
        )
        return FittedBpr(members, NormOrdered.of(products))


@dataclass(frozen=True, slots=True, eq=False)
class FittedBpr:
    """Vectors of members and products; their inner product ranks.

    A member who was not there in training cannot be folded in: there is no closed form for the
    vector, only more sampling.
    """

    members: Scores
    """(members, factors + 1) float32; all zero for a member without purchases."""
    products: NormOrdered

    strategy: ClassVar[str] = "bpr"

    def knows(self, query: Query) -> bool:
        """Whether the member had purchases to learn from in training."""
        return query.member is not None and bool(self.members[query.member].any())

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Products by score; whether those bought before belong is the caller's filter."""
        if query.member is None or not self.knows(query):
            return nothing()
        return self.products.largest(self.members[query.member], first, allowed)

    def arrays(self) -> dict[str, AnyArray]:
        """Vectors of members as learned, of products by falling length with their positions."""
        return {
            "members": self.members,
            "vectors": self.products.vectors,
            "products": self.products.products,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read the vectors back."""
        members = np.asarray(arrays["members"], dtype=np.float32)
        return cls(members, NormOrdered.from_ordered(arrays["vectors"], arrays["products"]))
