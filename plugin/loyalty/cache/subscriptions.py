"""Who listens to which channel in this process."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Final

from loyalty.cache.protocol import Event, Lagged, Message

# A subscriber that is this far behind reads the state again anyway.
QUEUE_MAX: Final = 64


class Subscription(AsyncIterator[Event]):
    """One subscriber's queue. When it is full the oldest message gives way, and that is told."""

    def __init__(self, channels: Iterable[str], queue_max: int) -> None:
        self.channels = frozenset(channels)
        self._queue: deque[Message] = deque()
        self._queue_max = queue_max
        self._has_lagged = False
        self._is_ended = False
        self._wake = asyncio.Event()

    def add(self, message: Message) -> None:
        if len(self._queue) >= self._queue_max:
            self._queue.popleft()
            self._has_lagged = True
        self._queue.append(message)
        self._wake.set()

    def lag(self) -> None:
        self._has_lagged = True
        self._wake.set()

    def end(self) -> None:
        """What is queued can still be read; after that the iterator stops."""
        self._is_ended = True
        self._wake.set()

    async def __anext__(self) -> Event:
        while True:
            if self._has_lagged:
                self._has_lagged = False
                return Lagged()
            if self._queue:
                return self._queue.popleft()
            if self._is_ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()


class Subscribers:
    """All subscriptions of this process, by channel."""

    def __init__(self, queue_max: int = QUEUE_MAX) -> None:
        self._queue_max = queue_max
        self._by_channel: dict[str, set[Subscription]] = {}
        self.is_ended = False

    def channels(self) -> list[str]:
        return list(self._by_channel)

    def add(self, channels: Iterable[str]) -> Subscription:
        """A new subscriber; one that comes after ``end`` hears nothing and ends at once."""
        subscription = Subscription(channels, self._queue_max)
        if self.is_ended:
            subscription.end()
            return subscription
        for channel in subscription.channels:
            self._by_channel.setdefault(channel, set()).add(subscription)
        return subscription

    def remove(self, subscription: Subscription) -> list[str]:
        """Forget a subscriber.

        Returns:
            Channels that nobody listens to any more.
        """
        subscription.end()
        deserted = []
        for channel in subscription.channels:
            others = self._by_channel.get(channel, set())
            others.discard(subscription)
            if not others and self._by_channel.pop(channel, None) is not None:
                deserted.append(channel)
        return deserted

    def of(self, channel: str) -> set[Subscription]:
        return self._by_channel.get(channel, set())

    def deliver(self, channel: str, payload: bytes) -> None:
        for subscription in self.of(channel):
            subscription.add(Message(channel, payload))

    def end(self) -> None:
        self.is_ended = True
        for subscriptions in self._by_channel.values():
            for subscription in subscriptions:
                subscription.end()
        self._by_channel.clear()
