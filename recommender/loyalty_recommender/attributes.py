"""What products are: department, category, type and brand, as numbers a model can learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Mask
from loyalty_recommender.vocabulary import Vocabulary

UNKNOWN = -1


@dataclass(frozen=True, slots=True, eq=False)
class Attributes:
    """For each product a code per attribute, -1 where it is not known.

    Codes rise with the names and have no gaps where they were made; ``only`` keeps them as they
    are, so that they compare across subsets.
    """

    department: Indices
    """(products,)"""
    category: Indices
    """(products,)"""
    type: Indices
    """(products,)"""
    brand: Indices
    """(products,)"""

    @classmethod
    def unknown(cls, products: int) -> Self:
        """Attributes of products about which nothing is known."""
        nothing = np.full(products, UNKNOWN, dtype=np.int32)
        return cls(nothing, nothing, nothing, nothing)

    @classmethod
    def of_names(
        cls,
        department: Sequence[str | None],
        category: Sequence[str | None],
        type: Sequence[str | None],
        brand: Sequence[str | None],
    ) -> Self:
        """Number the names of each attribute; None and the empty name are unknown."""
        return cls(_codes(department), _codes(category), _codes(type), _codes(brand))

    def __len__(self) -> int:
        return len(self.department)

    def only(self, kept: Mask) -> Self:
        """Only products where ``kept`` (products,) is true, as ``Interactions.only_products``."""
        return self._at(np.flatnonzero(kept))

    def _at(self, position: AnyArray) -> Self:
        """Attributes of the products at some positions; -1 stands for an unknown product."""

        def taken(codes: Indices) -> Indices:
            if not len(codes):
                return np.full(len(position), UNKNOWN, dtype=np.int32)
            return np.where(position >= 0, codes[position], UNKNOWN).astype(np.int32)

        return type(self)(
            taken(self.department), taken(self.category), taken(self.type), taken(self.brand)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """A file of products: ids, attributes, and which of them are goods."""

    ids: Vocabulary
    attributes: Attributes
    is_good: Mask
    """False for fuel, coupons, stamps, donations and the like."""
    names: tuple[str, ...]
    """What each is called where nothing better is known: its type, category or department."""

    def goods(self) -> set[str]:
        """Ids of the products that are goods."""
        return set(self.ids.keep(self.is_good).texts())

    def attributes_of(self, products: Vocabulary) -> Attributes:
        """Attributes in the order of another vocabulary, unknown for ids not in this one."""
        position = {each: at for at, each in enumerate(self.ids.encoded.tolist())}
        found = [position.get(each, UNKNOWN) for each in products.encoded.tolist()]
        return self.attributes._at(np.array(found, dtype=np.int64))


def _codes(names: Sequence[str | None]) -> Indices:
    code = {name: at for at, name in enumerate(sorted({each for each in names if each}))}
    return np.array([code[each] if each else UNKNOWN for each in names], dtype=np.int32)
