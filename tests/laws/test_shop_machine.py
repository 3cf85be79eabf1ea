"""Two shops driven at random against a model, on both databases and behind every cache."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
from shop_machine import machine_for, run_machine

from loyalty.cache import Cache, open_cache
from loyalty.cache.memory import MemoryCache


class StaleCache(MemoryCache):
    """Whatever it was given first it answers for ever: it never hears of a change."""

    async def drop(self, *keys: str) -> bool:
        return True

    async def invalidate(self, key: str, version: int, ttl_s: int) -> bool:
        return True

    async def put(self, key: str, value: bytes, ttl_s: int) -> bool:
        return await super().get(key) is None and await super().put(key, value, ttl_s)

    async def put_versioned(self, key: str, version: int, value: bytes, ttl_s: int) -> bool:
        is_new = await super().get_versioned(key) is None
        return is_new and await super().put_versioned(key, version, value, ttl_s)


CACHES: dict[str, Callable[[], Cache]] = {
    "on": lambda: MemoryCache(monotonic),
    "stale": lambda: StaleCache(monotonic),
    "dead": lambda: open_cache("redis://127.0.0.1:1/0", deadline_s=0.05),
}


def test_two_shops_on_sqlite(sqlite_urls: Callable[[], str], tmp_path: Path, is_soak: bool) -> None:
    examples, steps = (400, 60) if is_soak else (20, 30)
    run_machine(machine_for(sqlite_urls, tmp_path), examples, steps)


def test_two_shops_on_postgresql(
    postgres_urls: Callable[[], str], tmp_path: Path, is_soak: bool
) -> None:
    examples, steps = (100, 60) if is_soak else (4, 25)
    run_machine(machine_for(postgres_urls, tmp_path), examples, steps)


@pytest.mark.parametrize("cache", CACHES)
def test_no_cache_moves_value(
    cache: str, sqlite_urls: Callable[[], str], tmp_path: Path, is_soak: bool
) -> None:
    """Law 15: with it on, cold, stale or dead, everything comes to what the model says."""
    examples, steps = (40, 60) if is_soak else (3, 25)
    run_machine(machine_for(sqlite_urls, tmp_path, CACHES[cache]), examples, steps)
