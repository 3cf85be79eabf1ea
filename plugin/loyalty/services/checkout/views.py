"""Reservations and orders as they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

import orjson

from loyalty.clock import Clock
from loyalty.domain.books.as_of import AsOf, By
from loyalty.domain.books.ledger import instant
from loyalty.domain.quotes.quote_codec import from_dict
from loyalty.domain.quotes.quote_terms import Quote
from loyalty.domain.refunds.order_facts import OrderFacts
from loyalty.domain.refunds.refund import Booked
from loyalty.errors import NotFound
from loyalty.services.books.desk import Row
from loyalty.services.checkout.reservations import state_at
from loyalty.services.orders.order_facts import refunded_of
from loyalty.services.orders.refund_views import (
    OrderLineView,
    RefundView,
    all_ids,
    line_views,
    refund_view,
    shown_facts,
)
from loyalty.services.orders.refunds import DONE
from loyalty.storage import checkout as sql
from loyalty.storage import members as members_sql
from loyalty.storage import orders as orders_sql
from loyalty.storage.database import Database

OrderLine: TypeAlias = tuple[str, int, int, int]
"""Product, quantity, amount and discount."""

LAST = 2**63 - 1
"""After every sequence number and id."""


@dataclass(frozen=True, slots=True)
class ReservationView:
    """A hold at the moment of the question. ``order_id`` once it is committed."""

    id: int
    member_id: int | None
    cart_id: str
    state: str
    expires_at: datetime
    quote: Quote
    order_id: int | None

    @property
    def points(self) -> int:
        return sum(self.quote.points_needed.values())


@dataclass(frozen=True)
class OrderView:
    """An order as it was booked, and what its refunds came to."""

    id: int
    external_id: str
    member_id: int | None
    state: str
    currency: str
    total_minor: int
    discount_minor: int
    tender_points: int
    tender_minor: int
    points_earned: int
    points_redeemed: int
    mismatch: bool
    occurred_at: datetime
    credit_minor: int
    gift_minor: int
    shortfall: int
    row: Row = field(repr=False)
    rows_of_lines: Sequence[OrderLine] = field(repr=False)

    # Most callers ask for none of these, and they are most of the work.

    @cached_property
    def _facts(self) -> OrderFacts:
        return shown_facts(self.row, [line[1:] for line in self.rows_of_lines])

    @cached_property
    def refunded(self) -> Booked:
        """What the order's refunds booked."""
        return refunded_of(self.row).booked

    @property
    def left_minor(self) -> int:
        """What was charged and did not come back, whatever paid it."""
        if self.row["state"] in DONE and not self.row["refunds"]:
            return 0
        charged = sum(line.net_minor for line in self._facts.all_lines)
        return charged - self.refunded.value_minor

    @cached_property
    def lines(self) -> tuple[OrderLineView, ...]:
        return line_views(self.row, self._facts, self.rows_of_lines)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """What one transaction did to one account: to its balance, and to what is held."""

    id: int
    seq: int
    kind: str
    point_type: str
    points: int
    held: int
    effective_at: datetime
    booked_at: datetime
    order_external_id: str | None


@dataclass(frozen=True, slots=True)
class TierStep:
    """One change of a member's tier."""

    at: datetime
    tier_from: str | None
    tier_to: str
    reason: str


class Views:
    """Reads what the schema shows beside members and products. All by tenant."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def reservation(self, tenant_id: int, id: int) -> ReservationView:
        """Raises NotFound."""
        rows = await self._database.read(sql.RESERVATIONS(tenant_id, [id]))
        if not rows:
            raise NotFound("reservation")
        row = dict(zip(sql.RESERVATION_COLUMNS, rows[0], strict=True))
        return ReservationView(
            id=row["id"],
            member_id=row["member_id"],
            cart_id=row["cart_id"],
            state=state_at(row, self._clock.now()),
            expires_at=instant(row["expires_at"]),
            quote=from_dict(orjson.loads(row["quote"])),
            order_id=row["order_id"],
        )

    async def order(self, tenant_id: int, external_id: str) -> OrderView:
        """Raises NotFound."""
        rows = await self._database.read(sql.ORDERS(tenant_id, [external_id]))
        if not rows:
            raise NotFound("order", external_id)
        return (await self._orders(tenant_id, rows))[0]

    async def order_by_id(self, tenant_id: int, id: int) -> OrderView:
        """Raises NotFound."""
        rows, lines = await self._database.read_at_once(
            sql.ORDERS_BY_ID(tenant_id, [id]), sql.ORDER_LINES(tenant_id, [id])
        )
        if not rows:
            raise NotFound("order")
        order = dict(zip(sql.ORDER_COLUMNS, rows[0], strict=True))
        return _order_view(order, [(*columns,) for _, *columns in lines])

    async def orders_by_id(self, tenant_id: int, ids: Sequence[int]) -> list[OrderView]:
        """Orders by row id; those that are not there are left out."""
        return await self._orders(
            tenant_id, await self._database.read(sql.ORDERS_BY_ID(tenant_id, ids))
        )

    async def orders_of(
        self, tenant_id: int, member_id: int, first: int, before_id: int = LAST
    ) -> list[OrderView]:
        """A member's orders, newest first by id."""
        statement = orders_sql.OF_MEMBER(tenant_id, member_id, before_id, first)
        return await self._orders(tenant_id, await self._database.read(statement))

    async def refund(self, tenant_id: int, id: int) -> RefundView:
        """Raises NotFound."""
        rows = await self._database.read(orders_sql.REFUND(tenant_id, id))
        if not rows:
            raise NotFound("refund")
        row = dict(zip(sql.REFUND_COLUMNS, rows[0], strict=True))
        orders = await self._database.read(sql.ORDERS_BY_ID(tenant_id, [row["order_id"]]))
        order = dict(zip(sql.ORDER_COLUMNS, orders[0], strict=True))
        return await self.refund_as(tenant_id, row, order)

    async def refund_as(self, tenant_id: int, row: Row, order: Row) -> RefundView:
        """A refund as it would be with these rows."""
        counted = await self._lines(tenant_id, [order["id"]])
        facts = shown_facts(order, [line[1:] for line in counted.get(order["id"], ())])
        return refund_view(row, order, all_ids(facts))

    async def order_as(self, tenant_id: int, order: Row) -> OrderView:
        """An order as it would be with this row."""
        lines = await self._lines(tenant_id, [order["id"]])
        return _order_view(order, lines.get(order["id"], []))

    async def history(
        self,
        tenant_id: int,
        member_id: int,
        unit: str,
        first: int,
        before_seq: int = LAST,
        as_of: AsOf | None = None,
    ) -> list[HistoryLine]:
        """A member's ledger in one unit, newest booking first; ``as_of`` a moment, by then."""
        place = (tenant_id, member_id, before_seq, unit, first)
        if as_of is None:
            statement = members_sql.HISTORY(*place)
        elif as_of.by is By.BOOKED:
            statement = members_sql.HISTORY_BOOKED(*place, as_of.at)
        else:
            statement = members_sql.HISTORY_EFFECTIVE(*place, as_of.at)
        return [
            HistoryLine(
                id, seq, kind, point_type, int(points), int(held), instant(effective_at),
                instant(booked_at), order,
            )
            for id, seq, kind, point_type, points, held, effective_at, booked_at, order, _ in (
                await self._database.read(statement)
            )
        ]  # fmt: skip

    async def tier_steps(self, tenant_id: int, member_id: int, first: int) -> list[TierStep]:
        """A member's latest tier changes, newest first."""
        rows = await self._database.read(members_sql.TIER_CHANGES(tenant_id, member_id, first))
        return [TierStep(instant(at), before, after, why) for at, before, after, why in rows]

    async def _orders(self, tenant_id: int, rows: Sequence[Sequence[Any]]) -> list[OrderView]:
        orders = [dict(zip(sql.ORDER_COLUMNS, row, strict=True)) for row in rows]
        lines = await self._lines(tenant_id, [order["id"] for order in orders])
        return [_order_view(order, lines.get(order["id"], [])) for order in orders]

    async def _lines(self, tenant_id: int, ids: Sequence[int]) -> dict[int, list[OrderLine]]:
        lines: dict[int, list[OrderLine]] = {}
        for order_id, *columns in await self._database.read(sql.ORDER_LINES(tenant_id, ids)):
            lines.setdefault(order_id, []).append((*columns,))
        return lines


def _order_view(row: Row, lines: Sequence[OrderLine]) -> OrderView:
    return OrderView(
        id=row["id"],
        external_id=row["external_id"],
        member_id=row["member_id"],
        state=row["state"],
        currency=row["currency"],
        total_minor=row["total_minor"],
        discount_minor=row["discount_minor"],
        tender_points=row["tender_points"],
        tender_minor=row["tender_minor"],
        points_earned=row["points_earned"],
        points_redeemed=row["points_redeemed"],
        mismatch=bool(row["mismatch"]),
        occurred_at=instant(row["occurred_at"]),
        credit_minor=row["credit_minor"],
        gift_minor=row["gift_minor"],
        shortfall=row["shortfall"],
        row=row,
        rows_of_lines=lines,
    )
