"""What is known of every product at one day, whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Scores
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.fixed import ordered
from loyalty_recommender.topk import Ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loyalty_recommender.interactions import Interactions

POPULAR_DAYS = (7.0, 28.0, 120.0)
"""Half-lives of the visits that contain a product."""

FIRST_DAYS = (7.0, 28.0, 56.0)
"""Half-lives of the first purchases: how many members have lately found the product for
themselves. For what somebody has never bought, it says more than popularity."""

KINDS = ("department", "category", "type", "category_brand", "type_brand")
"""What a member can have a leaning to."""

GAP_PRIOR = 5.0
"""How many gaps of the whole shop a product's own mean gap starts with."""

LEAST = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class ProductStatistics:
    """Numbers per product; logarithms throughout, since it is ratios that matter."""

    popular: Scores
    """(products, 3) log of decayed visits, by ``POPULAR_DAYS``."""
    first: Scores
    """(products, 3) log of decayed first purchases, by ``FIRST_DAYS``."""
    repeats: Scores
    """(products,) log of visits per buyer."""
    gap: Scores
    """(products,) mean log of the days between visits of one member with the product."""
    kinds: AnyArray
    """(products, 5) int32: codes of each product's department, category, …, see ``KINDS``; all
    kinds share one row of codes, so that one table holds what is known of them."""
    kind_share: Scores
    """(products, 5) log of the product's share in the first purchases of its kind."""
    codes: int
    """How many codes there are."""
    trials: Ranking
    """Products by recent first purchases, ``FIRST_DAYS[1]``."""

    @classmethod
    def of(cls, interactions: Interactions, day: int, *, stands_for: float = 1.0) -> Self:
        """Count purchases as of a day, in days since 1970-01-01; all lie before it.

        Args:
            stands_for: how many purchases each one counts for: 2 where only every second
                member's are given.
        """
        products = len(interactions.products)
        product = interactions.product
        age = (day - interactions.day).astype(np.float64)
        popular = [stands_for * _decayed(product, age, days, products) for days in POPULAR_DAYS]
        opens = _opens_pair(interactions)
        opened, opened_age = product[opens], age[opens]
        firsts = [stands_for * _decayed(opened, opened_age, days, products) for days in FIRST_DAYS]
        buyers = np.bincount(opened, minlength=products)
        visits = np.bincount(product, minlength=products)
        kinds = kinds_of(interactions.attributes or Attributes.unknown(products))
        shares = [
            np.log((firsts[1] + LEAST) / (_of_kind(codes, firsts[1]) + 1.0)) for codes in kinds.T
        ]
        return cls(
            popular=_logs(popular),
            first=_logs(firsts),
            repeats=np.log((visits + 2.0) / (buyers + 1.5)).astype(np.float32),
            gap=_gaps(interactions, opens, products),
            kinds=kinds,
            kind_share=np.stack(shares, axis=1).astype(np.float32),
            codes=int(kinds.max(initial=-1)) + 1,
            trials=ordered(firsts[1]),
        )

    def arrays(self) -> dict[str, AnyArray]:
        """Everything by name."""
        return {
            "popular": self.popular,
            "first": self.first,
            "repeats": self.repeats,
            "gap": self.gap,
            "kinds": self.kinds,
            "kind_share": self.kind_share,
            "codes": np.array([self.codes], dtype=np.int32),
            "trial_products": self.trials.products,
            "trial_scores": self.trials.scores,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read everything back."""
        return cls(
            popular=arrays["popular"],
            first=arrays["first"],
            repeats=arrays["repeats"],
            gap=arrays["gap"],
            kinds=arrays["kinds"],
            kind_share=arrays["kind_share"],
            codes=int(arrays["codes"][0]),
            trials=Ranking(arrays["trial_products"], arrays["trial_scores"]),
        )


def kinds_of(attributes: Attributes) -> AnyArray:
    """Codes of every kind, (products, 5) int32; what is not known of a product has one, too."""
    brands = int(attributes.brand.max(initial=-1)) + 2
    type_ = attributes.type + 1
    category = attributes.category + 1
    # A shop that names no types is judged by its categories.
    type_ = np.where(type_ > 0, type_, 0) if type_.any() else category
    brand = attributes.brand + 1
    start = 0
    columns = []
    for each in (
        attributes.department + 1,
        category,
        type_,
        category * brands + brand,
        type_ * brands + brand,
    ):
        # Numbered anew: most pairs of a type and a brand do not exist.
        names, codes = np.unique(each, return_inverse=True)
        columns.append(codes + start)
        start += len(names)
    return np.stack(columns, axis=1).astype(np.int32)


def _opens_pair(interactions: Interactions) -> NDArray[np.bool_]:
    """Which rows are a member's first with a product; rows are by member, product and day."""
    if not len(interactions):
        return np.empty(0, dtype=np.bool_)
    changes: NDArray[np.bool_] = np.diff(interactions.product, prepend=-1) != 0
    changes |= np.diff(interactions.member, prepend=-1) != 0
    return changes


def _decayed(product: AnyArray, age: AnyArray, half_life: float, products: int) -> AnyArray:
    return np.bincount(product, weights=np.exp2(-age / half_life), minlength=products)


def _logs(columns: list[AnyArray]) -> Scores:
    return np.log(np.stack(columns, axis=1) + LEAST).astype(np.float32)


def _of_kind(codes: AnyArray, weights: AnyArray) -> AnyArray:
    found: AnyArray = np.bincount(codes, weights=weights)[codes]
    return found


def _gaps(interactions: Interactions, opens: NDArray[np.bool_], products: int) -> Scores:
    """Each product's mean log gap, drawn to the mean of all where it has few."""
    later = ~opens
    gaps = np.log(np.maximum(np.diff(interactions.day, prepend=0)[later], 1))
    of_all = float(gaps.mean()) if len(gaps) else float(np.log(28.0))
    product = interactions.product[later]
    sums = np.bincount(product, weights=gaps, minlength=products)
    counts = np.bincount(product, minlength=products)
    return ((sums + GAP_PRIOR * of_all) / (counts + GAP_PRIOR)).astype(np.float32)
