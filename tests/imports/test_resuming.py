"""An import that is stopped, killed or repeated books every order once."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from import_shop import SHIFT_WEEKS, Shop, demo_mapping, joined_shop, opened_shop, receipts_of

from loyalty.connectors.mapping import Kind, Mapping
from loyalty.connectors.orders import OrderReading
from loyalty.errors import BadInput, Conflict, Unavailable
from loyalty.services.imports.imports import ImportFile, ImportStep

STATE = {
    "accounts": """SELECT m.external_id, a.unit, a.balance, a.deficit
        FROM account a JOIN member m ON m.tenant_id = a.tenant_id AND m.id = a.member_id""",
    "members": """SELECT external_id, state, seq, settled_at, next_change_at, tier, tier_since,
        tier_grace_until FROM member""",
    "lots": """SELECT m.external_id, l.unit, l.amount, l.remaining, l.reversed, l.expired,
        l.earned_at, l.available_at, l.ends_at, o.external_id
        FROM lot l JOIN member m ON m.tenant_id = l.tenant_id AND m.id = l.member_id
        JOIN shop_order o ON o.tenant_id = l.tenant_id AND o.id = l.order_id""",
    "tier changes": """SELECT m.external_id, t.at, t.tier_from, t.tier_to, t.reason
        FROM tier_change t JOIN member m ON m.tenant_id = t.tenant_id AND m.id = t.member_id""",
    "orders": """SELECT o.external_id, m.external_id, o.total_minor, o.discount_minor,
        o.points_earned, o.tier, o.occurred_at
        FROM shop_order o JOIN member m ON m.tenant_id = o.tenant_id AND m.id = o.member_id""",
    "lines": """SELECT o.external_id, l.line, l.product, l.quantity, l.amount_minor,
        l.discount_minor
        FROM order_line l JOIN shop_order o ON o.tenant_id = l.tenant_id AND o.id = l.order_id""",
    "entries": """SELECT m.external_id, t.seq, t.kind, e.account, e.unit, e.amount
        FROM ledger_entry e
        JOIN ledger_transaction t ON t.tenant_id = e.tenant_id AND t.id = e.transaction_id
        JOIN member m ON m.tenant_id = t.tenant_id AND m.id = t.member_id""",
}
"""Everything an import books, without the ids and hashes that differ from run to run."""


async def state(shop: Shop) -> dict[str, list[Any]]:
    return {name: sorted(await shop.rows(text), key=repr) for name, text in STATE.items()}


@pytest.mark.anyio
async def test_what_is_booked_does_not_depend_on_the_size_of_a_unit(
    tmp_path: Path, is_soak: bool
) -> None:
    receipts = receipts_of(500 if is_soak else 3, tmp_path / "receipts.parquet")
    found = []
    for per_unit in (1, 7, 500):
        shop = await opened_shop(f"sqlite://{tmp_path}/{per_unit}.sqlite3", tmp_path)
        await shop.take(
            receipts, mapping=demo_mapping(Kind.ORDERS), shift_weeks=SHIFT_WEEKS,
            per_unit=per_unit,
        )  # fmt: skip
        found.append(await state(shop))
        await shop.database.close()

    assert found[0] == found[1] == found[2]
    assert found[0]["tier changes"]


def written(path: Path, orders: int, *, bad_every: int) -> Path:
    """Orders of a few members over a year, two lines each; some lines cannot be."""
    at = datetime(2025, 12, 1, tzinfo=UTC)
    with path.open("w") as file:
        file.write("order,member,product,quantity,amount,occurredAt\n")
        for number in range(orders):
            when = (at + timedelta(hours=number)).isoformat()
            for line in range(2):
                amount = "much" if (2 * number + line) % bad_every == 0 else f"{number % 90}.50"
                file.write(f"o{number},m{number % 11},p{line},1,{amount},{when}\n")
    return path


PROCESS = """
import asyncio, sys
from pathlib import Path
from import_shop import joined_shop
async def main():
    shop = await joined_shop(sys.argv[1], Path(sys.argv[3]))
    print("ready", flush=True)
    await shop.take(Path(sys.argv[2]), per_unit=20)
    await shop.database.close()
asyncio.run(main())
"""


def kill(url: str, path: Path, folder: Path, *, after_s: float) -> None:
    """Begin or go on with the import in a process, and kill that."""
    with subprocess.Popen(
        [sys.executable, "-c", PROCESS, url, str(path), str(folder)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1] / "support")},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after_s)
        process.kill()


@pytest.mark.anyio
async def test_killed_again_and_again_an_import_books_every_order_once(
    tmp_path: Path, is_soak: bool
) -> None:
    orders = 3_000
    path = written(tmp_path / "orders.csv", orders, bad_every=37)
    url = f"sqlite://{tmp_path}/killed.sqlite3"
    shop = await opened_shop(url, tmp_path)
    await shop.database.close()
    dice = random.Random(7)
    for _ in range(50 if is_soak else 6):
        kill(url, path, tmp_path, after_s=dice.uniform(0.02, 0.25))
    shop = await joined_shop(url, tmp_path)
    seen = [row[0] for row in await shop.rows("SELECT rows_done FROM import_run")]
    report = await shop.take(path, per_unit=20)
    whole = await opened_shop(f"sqlite://{tmp_path}/whole.sqlite3", tmp_path / "whole")
    (tmp_path / "whole").mkdir()
    await whole.take(path, per_unit=500)

    assert seen[0] > 0
    assert await state(shop) == await state(whole)
    assert shop.rejected(path) == whole.rejected(path)
    assert report.run.accepted + report.run.rejected == report.run.rows_done == 2 * orders
    assert report.run.rejected == len(shop.rejected(path)) > 0
    await shop.database.close()
    await whole.database.close()


GO_ON = """
import os, sys
from pathlib import Path
from loyalty.services.imports.rejects import RejectsFile
path, steps = sys.argv[1], int(sys.argv[2])
def step(event, args):
    global steps
    if event in ("open", "os.remove", "os.rename", "os.truncate") and path in str(args[0]):
        steps -= 1
        if steps < 0:
            os._exit(9)
sys.addaudithook(step)
RejectsFile(Path(path), ("order",)).go_on(2)
"""


def test_a_kill_while_going_on_loses_no_line_of_what_was_refused(tmp_path: Path) -> None:
    """Killed before its first use of the file, its second, and so on until it has done with it."""
    path = tmp_path / "orders.csv.rejected.csv"
    head = "rejected_line,rejected_code,rejected_reason,rejected_row,order\n"
    kept, stopped = "2,quantity_zero,none,0,o1\n", "4,quantity_zero,none,2,o3\n"
    statuses = []
    while 0 not in statuses:
        path.write_text(head + kept + stopped)
        killed = [sys.executable, "-c", GO_ON, str(path), str(len(statuses))]
        statuses.append(subprocess.run(killed, check=False).returncode)

        assert kept in path.read_text(), statuses

    assert set(statuses[:-1]) == {9}
    assert path.read_text() == head + kept
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.anyio
async def test_a_complete_import_is_left_alone(shop: Shop, tmp_path: Path) -> None:
    path = written(tmp_path / "orders.csv", 40, bad_every=9)
    first = await shop.take(path, shift_weeks=0)
    before, rejected = await state(shop), shop.rejected(path)

    again = await shop.take(path)

    assert (first.taken, first.was_complete) == (40, False)
    assert (again.taken, again.was_complete, again.run) == (0, True, first.run)
    assert await state(shop) == before
    assert shop.rejected(path) == rejected


@pytest.mark.anyio
async def test_another_shift_of_the_same_file_is_refused(shop: Shop, tmp_path: Path) -> None:
    path = written(tmp_path / "orders.csv", 5, bad_every=99)
    await shop.take(path, shift_weeks=-2)

    with pytest.raises(Conflict, match="shifted by -2 weeks, found 0"):
        await shop.take(path, shift_weeks=0)

    assert (await shop.take(path)).was_complete


@pytest.mark.anyio
async def test_an_order_told_twice_is_booked_once_and_a_differing_one_reported(
    shop: Shop, tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    head = "order,member,product,quantity,amount,occurredAt\n"
    one = "o1,anna,tea,1,3.50,2026-11-01T10:00:00Z\n"
    path.write_text(head + one + "o2,anna,tea,1,1.00,2026-11-02T10:00:00Z\n" + one)
    first = await shop.take(path)
    other = tmp_path / "other.csv"
    other.write_text(
        head + one
        + "o2,anna,tea,2,2.00,2026-11-02T10:00:00Z\n"
        + "o1,berta,tea,1,3.50,2026-11-01T10:00:00Z\n"
        + "o3,,tea,1,1.00,2026-11-02T10:00:00Z\n"
    )  # fmt: skip

    second = await shop.take(other)

    assert (first.taken, first.known, first.refused) == (2, 1, {})
    assert (second.taken, second.known, second.refused) == (1, 3, {"order_differs": 2})
    assert shop.rejected(other) == [
        '3,order_differs,"order o2: found a total of 2.00 USD, but it is booked already with '
        '1.00 USD",1',
        '4,order_differs,"order o1: found another member, but it is booked already",2',
    ]
    assert sorted(await shop.rows("SELECT external_id, total_minor FROM shop_order")) == [
        ("o1", 350), ("o2", 100), ("o3", 100),
    ]  # fmt: skip


class Stop(Exception):
    """Somebody pressed Ctrl-C."""


@pytest.mark.anyio
async def test_an_import_stopped_in_between_goes_on_where_it_was(
    shop: Shop, tmp_path: Path
) -> None:
    path = written(tmp_path / "orders.csv", 100, bad_every=10**6)
    steps: list[ImportStep] = []

    def stop(step: ImportStep) -> None:
        steps.append(step)
        if step.taken >= 30:
            raise Stop

    file = ImportFile(Kind.ORDERS, path, Mapping(), tmp_path / "rejected.csv", per_unit=10)
    with pytest.raises(Stop):
        await shop.imports.take(shop.tenant.id, file, stop)
    report = await shop.imports.take(shop.tenant.id, file, lambda _: None)

    # The first line of the file cannot be; the order has another.
    assert [(step.rows_done, step.taken) for step in steps] == [(20, 10), (40, 20), (60, 30)]
    assert (report.went_on_from, report.taken, report.run.rows_done) == (60, 70, 200)
    assert len(await shop.rows("SELECT id FROM shop_order")) == 100


@pytest.mark.anyio
async def test_a_large_file_is_read_in_a_process_that_ends_with_the_import(
    sqlite_shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty.services.imports.imports.LARGE_BYTES", 1)
    path = written(tmp_path / "orders.csv", 60, bad_every=10**6)

    report = await sqlite_shop.take(path, per_unit=10)

    assert report.taken == 60
    broken = tmp_path / "broken.parquet"
    whole = receipts_of(2, tmp_path / "whole.parquet").read_bytes()
    broken.write_bytes(whole[:4] + bytes(40_000) + whole[40_004:])
    with pytest.raises(BadInput, match="broken"):
        await sqlite_shop.take(broken, mapping=demo_mapping(Kind.ORDERS))


@pytest.mark.anyio
async def test_a_database_that_is_away_stops_the_import_and_loses_nothing(
    sqlite_shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "orders.csv", 30, bad_every=10**6)
    execute, calls = sqlite_shop.imports._door.execute, 0

    async def away(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Unavailable("the database is away; try again")
        return await execute(*args, **kwargs)

    monkeypatch.setattr(sqlite_shop.imports._door, "execute", away)
    with pytest.raises(Unavailable):
        await sqlite_shop.take(path, per_unit=10)
    report = await sqlite_shop.take(path, per_unit=10)

    assert (report.went_on_from, report.taken) == (20, 20)


def test_reading_is_handed_to_another_process_whole(tmp_path: Path) -> None:
    import pickle

    reading = OrderReading(
        written(tmp_path / "orders.csv", 3, bad_every=99), Mapping(), "USD", "UTC", 0,
        datetime(2026, 12, 5, tzinfo=UTC), 2,
    )  # fmt: skip

    blocks = list(pickle.loads(pickle.dumps(reading)).blocks(0))

    assert [[order.external_id for order in block.items] for block in blocks] == [
        ["o0", "o1"], ["o2"],
    ]  # fmt: skip
    assert [block.rows_done for block in blocks] == [4, 6]


@pytest.mark.anyio
async def test_a_cancelled_import_ends_its_reader_and_can_go_on(
    sqlite_shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty.services.imports.imports.LARGE_BYTES", 1)
    path = written(tmp_path / "orders.csv", 2_000, bad_every=10**6)
    file = ImportFile(Kind.ORDERS, path, Mapping(), tmp_path / "rejected.csv", per_unit=10)
    begun = asyncio.Event()
    shop = sqlite_shop
    importing = asyncio.create_task(shop.imports.take(shop.tenant.id, file, lambda _: begun.set()))
    await begun.wait()
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing

    assert multiprocessing.active_children() == []
    report = await shop.imports.take(shop.tenant.id, file, lambda _: None)
    assert 0 < report.went_on_from < 4_000
    assert len(await shop.rows("SELECT id FROM shop_order")) == 2_000
