"""Days are closed before their roots are made, and nothing is booked into a closed day."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from loyalty.domain.books.ledger import micros
from loyalty.domain.books.merkle import BEFORE_ALL, Summit, Tree, leaf_of, root_hash
from loyalty.errors import Unavailable
from loyalty.jobs.roots import make_roots
from loyalty.services.proof.roots import Roots
from loyalty.services.tenants import Tenants
from loyalty.storage import roots as sql
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Sql, Unit

from .conftest import Shop

pytestmark = pytest.mark.anyio

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
"""After the shop's first day, which began at noon."""
BOOKED = Sql("SELECT booked_at FROM ledger_transaction WHERE tenant_id = $1 ORDER BY id")


def roots_of(shop: Shop) -> Roots:
    return Roots(shop.database, shop.clock)


async def booked_at(shop: Shop) -> list[int]:
    return [row[0] for row in await shop.database.read(BOOKED(shop.tenant_id))]


@pytest.mark.parametrize(
    ("at", "days"),
    [
        (MIDNIGHT, []),
        (MIDNIGHT + timedelta(minutes=4, seconds=59), []),
        (MIDNIGHT + timedelta(minutes=5), ["2026-03-01"]),
        (MIDNIGHT + timedelta(days=1), ["2026-03-01"]),
        (MIDNIGHT + timedelta(days=1, minutes=5), ["2026-03-02"]),
    ],
)
async def test_the_first_root_is_that_of_the_last_day_that_is_over(
    shop: Shop, at: datetime, days: list[str]
) -> None:
    await shop.paid("o-1", "ann", 10_000)
    shop.clock.set(at)

    made = await roots_of(shop).make(shop.tenant_id)

    assert [root.day.isoformat() for root in made] == days


async def test_after_the_first_every_day_has_one_each_on_top_of_the_one_before(
    shop: Shop,
) -> None:
    roots = roots_of(shop)
    await shop.paid("o-1", "ann", 10_000)
    shop.clock.advance(timedelta(days=1))
    await roots.make(shop.tenant_id)
    await shop.paid("o-2", "bob", 10_000)
    shop.clock.advance(timedelta(days=3))

    made = await roots.make(shop.tenant_id)
    again = await roots.make(shop.tenant_id)

    listed = await roots.newest(shop.tenant_id, 9)
    assert again == []
    assert [(root.day.day, root.holders, root.transactions) for root in reversed(listed)] == [
        (1, 1, 1), (2, 2, 2), (3, 2, 2), (4, 2, 2),
    ]  # fmt: skip
    assert made == listed[2::-1]
    previous = BEFORE_ALL
    for root in reversed(listed):
        ends = [end async for page in roots.ends(shop.tenant_id, root.day) for end in page]
        top = Tree(leaf_of(shop.tenant_id, end) for end in ends).top
        summit = Summit(top, root.holders, root.transactions)
        assert root.root == root_hash(shop.tenant_id, root.day, summit, previous)
        previous = root.root


async def test_a_clock_that_is_behind_books_at_the_end_of_the_closed_day(shop: Shop) -> None:
    roots = roots_of(shop)
    await shop.paid("o-1", "ann", 10_000)
    shop.clock.set(MIDNIGHT + timedelta(minutes=5))
    await roots.make(shop.tenant_id)
    shop.clock.set(MIDNIGHT - timedelta(minutes=30))

    await shop.paid("o-2", "bob", 10_000)
    await shop.paid("o-3", "ann", 10_000)

    assert (await booked_at(shop))[1:] == [micros(MIDNIGHT)] * 2
    ends = [e async for page in roots.ends(shop.tenant_id, date(2026, 3, 1)) for e in page]
    assert [end.seq for end in ends] == [1]
    assert await shop.problems() == []


async def test_a_root_that_the_chains_do_not_lead_to_is_told(shop: Shop) -> None:
    await shop.paid("o-1", "ann", 10_000)
    shop.clock.advance(timedelta(days=1))
    (root,) = await roots_of(shop).make(shop.tenant_id)

    def invented() -> Unit[None]:
        effects = Effects()
        row = {"id": 1, "tenant_id": shop.tenant_id, "day": "2026-03-02", "root": root.root}
        effects.insert("ledger_root", row | {"holders": 1, "transactions": 1, "made_at": 1})
        yield effects

    before = await shop.problems()
    await shop.database.write(invented)

    assert before == []
    assert await shop.problems() == ["root of 2026-03-02: the chains do not lead to it any more"]


async def test_nothing_booked_is_no_root(shop: Shop) -> None:
    await shop.enrol("ann")
    shop.clock.advance(timedelta(days=3))

    assert await roots_of(shop).make(shop.tenant_id) == []


async def test_two_that_make_the_same_root_make_it_once(shop: Shop) -> None:
    await shop.paid("o-1", "ann", 10_000)
    shop.clock.advance(timedelta(days=1))

    made = await asyncio.gather(*(roots_of(shop).make(shop.tenant_id) for _ in range(3)))

    assert sum(map(len, made)) == 1
    assert len(await roots_of(shop).newest(shop.tenant_id, 9)) == 1


async def test_a_tenants_roots_are_its_own(shops: tuple[Shop, Shop]) -> None:
    shop, other = shops
    await shop.paid("o-1", "ann", 10_000)
    await other.paid("o-1", "ann", 10_000)
    shop.clock.advance(timedelta(days=1))

    made = await make_roots(Tenants(shop.database, shop.clock), roots_of(shop))

    assert made == {"corner": 1, "other": 1}
    (one,), (two,) = [await roots_of(shop).newest(each.tenant_id, 9) for each in shops]
    assert one.root != two.root


async def test_a_transaction_from_before_holds_the_day_open(
    shop: Shop,
) -> None:
    if shop.database.dialect == "sqlite":
        # There whoever writes has the file to itself, so nothing can be under way.
        assert await shop.database.read(sql.UNDER_WAY()) == []
        return
    await shop.paid("o-1", "ann", 10_000)
    shop.clock.advance(timedelta(days=1))
    impatient = Roots(shop.database, shop.clock, wait_max=timedelta(milliseconds=300))
    elsewhere = await asyncpg.connect(shop.database._url)
    slow = elsewhere.transaction()
    await slow.start()
    await elsewhere.execute("SELECT 1")

    with pytest.raises(Unavailable, match="still open"):
        await impatient.make(shop.tenant_id)
    early = await roots_of(shop).newest(shop.tenant_id, 9)
    await slow.rollback()
    made = await roots_of(shop).make(shop.tenant_id)
    await elsewhere.close()

    assert early == []
    assert len(made) == 1
