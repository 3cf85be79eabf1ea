"""A member's own past, as it is read for one request.

No model keeps anything about members: what was bought a minute ago counts at once, a member that
was never in the training is answered like any other, and erasing one leaves nothing behind in a
model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices
from loyalty_recommender.errors import BadRequest


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """One row per product and visit, by product, then day. A visit is one member on one day."""

    product: Indices
    """(rows,) positions in the model's products."""
    day: Indices
    """(rows,) days since 1970-01-01 in the shop's time."""
    visit_days: Indices
    """(visits,) distinct days, rising."""

    @classmethod
    def of(cls, product: AnyArray, day: AnyArray) -> Self:
        """Order rows, repeats welcome.

        Args:
            product: (rows,) positions in the model's products, >= 0.
            day: (rows,) days since 1970-01-01.

        Raises:
            BadRequest: unequal lengths.
        """
        if product.shape != day.shape or product.ndim != 1:
            raise BadRequest(f"each product needs its day, found {product.shape} and {day.shape}")
        # One 64-bit key sorts faster than two columns, and repeats fall out of it.
        keys = np.unique((product.astype(np.int64) << 32) + (day.astype(np.int64) + 2**31))
        days = ((keys & 0xFFFF_FFFF) - 2**31).astype(np.int32)
        return cls((keys >> 32).astype(np.int32), days, np.unique(days))

    @classmethod
    def sorted(cls, product: Indices, day: Indices) -> Self:
        """Take rows that are in order and distinct already."""
        return cls(product, day, np.unique(day))

    @property
    def visits(self) -> int:
        """How many visits bought anything that the model knows."""
        return len(self.visit_days)

    @property
    def starts(self) -> Indices:
        """(bought,) where the rows of each distinct product begin."""
        product = self.product
        if not len(product):
            return product
        first = np.empty(len(product), dtype=np.bool_)
        first[0] = True
        np.not_equal(product[1:], product[:-1], out=first[1:])
        return np.flatnonzero(first).astype(np.int32)

    @property
    def bought(self) -> Indices:
        """Distinct products, rising."""
        return self.product[self.starts]

    def visits_to(self) -> Indices:
        """How many visits there were up to each day, the day included, from the first visit's
        day to the last's, (days,).

        A table, since looking every row's day up among the visits would cost more.
        """
        if not self.visits:
            return self.visit_days
        since = self.visit_days - self.visit_days[0]
        marks = np.zeros(int(since[-1]) + 1, dtype=np.int32)
        marks[since] = 1
        found: Indices = np.cumsum(marks, dtype=np.int32)
        return found

    def before(self, day: int) -> History:
        """Only what was bought before a day."""
        kept = self.day < day
        return History.sorted(self.product[kept], self.day[kept])


NOTHING_BOUGHT = History(
    np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32)
)
"""The past of a guest."""
