"""Roots, exports and the verifier from the command line."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from command_line import CommandLine
from corner_program import CORNER

from loyalty.cache.null import NullCache
from loyalty.clock import FixedClock
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.registry import built_in
from loyalty.services.books.door import Door
from loyalty.services.orders.orders import BookOrder
from loyalty.services.rulesets import Rulesets
from loyalty.services.tenants import Tenants
from loyalty.storage.database import open_database


async def booked(url: str) -> None:
    """A shop that was visited twice, on the first of March."""
    clock = FixedClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    async with await open_database(url, clock) as database:
        rulesets = Rulesets(database, NullCache(), built_in(), clock)
        tenant = await Tenants(database, clock).create("corner", "Corner")
        await rulesets.publish(tenant.id, CORNER, "test")

        async def told(changed: object) -> None:
            return None

        door = Door(database, clock, rulesets.known, told)
        for number in range(2):
            at = clock.now() - timedelta(hours=number)
            lines = (OrderLine("tea", 1, 9_900),)
            paid = PaidOrder(f"o-{number}", f"m-{number}", "EUR", lines, at)
            await door.submit(BookOrder(tenant.id, paid, "test"))


@pytest.fixture
def shop(loyalty: CommandLine) -> CommandLine:
    asyncio.run(booked(loyalty.environment["LOYALTY_DATABASE_URL"]))
    return loyalty


def test_what_is_exported_verifies_against_the_root_printed_before(shop: CommandLine) -> None:
    none = shop.ok("ledger", "export")
    root = shop.ok("ledger", "root")
    again = shop.ok("ledger", "root", "--json")
    verifier, file = shop.folder / "verifier.py", shop.folder / "ledger.jsonl"
    verifier.write_text(shop.ok("ledger", "verifier").out, encoding="utf-8")
    shop.ok("ledger", "export", "--output", file)

    def check(*roots: str) -> subprocess.CompletedProcess[str]:
        given = [f"--root={root}" for root in roots]
        command = [sys.executable, "-I", verifier, file, *given]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    (published,) = root.lines
    day, _, digits = published.partition(":")
    assert root.error == "1 roots made\n"
    assert again.json == [{"day": day, "root": digits, "holders": 2, "transactions": 2}]
    assert len(none.lines) + 1 == len(file.read_text(encoding="utf-8").splitlines())
    assert not list(shop.folder.glob("*.part"))
    assert check(published).returncode == 0
    assert check(f"{day}:{'0' * 64}").returncode == 1
    assert "2 holders, 2 transactions, 8 entries" in check().stdout
    assert shop.ok("jobs", "run", "roots").out == "corner: 0 roots made\n"


def test_before_a_day_has_ended_there_is_no_root(loyalty: CommandLine) -> None:
    loyalty.ok("tenant", "create", "new", "--name", "New")

    root = loyalty.ok("ledger", "root")

    assert (root.out, root.error) == (
        "", "0 roots made\nthere is none yet: no day has ended since the first booking\n"
    )  # fmt: skip
    assert len(loyalty.ok("ledger", "export").lines) == 2
