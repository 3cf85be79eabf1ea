"""One member's own past, as a request brings it: nothing about members is stored in a model."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What a member bought on which days; rows are distinct, by product, then day."""

    product: Indices
    """(rows,) positions in the model's products."""
    day: Indices
    """(rows,) days since 1970-01-01 in the shop's time."""
    visits: int
    """Distinct visit days, those without any known product included."""

    @classmethod
    def none(cls) -> Self:
        """The past of somebody who never bought anything."""
        return cls(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32), 0)

    @classmethod
    def of(cls, product: AnyArray, day: AnyArray, *, visits: int | None = None) -> Self:
        """Order and part the lines of receipts, in any order, repeats welcome.

        Args:
            product: (lines,) positions in the model's products.
            day: (lines,) days since 1970-01-01 in the shop's time.
            visits: distinct visit days; None counts those of the lines.
        """
        if not len(product):
            empty = cls.none()
            return cls(empty.product, empty.day, visits or 0)
        order = np.lexsort((day, product))
        product, day = product[order], day[order]
        is_first = np.ones(len(order), dtype=np.bool_)
        is_first[1:] = (product[1:] != product[:-1]) | (day[1:] != day[:-1])
        return cls(
            product[is_first].astype(np.int32),
            day[is_first].astype(np.int32),
            len(np.unique(day)) if visits is None else visits,
        )

    def __len__(self) -> int:
        return len(self.product)

    @property
    def bought(self) -> Indices:
        """The distinct products, rising."""
        return np.unique(self.product)
