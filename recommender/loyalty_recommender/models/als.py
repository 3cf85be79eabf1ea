"""Implicit-feedback matrix factorisation: what members with a similar taste buy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Mask, Scores
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.features.pairs import log_days
from loyalty_recommender.history import History
from loyalty_recommender.models.base import Progress, Query, silent
from loyalty_recommender.topk import NormOrdered, Ranking, nothing

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Als:
    """Alternating least squares over ``log1p(visits)`` of each member and product.

    Source: Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback Datasets",
    ICDM 2008; solved by implicit with conjugate gradients.
    """

    factors: int = 64
    """Length of the vectors, 1 to 1,024."""
    alpha: float = 1.0
    """Gain of the confidence, > 0. The textbook's 40 cuts recall to a third on groceries."""
    regularization: float = 0.01
    """Weight of the squared vectors in the loss, >= 0. Large values (10) help a little on large
    data and shrink every vector of a small shop to nothing."""
    iterations: int = 15
    """Rounds of solving members and products in turn, >= 1."""
    seed: int = 7
    """Start of the random numbers, >= 0."""

    def __post_init__(self) -> None:
        if not 1 <= self.factors <= 1024:
            raise BadSettings(f"factors must be 1 to 1024, found {self.factors}")
        if self.alpha <= 0 or self.regularization < 0:
            raise BadSettings(
                "alpha must be above 0 and regularization not below, "
                f"found {self.alpha} and {self.regularization}"
            )
        if self.iterations < 1 or self.seed < 0:
            raise BadSettings(
                "iterations must be at least 1 and seed not negative, "
                f"found {self.iterations} and {self.seed}"
            )

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedAls:
        """Learn a vector for each product; those of the members are let go."""
        # Imported here so that serving, which imports this module, never pays for implicit.
        from loyalty_recommender.implicit_adapter import als_factors

        _, products = als_factors(
            interactions.by_member(),
            factors=self.factors,
            alpha=self.alpha,
            regularization=self.regularization,
            iterations=self.iterations,
            seed=self.seed,
            progress=progress,
        )
        return FittedAls(
            NormOrdered.of(products),
            gram=products.T @ products,
            alpha=self.alpha,
            regularization=self.regularization,
        )


@dataclass(frozen=True, slots=True, eq=False)
class FittedAls:
    """Vectors of products; a member's is solved for when asked, from its history.

    The half-step of alternating least squares that the training itself ends with, so that
    nothing about members is kept and what was bought a minute ago counts.
    """

    products: NormOrdered
    gram: Scores
    """(factors, factors): the sum of every product's outer product with itself."""
    alpha: float
    regularization: float

    strategy: ClassVar[str] = "als"

    def knows(self, query: Query) -> bool:
        """Whether the member bought any product that has a vector."""
        return bool(self.products.has_length[query.history.bought].any())

    def vector(self, history: History) -> Scores:
        """The member's vector, (factors,) float32.

        Source: Hu, Koren, Volinsky 2008, equation 4, with confidence ``alpha * log1p(visits)``.
        """
        bought = self.products.rows_of(history.bought)
        confidence = np.float32(self.alpha) * log_days(history.times + 1)
        left = self.gram + (bought.T * (confidence - 1.0)) @ bought
        left.flat[:: len(left) + 1] += self.regularization
        solved: Scores = np.linalg.solve(left, confidence @ bought)
        return solved

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Products by affinity; whether those bought before belong is the caller's filter."""
        if not self.knows(query):
            return nothing()
        return self.products.largest(self.vector(query.history), first, allowed)

    def arrays(self) -> dict[str, AnyArray]:
        """Vectors by falling length with their positions, and what folding in needs."""
        return {
            "vectors": self.products.vectors,
            "products": self.products.products,
            "gram": self.gram,
            "settings": np.array([self.alpha, self.regularization]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read the vectors back."""
        alpha, regularization = arrays["settings"].tolist()
        products = NormOrdered.from_ordered(arrays["vectors"], arrays["products"])
        return cls(products, np.asarray(arrays["gram"]), alpha, regularization)
