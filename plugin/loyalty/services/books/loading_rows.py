"""The rows that a unit of work reads: orders, refunds, reservations and what they name."""

from collections.abc import Sequence
from typing import Any

import orjson

from loyalty.domain.books.adjustments import WINDOW
from loyalty.domain.books.ledger import instant
from loyalty.domain.order import TierAt
from loyalty.services.books.desk import Desk, Needs, Row
from loyalty.services.books.loading import asked, load_lots
from loyalty.storage import adjustments as adjustments_sql
from loyalty.storage import checkout as checkout_sql
from loyalty.storage import ledger as sql
from loyalty.storage import quotas as quotas_sql
from loyalty.storage.statements import Sql, Unit, side_by_side
from loyalty.storage.units import Collision


def _rows(
    statement: Sql, columns: Sequence[str], tenant_id: int, names: Sequence[Any]
) -> Unit[list[Row]]:
    found = yield from asked(statement, tenant_id, names)
    return [dict(zip(columns, row, strict=True)) for row in found]


def load_rows(desk: Desk, needs: Needs) -> Unit[None]:
    """Orders, refunds, reservations and what they name."""
    q, tenant, loaded = checkout_sql, desk.tenant_id, desk.loaded
    own = [desk.names[name] for name in needs.open_of if name in desk.names]
    historic = [desk.names[name] for name in needs.history_of if name in desk.names]
    holders = [id for id, row in desk.members.items() if row["kind"] != sql.MEMBER]
    (
        orders, refunds, waiting, reservations, open_carts, open_own, draws, corrections, cards,
        history,
    ) = yield from side_by_side(
        _rows(q.ORDERS, q.ORDER_COLUMNS, tenant, needs.orders),
        _rows(q.REFUNDS, q.REFUND_COLUMNS, tenant, needs.refunds),
        _rows(q.REFUNDS_WAITING, q.REFUND_COLUMNS, tenant, needs.orders),
        _rows(q.RESERVATIONS, q.RESERVATION_COLUMNS, tenant, needs.reservations),
        _rows(q.OPEN_CARTS, q.RESERVATION_COLUMNS, tenant, needs.carts),
        _rows(q.OPEN_OF_MEMBERS, q.RESERVATION_COLUMNS, tenant, own),
        _rows(q.DRAWS, q.DRAW_COLUMNS, tenant, needs.reservations),
        _rows(
            adjustments_sql.ADJUSTMENTS,
            adjustments_sql.ADJUSTMENT_COLUMNS,
            tenant,
            needs.adjustments,
        ),
        _rows(
            quotas_sql.GIFT_CARDS_OF_HOLDERS, quotas_sql.GIFT_CARD_COLUMNS, tenant, holders
        ),
        asked(sql.TIER_HISTORY, tenant, historic),
    )  # fmt: skip
    loaded.orders = {row["external_id"]: row for row in orders}
    loaded.refunds = {row["external_id"]: row for row in refunds}
    for row in waiting:
        loaded.refunds_waiting.setdefault(row["order_external_id"], []).append(row)
    yield from _load_booked_refunds(desk, needs, orders)
    yield from _load_booked_alone(desk, needs)
    reservations += open_carts + open_own
    named = {row["reservation_id"] for row in orders} - {None, *needs.reservations}
    reservations += yield from _rows(q.RESERVATIONS, q.RESERVATION_COLUMNS, tenant, sorted(named))
    loaded.reservations = {row["id"]: row for row in reservations}
    for id in needs.reservations:
        if id in loaded.reservations:
            # Read once: the unit asks which rules it was quoted by, the command what was promised.
            row = loaded.reservations[id]
            row["quoted"] = orjson.loads(row["quote"])
    for row in (*orders, *reservations):
        if row["member_id"] is not None and row["member_id"] not in desk.members:
            raise Collision("an order or a checkout changed hands meanwhile")
    loaded.open_carts = {
        row["cart_id"]: row["id"] for row in reservations if row["state"] == "HELD"
    }
    others = [id for id in loaded.reservations if id not in set(needs.reservations)]
    draws += yield from _rows(q.DRAWS, q.DRAW_COLUMNS, tenant, others)
    loaded.draws = {id: [] for id in loaded.reservations}
    for row in draws:
        loaded.draws[row["reservation_id"]].append(row)
    yield from _load_lots_named(desk, needs, orders, draws)
    loaded.adjustments = {row["id"]: row for row in corrections}
    for member_id, at, tier in history:
        step = TierAt(instant(at), tier)
        loaded.history[member_id] = (*loaded.history.get(member_id, ()), step)
    loaded.gift_cards = {row["holder_id"]: row for row in cards}


def _load_lots_named(
    desk: Desk, needs: Needs, orders: Sequence[Row], draws: Sequence[Row]
) -> Unit[None]:
    """The lots that orders earned and reservations drew, and the lines of orders without facts."""
    tenant, loaded = desk.tenant_id, desk.loaded
    lots = [row["lot_id"] for row in draws]
    bare = []
    for row in orders:
        context = orjson.loads(row["context"])
        lots += [earned[2] for earned in context["earned"]]
        if "facts" not in context:
            bare.append(row["id"])
    if bare and (needs.refunds or needs.reservations or loaded.refunds_waiting):
        for order_id, _, *counted in (yield checkout_sql.ORDER_LINES(tenant, bare)):
            loaded.order_lines.setdefault(order_id, []).append((*counted,))
    accounts = {id: book.accounts for id, book in desk.books.items()}
    yield from load_lots(tenant, accounts, lots)


def _load_booked_refunds(desk: Desk, needs: Needs, orders: Sequence[Row]) -> Unit[None]:
    """What came back already of orders that may get their checkout only now."""
    names = [row["external_id"] for row in orders if row["refunds"] and not row["reservation_id"]]
    if names and needs.reservations:
        columns = checkout_sql.REFUND_COLUMNS
        statement = checkout_sql.REFUNDS_BOOKED
        for row in (yield from _rows(statement, columns, desk.tenant_id, names)):
            desk.loaded.refunds_booked.setdefault(row["order_external_id"], []).append(row)


def _load_booked_alone(desk: Desk, needs: Needs) -> Unit[None]:
    """How much each person has corrected lately, up and down, on no word but their own."""
    ids = sorted({desk.names[name] for name in needs.adjusts if name in desk.names})
    if ids:
        since = desk.now - WINDOW
        found = yield adjustments_sql.BOOKED_ALONE(desk.tenant_id, ids, since)
        for member_id, unit, amount, by in found:
            key = (member_id, unit, by)
            sums = desk.loaded.booked_alone
            sums[key] = sums.get(key, 0) + abs(amount)
