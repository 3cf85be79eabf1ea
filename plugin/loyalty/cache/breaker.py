"""A circuit breaker: stop asking what does not answer."""

from enum import Enum
from typing import Final

FAILURES_MAX: Final = 3
# The first rest is short because a pause of our own event loop looks like a silent server.
REST_FIRST_S: Final = 0.05
REST_LONGEST_S: Final = 1.0


class Circuit(Enum):
    """CLOSED lets calls through, OPEN none, HALF_OPEN a single probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """Counts failures in a row; holds no clock, whoever probes waits ``rest_s`` before.

    Args:
        failures_max: fast failures in a row that open the circuit; a silent server opens it with
            the first, because each further question would cost a caller the whole time limit.
    """

    def __init__(
        self,
        *,
        failures_max: int = FAILURES_MAX,
        rest_first_s: float = REST_FIRST_S,
        rest_longest_s: float = REST_LONGEST_S,
    ) -> None:
        self._failures_max = failures_max
        self._rest_first_s = rest_first_s
        self._rest_longest_s = rest_longest_s
        self._failures = 0
        self.circuit = Circuit.CLOSED
        self.rest_s = rest_first_s

    @property
    def is_closed(self) -> bool:
        return self.circuit is Circuit.CLOSED

    def succeeded(self) -> None:
        """A call was answered. Only a probe closes an open circuit, never a late answer."""
        if self.is_closed:
            self._failures = 0

    def failed(self, *, is_silent: bool) -> bool:
        """A call was not answered, or not in time.

        Returns:
            Whether this opened the circuit.
        """
        if not self.is_closed:
            return False
        self._failures += 1
        if not is_silent and self._failures < self._failures_max:
            return False
        self.circuit = Circuit.OPEN
        self.rest_s = self._rest_first_s
        return True

    def take_probe(self) -> bool:
        """Whether the caller is the one that may try; a second one is told no."""
        if self.circuit is not Circuit.OPEN:
            return False
        self.circuit = Circuit.HALF_OPEN
        return True

    def probe_failed(self) -> None:
        self.circuit = Circuit.OPEN
        self.rest_s = min(self.rest_s * 2, self._rest_longest_s)

    def probe_succeeded(self) -> None:
        self.circuit = Circuit.CLOSED
        self._failures = 0
        self.rest_s = self._rest_first_s
