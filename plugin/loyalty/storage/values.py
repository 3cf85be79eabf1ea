"""Values on their way into the databases."""

from datetime import datetime
from typing import Any

from loyalty.domain.books.ledger import micros


def stored(value: Any) -> Any:
    """The value as the databases keep it: instants as microseconds."""
    return micros(value) if isinstance(value, datetime) else value
