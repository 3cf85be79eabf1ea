"""The cache that processes share: Redis or Valkey, never waited for."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import lru_cache, partial
from hashlib import sha1
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import MaxConnectionsError, NoScriptError

from loyalty.cache.breaker import REST_LONGEST_S, Breaker
from loyalty.cache.connection import (
    CONNECTIONS_MAX,
    DEADLINE_S,
    OUTAGE,
    connection_pool,
    is_outage,
    is_silent,
    push_connection,
)
from loyalty.cache.debts import Debt, Debts
from loyalty.cache.feed import QUIET_S, Feed, Tracker
from loyalty.cache.metrics import Counters, Layer, Outcome
from loyalty.cache.protocol import Cache, Event
from loyalty.cache.recents import RECENT_SCRIPT, Bounds
from loyalty.cache.sightings import ITEMS_MAX, NOTE_SCRIPT
from loyalty.cache.subscriptions import QUEUE_MAX, Subscribers
from loyalty.cache.versions import WRITE_SCRIPT, Record, checked, decoded, encoded

_DEBTS_AT_ONCE: Final = 200
_FAILED: Final = object()

_log = logging.getLogger(__name__)


@lru_cache
def _digest(script: str) -> str:
    """How a server that has seen a script knows it."""
    return sha1(script.encode(), usedforsecurity=False).hexdigest()


class RedisCache(Cache):
    """One Redis behind a circuit breaker.

    The first call that meets a silent server waits ``deadline_s``; then the circuit is open, calls
    cost microseconds, and one background task tries again until it answers. Before the circuit
    closes, invalidations and drops that failed are made up for.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``. Nothing is opened before the first use.
        counters: where lookups are counted.
        connections_max: a call that finds all of them taken is a miss at once.
        deadline_s: limit for one call with everything it entails.
        queue_max: messages a subscriber may be behind before the oldest is dropped.
        quiet_s: how long the feed may be silent before it is asked for a sign of life.

    Raises:
        ValueError: the URL cannot be understood.
    """

    def __init__(
        self,
        url: str,
        *,
        counters: Counters | None = None,
        connections_max: int = CONNECTIONS_MAX,
        deadline_s: float = DEADLINE_S,
        queue_max: int = QUEUE_MAX,
        quiet_s: float = QUIET_S,
        breaker: Breaker | None = None,
    ) -> None:
        self._pool = connection_pool(url, connections_max=connections_max, deadline_s=deadline_s)
        self._client = Redis(connection_pool=self._pool)
        self._command: Callable[..., Awaitable[Any]] = self._client.execute_command
        self._counters = counters or Counters()
        self._deadline_s = deadline_s
        self._breaker = breaker or Breaker()
        self._debts = Debts()
        self._mending: asyncio.Task[None] | None = None
        self._is_closed = False
        self._subscribers = Subscribers(queue_max)
        self._feed = Feed(
            partial(push_connection, self._pool),
            self._subscribers,
            deadline_s=deadline_s,
            quiet_s=quiet_s,
        )

    @property
    def is_up(self) -> bool:
        return self._breaker.is_closed and not self._is_closed

    async def get(self, key: str) -> bytes | None:
        record = await self._read(key)
        return record.value if record is not None and record.version is None else None

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        asked = [key for key in dict.fromkeys(keys) if key not in self._debts]
        if not asked:
            return [None] * len(keys)
        answer = await self._ask("MGET", *asked, about=asked)
        if not isinstance(answer, list):
            return [None] * len(keys)
        found = {}
        for key, stored in zip(asked, answer, strict=True):
            record = decoded(stored)
            is_hit = record is not None and record.version is None
            self._count(key, Outcome.HIT if is_hit else Outcome.MISS)
            if record is not None and is_hit:
                found[key] = record.value
        return [found.get(key) for key in keys]

    async def put(self, key: str, value: bytes, ttl_s: int) -> bool:
        record = encoded(Record(None, value))
        answer = await self._ask("SET", key, record, "PX", ttl_s * 1000, about=(key,))
        return self._count_write(key, answer)

    async def drop(self, *keys: str) -> bool:
        if not keys:
            return True
        if await self._ask("DEL", *keys, about=keys) is not _FAILED:
            return True
        for key in keys:
            self._owe(key, Debt(is_drop=True))
        return False

    async def get_versioned(self, key: str) -> tuple[int, bytes] | None:
        record = await self._read(key, is_versioned=True)
        if record is None or record.version is None or record.value is None:
            return None
        return record.version, record.value

    async def put_versioned(self, key: str, version: int, value: bytes, ttl_s: int) -> bool:
        return self._count_write(
            key, await self._write(key, Record(checked(version), value), ttl_s)
        )

    async def invalidate(self, key: str, version: int, ttl_s: int) -> bool:
        if await self._write(key, Record(checked(version), None), ttl_s) is not _FAILED:
            return True
        self._owe(key, Debt(is_drop=False, version=version, ttl_s=ttl_s))
        return False

    async def note(
        self, key: str, items: Sequence[str], at_s: int, window_s: int
    ) -> list[int] | None:
        answer = await self._run(
            NOTE_SCRIPT, 1, key, at_s, window_s, ITEMS_MAX, *items, about=(key,)
        )
        if not isinstance(answer, list):
            return None
        self._count(key, Outcome.STORED if items else Outcome.HIT)
        # Items and their moments by turns.
        return [int(at) for at in answer[1::2]]

    async def recent(
        self, key: str, begun_key: str, items: Sequence[str], at_us: int, bounds: Bounds
    ) -> list[str] | None:
        limits = bounds.window_s, bounds.items_max, bounds.begun_max, bounds.slice_s
        answer = await self._run(
            RECENT_SCRIPT, 2, key, begun_key, at_us, *limits, *items, about=(key,)
        )
        if not isinstance(answer, list):
            return None
        self._count(key, Outcome.STORED if items else Outcome.HIT)
        return [item.decode() for item in answer]

    async def publish(self, channel: str, payload: bytes) -> bool:
        if await self._ask("PUBLISH", channel, payload, about=(channel,)) is not _FAILED:
            return True
        # What was published during an outage is lost to other processes; their subscribers learn
        # from Lagged that they have to read again. Those of this process need not wait for that.
        self._subscribers.deliver(channel, payload)
        return False

    def subscribe(self, *channels: str) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        return self._feed.subscribe(channels)

    def track(self, prefixes: Sequence[str], tracker: Tracker) -> None:
        """Tell ``tracker`` of every change of keys with these prefixes, once started."""
        self._feed.track(prefixes, tracker)

    def start(self) -> None:
        """Open the feed in the background, now rather than with the first subscriber."""
        self._feed.start()

    async def check(self) -> bool:
        return await self._ask("PING", about=()) is not _FAILED

    async def close(self) -> None:
        self._is_closed = True
        mending, self._mending = self._mending, None
        if mending is not None:
            mending.cancel()
            await asyncio.wait([mending])
        await self._feed.close()
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._pool.aclose()
        except OUTAGE as error:
            _log.debug("cache connections did not close: %s", type(error).__name__)

    async def _read(self, key: str, *, is_versioned: bool = False) -> Record | None:
        if key in self._debts:
            self._count(key, Outcome.SKIPPED)
            return None
        answer = await self._ask("GET", key, about=(key,))
        if answer is _FAILED:
            return None
        record = decoded(answer)
        is_hit = (
            record is not None
            and record.value is not None
            and (record.version is not None) == is_versioned
        )
        self._count(key, Outcome.HIT if is_hit else Outcome.MISS)
        return record

    async def _write(self, key: str, record: Record, ttl_s: int) -> Any:
        rest = (1, key, encoded(record), ttl_s * 1000)
        return await self._run(WRITE_SCRIPT, *rest, about=(key,))

    async def _run(self, script: str, *rest: str | bytes | int, about: Sequence[str]) -> Any:
        answer = await self._ask("EVALSHA", _digest(script), *rest, about=about)
        if isinstance(answer, NoScriptError):
            # A server that was restarted or flushed has forgotten the script.
            answer = await self._ask("EVAL", script, *rest, about=about)
        return answer

    async def _ask(self, *command: str | bytes | int, about: Sequence[str]) -> Any:
        """The server's answer, or ``_FAILED``; a missing script is an answer."""
        if self._is_closed or not self._breaker.is_closed:
            return self._failed(about, Outcome.SKIPPED)
        try:
            async with asyncio.timeout(self._deadline_s):
                answer = await self._command(*command)
        except NoScriptError as answered:
            return answered
        except MaxConnectionsError:
            return self._failed(about, Outcome.SKIPPED)
        except Exception as error:
            # Whatever goes wrong in this one call, a checkout goes on without the cache.
            self._failed(about, Outcome.ERROR)
            if not isinstance(error, OUTAGE):
                _log.exception("cache spoke of something else")
            if is_outage(error) and self._breaker.failed(is_silent=is_silent(error)):
                _log.warning("cache does not answer (%s), going on without", type(error).__name__)
                self._mend()
            return _FAILED
        self._breaker.succeeded()
        return answer

    def _owe(self, key: str, debt: Debt) -> None:
        self._debts.owe(key, debt)
        self._mend()

    def _mend(self) -> None:
        if not self._is_closed and (self._mending is None or self._mending.done()):
            self._mending = asyncio.create_task(self._mended())

    async def _mended(self) -> None:
        """Try until the server answers and nothing is owed; then close the circuit."""
        rest_s = self._breaker.rest_s
        while len(self._debts) or not self._breaker.is_closed:
            await asyncio.sleep(rest_s)
            is_probe = self._breaker.take_probe()
            try:
                await self._pay()
                has_answered = True
            except Exception as error:
                # Nobody awaits this task, and without it the circuit would stay open.
                has_answered = not is_outage(error)
                _log.debug("cache still does not do as asked: %s", type(error).__name__)
                rest_s = min(rest_s * 2, REST_LONGEST_S)
            if is_probe and has_answered:
                self._breaker.probe_succeeded()
                _log.info("cache answers again")
            elif is_probe:
                self._breaker.probe_failed()
                rest_s = self._breaker.rest_s

    async def _pay(self) -> None:
        """Make up for what failed, or at least ask for a sign of life."""
        while True:
            owed = self._debts.oldest(_DEBTS_AT_ONCE)
            async with asyncio.timeout(self._deadline_s):
                if not owed:
                    await self._command("PING")
                    return
                async with self._client.pipeline(transaction=False) as pipeline:
                    for key, debt in owed:
                        if debt.is_drop:
                            pipeline.execute_command("DEL", key)
                        if debt.version is not None:
                            tombstone = encoded(Record(debt.version, None))
                            pipeline.execute_command(
                                "EVAL", WRITE_SCRIPT, 1, key, tombstone, debt.ttl_s * 1000
                            )
                    await pipeline.execute()
            for key, debt in owed:
                self._debts.paid(key, debt)

    def _count(self, key: str, outcome: Outcome) -> None:
        self._counters.count(Layer.REDIS, key, outcome)

    def _failed(self, about: Sequence[str], outcome: Outcome) -> Any:
        for key in about:
            self._count(key, outcome)
        return _FAILED

    def _count_write(self, key: str, answer: Any) -> bool:
        if answer is _FAILED:
            return False
        is_stored = answer not in (0, None)
        self._count(key, Outcome.STORED if is_stored else Outcome.REFUSED)
        return is_stored
