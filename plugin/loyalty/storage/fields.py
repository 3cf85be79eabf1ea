"""Column types that both databases store alike."""

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from loyalty.domain.ledger import instant, micros


class InstantField(fields.BigIntField):
    """An aware UTC datetime, stored as microseconds since 1970 in a BIGINT.

    PostgreSQL and SQLite then hold, order and compare the very same value, and the ledger's
    hashes cover what is stored.
    """

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> Any:
        return micros(value) if isinstance(value, datetime) else value

    def to_python_value(self, value: Any) -> Any:
        return instant(value) if isinstance(value, int) else value
