"""The demo's balances and tiers, worked out a second time from the raw files.

Nothing of the engine is used here: the program's numbers are written down again, and the sums
are a few lines of whole numbers.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from import_shop import NOW, SHIFT_WEEKS, Shop, demo_mapping, opened_shop, receipts_of

from loyalty.cli.demo.data import data_folder
from loyalty.cli.demo.files import demo_files
from loyalty.connectors.mapping import Kind
from loyalty.services.members.summary import Summaries

NEW_YORK = ZoneInfo("America/New_York")
DOUBLE = {
    "APPLES", "BERRIES", "BROCCOLI/CAULIFLOWER", "CARROTS", "CITRUS", "GRAPES", "MELONS",
    "ORGANICS FRUIT & VEGETABLES", "PEARS", "PEPPERS-ALL", "SALAD MIX", "STONE FRUIT",
    "TOMATOES", "TROPICAL FRUIT", "VEGETABLES - ALL OTHERS",
}  # fmt: skip
NOTHING = {"CIGARETTES", "CIGARS", "TOBACCO OTHER"}
TIERS = [
    ("gold", 2_500, Fraction(3, 2)),
    ("silver", 850, Fraction(5, 4)),
    ("member", 0, Fraction(1)),
]


def cents(dollars: float) -> int:
    """Twenty amounts are 0 with a residue of some 1e-16; all others are whole cents."""
    return round(Fraction(repr(dollars)) * 100)


def tier_of(status: int) -> tuple[str, int, Fraction]:
    return next(tier for tier in TIERS if status >= tier[1])


def year_later(day: date) -> date:
    """The day after the same day of the next year, 29 February being the 28th there."""
    last = calendar.monthrange(day.year + 1, day.month)[1]
    return date(day.year + 1, day.month, min(day.day, last)) + timedelta(days=1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


def recomputed(transactions: Path, products: Path) -> dict[str, dict[str, object]]:
    """By household: points ever earned, available and pending now, status, tier."""
    table = pq.read_table(products, columns=["product_id", "product_category"])
    category = dict(zip(*(column.to_pylist() for column in table.columns), strict=True))
    columns = [
        "basket_id", "household_id", "product_id", "sales_value", "coupon_disc",
        "transaction_timestamp",
    ]  # fmt: skip
    baskets: dict[int, list[tuple[int, int]]] = defaultdict(list)
    head: dict[int, tuple[str, datetime]] = {}
    table = pq.read_table(transactions, columns=columns)
    for batch in table.to_batches(100_000):
        values = [batch.column(name).to_pylist() for name in columns]
        for basket, household, product, paid, coupon, at in zip(*values, strict=True):
            net = max(cents(paid) - cents(coupon), 0)
            group = category.get(product)
            baskets[basket].append((net, 2 if group in DOUBLE else 0 if group in NOTHING else 1))
            if basket not in head:
                when = at.to_pydatetime() if hasattr(at, "to_pydatetime") else at
                head[basket] = (str(household), when.replace(tzinfo=UTC))
    found: dict[str, dict[str, object]] = {}
    status: dict[str, int] = defaultdict(int)
    ever: dict[str, int] = defaultdict(int)
    available: dict[str, int] = defaultdict(int)
    pending: dict[str, int] = defaultdict(int)
    # As the file has them, which is by time.
    for basket, lines in baskets.items():
        household, at = head[basket]
        day = (at + timedelta(weeks=SHIFT_WEEKS)).astimezone(NEW_YORK).date()
        multiplier = tier_of(status[household])[2]
        weighted = sum(net * weight for net, weight in lines)
        points = int(Fraction(weighted * 10, 100) * multiplier)
        status[household] += sum(net for net, _ in lines) // 100
        ever[household] += points
        if midnight(day + timedelta(days=14)) > NOW:
            pending[household] += points
        elif midnight(year_later(day)) > NOW:
            available[household] += points
    for household in status:
        found[household] = {
            "status": status[household],
            "ever": ever[household],
            "available": available[household],
            "pending": pending[household],
            # Whoever falls below a threshold keeps the tier for 60 days, and no receipt is
            # older than a year and 60 days yet.
            "tier": tier_of(status[household])[0],
        }
    return found


async def booked(shop: Shop) -> dict[str, dict[str, object]]:
    """The same, as the engine has it: from its entries, and by its summaries."""
    earned = await shop.rows(
        """SELECT m.external_id, e.unit, SUM(e.amount)::bigint FROM member m
             JOIN ledger_transaction t ON t.tenant_id = m.tenant_id AND t.member_id = m.id
             JOIN ledger_entry e ON e.tenant_id = t.tenant_id AND e.transaction_id = t.id
            WHERE e.account = 'MEMBER' AND t.kind = 'EARN' GROUP BY m.external_id, e.unit"""
    )
    sums = {(name, unit): amount for name, unit, amount in earned}
    summaries = Summaries(shop.database, shop.clock, shop.rulesets, NoCache())
    found = {}
    for (name,) in await shop.rows("SELECT external_id FROM member"):
        member = await summaries.exact(shop.tenant.id, name)
        points = member.balance("points")
        found[name] = {
            "status": sums.get((name, "status"), 0),
            "ever": sums.get((name, "points"), 0),
            "available": points.available,
            "pending": points.pending,
            "tier": member.tier.current.code,
        }
    return found


class NoCache:
    """Every summary is read from the database."""

    async def get(self, tenant_id: int, member_id: int) -> bytes | None:
        return None

    async def put(self, tenant_id: int, member_id: int, version: int, value: bytes) -> None:
        return None


@pytest.mark.anyio
async def test_balances_and_tiers_are_those_of_the_raw_files(
    tmp_path: Path, sqlite_path: Path, is_soak: bool
) -> None:
    data = data_folder()
    households = None if is_soak else 60
    receipts = data / "transactions.parquet"
    if households is not None:
        receipts = receipts_of(households, tmp_path / "receipts.parquet")
    shop = await opened_shop(f"sqlite://{sqlite_path}", tmp_path)
    paths = demo_files(data, tmp_path / "demo", households)
    await shop.take(paths[Kind.PRODUCTS], Kind.PRODUCTS, demo_mapping(Kind.PRODUCTS))

    report = await shop.take(receipts, mapping=demo_mapping(Kind.ORDERS), shift_weeks=SHIFT_WEEKS)

    wanted = recomputed(receipts, data / "products.parquet")
    assert await booked(shop) == wanted
    assert report.taken == len(set(pq.read_table(receipts)["basket_id"].to_pylist()))
    if is_soak:
        assert (report.taken, len(wanted)) == (155_848, 2_469)
    await shop.database.close()
