"""Orders of a file as commands: each booked once, compared with what is booked already."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from loyalty.connectors.orders import OrderReading, ReadOrder
from loyalty.connectors.piece import Block
from loyalty.domain.books.ledger import instant, micros
from loyalty.domain.money import AMOUNT_MINOR_MAX, Money
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.errors import LoyaltyError
from loyalty.services.books.desk import Desk, Idempotent, Needs, Row
from loyalty.services.imports.import_run import Place, Tally
from loyalty.services.orders.orders import BookOrder
from loyalty.storage import imports as sql
from loyalty.storage.database import Database

KNOWN_PRODUCTS_MAX = 500_000
"""Products whose groups are kept in memory during an import."""


class Groups(NamedTuple):
    """What a rule may look at besides the product itself."""

    category: str | None
    department: str | None
    brand: str | None


_NO_GROUPS = Groups(None, None, None)


class ProductGroups:
    """Category, department and brand of products, as the catalogue has them at the import."""

    def __init__(self, database: Database, tenant_id: int) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._known: dict[str, Groups] = {}

    async def load(self, orders: Iterable[ReadOrder]) -> None:
        """Read what is not known yet of the orders' products."""
        if len(self._known) > KNOWN_PRODUCTS_MAX:
            self._known.clear()
        known = self._known
        missing = {line[0] for order in orders for line in order.lines if line[0] not in known}
        if missing:
            rows = await self._database.read(sql.GROUPS(self._tenant_id, sorted(missing)))
            known.update(dict.fromkeys(missing, _NO_GROUPS))
            known.update({row[0]: Groups(row[1], row[2], row[3]) for row in rows})

    def of(self, product: str) -> Groups:
        return self._known[product]


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """Books one order of a file and notes what became of it."""

    order: BookOrder
    place: Place

    @property
    def tenant_id(self) -> int:
        return self.order.tenant_id

    @property
    def idempotent(self) -> Idempotent | None:
        return None

    @property
    def at(self) -> datetime | None:
        return self.order.at

    def needs(self) -> Needs:
        return self.order.needs()

    def decide(self, desk: Desk) -> dict[str, Any]:
        self.place.begin()
        known = desk.loaded.orders.get(self.order.order.external_id)
        if known is not None:
            self.place.found()
            differs = _differs(desk, known, self.order.order)
            if differs:
                self.place.refuse("order_differs", differs)
            return {"order": known["id"], "booked": False}
        try:
            return self.order.decide(desk)
        except LoyaltyError as refusal:
            self.place.refuse(refusal.code.lower(), refusal.message)
            raise


class OrderTaking:
    """How a file of orders is taken in."""

    def __init__(
        self, database: Database, tenant_id: int, reading: OrderReading, source: str
    ) -> None:
        self.reading = reading
        self._tenant_id = tenant_id
        self._currency = reading.mapping.currency or reading.currency
        self._source = source
        self._groups = ProductGroups(database, tenant_id)

    async def commands(self, block: Block, tally: Tally) -> list[ImportOrder]:
        """A command for each order; one whose total no amount can hold is refused at once."""
        await self._groups.load(block.items)
        commands = []
        for position, read in enumerate(block.items):
            command = self._command(position, read, tally)
            gross = read.shipping_minor + sum(line[2] for line in read.lines)
            if gross > AMOUNT_MINOR_MAX:
                command.place.refuse(
                    "total_too_large",
                    f"found {gross} minor units together, wanted at most {AMOUNT_MINOR_MAX}",
                )
            else:
                commands.append(command)
        return commands

    def _command(self, position: int, read: ReadOrder, tally: Tally) -> ImportOrder:
        lines = []
        for product, quantity, amount, discount, category in read.lines:
            known = self._groups.of(product)
            lines.append(
                OrderLine(
                    product, quantity, amount, discount, category or known.category,
                    known.department, known.brand,
                )
            )  # fmt: skip
        order = PaidOrder(
            external_id=read.external_id,
            member=read.member,
            currency=self._currency,
            lines=tuple(lines),
            occurred_at=instant(read.occurred_micros),
            shipping_minor=read.shipping_minor,
        )
        first, last = read.first_line, read.last_line
        place = Place(
            tally, position, read.row, str(first) if first == last else f"{first}-{last}",
            len(lines), f"order {read.external_id}",
        )  # fmt: skip
        return ImportOrder(BookOrder(self._tenant_id, order, self._source, as_of_order=True), place)


def _differs(desk: Desk, known: Row, order: PaidOrder) -> str | None:
    """What an order that is booked already says otherwise; None when nothing does."""
    if known["currency"] != order.currency or known["total_minor"] != order.total_minor:
        found = Money(order.total_minor, order.currency).text()
        booked = Money(known["total_minor"], known["currency"]).text()
        return (
            f"found a total of {found} {order.currency}, but it is booked already with "
            f"{booked} {known['currency']}"
        )
    at = known["occurred_at"]
    if (micros(at) if isinstance(at, datetime) else at) != micros(order.occurred_at):
        return "found another time, but it is booked already"
    member_id = desk.names.get(order.member) if order.member else None
    if known["member_id"] != member_id:
        return "found another member, but it is booked already"
    return None
