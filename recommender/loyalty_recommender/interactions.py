"""Purchases as arrays: who bought what on which day.

The unit is the *visit*: one member on one day. Ten tins bought in two baskets of one day are
one visit that contains the product, because what repeats from day to day is the habit that a
recommender can learn; quantities mostly say how large a household is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from loyalty_recommender.arrays import DAY_S, AnyArray, Indices, Mask, Seconds
from loyalty_recommender.errors import BadInteractions
from loyalty_recommender.vocabulary import Vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from loyalty_recommender.attributes import Attributes


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """Each row: a member had a product in a visit. Rows are distinct, by member, product, day."""

    members: Vocabulary
    products: Vocabulary
    member: Indices
    """(rows,) position in ``members``."""
    product: Indices
    """(rows,) position in ``products``."""
    time: Seconds
    """(rows,) epoch seconds of the last purchase of the product in that visit."""
    day: Indices
    """(rows,) days since 1970-01-01 in the shop's time."""
    utc_offset_s: int = 0
    """Shop's time minus UTC in seconds, by which ``day`` was told."""
    attributes: Attributes | None = None
    """What the products are, in the order of ``products``; None where nothing is known."""

    @classmethod
    def from_columns(
        cls, members: AnyArray, products: AnyArray, times: AnyArray, *, utc_offset_s: int = 0
    ) -> Self:
        """Build from the lines of receipts, in any order, repeats welcome.

        Args:
            members: (lines,) ids, integers or text.
            products: (lines,) ids, integers or text.
            times: (lines,) epoch seconds, integers.
            utc_offset_s: shop's time minus UTC in seconds; decides where a day ends.

        Raises:
            BadInteractions: unequal lengths, or values that are not ids and whole seconds.
        """
        if not len(members) == len(products) == len(times):
            raise BadInteractions(
                "columns must be equally long, found "
                f"{len(members)} members, {len(products)} products, {len(times)} times"
            )
        member_ids, member = Vocabulary.encode(members)
        product_ids, product = Vocabulary.encode(products)
        return cls.from_indices(
            member_ids, product_ids, member, product, times, utc_offset_s=utc_offset_s
        )

    @classmethod
    def from_indices(
        cls,
        members: Vocabulary,
        products: Vocabulary,
        member: AnyArray,
        product: AnyArray,
        times: AnyArray,
        *,
        utc_offset_s: int = 0,
    ) -> Self:
        """Build from lines that already point into vocabularies, as a database query gives them.

        Args:
            member: (lines,) positions in ``members``.
            product: (lines,) positions in ``products``.
            times: (lines,) epoch seconds, integers.

        Raises:
            BadInteractions: unequal lengths, wrong types, or a position outside its vocabulary.
        """
        for name, column, size in (
            ("member", member, len(members)),
            ("product", product, len(products)),
            ("times", times, None),
        ):
            _check_column(name, column, len(times), size)
        time = times.astype(np.int64)
        day = np.floor_divide(time + utc_offset_s, DAY_S)
        if len(day) and (day.min() < -(2**31) or day.max() >= 2**31):
            raise BadInteractions("times must be epoch seconds; milliseconds were given perhaps")
        order, starts = _groups((member, len(members)), (product, len(products)), _from_zero(day))
        first = order[starts]
        return cls(
            members=members,
            products=products,
            member=member[first].astype(np.int32),
            product=product[first].astype(np.int32),
            time=np.maximum.reduceat(time[order], starts) if len(starts) else time,
            day=day[first].astype(np.int32),
            utc_offset_s=utc_offset_s,
        )

    def __len__(self) -> int:
        return len(self.time)

    @property
    def span(self) -> tuple[int, int]:
        """Epoch seconds of the first and the last purchase.

        Raises:
            BadInteractions: there are none.
        """
        if not len(self):
            raise BadInteractions("there are no purchases, so they span no time")
        return int(self.time.min()), int(self.time.max())

    def rows(self, kept: Mask) -> Self:
        """Only the rows where ``kept`` (rows,) is true; the vocabularies stay as they are."""
        return replace(
            self,
            member=self.member[kept],
            product=self.product[kept],
            time=self.time[kept],
            day=self.day[kept],
        )

    def before(self, at_s: int) -> Self:
        """Only purchases strictly before an instant in epoch seconds."""
        return self.rows(self.time < at_s)

    def only_products(self, kept: Mask) -> Self:
        """Only products where ``kept`` (products,) is true; the others leave the vocabulary."""
        position = np.cumsum(kept, dtype=np.int32) - 1
        inside = self.rows(kept[self.product])
        return replace(
            inside,
            products=self.products.keep(kept),
            attributes=None if self.attributes is None else self.attributes.only(kept),
            product=position[inside.product].astype(np.int32),
        )

    def only_known_members(self) -> Self:
        """The same rows; members without any leave the vocabulary."""
        kept = np.zeros(len(self.members), dtype=np.bool_)
        kept[self.member] = True
        position = np.cumsum(kept, dtype=np.int32) - 1
        return replace(
            self,
            members=self.members.keep(kept),
            member=position[self.member].astype(np.int32),
        )

    def household_days(self) -> NDArray[np.int64]:
        """In how many visits each product was bought, (products,)."""
        return np.bincount(self.product, minlength=len(self.products)).astype(np.int64)

    def member_visits(self) -> Indices:
        """How many visits each member made, (members,)."""
        of_visit, _ = self._visits()
        return np.bincount(of_visit, minlength=len(self.members)).astype(np.int32)

    def by_member(self) -> sparse.csr_matrix:
        """Members by products, float32 ``log1p(visits)``; zero means never bought.

        The logarithm keeps the weekly milk from drowning the rest. With gains (alpha) near 1,
        not the textbook's 40, this found most on Complete Journey.
        """
        # Here and not above: a server imports this module and trains only now and then.
        from scipy import sparse

        ones = np.ones(len(self), dtype=np.float32)
        matrix = sparse.csr_matrix(
            (ones, (self.member, self.product)), shape=(len(self.members), len(self.products))
        )
        matrix.sum_duplicates()
        np.log1p(matrix.data, out=matrix.data)
        return matrix

    def by_visit(self) -> sparse.csr_matrix:
        """Visits by products, float32 ones where the visit contains the product."""
        from scipy import sparse

        of_visit, visit = self._visits()
        ones = np.ones(len(self), dtype=np.float32)
        return sparse.csr_matrix(
            (ones, (visit, self.product)), shape=(len(of_visit), len(self.products))
        )

    def _visits(self) -> tuple[AnyArray, AnyArray]:
        """Each visit's member, and each row's visit."""
        if not len(self):
            return self.member, self.member
        days, day_count = _from_zero(self.day)
        key = self.member.astype(np.int64) * day_count + days
        visits, visit = np.unique(key, return_inverse=True)
        return visits // day_count, visit


def _check_column(name: str, column: AnyArray, lines: int, size: int | None) -> None:
    if column.ndim != 1 or len(column) != lines:
        raise BadInteractions(f"{name} must be one column of {lines} lines, found {column.shape}")
    if column.dtype.kind not in "iu":
        raise BadInteractions(f"{name} must be whole numbers, found {column.dtype}")
    if size is not None and lines and (column.min() < 0 or column.max() >= size):
        raise BadInteractions(
            f"{name} must lie in 0..{size - 1}, found {column.min()}..{column.max()}"
        )


def _from_zero(day: AnyArray) -> tuple[AnyArray, int]:
    """Days counted from the first one, and how many there are."""
    if not len(day):
        return day, 1
    return day - day.min(), int(day.max()) - int(day.min()) + 1


def _groups(*columns: tuple[AnyArray, int]) -> tuple[AnyArray, AnyArray]:
    """Sorting order of the lines by all columns, and where in it each distinct value starts."""
    room = 1
    for _, size in columns:
        room *= max(size, 1)
    if room < 2**63:
        # One 64-bit key sorts about four times as fast as three columns.
        key = np.zeros(len(columns[0][0]), dtype=np.int64)
        for column, size in columns:
            key = key * size + column
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        changes = ordered[1:] != ordered[:-1]
    else:
        order = np.lexsort([column for column, _ in reversed(columns)])
        changes = np.zeros(max(len(order) - 1, 0), dtype=np.bool_)
        for column, _ in columns:
            changes |= column[order][1:] != column[order][:-1]
    if not len(order):
        return order, order
    return order, np.flatnonzero(np.concatenate(([True], changes)))
