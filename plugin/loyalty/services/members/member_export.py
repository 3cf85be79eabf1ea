"""Everything held about one member, as one JSON document (``docs/reference/member-export.md``)."""

from datetime import datetime
from typing import Any, NamedTuple

import orjson

from loyalty.domain.books.ledger import instant
from loyalty.domain.books.lots import NEVER
from loyalty.errors import NotFound
from loyalty.services.members.subjects import subject_of, subject_of_order
from loyalty.storage import erasure as erasure_sql
from loyalty.storage import merges as sql
from loyalty.storage.personal_data import TABLES, reader
from loyalty.storage.schema import Table, tables
from loyalty.storage.statements import Row, Unit

FORMAT = 2
PAGE_ROWS = 1_000

_JSON = frozenset(
    {
        "shop_order.context",
        "shop_order.refunds",
        "order_refund.lines",
        "reservation.quote",
        "idempotency.outcome",
        "member_merge.moved",
        "member_offer.reason",
    }
)
"""Text columns that hold JSON themselves."""


def exported(tenant_id: int, tenant: str, name: str, at: datetime) -> Unit[dict[str, Any]]:
    """The document of the member whom ``name`` answers for.

    Raises:
        NotFound: there is none, or nothing of it is left.
    """
    ids = sorted(row[0] for row in (yield sql.GROUP(tenant_id, [name])))
    rows = yield sql.NAMES(tenant_id, ids)
    if not rows or any(state == "ERASED" for _, _, state, _ in rows):
        raise NotFound("member", name)
    subjects = [subject_of(tenant_id, external_id) for _, external_id, _, _ in rows]
    orders = yield erasure_sql.ORDERS_OF(tenant_id, ids)
    subjects += [subject_of_order(tenant_id, order) for (order,) in orders]
    document: dict[str, Any] = {
        "format": FORMAT,
        "exportedAt": at.isoformat(),
        "tenant": tenant,
        "member": next(external_id for _, external_id, _, into in rows if into is None),
    }
    for table in tables().values():
        section = TABLES[table.name].section
        if section is None:
            continue
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            page = yield reader(table.name, tenant_id, ids, subjects, after, PAGE_ROWS)
            found += [_row(table, row) for row in page]
            if len(page) < PAGE_ROWS:
                break
            after = page[-1][table.position("id")]
        document[section] = found
    document["importsToCheck"] = [
        {"kind": left.kind, "startedAt": left.started_at.isoformat(), "rejected": left.rejected}
        for left in (yield from imports_to_check(tenant_id))
    ]
    return document


class ImportToCheck(NamedTuple):
    """An import that refused rows: they stand in a file of its own, outside the database."""

    kind: str
    started_at: datetime
    rejected: int


def imports_to_check(tenant_id: int) -> Unit[list[ImportToCheck]]:
    """The imports whose files of refused rows may hold a member, oldest first."""
    rows = yield erasure_sql.IMPORTS_TO_CHECK(tenant_id)
    return [ImportToCheck(kind, instant(started), rejected) for kind, started, rejected in rows]


def _row(table: Table, row: Row) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for position, (column, value) in enumerate(zip(table.columns, row, strict=True)):
        name = column.name
        if name in ("tenant_id", "subject"):
            continue
        shown: Any = value
        if value is None:
            pass
        elif position in table.instants:
            shown = None if instant(value) == NEVER else instant(value).isoformat()
        elif column.type == "boolean":
            shown = bool(value)
        elif column.type == "bytea":
            shown = bytes(value).hex()
        elif f"{table.name}.{name}" in _JSON:
            shown = orjson.loads(value)
        values[_camel(name)] = shown
    return values


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
