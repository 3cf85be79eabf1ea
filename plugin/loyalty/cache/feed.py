"""The one connection on which Redis speaks first: messages of channels and changes of keys."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol

from redis.exceptions import ConnectionError as RedisConnectionError

from loyalty.cache.connection import DEADLINE_S, OUTAGE, PushConnection
from loyalty.cache.protocol import Event
from loyalty.cache.subscriptions import Subscribers, Subscription

# A connection that says nothing for QUIET_S is asked whether it is there and has as long to answer,
# so a copy in the process can be out of date for two seconds when a network swallows everything.
QUIET_S: Final = 1.0
_REST_FIRST_S: Final = 0.05
_REST_LONGEST_S: Final = 1.0

_log = logging.getLogger(__name__)


class Tracker(Protocol):
    """Wants to know of changed keys."""

    def tracking_up(self) -> None:
        """From now on every change is told."""

    def tracking_lost(self) -> None:
        """Changes may have been missed; called before the next ``tracking_up``."""

    def changed(self, keys: Sequence[str] | None) -> None:
        """These keys changed; None for all."""


class Feed:
    """Keeps one connection, reconnecting for as long as the process lives.

    Args:
        connect: makes a connection that is not yet open; it has to speak RESP3.
        subscribers: who is told of messages.
    """

    def __init__(
        self,
        connect: Callable[[], PushConnection],
        subscribers: Subscribers,
        *,
        deadline_s: float = DEADLINE_S,
        quiet_s: float = QUIET_S,
    ) -> None:
        self._connect = connect
        self._subscribers = subscribers
        self._deadline_s = deadline_s
        self._quiet_s = quiet_s
        self._prefixes: tuple[str, ...] = ()
        self._tracker: Tracker | None = None
        self._connection: PushConnection | None = None
        self._task: asyncio.Task[None] | None = None
        # Channels the server has confirmed, and confirmations still to come, per channel.
        self._standing: set[str] = set()
        self._awaited: Counter[str] = Counter()
        self._confirmed = asyncio.Event()
        # Subscriptions that may have missed something on a channel.
        self._unsure: dict[str, set[Subscription]] = {}

    def track(self, prefixes: Sequence[str], tracker: Tracker) -> None:
        """Tell ``tracker`` of changes of keys with these prefixes. Before ``start``."""
        assert self._task is None, "track() comes before start()"
        self._prefixes = tuple(prefixes)
        self._tracker = tracker

    def start(self) -> None:
        """Begin to connect, in the background; harmless when begun already, or closed."""
        if self._task is None and not self._subscribers.is_ended:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        self._subscribers.end()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    @asynccontextmanager
    async def subscribe(self, channels: Sequence[str]) -> AsyncIterator[AsyncIterator[Event]]:
        """Events of the channels, from the moment this is entered.

        Where the server does not confirm within the time limit, the first event is ``Lagged``, as
        soon as it does.
        """
        self.start()
        subscription = self._subscribers.add(channels)
        try:
            if not self._subscribers.is_ended:
                await self._stand(subscription)
            yield subscription
        finally:
            deserted = self._subscribers.remove(subscription)
            for unsure in self._unsure.values():
                unsure.discard(subscription)
            if deserted:
                self._standing.difference_update(deserted)
                await self._send("UNSUBSCRIBE", *deserted)

    async def _stand(self, subscription: Subscription) -> None:
        new = [
            channel
            for channel in subscription.channels - self._standing
            if not self._awaited[channel]
        ]
        if new and self._connection is not None:
            self._awaited.update(new)
            await self._send("SUBSCRIBE", *new)
        try:
            async with asyncio.timeout(self._deadline_s):
                while not subscription.channels <= self._standing:
                    self._confirmed.clear()
                    await self._confirmed.wait()
        except TimeoutError:
            for channel in subscription.channels - self._standing:
                self._unsure.setdefault(channel, set()).add(subscription)

    async def _send(self, *command: str) -> None:
        """Send without waiting for the answer, which the reading task will see."""
        # Where this fails, the reading task sees the end of the connection and opens another.
        with suppress(*OUTAGE):
            async with asyncio.timeout(self._deadline_s):
                await _say(self._connection, *command)

    async def _run(self) -> None:
        rest_s = _REST_FIRST_S
        while True:
            connection = self._connect()
            try:
                async with asyncio.timeout(self._deadline_s):
                    await self._open(connection)
                rest_s = _REST_FIRST_S
                await self._listen(connection)
            except OUTAGE as error:
                _log.debug("cache feed lost: %s", type(error).__name__)
            except Exception:
                # Nobody awaits this task: an error that ended it would end all messages silently.
                _log.exception("cache feed failed")
            finally:
                self._lost()
                await connection.disconnect(nowait=True)
            await asyncio.sleep(rest_s)
            rest_s = min(rest_s * 2, _REST_LONGEST_S)

    async def _open(self, connection: PushConnection) -> None:
        await connection.connect()
        if self._tracker is not None:
            prefixes = [word for prefix in self._prefixes for word in ("PREFIX", prefix)]
            await _say(connection, "CLIENT", "TRACKING", "ON", "BCAST", *prefixes)
            await connection.read_response()
        # From here on a new subscriber sends its own SUBSCRIBE, so none falls in between.
        self._connection = connection
        channels = self._subscribers.channels()
        if channels:
            self._awaited.update(channels)
            await _say(connection, "SUBSCRIBE", *channels)
        if self._tracker is not None:
            self._tracker.tracking_up()

    async def _listen(self, connection: PushConnection) -> None:
        is_asked = False
        while True:
            spoken = await connection.read_response(
                timeout=self._quiet_s, disconnect_on_error=False, push_request=True
            )
            if spoken is not None:
                is_asked = False
                self._hear(spoken)
            elif is_asked:
                raise TimeoutError
            else:
                is_asked = True
                await _say(connection, "PING")

    def _hear(self, spoken: Any) -> None:
        if not isinstance(spoken, list):
            return
        match spoken:
            case [b"message", channel, payload]:
                self._subscribers.deliver(channel.decode(), payload)
            case [b"invalidate", changed] if self._tracker is not None:
                self._tracker.changed(changed and [key.decode() for key in changed])
            case [b"subscribe", channel, _]:
                self._stands(channel.decode())

    def _stands(self, channel: str) -> None:
        self._awaited[channel] -= 1
        # An earlier subscription of the same channel may have been given up in between.
        if self._awaited[channel] > 0 or not self._subscribers.of(channel):
            return
        self._standing.add(channel)
        self._confirmed.set()
        for subscription in self._unsure.pop(channel, ()):
            subscription.lag()

    def _lost(self) -> None:
        if self._connection is None:
            return
        self._connection = None
        self._standing.clear()
        self._awaited.clear()
        for channel in self._subscribers.channels():
            self._unsure[channel] = set(self._subscribers.of(channel))
        if self._tracker is not None:
            self._tracker.tracking_lost()


async def _say(connection: PushConnection | None, *command: str) -> None:
    # redis-py would open a closed connection again by itself, without what we asked of the first.
    if connection is None or not connection.is_connected:
        raise RedisConnectionError("the feed's connection is closed")
    await connection.send_command(*command, check_health=False)
