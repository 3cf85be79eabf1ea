"""Ids of members or products as sorted arrays: position in the array is the index in a model."""

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray, Indices
from loyalty_recommender.errors import BadInteractions


class Vocabulary:
    """Distinct ids in code point order, found by binary search.

    Kept as UTF-8 in a fixed-width array, which can be memory-mapped: a million members cost
    no Python objects. UTF-8 sorts like the code points it encodes, so positions do not depend
    on the encoding.
    """

    __slots__ = ("encoded",)

    def __init__(self, encoded: NDArray[np.bytes_]) -> None:
        """Take ids as they are stored.

        Args:
            encoded: (ids,) fixed-width UTF-8, strictly rising.

        Raises:
            BadInteractions: not sorted, or an id occurs twice.
        """
        if encoded.ndim != 1 or encoded.dtype.kind != "S":
            raise BadInteractions(
                f"a vocabulary is one row of bytes, found {encoded.dtype} {encoded.shape}"
            )
        if len(encoded) > 1 and not bool(np.all(encoded[:-1] < encoded[1:])):
            raise BadInteractions("ids of a vocabulary must rise strictly, these do not")
        self.encoded = encoded

    @classmethod
    def of(cls, ids: Iterable[str]) -> Self:
        """Make a vocabulary of the distinct ids, in any order."""
        return cls(_sorted_unique([_utf8(each) for each in ids]))

    @classmethod
    def encode(cls, column: AnyArray) -> tuple[Self, Indices]:
        """Split a column of ids into its vocabulary and each row's position in it.

        Args:
            column: (rows,) of integers, or of text as ``str`` objects or a fixed-width array.

        Raises:
            BadInteractions: another type, an empty id, or an id with a NUL.
        """
        if column.ndim != 1:
            raise BadInteractions(f"a column of ids has one dimension, found {column.shape}")
        if column.dtype.kind in "iu":
            distinct, inverse = np.unique(column, return_inverse=True)
            texts = [str(each) for each in distinct.tolist()]
        elif column.dtype.kind in "OUT":
            # A dictionary beats sorting millions of strings: only the distinct ones get sorted.
            seen: dict[str, int] = {}
            try:
                rows = [seen.setdefault(each, len(seen)) for each in column.tolist()]
            except TypeError as error:
                raise BadInteractions(f"ids must be integers or text: {error}") from error
            inverse = np.array(rows, dtype=np.int64)
            texts = list(seen)
        else:
            raise BadInteractions(f"ids must be integers or text, found {column.dtype}")
        encoded = np.array([_utf8(each) for each in texts], dtype=np.bytes_)
        order = np.argsort(encoded, kind="stable")
        position = np.empty(len(order), dtype=np.int32)
        position[order] = np.arange(len(order), dtype=np.int32)
        return cls(_at_least_one_byte(encoded[order])), position[inverse]

    def __len__(self) -> int:
        return len(self.encoded)

    def find(self, text: str) -> int | None:
        """Position of an id, None if it is not one of these."""
        key = text.encode("utf-8", "surrogatepass")
        # numpy drops trailing NULs and cuts a key that is too long: both would find a neighbour.
        if not key or len(key) > self.encoded.dtype.itemsize or b"\0" in key:
            return None
        at = int(np.searchsorted(self.encoded, np.array(key, dtype=self.encoded.dtype)))
        return at if at < len(self.encoded) and bool(self.encoded[at] == key) else None

    def texts(self) -> list[str]:
        """Every id, in order."""
        return [each.decode("utf-8") for each in self.encoded.tolist()]

    def keep(self, kept: NDArray[np.bool_]) -> Self:
        """Only the ids where ``kept`` (ids,) is true."""
        return type(self)(self.encoded[kept])


def _utf8(text: object) -> bytes:
    if not isinstance(text, str):
        raise BadInteractions(f"an id must be an integer or text, found {text!r}")
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadInteractions(f"id {text!r} is not valid text") from error
    if not encoded or b"\0" in encoded:
        raise BadInteractions(f"an id must have characters and no NUL, found {text!r}")
    return encoded


def _sorted_unique(ids: Sequence[bytes]) -> NDArray[np.bytes_]:
    return _at_least_one_byte(np.array(sorted(set(ids)), dtype=np.bytes_))


def _at_least_one_byte(encoded: NDArray[np.bytes_]) -> NDArray[np.bytes_]:
    # An empty list becomes dtype S0 or S1 depending on the numpy version; S0 cannot be saved.
    return encoded if encoded.dtype.itemsize else encoded.astype("S1")
