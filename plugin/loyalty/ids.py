"""Row ids: 63-bit integers that any process can make without asking the database.

Layout, most significant first: 41 bits of milliseconds since 2024-01-01 (until 2093),
12 bits of node, 10 bits of sequence. The node number is leased from the database when a
process opens it (``storage.database``), and counts up with each lease: two living processes
share one only if 4,096 others started in between.
"""

import threading

from loyalty.clock import Clock

EPOCH_MS = 1_704_067_200_000
"""2024-01-01T00:00:00Z in milliseconds since 1970."""
NODE_BITS = 12
SEQUENCE_BITS = 10
NODES = 1 << NODE_BITS
SEQUENCES = 1 << SEQUENCE_BITS


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
        self._last_ms = -1
        self._sequence = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            ms = int(self._clock.now().timestamp() * 1000) - EPOCH_MS
            if ms > self._last_ms:
                self._last_ms, self._sequence = ms, 0
            elif self._sequence + 1 < SEQUENCES:
                self._sequence += 1
            else:
                self._last_ms, self._sequence = self._last_ms + 1, 0
            return self._last_ms << (NODE_BITS + SEQUENCE_BITS) | self._node | self._sequence
