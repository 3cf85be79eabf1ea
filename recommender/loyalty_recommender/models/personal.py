"""Repeat behaviour: what this member buys again and again, the recent counting more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Mask
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.models.base import Progress, Query, no_products, silent
from loyalty_recommender.models.decay import visit_weights
from loyalty_recommender.rows import Rows
from loyalty_recommender.topk import Ranking, best, nothing

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions


@dataclass(frozen=True, slots=True)
class Personal:
    """Visits of a member with a product, each halved in weight with every half-life."""

    half_life_days: float = 90.0
    """Age in days at which a visit counts half, > 0. Of 30 to 120, 90 found most of the next
    visits of Complete Journey at days 197 and 225."""

    def __post_init__(self) -> None:
        if not self.half_life_days > 0:
            raise BadSettings(f"half_life_days must be above 0, found {self.half_life_days}")

    def fit(self, interactions: Interactions, progress: Progress = silent) -> FittedPersonal:
        """Count every member's visits."""
        weights = visit_weights(interactions, self.half_life_days)
        products = len(interactions.products)
        key = interactions.member.astype(np.int64) * products + interactions.product
        pairs, pair = np.unique(key, return_inverse=True)
        counts = np.bincount(pair, weights=weights, minlength=len(pairs))
        progress(1.0)
        row, product = pairs // max(products, 1), pairs % max(products, 1)
        return FittedPersonal(Rows.of(row, product, counts, len(interactions.members)))


@dataclass(frozen=True, slots=True, eq=False)
class FittedPersonal:
    """Decayed visits per member and product."""

    counts: Rows
    """(members, products), above zero exactly where the member bought the product."""

    strategy: ClassVar[str] = "personal"

    def bought(self, member: int | None) -> Indices:
        """Products the member has ever bought; none for an unknown member."""
        return no_products() if member is None else self.counts.row(member)[0]

    def knows(self, query: Query) -> bool:
        """Whether the member has bought anything."""
        return len(self.bought(query.member)) > 0

    def recommend(self, query: Query, first: int, allowed: Mask) -> Ranking:
        """Products the member bought before, by decayed visits."""
        if query.member is None:
            return nothing()
        products, counts = self.counts.row(query.member)
        kept = allowed[products]
        return best(products[kept], counts[kept], first)

    def arrays(self) -> dict[str, AnyArray]:
        """The counts as sparse rows."""
        return self.counts.arrays()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read the counts back."""
        return cls(Rows.from_arrays(arrays))
