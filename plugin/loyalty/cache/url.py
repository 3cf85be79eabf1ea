"""Which cache an address means."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from loyalty.cache.connection import DEADLINE_S
from loyalty.cache.layered import LayeredCache
from loyalty.cache.lru import LruStore
from loyalty.cache.memory import MemoryCache
from loyalty.cache.metrics import Counters
from loyalty.cache.null import NullCache
from loyalty.cache.protocol import Cache
from loyalty.cache.redis import RedisCache

COPIES_MAX: Final = 20_000
COPIES_BYTES_MAX: Final = 32 * 1024 * 1024

_REDIS: Final = ("redis://", "rediss://", "unix://")


def open_cache(
    url: str | None,
    *,
    counters: Counters | None = None,
    now_s: Callable[[], float] = monotonic,
    deadline_s: float = DEADLINE_S,
) -> Cache:
    """A cache, not yet connected; close it when done.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://`` for one that processes share, with copies
            of what seldom changes in each; ``memory://`` or None for one of this process alone;
            ``off`` for none.
        counters: where lookups are counted.
        now_s: a clock that only moves forward, in seconds.
        deadline_s: how long one call may wait for a shared cache; only the first of an outage does.

    Raises:
        ValueError: the address is none of these. The message does not repeat it, as it may hold a
            password.
    """
    counters = counters or Counters()
    if url is None or url == "memory://":
        return MemoryCache(now_s, counters=counters)
    if url == "off":
        return NullCache()
    if not url.startswith(_REDIS):
        raise ValueError(
            f"cache address of kind {url.partition(':')[0][:16]!r} found, expected "
            "redis://HOST:PORT/DB, rediss://, unix://, memory:// or off"
        )
    copies = LruStore(now_s, entries_max=COPIES_MAX, bytes_max=COPIES_BYTES_MAX)
    remote = RedisCache(url, counters=counters, deadline_s=deadline_s)
    return LayeredCache(remote, copies, counters=counters)
