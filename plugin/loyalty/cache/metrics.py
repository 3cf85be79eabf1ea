"""How often a lookup was answered, per family of keys and layer, for Prometheus."""

from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from loyalty.cache import keys


class Layer(StrEnum):
    """Where a question was put."""

    PROCESS = "process"
    REDIS = "redis"


class Outcome(StrEnum):
    """How a lookup or a write ended.

    SKIPPED was not asked at all: the circuit was open, or all connections were taken.
    """

    HIT = "hit"
    MISS = "miss"
    STORED = "stored"
    REFUSED = "refused"
    ERROR = "error"
    SKIPPED = "skipped"


class Counters:
    """Counts since the process began. Written by the cache, read by whoever exposes them."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, layer: Layer, key: str, outcome: Outcome) -> None:
        self._counts[layer, keys.family(key), outcome] += 1

    def of(self, layer: Layer, family: str, outcome: Outcome) -> int:
        return self._counts[layer, family, outcome]

    def rows(self) -> list[tuple[str, str, str, int]]:
        """Layer, family, outcome and count, sorted."""
        return sorted((*labels, count) for labels, count in self._counts.items())


class CacheCollector(Collector):
    """``loyalty_cache_operations_total`` and ``loyalty_cache_up`` for a Prometheus registry."""

    def __init__(self, counters: Counters, is_up: Callable[[], bool]) -> None:
        self._counters = counters
        self._is_up = is_up

    def collect(self) -> Iterable[Metric]:
        operations = CounterMetricFamily(
            "loyalty_cache_operations",
            "Cache lookups and writes by layer, family of keys and outcome.",
            labels=("layer", "family", "outcome"),
        )
        for layer, family, outcome, count in self._counters.rows():
            operations.add_metric((layer, family, outcome), count)
        yield operations
        yield GaugeMetricFamily(
            "loyalty_cache_up", "1 while the cache answers, else 0.", value=int(self._is_up())
        )
