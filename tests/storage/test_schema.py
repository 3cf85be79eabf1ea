"""The live schema of both databases is the models' own, with the tenant in every key."""

from __future__ import annotations

import re
import sqlite3
from typing import Any, NamedTuple

import asyncpg
import pytest

from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.fields import Uncommented
from loyalty.storage.schema import MODELS, tables
from loyalty.storage.statements import Sql, Unit

pytestmark = pytest.mark.anyio

UNIQUE_EVERYWHERE = {
    # Tenants themselves, and names by which a caller without a tenant is recognised.
    "tenant_pkey", "tenant_code_key", "id_lease_pkey", "token_issuer_issuer_key",
    "api_key_key_id_key", "webhook_source_source_key",
}  # fmt: skip

SQLITE_TYPES = {
    "bigint": "INTEGER", "integer": "INTEGER", "boolean": "INTEGER", "text": "TEXT",
    "bytea": "BLOB",
}  # fmt: skip


class Live(NamedTuple):
    """``columns``: (table, column, type, nullable); ``keys``: name → (table, columns);
    ``foreign``: (table, columns, parent, parent's columns)."""

    columns: set[tuple[str, str, str, bool]]
    keys: dict[str, tuple[str, tuple[str, ...]]]
    foreign: set[tuple[str, tuple[str, ...], str, tuple[str, ...]]]


async def live(database: Database) -> Live:
    return await (_sqlite if database.dialect == "sqlite" else _postgres)(database)


async def _sqlite(database: Database) -> Live:
    columns, keys, foreign = set(), {}, set()
    for table in tables():
        for _, name, type_, not_null, _, _ in await database.read(
            Sql(f"PRAGMA table_info({table})")()
        ):
            columns.add((table, name, type_, not not_null))
        ((text,),) = await database.read(
            Sql("SELECT sql FROM sqlite_master WHERE name = $1")(table)
        )
        for name, listed in re.findall(
            r"CONSTRAINT (\w+) (?:PRIMARY KEY|UNIQUE) \(([^)]*)\)", text
        ):
            keys[name] = (table, tuple(listed.split(", ")))
        by_id: dict[int, list[Any]] = {}
        for row in await database.read(Sql(f"PRAGMA foreign_key_list({table})")()):
            by_id.setdefault(row[0], []).append(row)
        for parts in by_id.values():
            parts.sort(key=lambda row: row[1])
            foreign.add(
                (table, tuple(r[3] for r in parts), parts[0][2], tuple(r[4] for r in parts))
            )
    return Live(columns, keys, foreign)


async def _postgres(database: Database) -> Live:
    columns = {
        (table, name, _postgres_type(type_, length), nullable == "YES")
        for table, name, type_, length, nullable in await database.read(
            Sql(
                "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable"
                " FROM information_schema.columns WHERE table_schema = 'public'"
                " AND table_name <> 'tortoise_migrations'"
            )()
        )
    }
    constraints = await database.read(
        Sql(
            """SELECT c.conname, c.contype::text, t.relname, p.relname,
                      ARRAY(SELECT attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, i)
                             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n
                            ORDER BY k.i),
                      ARRAY(SELECT attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, i)
                             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n
                            ORDER BY k.i)
                 FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
                 LEFT JOIN pg_class p ON p.oid = c.confrelid
                WHERE t.relname <> 'tortoise_migrations' AND c.contype IN ('p', 'u', 'f')
                  AND t.relnamespace = 'public'::regnamespace"""
        )()
    )
    keys = {row[0]: (row[2], tuple(row[4])) for row in constraints if row[1] in ("p", "u")}
    foreign = {
        (row[2], tuple(row[4]), row[3], tuple(row[5])) for row in constraints if row[1] == "f"
    }
    return Live(columns, keys, foreign)


def _postgres_type(type_: str, length: int | None) -> str:
    return f"varchar({length})" if type_ == "character varying" else type_


def wanted_columns(dialect: str) -> set[tuple[str, str, str, bool]]:
    found = set()
    for table in tables().values():
        for column in table.columns:
            type_ = SQLITE_TYPES[column.type] if dialect == "sqlite" else column.type
            if dialect == "postgres" and column.length:
                type_ = f"varchar({column.length})"
            found.add((table.name, column.name, type_, column.nullable))
    return found


def test_no_command_waits_for_a_search_of_comments() -> None:
    assert [model.__name__ for model in MODELS if not isinstance(model, Uncommented)] == []


async def test_columns_are_those_of_the_models(untouched: Database) -> None:
    assert (await live(untouched)).columns == wanted_columns(untouched.dialect)


async def test_keys_are_those_of_the_models_and_start_with_the_tenant(untouched: Database) -> None:
    found = (await live(untouched)).keys

    assert found == {
        f"{table.name}_pkey" if columns == table.key else f"{table.name}_{'_'.join(columns)}_key": (
            table.name,
            columns,
        )
        for table in tables().values()
        for columns in (table.key, *table.uniques)
    }
    without = {name for name, (_, columns) in found.items() if columns[0] != "tenant_id"}
    assert without == UNIQUE_EVERYWHERE


async def test_foreign_keys_start_with_the_tenant_and_every_reference_has_one(
    untouched: Database,
) -> None:
    found = (await live(untouched)).foreign

    for _, columns, parent, named in found:
        assert (columns[0], named[0]) == ("tenant_id", "id" if parent == "tenant" else "tenant_id")
    references = {
        (table.name, name)
        for table in tables().values()
        for name in table.names
        if name in PARENTS and (table.name, name) != ("api_key", "key_id")
    }
    assert {(table, columns[1]) for table, columns, *_ in found if len(columns) == 2} == references
    for table, columns, parent, named in found:
        if len(columns) == 2:
            assert (PARENTS[columns[1]], named) == (parent, ("tenant_id", "id")), table


PARENTS = {
    "member_id": "member",
    "order_id": "shop_order",
    "reservation_id": "reservation",
    "refund_id": "order_refund",
    "transaction_id": "ledger_transaction",
    "lot_id": "lot",
    "quota_id": "quota",
    "experiment_id": "experiment",
    "plan_id": "offer_plan",
    "source_id": "member",
    "target_id": "member",
}


async def test_both_databases_have_the_same_keys_indexes_and_checks(
    migrated_file: Any, migrated_name: str, postgres_server: Any
) -> None:
    connection = sqlite3.connect(migrated_file)
    texts = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_master") if sql]
    connection.close()
    sqlite_checks = set(re.findall(r"CONSTRAINT (\w+_check) CHECK", "\n".join(texts)))
    sqlite_indexes = set(re.findall(r"CREATE INDEX (\w+)", "\n".join(texts)))
    postgres = await asyncpg.connect(postgres_server.database_url(migrated_name))
    checks = await postgres.fetch("SELECT conname FROM pg_constraint WHERE contype = 'c'")
    indexes = await postgres.fetch("SELECT indexname FROM pg_indexes WHERE indexname ~ '_idx$'")
    await postgres.close()

    booleans = {
        f"{table.name}_{column.name}_check"
        for table in tables().values()
        for column in table.columns
        if column.type == "boolean"
    }
    ours = {row[0] for row in checks if row[0].startswith(tuple(tables()))}
    assert ours | booleans == sqlite_checks
    assert {row[0] for row in indexes} == sqlite_indexes


BAD = [
    ("tenant", {"id": 0}),
    ("ruleset", {"version": 0, "id": 7_000_000}),
    ("ruleset", {"version": 2, "id": 7_000_003}),
    ("member", {"state": "active"}),
    ("member", {"hash": b"short"}),
    ("member", {"seq": -1}),
    ("member", {"version": 0}),
    ("tier_change", {"reason": "WHIM"}),
    ("product", {"currency": "EURO"[:2]}),
    ("product", {"stock": -1}),
    ("product", {"price_minor": -1}),
    ("product", {"cost_minor": -1}),
    ("reservation", {"state": "OPEN"}),
    ("shop_order", {"state": "OPEN"}),
    ("shop_order", {"total_minor": -1}),
    ("shop_order", {"shortfall": -1}),
    ("order_line", {"quantity": -1}),
    ("order_line", {"discount_minor": -1}),
    ("order_refund", {"state": "OPEN"}),
    ("order_refund", {"money_minor": -1}),
    ("ledger_transaction", {"seq": 0}),
    ("ledger_transaction", {"kind": "GIFT"}),
    ("ledger_transaction", {"hash": bytes(31)}),
    ("ledger_entry", {"amount": 0}),
    ("ledger_entry", {"account": "SOMEBODY"}),
    ("ledger_entry", {"account": "ISSUED"}),
    ("ledger_entry", {"lot_id": None}),
    ("ledger_entry", {"expires_at": 0}),
    ("account", {"deficit": -1}),
    ("account", {"balance": -1}),
    ("lot", {"remaining": -1}),
    ("lot", {"remaining": 101}),
    ("lot", {"amount": 0, "remaining": 0}),
    ("lot", {"reversed": 101}),
    ("lot", {"reversed": -1}),
    ("lot", {"expired": 11}),
    ("lot", {"expired": -1}),
    ("draw", {"amount": 0}),
    ("draw", {"returned": 11}),
    ("draw", {"returned": -1}),
    ("import_run", {"accepted": -1}),
    ("member", {"kind": "ROBOT"}),
    ("draw", {"state": "GONE"}),
    ("shop_order", {"credit_minor": -1}),
    ("order_refund", {"kind": "GIFT"}),
    ("quota", {"kind": "TIME"}),
    ("quota", {"used": -1}),
    ("quota_use", {"quantity": 0}),
    ("quota_use", {"state": "GONE"}),
    ("coupon", {"ends_at": 1}),
    ("coupon", {"state": "USED"}),
    ("gift_card", {"initial_minor": 0}),
    ("gift_card", {"state": "EMPTY"}),
    ("ledger_root", {"root": b"short"}),
    ("adjustment", {"amount": 0}),
    ("adjustment", {"state": "OPEN"}),
    ("member_merge", {"state": "GONE"}),
    ("experiment", {"share_bp": 0}),
    ("experiment", {"running": 2}),
    ("experiment", {"ended_at": 1}),
    ("experiment_member", {"variant": ""}),
    ("recommendation_event", {"type": "PURCHASE"}),
    ("recommendation_event", {"position": -1}),
    ("recommendation_event", {"variant": "OTHER"}),
    ("recommendation_day", {"clicks": -1}),
    ("recommendation_purchase", {"variant": "OTHER"}),
    ("recommendation_sale", {"touch": "PURCHASE"}),
    ("recommendation_sale", {"sales_minor": -1}),
    ("offer_plan", {"state": "OPEN"}),
    ("member_offer", {"state": "USED"}),
    ("member_offer", {"ends_at": 3}),
    ("member_offer", {"uses_max": 0}),
    ("member_offer", {"use_ppm": -1}),
    ("member_offer", {"cost_minor": -1}),
]


@pytest.mark.parametrize(("table", "changes"), BAD)
async def test_a_row_that_cannot_be_is_refused(
    untouched: Database, rows: dict[str, dict[str, Any]], table: str, changes: dict[str, Any]
) -> None:
    def unit() -> Unit[None]:
        effects = Effects()
        effects.insert(table, rows[table] | changes)
        yield effects

    with pytest.raises((sqlite3.IntegrityError, asyncpg.CheckViolationError), match="check"):
        await untouched.write(unit)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (table, column)
        for column, parent in PARENTS.items()
        for table in tables()
        if column in tables()[table].names
    ],
)
async def test_a_reference_to_another_tenants_row_is_refused(
    untouched: Database, rows: dict[str, dict[str, Any]], table: str, column: str
) -> None:
    """The row refers to tenant 7's rows by their right ids, but is of tenant 8."""

    def unit() -> Unit[None]:
        effects = Effects()
        for other_table, other_row in rows.items():
            effects.insert(other_table, other_row)
        effects.insert("tenant", rows["tenant"] | {"id": 8, "code": "other"})
        row = rows[table] | {"tenant_id": 8, column: rows[PARENTS[column]]["id"]}
        for other in PARENTS:
            if other != column and other in row and _nullable(table, other):
                row[other] = None
        if table == "ledger_entry" and row["lot_id"] is None:
            row |= {"available_at": None, "expires_at": None}
        effects.insert(table, row)
        yield effects

    with pytest.raises((sqlite3.IntegrityError, asyncpg.ForeignKeyViolationError)) as caught:
        await untouched.write(unit)

    assert "foreign key" in str(caught.value).lower()


def _nullable(table: str, name: str) -> bool:
    return next(column.nullable for column in tables()[table].columns if column.name == name)


async def test_sqlite_refuses_a_value_of_another_type(migrated_file: Any, tmp_path: Any) -> None:
    connection = sqlite3.connect(migrated_file)
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT value in INTEGER column"):
        connection.execute("UPDATE id_lease SET next_node = 'many'")
    connection.close()
