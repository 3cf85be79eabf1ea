"""Column types that both databases store alike."""

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model, ModelMeta

from loyalty.domain.books.ledger import instant, micros


class InstantField(fields.BigIntField):
    """An aware UTC datetime, stored as microseconds since 1970 in a BIGINT.

    PostgreSQL and SQLite then hold, order and compare the very same value, and the ledger's
    hashes cover what is stored.
    """

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> Any:
        return micros(value) if isinstance(value, datetime) else value

    def to_python_value(self, value: Any) -> Any:
        return instant(value) if isinstance(value, int) else value


class Uncommented(ModelMeta):
    """Makes a model without searching its source for comments on the columns.

    There are none of Tortoise's kind, and the search takes a seventh of a command's start.
    """

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> "Uncommented":
        made = super().__new__(cls, name, bases, attrs | {"_no_comments": True})
        assert isinstance(made, cls)
        return made
