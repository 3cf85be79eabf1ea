"""A compressed sparse matrix that numpy alone can read: serving does not import scipy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Offsets, Scores


@dataclass(frozen=True, slots=True, eq=False)
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

    def gathered(self, at: Indices) -> tuple[AnyArray, Indices, Scores]:
        """Several rows one after the other: which of ``at`` each value is of, product and value."""
        starts = self.starts[at]
        sizes = self.starts[at + 1] - starts
        owner = np.repeat(np.arange(len(at)), sizes)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + starts[owner]
        return owner, self.products[place], self.values[place]

    def row(self, at: int) -> tuple[Indices, Scores]:
        """Products and values of one row, as views."""
        inside = slice(int(self.starts[at]), int(self.starts[at + 1]))
        return self.products[inside], self.values[inside]
