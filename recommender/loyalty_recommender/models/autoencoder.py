"""What goes with all that a member bought: EASE between the most bought products, in brief."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Scores
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.models.gram import largest_directions, zero_diagonal_map

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """EASE, of which only the directions are kept that move the scores most.

    Where ALS looks for tastes that explain every purchase, each product here is explained by the
    others, so that what everybody buys explains nothing. The whole map would have to be read for
    each answer; the first directions of it rank as well, and cost as much as ALS.

    Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019; cut short as by
    Eckart and Young, "The approximation of one matrix by another of lower rank", 1936.
    """

    products_max: int = 2_000
    """Only so many of the most bought products take part, 1 to 20,000: memory grows with the
    square, time with the cube. Of 1,000 to 5,000, no more than 2,000 found notably more."""
    regularization: float = 100.0
    """Weight of the squared map, > 0. Of 30, 100, 300 and 1,000, 100 found most."""
    directions: int = 32
    """Of the map that are kept, 1 to 1,024."""

    def __post_init__(self) -> None:
        if not 1 <= self.products_max <= 20_000:
            raise BadSettings(f"products_max must be 1 to 20000, found {self.products_max}")
        if not self.regularization > 0:
            raise BadSettings(f"regularization must be above 0, found {self.regularization}")
        if not 1 <= self.directions <= 1024:
            raise BadSettings(f"directions must be 1 to 1024, found {self.directions}")

    def fit(self, interactions: Interactions) -> FittedAutoencoder:
        """Learn the map between the most bought products, and cut it short.

        Raises:
            FitFailed: the numbers do not suffice for an inverse.
        """
        from scipy import sparse

        days = interactions.household_days()
        kept = np.sort(np.argsort(-days, kind="stable")[: self.products_max])
        kept = kept[days[kept] > 0]
        bought = interactions.by_member()[:, kept]
        lengths = np.sqrt(np.asarray(bought.multiply(bought).sum(axis=1)).ravel())
        bought = sparse.diags(_shrunk(lengths)) @ bought
        gram = (bought.T @ bought).toarray().astype(np.float32)
        spread = np.sqrt(np.diag(gram))[:, None]
        whole = zero_diagonal_map(gram, self.regularization)
        # By how far each product bought moves the scores, not by its weight alone: the weights of
        # what is seldom bought are large and hardly ever used.
        sources, targets = largest_directions(spread * whole, self.directions)
        sources /= spread
        place = np.full(len(days), len(kept), dtype=np.int32)
        place[kept] = np.arange(len(kept), dtype=np.int32)
        nothing = np.zeros((1, sources.shape[1]), dtype=np.float32)
        return FittedAutoencoder(
            place, np.concatenate((sources, nothing)), np.concatenate((targets, nothing))
        )


@dataclass(frozen=True, slots=True, eq=False)
class FittedAutoencoder:
    """The map as two thin ones: from what was bought to directions, and from there to scores."""

    place: Indices
    """(products,) row of each product in both; the last row, of zeros, for all that take no
    part."""
    sources: Scores
    """(kept + 1, directions)"""
    targets: Scores
    """(kept + 1, directions)"""

    def vector(self, bought: Indices, weight: Scores) -> Scores:
        """Where a member's purchases point, (directions,) float32; zeros where none takes part.

        Args:
            bought: (bought,) distinct products.
            weight: (bought,) how much each counts.
        """
        place = self.place.take(bought)
        weight = weight * (place < len(self.sources) - 1)
        length = np.sqrt(np.float32(weight @ weight))
        found: Scores = (weight * _shrunk(length)) @ self.sources.take(place, axis=0)
        return found

    def rows_of(self, products: Indices) -> Scores:
        """What is multiplied by a member's vector, (products, directions) float32."""
        found: Scores = self.targets.take(self.place.take(products), axis=0)
        return found

    def arrays(self) -> dict[str, AnyArray]:
        """All three."""
        return {"place": self.place, "sources": self.sources, "targets": self.targets}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read them back."""
        return cls(arrays["place"], arrays["sources"], arrays["targets"])


def _shrunk(lengths: AnyArray) -> AnyArray:
    """What vectors of some lengths are multiplied by: a large household says more than a small
    one, and not as much more as it buys."""
    return np.float32(1.0) / np.sqrt(np.maximum(lengths, np.float32(1e-6)))
