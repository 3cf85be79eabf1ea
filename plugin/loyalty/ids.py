"""Row ids: 63-bit integers that any process can make without asking the database.

Layout, most significant first: 41 bits of milliseconds since 2024-01-01 (until 2093),
12 bits of node, 10 bits of sequence. The node number is leased from the database when a
process opens it (``storage.database``), and counts up with each lease: two living processes
share one only if 4,096 others started in between.
"""

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from loyalty.clock import Clock

EPOCH_MS = 1_704_067_200_000
"""2024-01-01T00:00:00Z in milliseconds since 1970."""
NODE_BITS = 12
SEQUENCE_BITS = 10
NODES = 1 << NODE_BITS
SEQUENCES = 1 << SEQUENCE_BITS


def first_id_at(at: datetime) -> int:
    """The smallest id that may have been made at a moment: rows of smaller ids are older.

    A source that borrowed from the next millisecond, or whose clock was stepped back, makes
    ids of a later moment, never of an earlier one.
    """
    ms = int(at.timestamp() * 1000) - EPOCH_MS
    return max(ms, 0) << NODE_BITS + SEQUENCE_BITS


class Ids(Protocol):
    """Makes increasing row ids."""

    def next(self) -> int: ...
    def take(self, count: int) -> Sequence[int]: ...


class IdSource:
    """Makes increasing ids for one process.

    A clock stepped back does not matter: the source goes on from the last millisecond it
    used. When a millisecond's 1,024 ids are used up it borrows from the next.
    """

    def __init__(self, clock: Clock, node: int) -> None:
        if not 0 <= node < NODES:
            raise ValueError(f"node {node} found, 0 to {NODES - 1} wanted")
        self._clock = clock
        self._node = node << SEQUENCE_BITS
        # Milliseconds and sequence as one number: the next id's.
        self._next = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> Sequence[int]:
        """``count`` ids at one look at the clock."""
        with self._lock:
            ms = int(self._clock.now().timestamp() * 1000) - EPOCH_MS
            first = max(self._next, ms << SEQUENCE_BITS)
            self._next = first + count
        # All ids of one millisecond follow one another.
        taken: list[int] = []
        while len(taken) < count:
            ms, sequence = divmod(first + len(taken), SEQUENCES)
            base = ms << NODE_BITS + SEQUENCE_BITS | self._node
            taken += range(base + sequence, base + min(sequence + count - len(taken), SEQUENCES))
        return taken


class IdStream:
    """Ids for one unit of work, which may need hundreds: taken from a source in handfuls.

    Args:
        handful: how many to take at a time; those left over are never used.
    """

    def __init__(self, source: Ids, handful: int) -> None:
        self._source = source
        self._handful = handful
        self._left: list[int] = []

    def next(self) -> int:
        if not self._left:
            self._left = list(reversed(self._source.take(self._handful)))
        return self._left.pop()

    def take(self, count: int) -> Sequence[int]:
        if len(self._left) < count:
            return self._source.take(count)
        taken = self._left[-count:] if count else []
        del self._left[len(self._left) - count :]
        return taken[::-1]
