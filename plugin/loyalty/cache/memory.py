"""The cache of one process: for SQLite, for tests, and where there is no Redis."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from loyalty.cache.lru import LruStore
from loyalty.cache.metrics import Counters, Layer, Outcome
from loyalty.cache.protocol import Cache, Event
from loyalty.cache.recents import Bounds, Recents
from loyalty.cache.sightings import Sightings
from loyalty.cache.subscriptions import QUEUE_MAX, Subscribers
from loyalty.cache.versions import Record, checked, may_replace

ENTRIES_MAX: Final = 50_000
BYTES_MAX: Final = 64 * 1024 * 1024


class MemoryCache(Cache):
    """Bounded by entries and bytes; the least recently used gives way.

    Args:
        now_s: a clock that only moves forward, in seconds.
        counters: where lookups are counted.
        queue_max: messages a subscriber may be behind before the oldest is dropped.
    """

    def __init__(
        self,
        now_s: Callable[[], float],
        *,
        counters: Counters | None = None,
        entries_max: int = ENTRIES_MAX,
        bytes_max: int = BYTES_MAX,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        self._store = LruStore(now_s, entries_max=entries_max, bytes_max=bytes_max)
        self._sightings = Sightings()
        self._recents = Recents()
        self._counters = counters or Counters()
        self._subscribers = Subscribers(queue_max)

    @property
    def is_up(self) -> bool:
        return True

    async def check(self) -> bool:
        return True

    async def get(self, key: str) -> bytes | None:
        record = self._store.get(key)
        value = record.value if record is not None and record.version is None else None
        self._count_lookup(key, value is not None)
        return value

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        return [await self.get(key) for key in keys]

    async def put(self, key: str, value: bytes, ttl_s: int) -> bool:
        return self._count_write(key, self._store.put(key, Record(None, value), ttl_s))

    async def drop(self, *keys: str) -> bool:
        for key in keys:
            self._store.drop(key)
            self._sightings.drop(key)
            self._recents.drop(key)
        return True

    async def get_versioned(self, key: str) -> tuple[int, bytes] | None:
        record = self._store.get(key)
        found = (
            (record.version, record.value)
            if record is not None and record.version is not None and record.value is not None
            else None
        )
        self._count_lookup(key, found is not None)
        return found

    async def put_versioned(self, key: str, version: int, value: bytes, ttl_s: int) -> bool:
        return self._count_write(key, self._write(key, Record(checked(version), value), ttl_s))

    async def invalidate(self, key: str, version: int, ttl_s: int) -> bool:
        self._write(key, Record(checked(version), None), ttl_s)
        return True

    async def note(
        self, key: str, items: Sequence[str], at_s: int, window_s: int
    ) -> list[int] | None:
        return self._sightings.note(key, items, at_s, window_s)

    async def recent(
        self, key: str, begun_key: str, items: Sequence[str], at_us: int, bounds: Bounds
    ) -> list[str] | None:
        return self._recents.put(key, begun_key, items, at_us, bounds)

    async def publish(self, channel: str, payload: bytes) -> bool:
        self._subscribers.deliver(channel, payload)
        return True

    @asynccontextmanager
    async def subscribe(self, *channels: str) -> AsyncIterator[AsyncIterator[Event]]:
        subscription = self._subscribers.add(channels)
        try:
            yield subscription
        finally:
            self._subscribers.remove(subscription)

    async def close(self) -> None:
        self._subscribers.end()
        self._store.clear()
        self._sightings.clear()
        self._recents.clear()

    def _write(self, key: str, record: Record, ttl_s: int) -> bool:
        assert record.version is not None
        if not may_replace(self._store.get(key), record.version):
            return False
        return self._store.put(key, record, ttl_s)

    def _count_lookup(self, key: str, is_hit: bool) -> None:
        self._counters.count(Layer.PROCESS, key, Outcome.HIT if is_hit else Outcome.MISS)

    def _count_write(self, key: str, is_stored: bool) -> bool:
        self._counters.count(Layer.PROCESS, key, Outcome.STORED if is_stored else Outcome.REFUSED)
        return is_stored
