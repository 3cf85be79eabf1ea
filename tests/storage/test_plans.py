"""How SQLite answers our statements: by a key, never by reading a tenant's whole table."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import loyalty.storage
from loyalty.storage.statements import Sql

# What reads a whole tenant, or a few rows of a small table, on purpose.
WHOLE = {
    "access.ISSUERS": "a handful",
    "access.TENANTS": "a handful",
    "access.ISSUER_OF_TENANT": "a handful",
    "access.API_KEYS": "a handful",
    "access.WEBHOOK_SOURCES": "a handful",
    "as_of.VERSION_AT": "a handful of versions",
    "catalogue.HIDDEN": "every product that not everybody may see",
    "catalogue.MATCHING": "what a filter leaves, once the best of a ranking were too few",
    "erasure.IMPORTS_TO_CHECK": "a handful",
    "erasure.ORDERS_AWAITED": "refunds of a tenant, once a member is erased",
    "imports.ORDERS_BOOKED": "the demo's banner, once at its start",
    "interactions.LINES_COUNT": "training",
    "interactions.POPULAR": "training",
    "members.COUNTS": "the merchant's overview",
    "metrics_summary": "sums over a tenant, for its merchant",
    "offers.PLANS_SINCE": "one row for each plan ever published",
    "offers.SALES": "scans its own list of a plan's members",
    "quotas.TIMED_OUT": "what open reservations hold",
    "roots.ENDS_BEFORE": "scans its own list of the holders of a page",
    "roots.ROOTS": "one row a day, for an export",
    "rulesets.HISTORY": "a handful",
    "verify.GIFTS_WRONG": "verifies a whole ledger",
    "verify.ORDERS_WRONG": "verifies a whole ledger",
    "verify.ORPHANS": "verifies a whole ledger",
    "verify.REFUNDS_OVERLOOKED": "verifies a whole ledger",
    "verify.RESERVATIONS_WRONG": "verifies a whole ledger",
}


def statements() -> Iterator[tuple[str, Sql]]:
    for module in pkgutil.iter_modules(loyalty.storage.__path__):
        if not module.ispkg:
            found = importlib.import_module(f"loyalty.storage.{module.name}")
            for name, value in vars(found).items():
                if isinstance(value, Sql) and not name.startswith("_"):
                    yield f"{module.name}.{name}", value


ALL = dict(statements())


def plan(file: Path, statement: Sql) -> list[str]:
    """The plan's searches and scans of our own tables."""
    connection = sqlite3.connect(file)
    parameters = max(map(int, re.findall(r"\?(\d+)", statement.sqlite)), default=0)
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement.sqlite}", ["[1]"] * parameters)
    steps = [row[3] for row in rows]
    connection.close()
    return [step for step in steps if re.match(r"SEARCH|SCAN (?!json_each|CONSTANT)", step)]


@pytest.mark.parametrize("name", ALL)
def test_a_statement_finds_its_rows_by_a_key(migrated_file: Path, name: str) -> None:
    steps = plan(migrated_file, ALL[name])

    whole = [step for step in steps if step.startswith("SCAN") or step.endswith("(tenant_id=?)")]
    assert bool(whole) <= (name in WHOLE or name.partition(".")[0] in WHOLE), (
        f"{steps}: wanted a search by more than the tenant; what has to read a whole table "
        "goes to WHOLE, with its reason"
    )


def test_no_statement_needs_a_later_sqlite() -> None:
    """The least version is 3.37; ``->`` and ``->>`` came with 3.38."""
    assert [name for name, statement in ALL.items() if "->" in statement.sqlite] == []


def test_every_exception_still_exists() -> None:
    assert WHOLE.keys() <= ALL.keys() | {name.partition(".")[0] for name in ALL}


def test_statistics_are_of_indexes_that_exist(migrated_file: Path) -> None:
    connection = sqlite3.connect(migrated_file)
    told = {row[0] for row in connection.execute("SELECT idx FROM sqlite_stat1")}
    # The primary key of a table without rowid is called like the table.
    there = {
        name
        for name, table, sql in connection.execute("SELECT name, tbl_name, sql FROM sqlite_master")
        if table != "tortoise_migrations"
        and (name.startswith("sqlite_autoindex") or re.search(r"CREATE INDEX|WITHOUT", sql or ""))
    }
    connection.close()

    assert told == there - {"sqlite_autoindex_tenant_1"}
