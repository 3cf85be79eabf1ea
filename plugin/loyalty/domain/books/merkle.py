"""Merkle trees over the ends of holders' chains: the root of a day, and proofs against it.

Trees, leaf and node hashes and audit paths are those of RFC 6962, section 2.1 (SHA-256; a leaf
is hashed behind a byte 0, a node behind a byte 1, so that neither can stand for the other).
Checking a path follows RFC 9162, section 2.1.3.2. As with a signed tree head there, what is
published says of how many leaves the tree is, and here also of which tenant and day.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

EMPTY = hashlib.sha256().digest()
"""The top of a tree without leaves."""
BEFORE_ALL = bytes(32)
"""Stands for the root before the first."""


class ChainEnd(NamedTuple):
    """The last transaction of a holder that was booked before a day's end."""

    holder_id: int
    seq: int
    hash: bytes


def day_of(at: datetime) -> date:
    """The day in UTC, by which roots are made."""
    return at.astimezone(UTC).date()


def end_of(day: date) -> datetime:
    """The first instant after a day; what is booked before it belongs to the day's root."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def leaf_text(tenant_id: int, end: ChainEnd) -> str:
    """What is hashed of a holder: a text that any language can rebuild."""
    return f"loyalty-leaf-1\n{tenant_id},{end.holder_id},{end.seq},{end.hash.hex()}"


class Summit(NamedTuple):
    """The tree of a day, as its root tells of it.

    ``holders`` are its leaves, ``transactions`` all that their chains hold up to those ends.
    """

    top: bytes
    holders: int
    transactions: int


def root_hash(tenant_id: int, day: date, summit: Summit, previous: bytes) -> bytes:
    """A day's root, as it is published.

    Args:
        previous: the root made before this one, ``BEFORE_ALL`` for the first: so the latest root
            vouches for all before it.
    """
    top, holders, transactions = summit
    text = (
        f"loyalty-root-1\n{previous.hex()}\n"
        f"{tenant_id},{day.isoformat()},{holders},{transactions}\n{top.hex()}"
    )
    return hashlib.sha256(text.encode()).digest()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def leaf_of(tenant_id: int, end: ChainEnd) -> bytes:
    """A holder's leaf, hashed."""
    return leaf_hash(leaf_text(tenant_id, end).encode())


class Tree:
    """A tree that grows leaf by leaf and keeps one hash per level."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        # Roots of complete subtrees, the largest first: one for each bit of ``size``.
        self._peaks: list[bytes] = []
        for leaf in leaves:
            self.add(leaf)

    def add(self, leaf: bytes) -> None:
        """Append a leaf hash."""
        merged, self.size = self.size, self.size + 1
        while merged & 1:
            leaf = node_hash(self._peaks.pop(), leaf)
            merged >>= 1
        self._peaks.append(leaf)

    @property
    def top(self) -> bytes:
        """The hash at the top, RFC 6962's Merkle tree hash."""
        if not self._peaks:
            return EMPTY
        top = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            top = node_hash(peak, top)
        return top


def path(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The audit path of a leaf: its siblings from the bottom up.

    Args:
        leaves: all leaf hashes of the tree, in order.
        index: of the leaf, from 0.
    """
    if len(leaves) == 1:
        return ()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return (*path(leaves[:half], index), Tree(leaves[half:]).top)
    return (*path(leaves[half:], index - half), Tree(leaves[:half]).top)


def top_by_path(leaf: bytes, index: int, size: int, siblings: Sequence[bytes]) -> bytes | None:
    """The top that a path leads to; None where it has not the length of that place."""
    node, last = index, size - 1
    if not 0 <= index < size:
        return None
    for sibling in siblings:
        if last == 0:
            return None
        if node & 1 or node == last:
            leaf = node_hash(sibling, leaf)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            leaf = node_hash(leaf, sibling)
        node >>= 1
        last >>= 1
    return leaf if last == 0 else None
