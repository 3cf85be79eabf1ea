"""The last things that were seen under a key: the rule, once for Python and once for Redis."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

KEYS_MAX: Final = 10_000
MICROS: Final = 1_000_000

# ``Recents.put`` for Redis, where counting, noting, forgetting and reading have to be one step. A
# moment in microseconds is far below 2^53, up to which a sorted set's doubles hold whole numbers.
RECENT_SCRIPT: Final = """\
local key, begun = KEYS[1], KEYS[2]
local at, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local items_max, begun_max, slice = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('ZREMRANGEBYSCORE', key, '-inf', at - window * 1000000)
redis.call('ZREMRANGEBYSCORE', key, '(' .. (at + window * 1000000), '+inf')
if #ARGV > 5 then
  if redis.call('EXISTS', key) == 0 then
    local count = redis.call('INCR', begun)
    if count == 1 then redis.call('EXPIRE', begun, slice) end
    if count > begun_max then return {} end
  end
  local top = redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')
  local base = math.max(at, (tonumber(top[2]) or 0) + 1)
  for i = 6, #ARGV do redis.call('ZADD', key, base + (#ARGV - i), ARGV[i]) end
  redis.call('ZREMRANGEBYRANK', key, 0, -items_max - 1)
  redis.call('EXPIRE', key, window)
end
return redis.call('ZREVRANGE', key, 0, -1)
"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is remembered.

    ``window_s``: for how long, of each item. ``items_max``: items under one key, the latest.
    ``begun_max``: keys that may be begun within ``slice_s``; beyond it new ones are not kept.
    """

    window_s: int
    items_max: int
    begun_max: int
    slice_s: int


class Recents:
    """Distinct items by key, each with the microsecond at which it was last seen.

    Args:
        keys_max: the key that was not asked for longest gives way.
    """

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._keys_max = keys_max
        self._seen: OrderedDict[str, dict[str, int]] = OrderedDict()
        self._begun: dict[str, tuple[int, int]] = {}

    def put(
        self, key: str, begun_key: str, items: Sequence[str], at_us: int, bounds: Bounds
    ) -> list[str]:
        """See items, the first of them last, and answer those of the window, latest first."""
        window_us = bounds.window_s * MICROS
        # What is ahead of the window was seen before a clock was stepped back.
        seen = {
            item: at
            for item, at in self._seen.pop(key, {}).items()
            if at_us - window_us < at <= at_us + window_us
        }
        if items:
            if not seen and not self._begins(begun_key, at_us, bounds):
                return []
            # Of the same microsecond or not: what is told later was seen later.
            base = max(at_us, max(seen.values(), default=0) + 1)
            seen |= {item: base + place for place, item in enumerate(reversed(items))}
        latest = sorted(seen.items(), key=lambda each: (each[1], each[0]), reverse=True)
        latest = latest[: bounds.items_max]
        if latest:
            self._seen[key] = dict(latest)
            if len(self._seen) > self._keys_max:
                self._seen.popitem(last=False)
        return [item for item, _ in latest]

    def drop(self, key: str) -> None:
        self._seen.pop(key, None)
        self._begun.pop(key, None)

    def clear(self) -> None:
        self._seen.clear()
        self._begun.clear()

    def _begins(self, begun_key: str, at_us: int, bounds: Bounds) -> bool:
        count, until_us = self._begun.get(begun_key, (0, 0))
        if not at_us < until_us <= at_us + bounds.slice_s * MICROS:
            count, until_us = 0, at_us + bounds.slice_s * MICROS
        self._begun[begun_key] = (count + 1, until_us)
        return count < bounds.begun_max
