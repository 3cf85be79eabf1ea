"""What offers are for: sets of products, each seen at five levels.

A member that never bought the very products of an offer may buy others of their type or brand.
So each target is also the set of lines, types, categories and brands of its products; a *line* is
one brand's products of one type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Offsets
from loyalty_recommender.attributes import UNKNOWN, Attributes
from loyalty_recommender.errors import BadRequest

LEVELS = ("product", "line", "type", "category", "brand")


@dataclass(frozen=True, slots=True, eq=False)
class Shelves:
    """Each product's code at each level, -1 where it is not known."""

    codes: Mapping[str, Indices]
    """Level → (products,)."""
    sizes: Mapping[str, int]
    """Level → how many codes there are."""

    @classmethod
    def of(cls, attributes: Attributes) -> Self:
        """Number the lines too."""
        brand, kind = attributes.brand.astype(np.int64), attributes.type.astype(np.int64)
        pair = np.where((brand < 0) | (kind < 0), -1, brand * (kind.max(initial=-1) + 2) + kind)
        distinct, line = np.unique(pair, return_inverse=True)
        if len(distinct) and distinct[0] < 0:
            line = line - 1
        codes = {
            "product": np.arange(len(attributes), dtype=np.int32),
            "line": line.astype(np.int32),
            "type": attributes.type,
            "category": attributes.category,
            "brand": attributes.brand,
        }
        sizes = {level: int(each.max(initial=UNKNOWN)) + 1 for level, each in codes.items()}
        return cls(codes, sizes)


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Which targets each code of one level belongs to, as rows of a compressed sparse matrix."""

    starts: Offsets
    """(codes + 1,)."""
    targets: Indices

    def expand(self, codes: Indices) -> tuple[AnyArray, AnyArray]:
        """For some codes, the targets they belong to.

        Returns:
            Two columns of equal length: position in ``codes``, and target.
        """
        low = self.starts[codes]
        counts = self.starts[codes + 1] - low
        at = np.repeat(np.arange(len(codes)), counts)
        inside = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
        return at, self.targets[low[at] + inside]


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Product sets, ready to be scored for any number of members."""

    shelves: Shelves
    target: Indices
    """(pairs,) with ``product`` below: each product of each target."""
    product: Indices
    sizes: Indices
    """(targets,) how many known products each has; 0 is allowed, and then nothing is known."""
    names: Mapping[str, Names]
    """Level → which targets its codes belong to."""
    breadth: Mapping[str, Indices]
    """Level → (targets,) how many codes of it each target spans."""

    @classmethod
    def of(cls, sets: Sequence[AnyArray], shelves: Shelves) -> Self:
        """Take sets of positions in the products that ``shelves`` knows.

        Raises:
            BadRequest: a position outside of them.
        """
        distinct = [np.unique(np.asarray(each, dtype=np.int32)) for each in sets]
        sizes = np.array([len(each) for each in distinct], dtype=np.int32)
        product = np.concatenate([np.empty(0, dtype=np.int32), *distinct])
        products = shelves.sizes["product"]
        if len(product) and (product.min() < 0 or product.max() >= products):
            raise BadRequest(f"products of targets must lie in 0..{products - 1}")
        target = np.repeat(np.arange(len(sets), dtype=np.int32), sizes)
        names, breadth = {}, {}
        for level in LEVELS:
            code = shelves.codes[level][product]
            known = code >= 0
            key = np.unique(code[known].astype(np.int64) * max(len(sets), 1) + target[known])
            codes, of = key // max(len(sets), 1), key % max(len(sets), 1)
            starts = np.zeros(shelves.sizes[level] + 1, dtype=np.int64)
            np.cumsum(np.bincount(codes, minlength=shelves.sizes[level]), out=starts[1:])
            names[level] = Names(starts, of.astype(np.int32))
            breadth[level] = np.bincount(of, minlength=len(sets)).astype(np.int32)
        return cls(shelves, target, product, sizes, names, breadth)

    def __len__(self) -> int:
        return len(self.sizes)

    def hit(self, products: Indices) -> AnyArray:
        """Which targets hold at least one of some products, (targets,)."""
        found = np.zeros(len(self), dtype=np.bool_)
        found[self.names["product"].expand(products)[1]] = True
        return found
