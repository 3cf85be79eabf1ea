"""Which address means which cache, and what is counted."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from loyalty.cache import CacheCollector, Counters, Message, keys, open_cache
from loyalty.cache.layered import LayeredCache
from loyalty.cache.memory import MemoryCache
from loyalty.cache.null import NullCache
from loyalty.cache.redis import RedisCache

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (None, MemoryCache),
        ("memory://", MemoryCache),
        ("off", NullCache),
        ("redis://127.0.0.1:1/0", LayeredCache),
        ("rediss://:secret@cache.example:6380/1", LayeredCache),
        ("unix:///run/valkey.sock?db=2", LayeredCache),
    ],
)
async def test_an_address_opens(url: str | None, kind: type[object]):
    cache = open_cache(url)

    assert type(cache) is kind
    await cache.close()


@pytest.mark.parametrize(
    "url",
    ["", "on", "http://user:hunter2@x", "hunter2", "memcached://hunter2", "redis:hunter2"],
)
async def test_another_address_is_refused_without_repeating_a_password(url: str):
    with pytest.raises(ValueError, match="expected redis://HOST:PORT/DB") as refusal:
        open_cache(url)

    assert "hunter2" not in str(refusal.value).replace("'hunter2'", "")


@pytest.mark.parametrize("url", ["redis://x:notaport/0", "redis://x/0?socket_timeout=soon"])
async def test_an_address_that_cannot_be_read_is_refused(url: str):
    with pytest.raises(ValueError, match=r"\S"):
        open_cache(url)


async def test_the_address_cannot_loosen_our_limits(black_hole_url: str):
    cache = RedisCache(f"{black_hole_url}?socket_timeout=60&decode_responses=true&protocol=2")
    settings = cache._pool.connection_kwargs

    assert (settings["socket_timeout"], settings["protocol"]) == (None, 3)
    assert settings["decode_responses"] is False
    await cache.close()


async def test_switched_off_it_stores_nothing_and_still_carries_messages():
    cache = open_cache("off")
    key, channel = keys.summary(1, 5), keys.changes(1, 5)

    assert not await cache.put(keys.ruleset(1, 3), b"x", 60)
    assert not await cache.put_versioned(key, 1, b"x", 60)
    assert await cache.invalidate(key, 1, 60)
    assert await cache.drop(key)
    assert await cache.get(keys.ruleset(1, 3)) is None
    assert await cache.get_many([keys.ruleset(1, 3)] * 2) == [None, None]
    assert await cache.get_versioned(key) is None
    assert await cache.check()
    assert cache.is_up
    async with cache.subscribe(channel) as events:
        assert await cache.publish(channel, b"x")
        assert await anext(events) == Message(channel, b"x")
        await cache.close()
        assert [event async for event in events] == []


@pytest.mark.parametrize(("store", "layer"), [("memory", "process"), ("redis", "redis")])
async def test_lookups_and_writes_are_counted_by_family(
    store: str, layer: str, valkey_url: str, redis_cache: RedisCache
):
    counters = Counters()
    cache = (
        MemoryCache(lambda: 0.0, counters=counters)
        if store == "memory"
        else RedisCache(valkey_url, counters=counters, deadline_s=10)
    )
    await cache.get(keys.ruleset(1, 3))
    await cache.put(keys.ruleset(1, 3), b"x", 60)
    await cache.get_many([keys.ruleset(1, 3), keys.ruleset(2, 3)])
    await cache.put_versioned(keys.summary(1, 5), 2, b"x", 60)
    await cache.put_versioned(keys.summary(1, 5), 1, b"x", 60)
    await cache.get_versioned(keys.summary(1, 5))
    await cache.close()

    assert counters.rows() == [
        (layer, "ruleset", "hit", 1),
        (layer, "ruleset", "miss", 2),
        (layer, "ruleset", "stored", 1),
        (layer, "summary", "hit", 1),
        (layer, "summary", "refused", 1),
        (layer, "summary", "stored", 1),
    ]


async def test_an_outage_shows_in_the_metrics(closed_port_url: str):
    counters = Counters()
    cache = RedisCache(closed_port_url, counters=counters)
    registry = CollectorRegistry()
    registry.register(CacheCollector(counters, lambda: cache.is_up))
    for _ in range(5):
        await cache.get(keys.ruleset(1, 3))

    page = generate_latest(registry).decode()
    await cache.close()

    wanted = [
        'loyalty_cache_operations_total{family="ruleset",layer="redis",outcome="error"} 3.0',
        'loyalty_cache_operations_total{family="ruleset",layer="redis",outcome="skipped"} 2.0',
        "loyalty_cache_up 0.0",
    ]
    assert [line for line in page.splitlines() if line in wanted] == wanted


async def test_values_die_in_redis_when_the_table_says(redis_cache: RedisCache):
    plain, value, tombstone = keys.ruleset(1, 3), keys.summary(1, 5), keys.summary(1, 6)
    await redis_cache.put(plain, b"x", 300)
    await redis_cache.put_versioned(value, 1, b"x", 60)
    await redis_cache.invalidate(tombstone, 1, 60)

    left_ms = [await redis_cache._command("PTTL", key) for key in (plain, value, tombstone)]

    # A busy machine may take a while to ask.
    assert [round(ms, -4) for ms in left_ms] == [300_000, 60_000, 60_000]
