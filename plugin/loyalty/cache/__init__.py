"""A faster copy of what the database holds. Only this package knows Redis.

``keys`` is the table of everything cached; ``protocol.Cache`` is what it promises.
"""

from loyalty.cache.metrics import CacheCollector, Counters
from loyalty.cache.protocol import Cache, Event, Lagged, Message
from loyalty.cache.single_flight import SingleFlight
from loyalty.cache.url import open_cache

__all__ = [
    "Cache",
    "CacheCollector",
    "Counters",
    "Event",
    "Lagged",
    "Message",
    "SingleFlight",
    "open_cache",
]
