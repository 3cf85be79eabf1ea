"""Any life of a guest and a member, merged, parted and refunded, keeps the books right."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.cache.null import NullCache
from loyalty.clock import FixedClock, SystemClock
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.domain.registry import built_in
from loyalty.ledger_verifier import told
from loyalty.services.books.desk import Command, MemberChanged, Verdict
from loyalty.services.books.door import Door
from loyalty.services.members.erasure import Erase
from loyalty.services.members.merging import Merge, Unmerge
from loyalty.services.members.summary import Summaries
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.services.proof.ledger_export import export
from loyalty.services.rulesets import Rulesets
from loyalty.services.tenants import Tenants
from loyalty.storage.database import open_database
from loyalty.storage.statements import Sql

from .conftest import PROGRAM, START, NoCache, Shop

pytestmark = pytest.mark.anyio

NAMES = ("gus", "ann")
_files = count(1)

step = st.one_of(
    st.tuples(st.just("paid"), st.integers(0, 1), st.integers(1, 400)),
    st.tuples(st.just("spent"), st.integers(0, 1), st.integers(10, 60)),
    st.tuples(st.just("refund"), st.integers(0, 30), st.integers(1, 40)),
    st.tuples(st.just("refund"), st.integers(0, 30), st.just(0)),
    st.tuples(st.just("merge"), st.just(0), st.just(0)),
    st.tuples(st.just("part"), st.just(0), st.just(0)),
    st.tuples(st.just("wait"), st.integers(1, 400), st.just(0)),
)
Steps = list[tuple[str, int, int]]


async def nobody(changed: Sequence[MemberChanged]) -> None:
    return None


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Shop]:
    clock = FixedClock(START)
    async with await open_database(url, clock) as database:
        rulesets = Rulesets(database, NullCache(), built_in(), clock)
        tenant = await Tenants(database, clock).create("corner", "Corner")
        await rulesets.publish(tenant.id, PROGRAM, "test")
        door = Door(database, clock, rulesets.known, nobody)
        summaries = Summaries(database, clock, rulesets, NoCache())
        yield Shop(tenant.id, clock, database, door, rulesets, summaries)
        await door.drained()


async def alone(shop: Shop, command: Command) -> Verdict:
    (verdict,) = (await shop.door.execute(shop.tenant_id, [command])).verdicts
    return verdict


async def lived(shop: Shop, steps: Steps) -> None:
    """Whatever is refused is refused; nothing may break."""
    numbers, orders = count(1), list[str]()
    for name in NAMES:
        await shop.enrol(name)
    for what, pick, amount in steps:
        number = next(numbers)
        if what == "paid":
            orders.append(f"o-{number}")
            await shop.paid(orders[-1], NAMES[pick], amount * 100)
        elif what == "spent":
            offered = await shop.quote(NAMES[pick], f"c-{number}", amount * 100)
            held = await shop.reserve(offered)
            if held.outcome is not None:
                orders.append(f"o-{number}")
                await shop.commit(held.outcome["reservation"], orders[-1], offered.payable_minor)
        elif what == "refund" and orders:
            lines = (LineAsk("1", amount_minor=amount * 100),) if amount else None
            order = orders[pick % len(orders)]
            command = RefundOrder(shop.tenant_id, order, f"r-{number}", None, None, lines=lines)
            await shop.door.submit(command)
        elif what == "merge":
            await alone(shop, Merge(shop.tenant_id, None, "gus", "ann", "test"))
        elif what == "part":
            await alone(shop, Unmerge(shop.tenant_id, None, "gus", "test"))
        elif what == "wait":
            shop.clock.advance(timedelta(days=pick / 10))


async def assert_right(shop: Shop) -> None:
    """Our own check and the verifier that shares nothing with us."""
    assert await shop.problems() == []
    lines = b"".join([part async for part in export(shop.database, shop.tenant_id)])
    assert told(lines.splitlines(keepends=True), {}) == 0


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("laws") / "empty.sqlite3"

    async def made() -> None:
        await (await open_database(f"sqlite://{path}", SystemClock(), migrate=True)).close()

    asyncio.run(made())
    return path


def test_any_life_keeps_the_books_right(empty_file: Path, is_soak: bool) -> None:
    @given(steps=st.lists(step, min_size=4, max_size=25), is_erased=st.booleans())
    @settings(
        max_examples=500 if is_soak else 12,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    def law(steps: Steps, is_erased: bool) -> None:
        path = empty_file.with_name(f"law-{next(_files)}.sqlite3")
        shutil.copy(empty_file, path)

        async def checked() -> None:
            async with opened(f"sqlite://{path}") as shop:
                await lived(shop, steps)
                await assert_right(shop)
                if is_erased:
                    await alone(shop, Erase(shop.tenant_id, None, "ann", "test"))
                    await assert_right(shop)

        asyncio.run(checked())
        path.unlink()

    law()


async def test_merging_amid_checkouts_and_refunds(shop: Shop) -> None:
    """Two doors on one database, as two processes are: nothing is lost, nothing is stuck."""
    other = Door(shop.database, shop.clock, shop.rulesets.known, nobody)
    at = shop.clock.now() - timedelta(days=30)
    for name in NAMES:
        await shop.enrol(name)
    for number in range(20):
        await shop.paid(f"g-{number}", "gus", 1_000, at)

    async def merging() -> None:
        for _ in range(6):
            for command in (
                Merge(shop.tenant_id, None, "gus", "ann", "test"),
                Unmerge(shop.tenant_id, None, "gus", "test"),
            ):
                (verdict,) = (await other.execute(shop.tenant_id, [command])).verdicts
                assert verdict.refusal is None

    async def refunding() -> None:
        for number in range(0, 20, 2):
            verdict = await shop.refund(f"g-{number}", f"r-{number}")
            assert verdict.refusal is None

    async def buying() -> None:
        for number in range(10):
            verdict = await shop.paid(f"n-{number}", "gus", 1_000, at)
            assert verdict.refusal is None

    await asyncio.gather(merging(), refunding(), buying())

    await assert_right(shop)
    rows = await shop.database.read(
        Sql("SELECT COUNT(*) FROM shop_order WHERE tenant_id = $1")(shop.tenant_id)
    )
    assert rows == [(30,)]
    total = sum([(await shop.points(name))[0] for name in NAMES])
    assert total == 200
