"""The only reader of time.

Everything else is handed the moment it needs, so that a test or a replay decides what "now" is.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time as an aware UTC datetime."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that moves only when it is told to. For tests and replays."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError(f"found a naive datetime {at!r}, wanted an aware one")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        """Jump to ``at``, backwards too: a server's clock may be stepped back."""
        self._at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        self._at += by
