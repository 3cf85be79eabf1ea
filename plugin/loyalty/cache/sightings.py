"""What was seen lately under a key: the rule, once for Python and once for Redis."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

KEYS_MAX: Final = 10_000
ITEMS_MAX: Final = 256
"""Items kept under one key, the latest: whoever counts them has a far lower limit."""

# ``Sightings.note`` for Redis, where forgetting, noting and reading have to be one step. Moments
# are whole seconds, which a sorted set's doubles hold exactly.
NOTE_SCRIPT: Final = """\
local key, at, window, items_max = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', key, '-inf', at - window)
redis.call('ZREMRANGEBYSCORE', key, '(' .. (at + window), '+inf')
for i = 4, #ARGV do redis.call('ZADD', key, 'NX', at, ARGV[i]) end
redis.call('ZREMRANGEBYRANK', key, 0, -items_max - 1)
redis.call('EXPIRE', key, window)
return redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
"""


class Sightings:
    """Distinct items by key, each with the second at which it was first seen.

    Args:
        keys_max: the key that was not noted for longest gives way.
    """

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._keys_max = keys_max
        self._seen: OrderedDict[str, dict[str, int]] = OrderedDict()

    def note(self, key: str, items: Iterable[str], at_s: int, window_s: int) -> list[int]:
        """Note items and answer when those of the last ``window_s`` were first seen, oldest first.

        Moments further ahead than the window are forgotten too: a clock was stepped back.
        """
        seen = {
            item: at
            for item, at in self._seen.pop(key, {}).items()
            if at_s - window_s < at <= at_s + window_s
        }
        for item in items:
            seen.setdefault(item, at_s)
        latest = sorted(seen.items(), key=lambda each: (each[1], each[0]))[-ITEMS_MAX:]
        if latest:
            self._seen[key] = dict(latest)
            if len(self._seen) > self._keys_max:
                self._seen.popitem(last=False)
        return [at for _, at in latest]

    def drop(self, key: str) -> None:
        self._seen.pop(key, None)

    def clear(self) -> None:
        self._seen.clear()
