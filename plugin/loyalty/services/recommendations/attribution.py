"""What orders owe to recommendations, found beside the bookings, never within them.

A product of a member's order is owed to the last thing the member did with it in a recommendation
(``domain.attribution``). Each run looks at what came since the one before: new orders, what refunds
and changes left of old ones, and events that were reported after the order. What a run finds is
written over what was found before, so that runs may repeat, overlap and go on at once; and what is
owed once stays owed when the event itself is purged.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant, micros
from loyalty.domain.calendar import day_of
from loyalty.domain.recommendations.attribution import AttributionTerms, Touch, last_touch
from loyalty.ids import first_id_at
from loyalty.services.checkout.views import OrderView, Views
from loyalty.services.rulesets import Rulesets
from loyalty.storage import attribution as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Sql, Unit

PAGE: Final = 200
"""Orders looked at in one go."""
EVENTS_PAGE: Final = 2_000
OVERLAP: Final = timedelta(minutes=5)
"""How far a run looks back before the one before it: rows get their ids when a booking begins, and
are there when it ends."""

Row = dict[str, Any]
OrderProduct = tuple[int, str]


class _Left(NamedTuple):
    """What refunds left of a product in an order."""

    quantity: int = 0
    minor: int = 0


class Attribution:
    """Finds attributed sales."""

    def __init__(
        self,
        database: Database,
        views: Views,
        rulesets: Rulesets,
        clock: Clock,
        terms: AttributionTerms,
    ) -> None:
        self._database = database
        self._views = views
        self._rulesets = rulesets
        self._clock = clock
        self._terms = terms

    async def due(self, tenant_id: int) -> int:
        """Look at what came since the last run; returns how many sales are new or changed."""
        # Before reading: what is booked meanwhile is the next run's.
        now = self._clock.now()
        rows = await self._database.read(sql.PROGRESS(tenant_id))
        since = instant(rows[0][0]) if rows else now
        written = 0
        async for ids in self._orders_since(tenant_id, _back(since)):
            written += await self._attributed(tenant_id, ids)

        def unit() -> Unit[None]:
            yield sql.DONE_UNTIL(tenant_id, now)

        await self._database.write(unit)
        return written

    async def _orders_since(self, tenant_id: int, since: datetime) -> AsyncIterator[list[int]]:
        """Ids of orders about which there may be something new, page by page."""
        after = first_id_at(since) - 1
        events, said = await self._database.read_at_once(
            sql.OLDEST_EVENT(tenant_id), sql.OLDEST_PURCHASE(tenant_id)
        )
        if events or said:
            # What was booked before the first event is owed to none but one that came later.
            oldest = min(at for (at,) in (*events, *said))
            first = max(after, first_id_at(_back(instant(oldest))) - 1)
            async for rows in self._paged(sql.ORDERS_SINCE, tenant_id, first, PAGE):
                yield [id for (id,) in rows]
            async for rows in self._paged(sql.EVENTS_SINCE, tenant_id, after, EVENTS_PAGE):
                spans = _json(await self._may_have_bought(tenant_id, rows))
                found = await self._database.read(sql.ORDERS_AFTER(tenant_id, spans, first))
                for ids in _parts(sorted(id for (id,) in found)):
                    yield ids
            async for rows in self._paged(sql.PURCHASES_SINCE, tenant_id, after, PAGE):
                names = sorted({name for _, name in rows})
                found = await self._database.read(sql.ORDERS_NAMED(tenant_id, names))
                yield [id for (id,) in found]
        async for rows in self._paged(sql.REFUNDS_SINCE, tenant_id, after, PAGE):
            # A change may have added a product that was recommended.
            yield sorted({order for _, order in rows if order is not None})
        async for rows in self._paged(sql.MOVED_SINCE, tenant_id, after, EVENTS_PAGE):
            orders = sorted({order for _, order in rows if order is not None})
            found = await self._database.read(sql.ORDERS_WITH_SALES(tenant_id, orders))
            for ids in _parts(sorted(id for (id,) in found)):
                yield ids

    async def _paged(
        self, statement: Sql, tenant_id: int, after: int, limit: int
    ) -> AsyncIterator[Sequence[tuple[Any, ...]]]:
        """Every page in turn; the first column is the id that they are read by."""
        while rows := await self._database.read(statement(tenant_id, after, limit)):
            after = rows[-1][0]
            yield rows
            if len(rows) < limit:
                return

    async def _may_have_bought(
        self, tenant_id: int, events: Sequence[tuple[Any, ...]]
    ) -> list[Row]:
        """From when until when each member of some events may have bought something for them."""
        members = sorted({member_id for _, member_id, _ in events if member_id is not None})
        into: dict[int, int] = dict(await self._database.read(sql.MERGED(tenant_id, members)))
        longest = _micros(self._terms.longest)
        spans: dict[int, tuple[int, int]] = {}
        for _, member_id, at in events:
            if member_id is not None:
                person = into.get(member_id, member_id)
                first, last = spans.get(person, (at, at))
                spans[person] = min(first, at), max(last, at)
        return [
            {"member_id": member_id, "since": first, "before": last + longest}
            for member_id, (first, last) in spans.items()
        ]

    async def _attributed(self, tenant_id: int, ids: Sequence[int]) -> int:
        """Write what some orders owe; returns how many sales are new or changed."""
        known = {
            (row[1], row[2]): dict(zip(sql.SALE_COLUMNS, row, strict=True))
            for row in await self._database.read(sql.SALES_OF(tenant_id, ids))
        }
        touches = await self._touches(tenant_id, ids)
        for place, sale in known.items():
            # The event may have been purged since.
            touches[place].append(_touch_of(sale))
        if not touches:
            return 0
        last: defaultdict[int, dict[str, Touch]] = defaultdict(dict)
        for (order_id, product), some in touches.items():
            last[order_id][product] = last_touch(some)
        orders = await self._views.orders_by_id(tenant_id, sorted(last))
        zone = await self._rulesets.time_zone(tenant_id)
        changed = [
            row
            for order in orders
            for row in _sales(order, last[order.id], zone)
            if _differs(row, known.get((row["order_id"], row["product"])))
        ]
        if changed:
            await self._write(tenant_id, changed)
        return len(changed)

    async def _touches(
        self, tenant_id: int, ids: Sequence[int]
    ) -> defaultdict[OrderProduct, list[Touch]]:
        """What may have led to each product of some orders."""
        found: defaultdict[OrderProduct, list[Touch]] = defaultdict(list)
        bought = await self._database.read(sql.BOUGHT(tenant_id, ids))
        if not bought:
            return found
        members = sorted({member_id for _, member_id, _, _ in bought if member_id is not None})
        # Who was merged into a member met recommendations in its own name.
        own: defaultdict[int, list[int]] = defaultdict(list)
        for into, id in await self._database.read(sql.MERGED_INTO(tenant_id, members)):
            own[into].append(id)
        longest = _micros(self._terms.longest)
        asked = [
            {
                "order_id": id,
                "member_id": person,
                "product": product,
                "after": at - longest,
                "at": at,
            }
            for id, member_id, at, product in {row for row in bought if row[1] is not None}
            for person in (member_id, *own[member_id])
        ]
        times = {id: instant(at) for id, _, at, _ in bought}
        for id, product, number, type_, at, *of in await self._database.read(
            sql.TOUCHES(tenant_id, _json(asked))
        ):
            touch = Touch(number, type_, instant(at), *of)
            if self._terms.admits(touch, times[id]):
                found[id, product].append(touch)
        there = {(id, product) for id, _, _, product in bought}
        for id, product, number, at, *of in await self._database.read(sql.SAID(tenant_id, ids)):
            if (id, product) in there:
                found[id, product].append(Touch(number, "PURCHASE", instant(at), *of))
        return found

    async def _write(self, tenant_id: int, rows: Sequence[Row]) -> None:
        now = self._clock.now()
        ids = self._database.ids.take(len(rows))

        def unit() -> Unit[None]:
            effects = Effects()
            # In order, so that two runs wait for each other, never in a ring.
            ordered = sorted(rows, key=lambda row: (row["order_id"], row["product"]))
            for id, row in zip(ids, ordered, strict=True):
                effects.upsert(
                    "recommendation_sale",
                    {"id": id, "tenant_id": tenant_id, "attributed_at": now} | row,
                    ("tenant_id", "order_id", "product"),
                )
            yield effects

        await self._database.write(unit)


def _sales(order: OrderView, owed: Mapping[str, Touch], zone: str) -> list[Row]:
    """The rows of an order's products that are owed to something."""
    left: defaultdict[str, _Left] = defaultdict(_Left)
    for line in order.lines:
        before = left[line.product]
        left[line.product] = _Left(
            before.quantity + max(line.quantity - line.refunded_quantity, 0),
            before.minor + max(line.net_minor - line.refunded_minor, 0),
        )
    day = day_of(order.occurred_at, zone).isoformat()
    return [
        {
            "order_id": order.id,
            "product": product,
            "day": day,
            "recommendation": touch.recommendation,
            # It went from the recommendation into the order.
            "touch": "CART" if touch.type == "PURCHASE" else touch.type,
            "touched_at": micros(touch.at),
            "window_code": touch.window,
            "model": touch.model,
            "variant": touch.variant,
            "experiment_id": touch.experiment_id,
            "currency": order.currency,
            "quantity": left[product].quantity,
            "sales_minor": left[product].minor,
        }
        for product, touch in owed.items()
    ]


def _differs(row: Row, known: Row | None) -> bool:
    return known is None or any(known[name] != value for name, value in row.items())


def _touch_of(sale: Row) -> Touch:
    return Touch(
        sale["recommendation"],
        sale["touch"],
        instant(sale["touched_at"]),
        sale["window_code"],
        sale["model"],
        sale["variant"],
        sale["experiment_id"],
    )


def _parts(ids: Sequence[int]) -> Iterable[list[int]]:
    return (list(ids[start : start + PAGE]) for start in range(0, len(ids), PAGE))


def _back(at: datetime) -> datetime:
    return max(at, instant(0) + OVERLAP) - OVERLAP


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _json(rows: Sequence[Row]) -> str:
    return orjson.dumps(rows).decode()
