"""A file of products, one row each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from loyalty.connectors.cells import (
    amount_of,
    instant_of,
    name_of,
    required,
    text_of,
    whole_of,
    words_of,
    yes_or_no,
)
from loyalty.connectors.mapping import Mapping
from loyalty.connectors.piece import Block, RowReader
from loyalty.domain.money import AMOUNT_MINOR_MAX

PRODUCT_COLUMNS: Final = {
    "product": True,
    "name": True,
    "price": False,
    "cost": False,
    "stock": False,
    "category": False,
    "department": False,
    "type": False,
    "brand": False,
    "image": False,
    "tiers": False,
    "tiersUntil": False,
    "active": False,
    "invented": False,
}
"""Our columns of a file of products; whether each is required."""

LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""The last moment that a product may become everybody's at."""

_TEXTS: Final = {"category": 200, "department": 200, "type": 200, "brand": 200, "image": 1_000}


class ReadProduct(NamedTuple):
    """A product as the file has it; amounts in minor units."""

    external_id: str
    values: dict[str, Any]
    row: int
    line: str


@dataclass(frozen=True, slots=True)
class ProductReading:
    """How to read a file of products; see ``orders.OrderReading``."""

    path: Path
    mapping: Mapping
    currency: str
    zone: str
    rows_max: int

    def reader(self) -> RowReader:
        """Raises BadInput when the file cannot be read."""
        zone = self.mapping.zone or self.zone
        form = partial(self.mapping.amount_form, self.currency)
        meanings: dict[str, Any] = {
            "product": lambda _: name_of("product"),
            "name": lambda _: required("name", text_of("name", 300)),
            "price": lambda inexact: amount_of("price", form(inexact)),
            "cost": lambda inexact: amount_of("cost", form(inexact)),
            "stock": lambda _: whole_of("stock", 0, AMOUNT_MINOR_MAX),
            "tiers": lambda _: words_of("tiers"),
            "tiersUntil": lambda _: instant_of("tiersUntil", zone, shift_micros=0, last=LAST),
            "active": lambda _: yes_or_no("active"),
            "invented": lambda _: words_of("invented"),
        }
        for ours, length_max in _TEXTS.items():
            meanings[ours] = lambda _, ours=ours, most=length_max: text_of(ours, most)
        return RowReader(self.path, self.mapping, PRODUCT_COLUMNS, meanings)

    def blocks(self, skip: int) -> Iterator[Block]:
        """The products after the first ``skip`` rows."""
        return self.reader().blocks(skip, self.rows_max, _product)


def _product(row: int, line: str, values: dict[str, Any]) -> ReadProduct:
    return ReadProduct(values["product"], values, row, line)
