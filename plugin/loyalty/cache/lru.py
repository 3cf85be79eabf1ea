"""A bounded map that forgets what was not used for longest."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from loyalty.cache.versions import Record

# What an entry costs beside its key and value: dictionary slot, record, list links. Measured with
# sys.getsizeof on CPython 3.11 as 300 to 400 bytes.
_OVERHEAD_BYTES: Final = 400


@dataclass(frozen=True, slots=True)
class _Entry:
    record: Record
    dies_at_s: float
    size_bytes: int


class LruStore:
    """Records by key, each until its time is over or the room is needed.

    Args:
        now_s: a clock that only moves forward, in seconds.
        entries_max: how many records at most.
        bytes_max: how much room keys, values and their overhead may take together.
    """

    def __init__(self, now_s: Callable[[], float], *, entries_max: int, bytes_max: int) -> None:
        self._now_s = now_s
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes_used(self) -> int:
        return self._bytes

    def get(self, key: str) -> Record | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.dies_at_s <= self._now_s():
            self.drop(key)
            return None
        self._entries.move_to_end(key)
        return entry.record

    def put(self, key: str, record: Record, ttl_s: int) -> bool:
        """Store a record in place of any other; False when it alone exceeds the room."""
        self.drop(key)
        # A character of a key takes one byte: keys are ASCII.
        size = len(key) + len(record.value or b"") + _OVERHEAD_BYTES
        if size > self._bytes_max:
            return False
        self._entries[key] = _Entry(record, self._now_s() + ttl_s, size)
        self._bytes += size
        while len(self._entries) > self._entries_max or self._bytes > self._bytes_max:
            _, oldest = self._entries.popitem(last=False)
            self._bytes -= oldest.size_bytes
        return True

    def drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= entry.size_bytes

    def clear(self) -> None:
        self._entries.clear()
        self._bytes = 0
