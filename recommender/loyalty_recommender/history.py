"""A member's own past, as it is read for one request.

No model keeps anything about members: what was bought a minute ago counts at once, a member that
was never in the training is answered like any other, and erasing one leaves nothing behind in a
model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Mask
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
    starts: Indices
    """(bought,) where the rows of each distinct product begin."""
    bought: Indices
    """(bought,) distinct products, rising."""
    times: Indices
    """(bought,) how many rows each has, >= 1."""

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
        keys = (product.astype(np.int64) << 32) + (day.astype(np.int64) + 2**31)
        # Receipts come in some order already, which a stable sort makes use of.
        keys.sort(kind="stable")
        keys = keys[changes(keys)]
        days = ((keys & 0xFFFF_FFFF) - 2**31).astype(np.int32)
        return cls.sorted((keys >> 32).astype(np.int32), days)

    @classmethod
    def sorted(cls, product: Indices, day: Indices) -> Self:
        """Take rows that are in order and distinct already."""
        days = np.sort(day)
        starts = changes(product).nonzero()[0].astype(np.int32)
        times = np.empty_like(starts)
        np.subtract(starts[1:], starts[:-1], out=times[:-1])
        times[-1:] = len(product) - starts[-1:]
        return cls(product, day, days[changes(days)], starts, product[starts], times)

    @property
    def visits(self) -> int:
        """How many visits bought anything that the model knows."""
        return len(self.visit_days)

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


def changes(ordered: AnyArray) -> Mask:
    """Which values of a sorted array differ from the one before them."""
    found = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=found[1:])
    return found


NOTHING_BOUGHT = History.sorted(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32))
"""The past of a guest."""
