"""Copies in this process, in front of Redis, of what seldom changes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from loyalty.cache import keys as key_table
from loyalty.cache.feed import Tracker
from loyalty.cache.lru import LruStore
from loyalty.cache.metrics import Counters, Layer, Outcome
from loyalty.cache.protocol import Cache, Event
from loyalty.cache.recents import Bounds
from loyalty.cache.versions import Record

# Redis does not say how long a value has still to live, so a copy may outlive it by this much.
COPY_TTL_S: Final = 30


class TrackedCache(Cache, Protocol):
    """A cache that tells of changes that anybody makes."""

    def track(self, prefixes: Sequence[str], tracker: Tracker) -> None: ...

    def start(self) -> None: ...


class LayeredCache(Cache, Tracker):
    """Answers from copies while, and only while, every change of them is told.

    A reader notes a mark per key before it asks Redis and keeps the answer only if the mark is
    still there: a change told in between removes it. When the connection that tells of changes is
    lost, all copies and marks go, and until it stands again every question goes to Redis.

    Args:
        remote: the shared cache.
        copies: the store of this process.
        counters: where hits in this process are counted.
        families: names of the families that are copied; none of them is versioned.
    """

    def __init__(
        self,
        remote: TrackedCache,
        copies: LruStore,
        *,
        counters: Counters | None = None,
        families: frozenset[str] = key_table.LAYERED,
    ) -> None:
        self._remote = remote
        self._copies = copies
        self._counters = counters or Counters()
        self._prefixes = tuple(key_table.prefix(name) for name in sorted(families))
        self._marks: dict[str, object] = {}
        self._is_tracking = False
        remote.track(self._prefixes, self)

    @property
    def is_up(self) -> bool:
        return self._remote.is_up

    @property
    def is_tracking(self) -> bool:
        """Whether changes are being told, so that copies are used."""
        return self._is_tracking

    def tracking_up(self) -> None:
        self._is_tracking = True

    def tracking_lost(self) -> None:
        self._is_tracking = False
        self.changed(None)

    def changed(self, keys: Sequence[str] | None) -> None:
        if keys is None:
            self._copies.clear()
            self._marks.clear()
            return
        for key in keys:
            self._copies.drop(key)
            self._marks.pop(key, None)

    async def check(self) -> bool:
        return await self._remote.check()

    async def get(self, key: str) -> bytes | None:
        if not self._is_copied(key):
            return await self._remote.get(key)
        copy = self._copies.get(key)
        if copy is not None:
            self._counters.count(Layer.PROCESS, key, Outcome.HIT)
            return copy.value
        mark = self._mark(key)
        try:
            value = await self._remote.get(key)
            self._keep(key, mark, value)
        finally:
            self._unmark(key, mark)
        return value

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        found: dict[str, bytes | None] = {}
        marks: dict[str, object] = {}
        for key in keys:
            copy = self._copies.get(key) if self._is_copied(key) else None
            if copy is not None:
                self._counters.count(Layer.PROCESS, key, Outcome.HIT)
                found[key] = copy.value
            elif self._is_copied(key):
                marks[key] = self._mark(key)
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        if missing:
            try:
                values = await self._remote.get_many(missing)
                for key, value in zip(missing, values, strict=True):
                    found[key] = value
                    if key in marks:
                        self._keep(key, marks[key], value)
            finally:
                for key, mark in marks.items():
                    self._unmark(key, mark)
        return [found[key] for key in keys]

    async def put(self, key: str, value: bytes, ttl_s: int) -> bool:
        self.changed((key,))
        try:
            return await self._remote.put(key, value, ttl_s)
        finally:
            # A reader that began meanwhile may have seen the old value.
            self.changed((key,))

    async def drop(self, *keys: str) -> bool:
        self.changed(keys)
        try:
            return await self._remote.drop(*keys)
        finally:
            self.changed(keys)

    async def get_versioned(self, key: str) -> tuple[int, bytes] | None:
        return await self._remote.get_versioned(key)

    async def put_versioned(self, key: str, version: int, value: bytes, ttl_s: int) -> bool:
        return await self._remote.put_versioned(key, version, value, ttl_s)

    async def invalidate(self, key: str, version: int, ttl_s: int) -> bool:
        return await self._remote.invalidate(key, version, ttl_s)

    async def note(
        self, key: str, items: Sequence[str], at_s: int, window_s: int
    ) -> list[int] | None:
        return await self._remote.note(key, items, at_s, window_s)

    async def recent(
        self, key: str, begun_key: str, items: Sequence[str], at_us: int, bounds: Bounds
    ) -> list[str] | None:
        return await self._remote.recent(key, begun_key, items, at_us, bounds)

    async def publish(self, channel: str, payload: bytes) -> bool:
        return await self._remote.publish(channel, payload)

    def subscribe(self, *channels: str) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        return self._remote.subscribe(*channels)

    async def close(self) -> None:
        await self._remote.close()
        self.tracking_lost()

    def _is_copied(self, key: str) -> bool:
        if not key.startswith(self._prefixes):
            return False
        if not self._is_tracking:
            # Harmless when it was begun already.
            self._remote.start()
        return self._is_tracking

    def _mark(self, key: str) -> object:
        # Readers of one key share a mark: what removes it concerns them all alike.
        return self._marks.setdefault(key, object())

    def _keep(self, key: str, mark: object, value: bytes | None) -> None:
        if value is not None and self._marks.get(key) is mark:
            self._copies.put(key, Record(None, value), COPY_TTL_S)

    def _unmark(self, key: str, mark: object) -> None:
        if self._marks.get(key) is mark:
            del self._marks[key]
