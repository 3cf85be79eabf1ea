"""What Prometheus reads at ``/metrics``. Labels are routes and codes, never ids or tenants."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from loyalty.services.books.door import Door

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The counters of one application, in a registry of its own: two in a process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "loyalty_http_requests",
            "HTTP requests by method, route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "loyalty_http_request_seconds",
            "Seconds from a request's first byte to the end of its answer, by route.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._sockets = Gauge(
            "loyalty_websockets_open", "WebSockets open now.", registry=self.registry
        )
        self._webhooks = Counter(
            "loyalty_webhooks",
            "Webhook deliveries by kind of source, event and outcome.",
            ("kind", "event", "outcome"),
            registry=self.registry,
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request; ``status`` is 499 where the caller went away."""
        known = method if method in METHODS else "OTHER"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def socket_opened(self) -> None:
        self._sockets.inc()

    def socket_closed(self) -> None:
        self._sockets.dec()

    def webhook(self, kind: str, event: str, outcome: str) -> None:
        """Count one delivery; ``event`` is empty when it was refused before it was read."""
        self._webhooks.labels(kind, event, outcome).inc()

    def register(self, collector: Collector) -> None:
        """Add what another part counts by itself."""
        self.registry.register(collector)

    async def endpoint(self, request: Request) -> Response:
        """``GET /metrics``."""
        return Response(
            generate_latest(self.registry),
            headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"},
        )


class DoorCollector(Collector):
    """How many commands wait for the ledger, and how many units run; nothing before the start."""

    def __init__(self, door: Callable[[], Door | None]) -> None:
        self._door = door

    def collect(self) -> Iterable[Metric]:
        door = self._door()
        if door is None:
            return
        yield GaugeMetricFamily(
            "loyalty_door_waiting", "Commands waiting for the ledger.", value=door.waiting
        )
        yield GaugeMetricFamily(
            "loyalty_door_running", "Units of work being booked.", value=door.running
        )


class DocumentCollector(Collector):
    """GraphQL documents that were known, or parsed and validated anew, by schema.

    Args:
        counts: hits and misses of each schema, read when asked.
    """

    def __init__(self, counts: Mapping[str, Callable[[], tuple[int, int]]]) -> None:
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        documents = CounterMetricFamily(
            "loyalty_graphql_documents",
            "GraphQL documents by schema; hit: parsed and validated before.",
            labels=("schema", "outcome"),
        )
        for schema, count in self._counts.items():
            hits, misses = count()
            documents.add_metric((schema, "hit"), hits)
            documents.add_metric((schema, "miss"), misses)
        yield documents
