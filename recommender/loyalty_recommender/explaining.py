"""From what is known of a member and a product to the reason for showing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from loyalty_recommender.arrays import DAY_S, AnyArray, Indices
from loyalty_recommender.models.base import Query
from loyalty_recommender.reasons import Reason, ReasonCode
from loyalty_recommender.rows import Rows
from loyalty_recommender.windows import OF_PRODUCT, Window

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions

RECENT_DAYS = 28


@dataclass(frozen=True, slots=True, eq=False)
class ProductFacts:
    """What can be said of every product, whoever asks."""

    recent_visits: Indices
    """(products,) visits in the last ``RECENT_DAYS`` days of the data."""
    first_day: Indices
    """(products,) day of the first purchase, since 1970-01-01."""

    @classmethod
    def of(cls, interactions: Interactions) -> Self:
        """Count over all purchases."""
        products = len(interactions.products)
        recent = interactions.time > interactions.span[1] - RECENT_DAYS * DAY_S
        first_day = np.full(products, np.iinfo(np.int32).max, dtype=np.int32)
        np.minimum.at(first_day, interactions.product, interactions.day)
        visits = np.bincount(interactions.product[recent], minlength=products)
        return cls(visits.astype(np.int32), first_day)

    def arrays(self) -> dict[str, AnyArray]:
        """Both arrays by name."""
        return {"recent_visits": self.recent_visits, "first_day": self.first_day}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read them back."""
        return cls(arrays["recent_visits"], arrays["first_day"])


@dataclass(frozen=True, slots=True, eq=False)
class Explainer:
    """Finds a reason for each product of an answer. Tells what is true, not how it was ranked."""

    products: Sequence[str]
    facts: ProductFacts
    similar: Rows
    """Each product's neighbours over members."""
    together: Rows
    """Each product's neighbours over visits."""

    def reason(self, window: Window, query: Query, product: int) -> Reason:
        """Why ``product`` may interest who asked."""
        if window is Window.NEW_ARRIVALS:
            since = max(query.day - int(self.facts.first_day[product]), 0)
            return Reason(ReasonCode.NEW, last_days=since)
        if window in OF_PRODUCT or window is Window.CART:
            code, rows = ReasonCode.GOES_WITH, self.together
            if window is Window.SIMILAR:
                code, rows = ReasonCode.SIMILAR_TO, self.similar
            about = _nearest(rows, product, query.basket)
            if about is not None:
                return Reason(code, about=self.products[about])
        if window is not Window.TRENDING:
            found = self._of_past(query, product)
            if found is not None:
                return found
        return Reason(ReasonCode.POPULAR, times=int(self.facts.recent_visits[product]))

    def _of_past(self, query: Query, product: int) -> Reason | None:
        past = query.history
        start, end = np.searchsorted(past.product, (product, product + 1)).tolist()
        if end > start:
            times, first, last = end - start, int(past.day[start]), int(past.day[end - 1])
            return Reason(
                ReasonCode.BOUGHT_BEFORE,
                times=times,
                every_days=round((last - first) / (times - 1)) if times > 1 else None,
                last_days=max(query.day - last, 0),
            )
        about = _nearest(self.similar, product, past.product)
        if about is None:
            return None
        return Reason(ReasonCode.BECAUSE_YOU_BUY, about=self.products[about])


def _nearest(rows: Rows, product: int, among: Indices) -> int | None:
    """The product among some that is most like ``product``; None where none is."""
    if not len(among):
        return None
    best, value = None, 0.0
    neighbours, values = rows.row(product)
    inside = np.isin(neighbours, among)
    if inside.any():
        at = int(np.argmax(np.where(inside, values, -1.0)))
        best, value = int(neighbours[at]), float(values[at])
    if len(among) <= BASKET_LOOK:
        # Neighbours are kept up to a number: a popular product may be one the other way only.
        for other in np.unique(among).tolist():
            theirs, likeness = rows.row(other)
            at = int(np.searchsorted(theirs, product))
            if at < len(theirs) and theirs[at] == product and float(likeness[at]) > value:
                best, value = other, float(likeness[at])
    return best


BASKET_LOOK = 200
"""Products of a basket whose own neighbours are looked at, too."""
