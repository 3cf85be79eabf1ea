"""What a unit writes is what is there afterwards, on both databases alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.problems import DuplicateKey, NotStorable, RowsMissing
from loyalty.storage.schema import tables
from loyalty.storage.statements import Sql, Unit

pytestmark = pytest.mark.anyio


def wholly(effects: Effects) -> Unit[None]:
    yield effects


async def booked(database: Database, effects: Effects) -> None:
    await database.write(lambda: wholly(effects))


async def one(database: Database, table: str, id: int) -> dict[str, Any]:
    shape = tables()[table]
    (row,) = await database.read(
        Sql(f"SELECT {', '.join(shape.names)} FROM {table} WHERE id = $1")(id)
    )
    return dict(zip(shape.names, row, strict=True))


def complete(table: str, row: dict[str, Any]) -> dict[str, Any]:
    return {column.name: row.get(column.name, column.default) for column in tables()[table].columns}


async def test_every_table_gives_back_what_it_was_given(
    filled: Database, rows: dict[str, dict[str, Any]]
) -> None:
    assert {*rows, "id_lease"} == {*tables()}
    for table, row in rows.items():
        assert await one(filled, table, row["id"]) == complete(table, row)


async def test_a_row_may_come_as_a_tuple_in_the_order_of_the_model(
    database: Database, rows: dict[str, dict[str, Any]]
) -> None:
    effects = Effects()
    effects.insert("tenant", tuple(complete("tenant", rows["tenant"]).values()))

    await booked(database, effects)

    assert await one(database, "tenant", 7) == complete("tenant", rows["tenant"])


async def test_an_instant_is_stored_in_microseconds(filled: Database) -> None:
    effects = Effects()
    effects.update("member", 7, 10, booked_at=datetime(2026, 11, 21, 12, 0, 0, 1, tzinfo=UTC))

    await booked(filled, effects)

    assert (await one(filled, "member", 10))["booked_at"] == 1_795_262_400_000_001


async def test_updates_of_several_shapes_and_rows_are_all_booked(
    filled: Database, rows: dict[str, dict[str, Any]]
) -> None:
    effects = Effects()
    effects.insert("member", rows["member"] | {"id": 12, "external_id": "bela"})
    effects.insert("member", rows["member"] | {"id": 13, "external_id": "cili"})
    await booked(filled, effects)
    effects = Effects()
    effects.update("member", 7, 10, seq=5, name=None)
    effects.update("member", 7, 12, seq=6, name="B")
    effects.update("member", 7, 13, version=9)
    effects.update("member", 7, 13, version=10, consent_sms=True)
    effects.update("account", 7, 61, balance=1)

    await booked(filled, effects)

    found = await filled.read(
        Sql("SELECT id, seq, name, version, consent_sms FROM member ORDER BY id")()
    )
    assert [(*row[:4], bool(row[4])) for row in found] == [
        (10, 5, None, 1, False),
        (12, 6, "B", 1, False),
        (13, 0, "Анна ✿", 10, True),
    ]
    assert (await one(filled, "account", 61))["balance"] == 1


async def test_an_update_of_a_row_of_the_same_effects_goes_into_its_insert(
    database: Database, rows: dict[str, dict[str, Any]]
) -> None:
    effects = Effects()
    effects.insert("tenant", rows["tenant"])
    effects.update("tenant", 7, name="Later", catalogue_version=2)

    await booked(database, effects)

    wanted = complete("tenant", rows["tenant"]) | {"name": "Later", "catalogue_version": 2}
    assert await one(database, "tenant", 7) == wanted


async def test_an_upsert_inserts_and_then_overwrites_all_but_the_id(
    filled: Database, rows: dict[str, dict[str, Any]]
) -> None:
    effects = Effects()
    key = ("tenant_id", "external_id")
    effects.upsert("product", rows["product"] | {"id": 99, "stock": 3, "brand": "Leaf"}, key)
    effects.upsert("product", rows["product"] | {"id": 98, "external_id": "p-2"}, key)

    await booked(filled, effects)

    found = await filled.read(
        Sql("SELECT id, external_id, stock, brand FROM product ORDER BY external_id")()
    )
    assert found == [(20, "p-1", 3, "Leaf"), (98, "p-2", 5, None)]


async def test_a_delete_removes_the_row(filled: Database) -> None:
    effects = Effects()
    effects.delete("idempotency", 7, 80)

    await booked(filled, effects)

    assert await filled.read(Sql("SELECT id FROM idempotency")()) == []


@pytest.mark.parametrize("change", ["update", "delete"])
async def test_a_row_that_is_not_there_undoes_the_whole_unit(filled: Database, change: str) -> None:
    effects = Effects()
    effects.update("member", 7, 10, seq=5)
    if change == "update":
        effects.update("account", 7, 999, balance=1)
    else:
        effects.delete("account", 7, 999)

    with pytest.raises(RowsMissing, match=f"{change} account: 1 rows wanted, 0 found"):
        await booked(filled, effects)

    assert (await one(filled, "member", 10))["seq"] == 0


async def test_a_row_of_another_tenant_is_not_there(filled: Database) -> None:
    effects = Effects()
    effects.update("member", 8, 10, seq=5)

    with pytest.raises(RowsMissing):
        await booked(filled, effects)


@pytest.mark.parametrize(
    ("table", "changes", "columns", "constraint"),
    [
        ("member", {"id": 12}, ("tenant_id", "external_id"), "member_tenant_id_external_id_key"),
        ("member", {"external_id": "x"}, ("tenant_id", "id"), "member_pkey"),
        ("tenant", {"id": 8}, ("code",), "tenant_code_key"),
        ("tenant", {"code": "x"}, ("id",), "tenant_pkey"),
        (
            "ledger_transaction",
            {"id": 59},
            ("tenant_id", "member_id", "seq"),
            "ledger_transaction_tenant_id_member_id_seq_key",
        ),
        ("ledger_entry", {}, ("tenant_id", "id"), "ledger_entry_pkey"),
        (
            "idempotency",
            {"id": 89},
            ("tenant_id", "key", "client", "operation"),
            "idempotency_tenant_id_key_client_operation_key",
        ),
    ],
)
async def test_a_key_that_is_taken_is_named(
    filled: Database,
    rows: dict[str, dict[str, Any]],
    table: str,
    changes: dict[str, Any],
    columns: tuple[str, ...],
    constraint: str,
) -> None:
    effects = Effects()
    effects.update("account", 7, 61, balance=1)
    effects.insert(table, rows[table] | changes)

    with pytest.raises(DuplicateKey) as caught:
        await booked(filled, effects)

    found = caught.value
    assert (found.table, found.columns, found.constraint) == (table, columns, constraint)
    assert (await one(filled, "account", 61))["balance"] == 90


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "x" * 201),
        ("name", "half a pair \ud800"),
        ("seq", 2**63),
    ],
)
async def test_a_value_that_no_column_can_hold_is_the_callers_mistake(
    filled: Database, column: str, value: Any
) -> None:
    effects = Effects()
    effects.update("member", 7, 10, **{column: value})

    with pytest.raises(NotStorable):
        await booked(filled, effects)


def test_effects_refuse_what_cannot_be_meant(rows: dict[str, dict[str, Any]]) -> None:
    effects = Effects()
    effects.insert("tenant", rows["tenant"])

    with pytest.raises(ValueError, match="inserted twice"):
        effects.insert("tenant", rows["tenant"])
    with pytest.raises(ValueError, match="no column colour"):
        effects.insert("tenant", rows["tenant"] | {"colour": "red"})
    with pytest.raises(ValueError, match="a value for code wanted"):
        effects.insert("tenant", {"id": 9, "name": "x", "created_at": 1})
    with pytest.raises(ValueError, match="2 values found, 8 wanted"):
        effects.insert("tenant", (1, "x"))
    with pytest.raises(ValueError, match="append-only"):
        effects.update("ledger_entry", 7, 51, amount=1)
    with pytest.raises(ValueError, match="append-only"):
        effects.delete("ledger_entry", 7, 51)
    with pytest.raises(ValueError, match="append-only"):
        effects.upsert("ruleset", rows["ruleset"], ("tenant_id", "version"))
