"""The cache switched off: remembers nothing, still carries messages within the process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from loyalty.cache.protocol import Cache, Event
from loyalty.cache.recents import Bounds
from loyalty.cache.subscriptions import QUEUE_MAX, Subscribers
from loyalty.cache.versions import checked


class NullCache(Cache):
    """Every lookup is a miss and every value is refused."""

    def __init__(self, *, queue_max: int = QUEUE_MAX) -> None:
        self._subscribers = Subscribers(queue_max)

    @property
    def is_up(self) -> bool:
        return True

    async def check(self) -> bool:
        return True

    async def get(self, key: str) -> bytes | None:
        return None

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        return [None] * len(keys)

    async def put(self, key: str, value: bytes, ttl_s: int) -> bool:
        return False

    async def drop(self, *keys: str) -> bool:
        return True

    async def get_versioned(self, key: str) -> tuple[int, bytes] | None:
        return None

    async def put_versioned(self, key: str, version: int, value: bytes, ttl_s: int) -> bool:
        checked(version)
        return False

    async def invalidate(self, key: str, version: int, ttl_s: int) -> bool:
        checked(version)
        return True

    async def note(
        self, key: str, items: Sequence[str], at_s: int, window_s: int
    ) -> list[int] | None:
        return None

    async def recent(
        self, key: str, begun_key: str, items: Sequence[str], at_us: int, bounds: Bounds
    ) -> list[str] | None:
        return None

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
