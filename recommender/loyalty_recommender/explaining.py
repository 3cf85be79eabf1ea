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

    def reasons(self, window: Window, query: Query, answered: Indices) -> list[Reason]:
        """Why each product of an answer may interest who asked."""
        found: list[Reason | None] = [None] * len(answered)
        if window is Window.NEW_ARRIVALS:
            for at, first_day in enumerate(self.facts.first_day[answered].tolist()):
                found[at] = Reason(ReasonCode.NEW, last_days=max(query.day - first_day, 0))
        elif window in OF_PRODUCT or window is Window.CART:
            code, rows = ReasonCode.GOES_WITH, self.together
            if window is Window.SIMILAR:
                code, rows = ReasonCode.SIMILAR_TO, self.similar
            self._because(found, code, rows, answered, np.unique(query.basket))
        if window not in (Window.TRENDING, Window.NEW_ARRIVALS):
            self._bought_before(found, query, answered)
            self._because(
                found, ReasonCode.BECAUSE_YOU_VIEWED, self.together, answered, query.viewed
            )
            self._because(
                found, ReasonCode.BECAUSE_YOU_BUY, self.similar, answered, query.history.bought
            )
        visits = self.facts.recent_visits
        return [
            each or Reason(ReasonCode.POPULAR, times=int(visits[product]))
            for each, product in zip(found, answered.tolist(), strict=True)
        ]

    def _bought_before(self, found: list[Reason | None], query: Query, answered: Indices) -> None:
        past = query.history
        starts = np.searchsorted(past.product, answered).tolist()
        ends = np.searchsorted(past.product, answered, side="right").tolist()
        for at, (start, end) in enumerate(zip(starts, ends, strict=True)):
            if end > start and found[at] is None:
                times, first, last = end - start, int(past.day[start]), int(past.day[end - 1])
                found[at] = Reason(
                    ReasonCode.BOUGHT_BEFORE,
                    times=times,
                    every_days=round((last - first) / (times - 1)) if times > 1 else None,
                    last_days=max(query.day - last, 0),
                )

    def _because(
        self,
        found: list[Reason | None],
        code: ReasonCode,
        rows: Rows,
        answered: Indices,
        among: Indices,
    ) -> None:
        open_ = [at for at, each in enumerate(found) if each is None]
        if not open_ or not len(among):
            return
        about = nearest(rows, answered.take(open_), among, len(self.products))
        for at, product in zip(open_, about.tolist(), strict=True):
            if product >= 0:
                found[at] = Reason(code, about=self.products[product])


def nearest(rows: Rows, wanted: Indices, among: Indices, products: int) -> AnyArray:
    """For each product wanted, the one among some that is most like it; -1 where none is.

    Args:
        wanted: (wanted,) distinct.
        among: (among,) distinct, rising; of equally like ones the first.
        products: how many there are.
    """
    is_among = np.zeros(products, dtype=np.bool_)
    is_among[among] = True
    neighbour, likeness = rows.beside(wanted)
    at, place = np.nonzero(is_among.take(neighbour) & (likeness > 0))
    by, value = neighbour[at, place], likeness[at, place]
    if len(among) <= AMONG_LOOK:
        # Neighbours are kept up to a number: a popular product may be one the other way only.
        position = np.full(products, -1, dtype=np.int64)
        position[wanted] = np.arange(len(wanted))
        neighbour, likeness = rows.beside(among)
        asked = position.take(neighbour)
        owner, place = np.nonzero((asked >= 0) & (likeness > 0))
        at = np.concatenate((at, asked[owner, place]))
        by = np.concatenate((by, among[owner]))
        value = np.concatenate((value, likeness[owner, place]))
    # The last one written stays: the likest, and of equals the first.
    order = np.lexsort((-by, value))
    found = np.full(len(wanted), -1, dtype=np.int64)
    found[at[order]] = by[order]
    return found


AMONG_LOOK = 50
"""Of so many products the own neighbours are looked at, too."""
