"""The shape that all models share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, TypeAlias

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Mask
from loyalty_recommender.features.pairs import Pairs
from loyalty_recommender.history import NOTHING_BOUGHT, History
from loyalty_recommender.topk import Ranking

if TYPE_CHECKING:
    # Serving imports this module but never builds interactions, which need scipy.
    from loyalty_recommender.interactions import Interactions

Progress: TypeAlias = Callable[[float], None]
"""Told the share of the work done, 0.0 to 1.0, rising."""


def no_products() -> Indices:
    """An empty list of products."""
    return np.empty(0, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Query:
    """Whom or what the products should suit; a model uses the part it understands."""

    history: History = NOTHING_BOUGHT
    """The member's own past; empty for a guest."""
    day: int = 0
    """The day of the question, in days since 1970-01-01 in the shop's time."""
    member: int | None = None
    """Position among the members of the training; only models that cannot fold a member in from
    its history look at it."""
    basket: Indices = field(default_factory=no_products)
    """Products in the cart, or the one product of a product page."""
    viewed: Indices = field(default_factory=no_products)
    """Products that were looked at of late, distinct, the latest first."""

    @cached_property
    def pairs(self) -> Pairs:
        """The past summed up, once for all models that are asked."""
        return Pairs.of(self.history, self.day)


class Fitted(Protocol):
    """A model that has learned. Immutable, so any number of threads may ask it."""

    strategy: ClassVar[str]

    def knows(self, query: Query) -> bool:
        """Whether the model has learned anything about this subject, whatever the filter."""
        ...

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """The best products for a subject.

        Args:
            first: how many at most, >= 1; the answer is shorter where there is no more.
            allowed: (products,) which products may be answered.

        Returns:
            Allowed products only, best first, equal scores by product; empty when the
            subject is unknown.
        """
        ...

    def arrays(self) -> dict[str, AnyArray]:
        """Everything learned, for ``from_arrays``; no Python objects."""
        ...

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read a model back; the arrays may be memory-mapped.

        Raises:
            KeyError: an array is missing.
        """
        ...


class Model(Protocol):
    """Settings that can learn."""

    def fit(self, interactions: Interactions, progress: Progress = ...) -> Fitted:
        """Learn from purchases; the same purchases and settings give the same arrays.

        Raises:
            FitFailed: there is nothing to learn from.
        """
        ...


def silent(_: float) -> None:
    """The progress nobody watches."""


def own(arrays: Mapping[str, AnyArray], prefix: str) -> dict[str, AnyArray]:
    """The arrays of one part, by the part's own names."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
