"""Events from a shop, taken in once: whatever the order they arrive in, and however often."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from loyalty.clock import Clock
from loyalty.connectors.events import (
    CustomerChanged,
    Event,
    Line,
    OrderCancelled,
    OrderEdited,
    OrderPaid,
    OrderRefunded,
)
from loyalty.domain.order import OrderLine as PaidLine
from loyalty.domain.order import PaidOrder
from loyalty.errors import BadInput
from loyalty.services.books.desk import Command, Desk, Idempotent, Needs
from loyalty.services.books.door import Door, outcome_of
from loyalty.services.catalogue import Catalogue
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.members.subjects import subject_of_command
from loyalty.services.orders.order_edits import EDIT, OrderEdit
from loyalty.services.orders.order_lines import products_of, with_catalogue
from loyalty.services.orders.orders import AHEAD_MAX, BookOrder
from loyalty.services.orders.refund_commands import RefundOrder, cancellation_name, edit_name
from loyalty.services.orders.refunds import CANCELLATION


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a delivery: TAKEN, or DUPLICATE when it had been taken before."""

    result: str


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A command together with the inbox row that makes it happen once."""

    command: Command
    source: str
    delivery: str
    event: str
    body_hash: str

    @property
    def tenant_id(self) -> int:
        return self.command.tenant_id

    @property
    def idempotent(self) -> Idempotent:
        # The delivery's id is its key, whatever the event: an id that comes again with an event
        # of another type has another body. The inbox row keeps the trace for the merchant.
        return Idempotent(f"webhook:{self.source}"[:64], "delivery", self.delivery, self.body_hash)

    @property
    def at(self) -> datetime | None:
        return self.command.at

    def needs(self) -> Needs:
        return self.command.needs()

    def decide(self, desk: Desk) -> dict[str, Any]:
        outcome = self.command.decide(desk)
        desk.insert(
            "inbox",
            source=self.source,
            delivery=self.delivery,
            event=self.event,
            body_hash=self.body_hash,
            outcome="TAKEN",
            received_at=desk.now,
            subject=subject_of_command(desk, self.needs()),
        )
        return outcome


class Intake:
    """Takes events in."""

    def __init__(self, door: Door, catalogue: Catalogue, clock: Clock) -> None:
        self._door = door
        self._catalogue = catalogue
        self._clock = clock

    async def take(
        self, tenant_id: int, source: str, delivery: str, event: Event, body: bytes
    ) -> Taken:
        """Book one event once.

        Args:
            delivery: the sender's id of this delivery; the same id again does nothing.
            body: the raw body, to tell a repeat from another event under the same id.

        Raises:
            KeyReused: the id came before with another body. BadInput: the event cannot be.
        """
        now = self._clock.now()
        if event.occurred_at > now + AHEAD_MAX:
            raise BadInput(f"found occurredAt {event.occurred_at.isoformat()}, wanted the past")
        if isinstance(event, OrderPaid):
            command: Command = BookOrder(
                tenant_id, await self._order(tenant_id, event), f"webhook:{source}"[:64]
            )
        elif isinstance(event, OrderRefunded | OrderEdited | OrderCancelled):
            command = await self._back(tenant_id, event)
        elif isinstance(event, CustomerChanged):
            profile = Profile(event.profile, event.consents).checked()
            command = Enrol(
                tenant_id,
                None,
                event.member,
                profile,
                joined_at=event.occurred_at,
                or_update=True,
                said_at=event.occurred_at,
            )
        else:
            # A product carries its own moment; an older word never replaces a newer one, so
            # a repeat is harmless without an inbox row.
            await self._catalogue.upsert(tenant_id, [event.product])
            return Taken("TAKEN")
        digest = hashlib.sha256(body).hexdigest()
        verdict = await self._door.submit(_Delivery(command, source, delivery, event.type, digest))
        outcome_of(verdict)
        return Taken("DUPLICATE" if verdict.replayed else "TAKEN")

    async def _back(
        self, tenant_id: int, event: OrderRefunded | OrderEdited | OrderCancelled
    ) -> RefundOrder:
        """What takes an order back, or changes it.

        A report is never refused for its order, but for amounts of other money than the order's.
        """
        report = partial(
            RefundOrder, tenant_id, event.order, occurred_at=event.occurred_at, may_wait=True
        )
        if isinstance(event, OrderRefunded):
            return report(
                event.refund, reason=event.reason, lines=event.lines, currency=event.currency
            )
        if isinstance(event, OrderCancelled):
            name = cancellation_name(event.order)
            return report(name, reason=event.reason, kind=CANCELLATION)
        lines = await self._lines(tenant_id, event.lines)
        edit = OrderEdit(lines, event.shipping_minor, event.currency)
        return report(edit_name(event.edit), reason=None, kind=EDIT, edit=edit)

    async def _order(self, tenant_id: int, event: OrderPaid) -> PaidOrder:
        """The order with what the catalogue knows of its lines."""
        lines = await self._lines(tenant_id, event.lines)
        return PaidOrder(
            external_id=event.order,
            member=event.member,
            currency=event.currency,
            lines=lines,
            occurred_at=event.occurred_at,
            shipping_minor=event.shipping_minor,
            reservation_id=event.reservation_id,
            paid_minor=event.paid_minor,
        )

    async def _lines(self, tenant_id: int, lines: Sequence[Line]) -> tuple[PaidLine, ...]:
        """Lines with what the catalogue knows of their products."""
        told = [
            PaidLine(
                product=line.product,
                quantity=line.quantity,
                amount_minor=line.amount_minor,
                discount_minor=line.discount_minor,
                category=line.category,
                id=line.id,
            )
            for line in lines
        ]
        products = await self._catalogue.many(tenant_id, products_of(told))
        return with_catalogue(told, products)
