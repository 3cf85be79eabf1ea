"""A compressed sparse matrix that numpy alone can read: serving does not import scipy."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Offsets, Scores


@dataclass(frozen=True, eq=False)
class Rows:
    """For each row a list of products with a value each, by rising product."""

    starts: Offsets
    """(rows + 1,) where each row begins in the two arrays below."""
    products: Indices
    values: Scores

    @classmethod
    def of(cls, row: AnyArray, product: AnyArray, value: AnyArray, rows: int) -> Self:
        """Sort single values into rows.

        Args:
            row: (values,) in 0..rows-1.
            product: (values,) distinct within a row.
        """
        # One 64-bit key sorts several times as fast as two columns.
        order = np.argsort(row.astype(np.int64) * 2**32 + product, kind="stable")
        starts = np.zeros(rows + 1, dtype=np.int64)
        np.cumsum(np.bincount(row, minlength=rows), out=starts[1:])
        return cls(starts, product[order].astype(np.int32), value[order].astype(np.float32))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read back what ``arrays`` gave."""
        return cls(arrays["starts"], arrays["products"], arrays["values"])

    def arrays(self) -> dict[str, AnyArray]:
        """The three arrays by name."""
        return {"starts": self.starts, "products": self.products, "values": self.values}

    def __len__(self) -> int:
        return len(self.starts) - 1

    def beside(self, at: Indices) -> tuple[Indices, Scores]:
        """Several rows one below the other, all as wide as the longest of all.

        Returns:
            Products and values, (asked, width) each; where a row has ended, the value is 0 and the
            product is any.
        """
        width, products, values = self._windows
        starts = self.starts.take(at)
        sizes = self.starts.take(at + 1) - starts
        # A row that is shorter than the others and the last of all is read with what precedes it.
        begins = np.minimum(starts, len(products) - 1)
        found = values[begins]
        if sizes.min(initial=width) < width:
            column = np.arange(width)
            lead = (starts - begins)[:, None]
            found *= (column >= lead) & (column < lead + sizes[:, None])
        return products[begins], found

    @cached_property
    def _windows(self) -> tuple[int, Indices, Scores]:
        """The width of the longest row, and views of as many products and values from each on.

        Reading whole stretches is several times as fast as reading value by value.
        """
        width = int(np.diff(self.starts).max(initial=0))
        if not width:
            nothing = np.empty((1, 0))
            return 0, nothing.astype(np.int32), nothing.astype(np.float32)
        return (
            width,
            np.lib.stride_tricks.sliding_window_view(self.products, width),
            np.lib.stride_tricks.sliding_window_view(self.values, width),
        )

    def row(self, at: int) -> tuple[Indices, Scores]:
        """Products and values of one row, as views."""
        inside = slice(int(self.starts[at]), int(self.starts[at + 1]))
        return self.products[inside], self.values[inside]
