"""The tables as the statements see them, read off the Tortoise models."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, Final

from tortoise import fields
from tortoise.models import Model

from loyalty.storage.fields import InstantField
from loyalty.storage.tables import (
    administration,
    catalogue,
    checkout,
    delivery,
    holdings,
    ledger,
    members,
    offers,
    orders,
    recommendations,
    tenants,
)

MODELS: Final[tuple[type[Model], ...]] = (
    tenants.TenantRow,
    tenants.IdLeaseRow,
    tenants.RulesetRow,
    tenants.TokenIssuerRow,
    tenants.ApiKeyRow,
    tenants.WebhookSourceRow,
    members.MemberRow,
    members.TierChangeRow,
    members.MemberMergeRow,
    catalogue.ProductRow,
    checkout.ReservationRow,
    orders.OrderRow,
    orders.OrderLineRow,
    orders.RefundRow,
    ledger.TransactionRow,
    ledger.LotRow,
    ledger.EntryRow,
    ledger.AccountRow,
    ledger.LotReversalRow,
    ledger.NoteRow,
    ledger.RootRow,
    checkout.DrawRow,
    holdings.QuotaRow,
    holdings.QuotaUseRow,
    holdings.CouponRow,
    holdings.GiftCardRow,
    administration.AdjustmentRow,
    administration.AuditEventRow,
    recommendations.ExperimentRow,
    recommendations.ExperimentMemberRow,
    recommendations.RecommendationEventRow,
    recommendations.RecommendationDayRow,
    recommendations.RecommendationSaleRow,
    recommendations.RecommendationPurchaseRow,
    offers.OfferPlanRow,
    offers.MemberOfferRow,
    delivery.IdempotencyRow,
    delivery.InboxRow,
    delivery.ImportRow,
)
"""Every model, parents before children: rows are inserted in this order."""

for _model in MODELS:
    # Tortoise takes a docstring for the table's comment, and an edit of it for a migration.
    _model._meta.table_description = ""

APPEND_ONLY: Final = frozenset(
    {
        "ledger_transaction",
        "ledger_entry",
        "ledger_root",
        "lot_reversal",
        "tier_change",
        "ruleset",
        "audit_event",
    }
)


class Required:
    """Stands for a column's default where there is none."""


@dataclass(frozen=True, slots=True)
class Column:
    """``type`` is PostgreSQL's; ``length`` the most characters a text may have."""

    name: str
    type: str
    nullable: bool
    default: Any
    length: int | None


@dataclass(frozen=True, slots=True)
class Table:
    """``key`` are the primary key's columns, with their positions in a row.

    ``instants`` are the positions of columns that hold moments, ``defaults`` the names with
    what stands for a value that is not given; ``known`` are all names, ``required`` those that
    nothing stands for.
    """

    name: str
    columns: tuple[Column, ...]
    names: tuple[str, ...]
    key: tuple[str, ...]
    key_positions: tuple[int, ...]
    uniques: tuple[tuple[str, ...], ...]
    instants: tuple[int, ...]
    defaults: tuple[tuple[str, Any], ...]
    known: frozenset[str]
    required: frozenset[str]

    def key_of(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """The primary key's values in a row of every column."""
        return tuple([row[position] for position in self.key_positions])

    def keys_of(self, rows: Sequence[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
        """The primary key's values in rows of every column."""
        if len(self.key_positions) == 1:
            return [(row[self.key_positions[0]],) for row in rows]
        return map(itemgetter(*self.key_positions), rows)

    def position(self, column: str) -> int:
        return self.names.index(column)


@cache
def tables() -> Mapping[str, Table]:
    """Every table by name, parents before children."""
    return {model._meta.db_table: _table(model) for model in MODELS}


def constraint_name(table: Table, columns: tuple[str, ...]) -> str:
    """How both databases call a key of these columns."""
    if columns == table.key:
        return f"{table.name}_pkey"
    return f"{table.name}_{'_'.join(columns)}_key"


def _table(model: type[Model]) -> Table:
    meta = model._meta
    columns = tuple(_column(name, meta.fields_map[name]) for name in meta.fields_db_projection)
    names = tuple(column.name for column in columns)
    key = ("tenant_id", "id") if "tenant_id" in names else ("id",)
    together = tuple(tuple(columns) for columns in meta.unique_together)
    alone = tuple(
        (name,) for name in names if meta.fields_map[name].unique and not meta.fields_map[name].pk
    )
    return Table(
        meta.db_table,
        columns,
        names,
        key,
        tuple(names.index(column) for column in key),
        together + alone,
        tuple(n for n, name in enumerate(names) if isinstance(meta.fields_map[name], InstantField)),
        tuple((column.name, column.default) for column in columns),
        frozenset(names),
        frozenset(column.name for column in columns if column.default is Required),
    )


def _column(name: str, field: Any) -> Column:
    if field.null and field.default is None:
        default: Any = None
    elif field.default is None:
        default = Required
    else:
        default = field.default
    length = field.max_length if isinstance(field, fields.CharField) else None
    return Column(name, _type(field), field.null, default, length)


def _type(field: Any) -> str:
    match field:
        case fields.BigIntField():
            return "bigint"
        case fields.BooleanField():
            return "boolean"
        case fields.IntField():
            return "integer"
        case fields.BinaryField():
            return "bytea"
        case fields.CharField() | fields.TextField():
            return "text"
    raise TypeError(f"{field!r} found, a field whose column type is known here wanted")
