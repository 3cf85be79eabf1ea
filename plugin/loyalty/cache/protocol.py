"""What a cache promises.

A cache is a faster copy and never the truth: each answer may be "not here". It never raises for
an outage: a read answers None, a write False, and within a declared time. What was not told to
other processes because of an outage is told when it ends.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from loyalty.cache.recents import Bounds


@dataclass(frozen=True, slots=True)
class Message:
    """A payload published on a channel."""

    channel: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Lagged:
    """Messages may have been missed: read the state itself again.

    Comes before the messages that are still there, after a queue ran over or a connection was
    lost.
    """


Event = Message | Lagged


class Cache(Protocol):
    """Keys come from ``loyalty.cache.keys``, which also says how long each may live.

    A key is plain or versioned all its life; asked for the other way it is simply not there.
    """

    @property
    def is_up(self) -> bool:
        """Whether the last thing known about the store is that it answers."""
        ...

    async def check(self) -> bool:
        """Ask the store for a sign of life now, within the time limit of any other call."""
        ...

    async def get(self, key: str) -> bytes | None: ...

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """One answer per key, in their order, for the price of one."""
        ...

    async def put(self, key: str, value: bytes, ttl_s: int) -> bool:
        """Store a plain value for ``ttl_s`` >= 1 seconds; False when it was not stored."""
        ...

    async def drop(self, *keys: str) -> bool:
        """Forget plain keys, or a versioned key with its tombstone when a member is erased.

        False when the store could not be told now; it is told later.
        """
        ...

    async def get_versioned(self, key: str) -> tuple[int, bytes] | None:
        """Version and value; None also where a tombstone stands."""
        ...

    async def put_versioned(self, key: str, version: int, value: bytes, ttl_s: int) -> bool:
        """Store a value unless something as new is there.

        Args:
            version: 0 to 2**63 - 1. Replaces an older value, and a tombstone of this version or
                older; refused by a value of this version or newer and by a newer tombstone.

        Returns:
            Whether it was stored.
        """
        ...

    async def invalidate(self, key: str, version: int, ttl_s: int) -> bool:
        """Leave a tombstone: anything older than ``version`` is gone and stays refused.

        A value of ``version`` or newer stays. False when the store could not be told now; it is
        told later, and until then this process does not read the key.
        """
        ...

    async def note(
        self, key: str, items: Sequence[str], at_s: int, window_s: int
    ) -> list[int] | None:
        """Note distinct items as seen, in one step with counting them.

        Args:
            items: what was seen; one that is there keeps its first moment. May be empty, to ask.
            at_s: seconds since 1970; what is not within ``window_s`` of it is forgotten.

        Returns:
            When each item of the window was first seen, oldest first; None when the store could
            not be asked.
        """
        ...

    async def recent(
        self, key: str, begun_key: str, items: Sequence[str], at_us: int, bounds: Bounds
    ) -> list[str] | None:
        """Put distinct items in front of the list under a key, in one step with reading it.

        Args:
            begun_key: under which it is counted how many such lists begin; of the same hash tag.
            items: seen now, the latest first. May be empty, to ask.
            at_us: microseconds since 1970.

        Returns:
            The items of the window, latest first; none where too many lists were begun. None when
            the store could not be asked.
        """
        ...

    async def publish(self, channel: str, payload: bytes) -> bool:
        """Tell all subscribers, in every process; False when only this process was told."""
        ...

    def subscribe(self, *channels: str) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """Events of these channels from now on.

        ::

            async with cache.subscribe(channel) as events:
                async for event in events: ...

        The iterator ends when the cache is closed.
        """
        ...

    async def close(self) -> None:
        """End background tasks, connections and subscriptions. May be called twice."""
        ...
