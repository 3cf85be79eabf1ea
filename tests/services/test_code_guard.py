"""Guessing codes is slow, whoever counts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.cache import Cache
from loyalty.cache.memory import MemoryCache
from loyalty.cache.null import NullCache
from loyalty.cache.redis import RedisCache
from loyalty.clock import FixedClock
from loyalty.errors import TooManyAttempts
from loyalty.secrets import SecretKey
from loyalty.services.access import Scope, Viewer, ViewerKind
from loyalty.services.checkout.code_guard import MISSES_MAX, WINDOW_S, CodeGuard

pytestmark = pytest.mark.anyio

SECRET = SecretKey("a key for tests, of more than 32 characters")
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
CODES = [f"GUESS-{number}" for number in range(MISSES_MAX)]


def shopper(member: str, tenant_id: int = 1) -> Viewer:
    return Viewer(tenant_id, ViewerKind.SHOPPER, member, frozenset(), "shopper")


def service(client: str) -> Viewer:
    scopes = frozenset({Scope.CHECKOUT_QUOTE})
    return Viewer(1, ViewerKind.SERVICE, None, scopes, client)


ANN = shopper("ann")
TILL = service("till")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture(params=["memory", "redis", "off"])
async def cache(request: pytest.FixtureRequest, clock: FixedClock) -> AsyncIterator[Cache]:
    if request.param == "redis":
        made: Cache = RedisCache(request.getfixturevalue("valkey_url"), deadline_s=10)
        await made._command("FLUSHDB")
    else:
        made = NullCache() if request.param == "off" else MemoryCache(lambda: 0.0)
    yield made
    await made.close()


@pytest.fixture
def guard(cache: Cache, clock: FixedClock) -> CodeGuard:
    return CodeGuard(cache, clock, SECRET)


async def is_let_in(guard: CodeGuard, viewer: Viewer, subject: str = "cart") -> bool:
    try:
        await guard.check(viewer, subject)
    except TooManyAttempts:
        return False
    return True


async def test_beyond_the_limit_nobody_is_answered_until_the_window_has_passed(
    guard: CodeGuard, clock: FixedClock
):
    for code in CODES[:-1]:
        await guard.missed(ANN, "cart", [code])
        clock.advance(timedelta(seconds=10))
    assert await is_let_in(guard, ANN)
    await guard.missed(ANN, "cart", CODES[-1:])

    with pytest.raises(TooManyAttempts, match="try again in 510 seconds") as refused:
        await guard.check(ANN, "cart")
    assert refused.value.retryable
    assert refused.value.data == {"retry_after_s": WINDOW_S - 10 * (MISSES_MAX - 1)}

    clock.advance(timedelta(seconds=509))
    assert not await is_let_in(guard, ANN)
    clock.advance(timedelta(seconds=1))
    assert await is_let_in(guard, ANN)


async def test_the_same_wrong_code_counts_once(guard: CodeGuard):
    """A storefront quotes anew with each change of a cart."""
    for _ in range(3 * MISSES_MAX):
        await guard.check(ANN, "cart")
        await guard.missed(ANN, "cart", ["TYPO"])

    assert await is_let_in(guard, ANN)


async def test_more_codes_at_once_than_are_left_get_no_answer(guard: CodeGuard):
    await guard.missed(ANN, "cart", CODES[:-1])

    with pytest.raises(TooManyAttempts):
        await guard.missed(ANN, "cart", ["ONE-MORE", "AND-ANOTHER"])
    assert not await is_let_in(guard, ANN)


async def test_each_caller_is_counted_alone(guard: CodeGuard):
    await guard.missed(ANN, "cart", CODES)
    await guard.missed(TILL, "ben", CODES)

    admitted = {
        "the same shopper, another cart": await is_let_in(guard, ANN, "another"),
        "another shopper": await is_let_in(guard, shopper("ben")),
        "a shopper of that name elsewhere": await is_let_in(guard, shopper("ann", 2)),
        "the same service for that member": await is_let_in(guard, TILL, "ben"),
        "the same service for another": await is_let_in(guard, TILL, "cid"),
        "another service": await is_let_in(guard, service("app"), "ben"),
    }

    assert admitted == {
        "the same shopper, another cart": False,
        "another shopper": True,
        "a shopper of that name elsewhere": True,
        "the same service for that member": False,
        "the same service for another": True,
        "another service": True,
    }


async def test_without_a_miss_nothing_is_counted(guard: CodeGuard):
    for _ in range(3 * MISSES_MAX):
        await guard.missed(ANN, "cart", [])

    assert await is_let_in(guard, ANN)


async def test_two_processes_count_together(valkey_url: str, clock: FixedClock):
    one, two = RedisCache(valkey_url, deadline_s=10), RedisCache(valkey_url, deadline_s=10)
    await one._command("FLUSHDB")
    first, second = CodeGuard(one, clock, SECRET), CodeGuard(two, clock, SECRET)
    for number, code in enumerate(CODES):
        await (first, second)[number % 2].missed(ANN, "cart", [code])

    admitted = [await is_let_in(guard, ANN) for guard in (first, second)]

    assert admitted == [False, False]
    await one.close()
    await two.close()


async def test_when_redis_goes_away_each_process_counts_on(valkey_server, clock: FixedClock):
    cache = RedisCache(valkey_server.url, deadline_s=10)
    guard = CodeGuard(cache, clock, SECRET)
    await guard.missed(ANN, "cart", CODES[:5])
    valkey_server.kill()

    await guard.missed(ANN, "cart", CODES[5:])

    assert not await is_let_in(guard, ANN)
    assert await is_let_in(guard, shopper("ben"))
    await cache.close()


async def test_no_name_and_no_code_is_kept(valkey_url: str, clock: FixedClock):
    cache = RedisCache(valkey_url, deadline_s=10)
    await cache._command("FLUSHDB")
    guard = CodeGuard(cache, clock, SECRET)

    await guard.missed(ANN, "cart", ["SUMMER"])
    await guard.missed(TILL, "ann", ["SUMMER"])

    names = await cache._command("KEYS", "*")
    kept = [await cache._command("ZRANGE", name, 0, -1) for name in names]
    text = repr((names, kept))
    assert len(names) == 2
    assert not [word for word in ("ann", "SUMMER", "till") if word in text]
    await cache.close()
