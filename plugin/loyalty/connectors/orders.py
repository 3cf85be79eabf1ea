"""A file of order lines, one row each, as orders.

The rows of an order stand together. They agree about the member, the time and the shipping;
a row that does not is refused, the others of its order stay.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from loyalty.connectors.cells import (
    QUANTITY_MAX,
    Bad,
    amount_of,
    instant_of,
    name_of,
    required,
    text_of,
    whole_of,
)
from loyalty.connectors.mapping import Excess, Mapping, Zero
from loyalty.connectors.piece import Block, Piece, Reject, RowReader

ORDER_COLUMNS: Final = {
    "order": True,
    "member": False,
    "product": True,
    "quantity": True,
    "amount": True,
    "occurredAt": True,
    "discount": False,
    "category": False,
    "shipping": False,
}
"""Our columns of a file of orders; whether each is required."""

LINES_MAX = 10_000
"""Lines of one order."""

ReadLine: TypeAlias = tuple[str, int, int, int, str | None]
"""Product, quantity, amount and discount in minor units, category."""


class ReadOrder(NamedTuple):
    """An order as the file has it; plain values, cheap to hand from one process to another."""

    external_id: str
    member: str | None
    occurred_micros: int
    shipping_minor: int
    lines: tuple[ReadLine, ...]
    row: int
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class OrderReading:
    """How to read a file of orders: everything its reader needs, in one value.

    Args:
        currency, zone: the program's, where the mapping names none.
        last: the latest moment an order may have.
        orders_max: orders of one block.
    """

    path: Path
    mapping: Mapping
    currency: str
    zone: str
    shift_micros: int
    last: datetime
    orders_max: int

    def reader(self) -> RowReader:
        """Raises BadInput when the file cannot be read."""
        m = self.mapping
        form = partial(m.amount_form, self.currency)
        instant = instant_of(
            "occurredAt", m.zone or self.zone, shift_micros=self.shift_micros, last=self.last
        )
        no_zero = m.zero_quantity is Zero.REJECT
        meanings: dict[str, Any] = {
            "order": lambda _: name_of("order"),
            "member": lambda _: text_of("member", 128),
            "product": lambda _: name_of("product"),
            "quantity": lambda _: partial(_quantity, no_zero),
            "amount": lambda inexact: required("amount", amount_of("amount", form(inexact))),
            "occurredAt": lambda _: required("occurredAt", instant),
            "discount": lambda inexact: amount_of("discount", form(inexact)),
            "category": lambda _: text_of("category", 200),
            "shipping": lambda inexact: amount_of("shipping", form(inexact)),
        }
        return RowReader(self.path, m, ORDER_COLUMNS, meanings)

    def blocks(self, skip: int) -> Iterator[Block]:
        """The orders that begin after the first ``skip`` rows; the last block may be empty."""
        return _Grouping(self, skip).blocks()


_quantity_of = required("quantity", whole_of("quantity", 0, QUANTITY_MAX))


def _quantity(no_zero: bool, text: str | None) -> object:
    value = _quantity_of(text)
    if value == 0 and no_zero:
        return Bad("quantity_zero", "found quantity 0, wanted 1 or more")
    return value


class _Grouping:
    """Gathers rows into orders and orders into blocks."""

    def __init__(self, reading: OrderReading, skip: int) -> None:
        self._reading = reading
        self._skip = skip
        self._caps = reading.mapping.discount_above_amount is Excess.CAP
        self._block = Block([], [], skip)
        self._head: tuple[str, str | None, int, int | None, int, int] | None = None
        self._lines: list[ReadLine] = []
        self._last_line = 0

    def blocks(self) -> Iterator[Block]:
        done = self._skip
        for piece in self._reading.reader().pieces(self._skip):
            yield from self._grouped(piece)
            done = piece.rows.start + len(piece.rows)
        self._close()
        yield self._block._replace(rows_done=done)

    def _grouped(self, piece: Piece) -> Iterator[Block]:
        """Blocks that were filled while going through a piece."""
        v, start, numbers = piece.values, piece.rows.start, piece.rows.numbers
        capped, head, order, lines = 0, self._head, None, self._lines
        if head is not None:
            order = head[0]
        told = 0
        for row, (
            name,
            member,
            product,
            quantity,
            amount,
            at,
            discount,
            category,
            shipping,
        ) in enumerate(zip(*[v[ours] for ours in ORDER_COLUMNS], strict=True)):
            if row in piece.rejects:
                continue
            taken = discount or 0
            if taken > amount:
                if not self._caps:
                    piece.refuse(row, _above(taken, amount))
                    continue
                taken = amount
                capped += 1
            if name != order:
                self._close()
                if len(self._block.items) >= self._reading.orders_max:
                    rejects = [piece.rejects[r] for r in sorted(piece.rejects) if told <= r < row]
                    told = row
                    yield self._filled(rejects, start + row, capped)
                    capped = 0
                order = name
                head = self._head = (name, member, at, shipping, start + row, numbers[row])
                lines = self._lines = []
            elif head is not None and (bad := _differs(head, member, at, shipping, len(lines))):
                piece.refuse(row, bad)
                continue
            lines.append((product, quantity, amount, taken, category))
            self._last_line = numbers[row]
        rejects = [piece.rejects[r] for r in sorted(piece.rejects) if r >= told]
        block = self._block
        block.rejects.extend(rejects)
        self._block = block._replace(
            inexact=block.inexact + piece.inexact, capped=block.capped + capped
        )

    def _filled(self, rejects: list[Reject], rows_done: int, capped: int) -> Block:
        """The block so far; an empty one begins."""
        block = self._block
        block.rejects.extend(rejects)
        self._block = Block([], [], rows_done)
        return block._replace(rows_done=rows_done, capped=block.capped + capped)

    def _close(self) -> None:
        """Put the order that was being gathered into the block."""
        if self._head is not None:
            name, member, at, shipping, row, line = self._head
            self._block.items.append(
                ReadOrder(
                    name, member, at, shipping or 0, tuple(self._lines), row, line, self._last_line
                )
            )
            self._head = None


def _above(discount: int, amount: int) -> Bad:
    return Bad(
        "discount_above_amount",
        f"found a discount of {discount} minor units on an amount of {amount}, "
        "wanted at most the amount",
    )


def _differs(
    head: tuple[str, str | None, int, int | None, int, int],
    member: str | None,
    at: int,
    shipping: int | None,
    lines: int,
) -> Bad | None:
    """Why a row cannot belong to the order whose rows it stands among."""
    if member != head[1]:
        return Bad(
            "member_differs",
            f"found member {member!r}, wanted {head[1]!r} as in line {head[5]} of the order",
        )
    if at != head[2]:
        return Bad("occurredAt_differs", f"found another time than line {head[5]} of the order")
    if shipping is not None and shipping != (head[3] or 0):
        return Bad("shipping_differs", f"found another shipping than line {head[5]} of the order")
    if lines >= LINES_MAX:
        return Bad("too_many_lines", f"found more than {LINES_MAX} lines of one order")
    return None
