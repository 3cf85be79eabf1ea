"""An open, migrated database on either engine, and one valid row of every table."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from loyalty.cli.embedded import PostgresServer
from loyalty.clock import SystemClock
from loyalty.storage.database import Database, open_database
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Unit

_numbers = itertools.count(1)
HASH = bytes(range(32))

ROWS: dict[str, dict[str, Any]] = {
    "tenant": {"id": 7, "code": "demo", "name": "Demo", "created_at": 1},
    "ruleset": {
        "id": 7_000_001, "tenant_id": 7, "version": 1, "source": "[program]", "hash": "0" * 64,
        "published_at": 1, "published_by": "test",
    },
    "token_issuer": {"id": 1, "tenant_id": 7, "issuer": "https://shop", "algorithm": "RS256"},
    "api_key": {
        "id": 2, "tenant_id": 7, "key_id": "abc", "name": "checkout", "secret_hash": "0" * 64,
        "scopes": "checkout:write", "created_at": 1,
    },
    "webhook_source": {
        "id": 3, "tenant_id": 7, "source": "src", "kind": "generic", "created_at": 1
    },
    "member": {
        "id": 10, "tenant_id": 7, "external_id": "anna", "state": "ACTIVE", "name": "Анна ✿",
        "consent_email": True, "joined_at": 1, "hash": HASH, "settled_at": 1, "booked_at": 1,
        "next_change_at": 2**53, "tier": "basic", "tier_since": 1,
    },
    "tier_change": {
        "id": 11, "tenant_id": 7, "member_id": 10, "at": 1, "tier_to": "gold",
        "reason": "QUALIFIED",
    },
    "member_merge": {
        "id": 12, "tenant_id": 7, "source_id": 10, "target_id": 10, "state": "MERGED",
        "moved": "{}", "merged_at": 1,
    },
    "experiment": {
        "id": 70, "tenant_id": 7, "control": "a", "candidate": "b", "share_bp": 2_000,
        "running": 1, "started_at": 2, "started_by": "clerk",
    },
    "experiment_member": {
        "id": 71, "tenant_id": 7, "experiment_id": 70, "member_id": 10, "variant": "CONTROL",
        "first_at": 3,
    },
    "recommendation_event": {
        "id": 72, "tenant_id": 7, "recommendation": 5, "type": "CLICK", "product": "p",
        "position": 1, "window_code": "FOR_YOU", "model": "a", "variant": "CONTROL",
        "experiment_id": 70, "member_id": 10, "occurred_at": 3, "booked_at": 3,
    },
    "recommendation_day": {
        "id": 73, "tenant_id": 7, "day": "2026-03-01", "window_code": "FOR_YOU", "model": "a",
        "variant": "CONTROL", "impressions": 1, "clicks": 0, "carts": 0,
    },
    "recommendation_purchase": {
        "id": 75, "tenant_id": 7, "recommendation": 5, "product": "p", "order_external_id": "o-1",
        "window_code": "FOR_YOU", "model": "a", "variant": "CONTROL", "experiment_id": 70,
        "answered_at": 3, "booked_at": 3,
    },
    "recommendation_sale": {
        "id": 74, "tenant_id": 7, "order_id": 40, "product": "p", "day": "2026-03-01",
        "recommendation": 5, "touch": "CLICK", "touched_at": 3, "window_code": "FOR_YOU",
        "model": "a", "variant": "CONTROL", "experiment_id": 70, "currency": "EUR",
        "quantity": 1, "sales_minor": 100, "attributed_at": 4,
    },
    "offer_plan": {
        "id": 75, "tenant_id": 7, "key": "k", "state": "PUBLISHED", "ruleset_version": 1,
        "planned_at": 2, "starts_at": 3, "published_at": 4, "figures": "{}",
        "published_by": "clerk",
    },
    "member_offer": {
        "id": 76, "tenant_id": 7, "plan_id": 75, "place": 0, "member_id": 10, "offer": "fresh",
        "target": "tea", "state": "OFFERED", "starts_at": 3, "ends_at": 9, "uses_max": 1,
        "use_ppm": 300_000, "cost_minor": 50, "reason": "{}",
    },
    "product": {
        "id": 20, "tenant_id": 7, "external_id": "p-1", "name": "Tea", "price_minor": 1299,
        "currency": "EUR", "cost_minor": 700, "stock": 5, "changed_at": 1,
    },
    "reservation": {
        "id": 30, "tenant_id": 7, "member_id": 10, "cart_id": "c-1", "state": "COMMITTED",
        "quote": "{}", "order_id": 40, "created_at": 1, "expires_at": 2,
        "extended_until_max": 3,
    },
    "shop_order": {
        "id": 40, "tenant_id": 7, "external_id": "o-1", "member_id": 10, "state": "PAID",
        "source": "generic", "currency": "EUR", "total_minor": 1299, "reservation_id": 30,
        "ruleset_version": 1, "context": "{}", "occurred_at": 1, "booked_at": 1,
    },
    "order_line": {
        "id": 41, "tenant_id": 7, "order_id": 40, "line": 0, "product": "p-1", "quantity": 1,
        "amount_minor": 1299,
    },
    "order_refund": {
        "id": 42, "tenant_id": 7, "external_id": "r-1", "order_external_id": "o-1",
        "order_id": 40, "state": "BOOKED", "occurred_at": 1, "booked_at": 1,
    },
    "ledger_transaction": {
        "id": 50, "tenant_id": 7, "member_id": 10, "seq": 1, "kind": "EARN", "order_id": 40,
        "ruleset_version": 1, "effective_at": 1, "booked_at": 1, "hash": HASH,
    },
    "lot": {
        "id": 60, "tenant_id": 7, "member_id": 10, "unit": "points", "amount": 100,
        "remaining": 90, "reversed": 0, "expired": 0, "earned_at": 1, "available_at": 1,
        "ends_at": 2**53, "order_id": 40,
    },
    "ledger_entry": {
        "id": 51, "tenant_id": 7, "transaction_id": 50, "account": "MEMBER", "unit": "points",
        "amount": 100, "lot_id": 60, "available_at": 1, "expires_at": 2**53,
    },
    "account": {
        "id": 61, "tenant_id": 7, "member_id": 10, "unit": "points", "balance": 90, "deficit": 0
    },
    "draw": {
        "id": 70, "tenant_id": 7, "reservation_id": 30, "lot_id": 60, "unit": "points",
        "amount": 10, "holder_id": 10,
    },
    "lot_reversal": {
        "id": 62, "tenant_id": 7, "lot_id": 60, "amount": 5, "effective_at": 1, "booked_at": 1,
    },
    "transaction_note": {"id": 50, "tenant_id": 7, "reason": "a note"},
    "ledger_root": {
        "id": 71, "tenant_id": 7, "day": "2026-03-01", "root": HASH, "holders": 1,
        "transactions": 1, "made_at": 1,
    },
    "quota": {"id": 72, "tenant_id": 7, "kind": "COUPON", "subject": "TEN", "total_max": 10},
    "quota_use": {
        "id": 73, "tenant_id": 7, "quota_id": 72, "member_id": 10, "reservation_id": 30,
        "state": "HELD", "expires_at": 2,
    },
    "coupon": {
        "id": 72, "tenant_id": 7, "code": "TEN", "reward": "ten-off", "member_id": 10,
        "starts_at": 1, "ends_at": 2, "state": "ISSUED", "created_at": 1, "created_by": "test",
    },
    "gift_card": {
        "id": 74, "tenant_id": 7, "code_hash": "0" * 64, "last4": "WXYZ", "holder_id": 10,
        "currency": "EUR", "initial_minor": 1, "state": "ACTIVE", "created_at": 1,
        "created_by": "test",
    },
    "adjustment": {
        "id": 75, "tenant_id": 7, "member_id": 10, "unit": "points", "amount": 5,
        "state": "BOOKED", "proposed_by": "test", "transaction_id": 50, "created_at": 1,
    },
    "audit_event": {
        "id": 76, "tenant_id": 7, "at": 1, "actor": "test", "action": "rulesetPublish",
        "subject_kind": "ruleset", "subject_id": "1", "detail": "{}",
    },
    "idempotency": {
        "id": 80, "tenant_id": 7, "client": "shop", "operation": "checkoutCommit", "key": "k",
        "body_hash": "0" * 64, "outcome": "{}", "created_at": 1,
    },
    "inbox": {
        "id": 81, "tenant_id": 7, "source": "src", "delivery": "d-1", "event": "order.paid",
        "body_hash": "0" * 64, "outcome": "BOOKED", "received_at": 1,
    },
    "import_run": {
        "id": 83, "tenant_id": 7, "kind": "orders", "file_hash": "0" * 64, "rows_done": 3,
        "accepted": 2, "rejected": 1, "is_complete": False, "started_at": 1, "updated_at": 1,
    },
}  # fmt: skip
"""One valid row of every table but ``id_lease``, which has its only row already."""


@pytest.fixture(scope="session")
def rows() -> dict[str, dict[str, Any]]:
    return {table: dict(row) for table, row in ROWS.items()}


def everything() -> Unit[None]:
    effects = Effects()
    for table, row in ROWS.items():
        effects.insert(table, row)
    yield effects


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def migrated_url_of_module(request: pytest.FixtureRequest) -> Iterator[str]:
    """Url of a database with the schema and no rows, for the tests of one module."""
    if request.param == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("copy")
        shutil.copy(request.getfixturevalue("migrated_file"), folder / "loyalty.sqlite3")
        yield f"sqlite://{folder / 'loyalty.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"storage_{next(_numbers)}"
    yield server.create_database(name, template=request.getfixturevalue("migrated_name"))
    server.drop_database(name)


@pytest.fixture(scope="module")
async def untouched(migrated_url_of_module: str) -> AsyncIterator[Database]:
    """With the schema and no rows, for tests that leave none."""
    async with await open_database(migrated_url_of_module, SystemClock()) as opened:
        yield opened


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """Open, with the schema and no rows, once on each of both engines."""
    async with await open_database(migrated_url, SystemClock()) as opened:
        yield opened


@pytest.fixture
async def filled(database: Database) -> Database:
    """With one row in every table."""
    await database.write(everything)
    return database
