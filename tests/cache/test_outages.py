"""A Redis that is dead, silent, confused or back again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

import pytest

from loyalty.cache import Counters, Lagged, Message, keys, open_cache
from loyalty.cache.connection import DEADLINE_S
from loyalty.cache.layered import LayeredCache
from loyalty.cache.lru import LruStore
from loyalty.cache.metrics import Layer, Outcome
from loyalty.cache.recents import Bounds
from loyalty.cache.redis import RedisCache

pytestmark = pytest.mark.anyio

KEY = keys.summary(1, 5)
BOUNDS = Bounds(window_s=600, items_max=3, begun_max=4, slice_s=600)
LISTING = keys.catalogue(1, 3, "a9f0")
PLAIN = keys.recommendations(1, 5, "for_you", "als-7")
CHANNEL = keys.changes(1, 5)

# Our limit and what a busy machine may add before a waiting task runs again.
SLOWEST_S = DEADLINE_S + 0.8

# The limit where it is not what is tried.
PATIENCE_S = 10.0


@asynccontextmanager
async def opened(url: str, **settings: object) -> AsyncIterator[RedisCache]:
    cache = RedisCache(url, **settings)
    try:
        yield cache
    finally:
        await cache.close()


async def answers_without_redis(cache: RedisCache) -> list[object]:
    return [
        await cache.get(PLAIN),
        await cache.get_many([PLAIN, PLAIN]),
        await cache.put(PLAIN, b"x", 60),
        await cache.get_versioned(KEY),
        await cache.put_versioned(KEY, 1, b"x", 60),
        await cache.invalidate(KEY, 1, 60),
        await cache.drop(PLAIN),
        await cache.note(keys.misses(1, "c4"), ["a"], 1_000, 600),
        await cache.recent(keys.views(1, "s9"), keys.views_begun(1), ["a"], 1_000, BOUNDS),
        await cache.publish(CHANNEL, b"x"),
        await cache.check(),
    ]


WITHOUT_REDIS = [None, [None, None], False, None, False, False, False, None, None, False, False]


async def test_with_nobody_there_every_answer_comes_at_once(closed_port_url: str):
    async with opened(closed_port_url) as cache:
        began = perf_counter()
        answers = await answers_without_redis(cache)
        took_s = perf_counter() - began

        assert answers == WITHOUT_REDIS
        assert not cache.is_up
        assert took_s < SLOWEST_S


async def test_a_silent_server_costs_one_time_limit_and_then_nothing(black_hole_url: str):
    async with opened(black_hole_url) as cache:
        began = perf_counter()
        first = await cache.get(PLAIN)
        first_s = perf_counter() - began
        began = perf_counter()
        answers = await answers_without_redis(cache)
        thousand = [await cache.get(PLAIN) for _ in range(1000)]
        rest_s = perf_counter() - began

        assert (first, answers, set(thousand)) == (None, WITHOUT_REDIS, {None})
        assert DEADLINE_S * 0.9 < first_s < SLOWEST_S
        assert rest_s < SLOWEST_S


async def test_many_callers_at_once_wait_for_a_silent_server_together(black_hole_url: str):
    async with opened(black_hole_url) as cache:
        began = perf_counter()
        answers = await asyncio.gather(*(cache.get(PLAIN) for _ in range(200)))
        took_s = perf_counter() - began

        assert set(answers) == {None}
        assert took_s < SLOWEST_S


@pytest.mark.parametrize("url_form", ["redis://{}", "redis://user:secret@{}"])
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="web server"),
        pytest.param(b"\x00\xff" * 50, id="bytes"),
        pytest.param(b"+OK\r\n" * 20, id="always OK"),
        pytest.param(b":1\r\n" * 20, id="always 1"),
        pytest.param(b"%1\r\n+proto\r\n:3\r\n" * 20, id="always a map"),
        pytest.param(b"*-1\r\n" * 20, id="always nothing"),
    ],
)
async def test_a_server_that_is_not_redis_is_no_cache(reply: bytes, url_form: str):
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(reply)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    try:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with opened(url_form.format(address)) as cache:
            await cache.get(PLAIN)
            assert await cache.get_versioned(KEY) is None
            assert await cache.get_many([PLAIN, PLAIN]) == [None, None]
            async with cache.subscribe(CHANNEL):
                pass
    finally:
        server.close()
        await server.wait_closed()


async def test_a_wrong_password_is_an_outage(valkey_server, eventually):
    async with opened(valkey_server.url) as owner:
        await owner._command("CONFIG", "SET", "requirepass", "right")
    url = valkey_server.url.replace("redis://", "redis://:{}@")

    async with opened(url.format("wrong")) as cache:
        assert await answers_without_redis(cache) == WITHOUT_REDIS
    async with opened(url.format("right"), deadline_s=PATIENCE_S) as cache:
        assert await cache.put(PLAIN, b"x", 60)
        assert await cache.get(PLAIN) == b"x"


async def test_a_full_server_refuses_without_being_taken_for_dead(valkey_server):
    async with opened(valkey_server.url, deadline_s=PATIENCE_S) as cache:
        await cache._command("CONFIG", "SET", "maxmemory", "1")

        stored = [await cache.put(PLAIN, b"x", 60), await cache.put_versioned(KEY, 1, b"x", 60)]

        assert stored == [False, False]
        assert cache.is_up


async def test_killed_in_use_and_started_again(valkey_server, eventually):
    async with opened(valkey_server.url, deadline_s=PATIENCE_S) as cache:
        await cache.put_versioned(KEY, 1, b"before", 60)

        async def read_all_along() -> set[object]:
            seen = set()
            while not has_ended:
                seen.add(await cache.get_versioned(KEY))
                await asyncio.sleep(0.001)
            return seen

        has_ended = False
        readers = [asyncio.create_task(read_all_along()) for _ in range(8)]
        await asyncio.to_thread(valkey_server.kill)
        await eventually(lambda: not cache.is_up)
        assert await cache.get_versioned(KEY) is None

        await asyncio.to_thread(valkey_server.start)
        await eventually(lambda: cache.is_up)
        has_ended = True
        seen = await asyncio.gather(*readers)

        # The script was forgotten with the restart; writing still works.
        assert await cache.put_versioned(KEY, 2, b"after", 60)
        assert await cache.get_versioned(KEY) == (2, b"after")
        assert set().union(*seen) <= {(1, b"before"), None}


async def test_scripts_survive_being_flushed(redis_cache: RedisCache):
    assert await redis_cache.put_versioned(KEY, 1, b"x", 60)
    await redis_cache._command("SCRIPT", "FLUSH")

    assert await redis_cache.put_versioned(KEY, 2, b"y", 60)
    assert not await redis_cache.put_versioned(KEY, 1, b"x", 60)


async def test_what_could_not_be_told_is_told_before_anything_is_read(
    valkey_url: str, wire, redis_cache: RedisCache, eventually
):
    await redis_cache.put_versioned(KEY, 1, b"old", 60)
    await redis_cache.put(PLAIN, b"old", 60)

    async with wire(valkey_url) as w, opened(w.url, deadline_s=0.5) as cut_off:
        assert await cut_off.get_versioned(KEY) == (1, b"old")
        w.is_broken = True
        told = [await cut_off.invalidate(KEY, 2, 60), await cut_off.drop(PLAIN)]
        w.is_broken = False
        first_seen = None
        while not cut_off.is_up:
            first_seen = (await cut_off.get_versioned(KEY), await cut_off.get(PLAIN))
            await asyncio.sleep(0.005)

        assert told == [False, False]
        assert first_seen == (None, None)
        assert (await cut_off.get_versioned(KEY), await cut_off.get(PLAIN)) == (None, None)
        assert await redis_cache.get_versioned(KEY) is None
        assert not await redis_cache.put_versioned(KEY, 1, b"old", 60)


async def test_more_callers_than_connections_miss_instead_of_waiting(valkey_url: str):
    counters = Counters()
    async with opened(
        valkey_url, connections_max=2, counters=counters, deadline_s=PATIENCE_S
    ) as cache:
        await cache.put(PLAIN, b"x", 60)

        answers = await asyncio.gather(*(cache.get(PLAIN) for _ in range(20)))

        hits = counters.of(Layer.REDIS, "recommendations", Outcome.HIT)
        skipped = counters.of(Layer.REDIS, "recommendations", Outcome.SKIPPED)
        assert (answers.count(b"x"), answers.count(None)) == (hits, skipped)
        assert hits >= 2
        assert skipped >= 1
        assert cache.is_up


async def test_what_found_no_connection_is_not_read_until_it_is_made_up_for(
    valkey_url: str, redis_cache: RedisCache, eventually
):
    async with opened(valkey_url, connections_max=1, deadline_s=PATIENCE_S) as cache:
        await cache.put_versioned(KEY, 1, b"old", 60)
        await cache.put(PLAIN, b"old", 60)

        _, *told = await asyncio.gather(
            cache.get(PLAIN), cache.invalidate(KEY, 2, 60), cache.drop(PLAIN)
        )

        assert told == [False, False]
        assert await redis_cache.get_versioned(KEY) == (1, b"old")
        assert await cache.get_versioned(KEY) is None
        assert await cache.get(PLAIN) is None
        assert await cache.get_many([PLAIN, PLAIN]) == [None, None]
        assert cache.is_up

        await eventually(lambda: not len(cache._debts))
        assert await redis_cache.get_versioned(KEY) is None
        assert await redis_cache.get(PLAIN) is None
        assert not await cache.put_versioned(KEY, 1, b"old", 60)
        assert await cache.put_versioned(KEY, 2, b"new", 60)


async def test_a_cancelled_caller_leaves_no_mixed_up_answers(redis_cache: RedisCache):
    names = [keys.recommendations(1, member, "for_you", "als-7") for member in range(50)]
    for number, name in enumerate(names):
        await redis_cache.put(name, b"%d" % number, 60)

    for _ in range(10):
        tasks = [asyncio.create_task(redis_cache.get(name)) for name in names]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        kept = [task.result() for task in tasks[1::2]]
        assert kept == [b"%d" % number for number in range(50)][1::2]

    assert await redis_cache.get_many(names) == [b"%d" % number for number in range(50)]


async def test_subscribers_are_told_that_they_may_have_missed_something(valkey_server, eventually):
    async with (
        opened(valkey_server.url, deadline_s=PATIENCE_S) as cache,
        cache.subscribe(CHANNEL) as events,
    ):
        await cache.publish(CHANNEL, b"1")
        assert await anext(events) == Message(CHANNEL, b"1")

        await asyncio.to_thread(valkey_server.restart)

        async with asyncio.timeout(10):
            assert await anext(events) == Lagged()
            await eventually(lambda: cache.is_up)
            assert await cache.publish(CHANNEL, b"2")
            assert await anext(events) == Message(CHANNEL, b"2")


async def test_a_subscriber_that_came_during_an_outage_hears_of_its_end(valkey_server, eventually):
    async with opened(valkey_server.url) as cache:
        await asyncio.to_thread(valkey_server.kill)
        began = perf_counter()
        async with cache.subscribe(CHANNEL) as events:
            entered_s = perf_counter() - began
            # Within one process messages pass without Redis.
            assert not await cache.publish(CHANNEL, b"1")
            assert await anext(events) == Message(CHANNEL, b"1")

            await asyncio.to_thread(valkey_server.start)
            async with asyncio.timeout(10):
                assert await anext(events) == Lagged()
                await eventually(lambda: cache.is_up or cache.check())
                assert await cache.publish(CHANNEL, b"2")
                assert await anext(events) == Message(CHANNEL, b"2")

        assert entered_s < SLOWEST_S


async def test_a_feed_that_falls_silent_is_given_up(
    valkey_url: str, wire, hand_clock, redis_cache: RedisCache, eventually
):
    key = LISTING
    copies = LruStore(hand_clock, entries_max=10, bytes_max=10_000)
    async with wire(valkey_url) as w, opened(w.url, quiet_s=0.05, deadline_s=0.5) as remote:
        layered = LayeredCache(remote, copies)
        remote.start()
        await eventually(lambda: layered.is_tracking)
        await layered.put(key, b"old", 60)
        await eventually(lambda: _copied(layered, copies, key))

        w.is_broken = True
        await redis_cache.put(key, b"new", 60)
        await eventually(lambda: not layered.is_tracking)
        assert await layered.get(key) is None

        w.is_broken = False
        await eventually(lambda: layered.is_tracking)
        await eventually(lambda: layered.get(key))
        assert await layered.get(key) == b"new"


async def _copied(layered: LayeredCache, copies: LruStore, key: str) -> bool:
    await layered.get(key)
    return copies.get(key) is not None


async def test_copies_go_with_the_connection_that_tells_of_changes(valkey_server, eventually):
    key = LISTING
    counters = Counters()
    cache = open_cache(valkey_server.url, counters=counters, deadline_s=PATIENCE_S)
    assert isinstance(cache, LayeredCache)
    try:
        # Until the feed stands each question goes to Redis.
        assert await cache.get(key) is None
        await eventually(lambda: cache.is_tracking)
        await cache.put(key, b"ids", 60)

        def hits_in_process() -> int:
            return counters.of(Layer.PROCESS, "catalogue", Outcome.HIT)

        async def hit_in_process() -> bool:
            assert await cache.get(key) == b"ids"
            return hits_in_process() > 0

        await eventually(hit_in_process)
        await asyncio.to_thread(valkey_server.kill)
        await eventually(lambda: not cache.is_tracking)
        hits = hits_in_process()
        assert await cache.get(key) is None
        assert hits_in_process() == hits

        await asyncio.to_thread(valkey_server.start)
        await eventually(lambda: cache.is_tracking and cache.is_up)
        assert await cache.get(key) is None
        assert await cache.put(key, b"ids", 60)
        await eventually(hit_in_process)
    finally:
        await cache.close()
