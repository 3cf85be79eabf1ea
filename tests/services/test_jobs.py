"""Jobs, run once each."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from habits import paid_order, products, visits

from loyalty.cache import open_cache
from loyalty.errors import Unavailable
from loyalty.jobs.periodic import repeated, running
from loyalty.jobs.settling import settle_due
from loyalty.jobs.training import train_all
from loyalty.services.books import settling as settling_module
from loyalty.services.books.desk import MemberChanged
from loyalty.services.books.settling import Settling
from loyalty.services.catalogue import Catalogue
from loyalty.services.orders.orders import BookOrder
from loyalty.services.recommendations.training import Trainer
from loyalty.services.tenants import Tenants
from loyalty.storage.statements import Sql
from loyalty_recommender import artifact
from loyalty_recommender.card import Card

from .conftest import Shop

pytestmark = pytest.mark.anyio

STATES = Sql("SELECT state FROM reservation WHERE tenant_id = $1")


class Sweep:
    """The settling job of all tenants, and whom it told of."""

    def __init__(self, shop: Shop) -> None:
        self.told: list[MemberChanged] = []
        self._tenants = Tenants(shop.database, shop.clock)
        self._settling = Settling(shop.database, shop.door, shop.clock, self._tell)

    async def _tell(self, changed: object) -> None:
        assert isinstance(changed, list)
        self.told += changed

    async def run(self) -> dict[str, int]:
        self.told.clear()
        return await settle_due(self._tenants, self._settling)

    def names(self) -> list[str]:
        return sorted(change.external_id for change in self.told)


async def test_points_that_become_active_and_expire_are_told(shop: Shop) -> None:
    sweep = Sweep(shop)
    await shop.paid("o-1", "ann", 30_000)
    await shop.paid("o-2", "bob", 30_000, shop.clock.now() + timedelta(seconds=0))
    await shop.enrol("cid")

    ran = [await sweep.run()]
    shop.clock.advance(timedelta(days=15))
    before = (await shop.member("ann")).version
    ran.append(await sweep.run())
    active = sweep.names(), (await shop.member("ann")).version - before, await shop.points("ann")
    ran.append(await sweep.run())
    shop.clock.advance(timedelta(days=366))
    ran.append(await sweep.run())
    expired = sweep.names(), await shop.points("ann")

    assert ran == [{"corner": settled, "other": 0} for settled in (0, 2, 0, 2)]
    assert active == (["ann", "bob"], 1, (300, 0, 0))
    assert expired == (["ann", "bob"], (0, 0, 0))
    assert {change.reason for change in sweep.told} == {"settled"}
    assert await shop.problems() == []


async def test_a_hold_that_timed_out_is_given_back(shop: Shop) -> None:
    sweep = Sweep(shop)
    await shop.rich_member("ann", 300)
    await sweep.run()
    await shop.reserve(await shop.quote("ann", "cart-1", 2_000))
    held = await shop.points("ann")

    shop.clock.advance(timedelta(minutes=16))
    ran = await sweep.run()

    assert held == (200, 0, 100)
    assert ran["corner"] == 1
    assert await shop.points("ann") == (300, 0, 0)
    assert await shop.database.read(STATES(shop.tenant_id)) == [("EXPIRED",)]
    assert await shop.problems() == []


async def test_many_members_take_several_transactions(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling_module, "BATCH", 3)
    sweep = Sweep(shop)
    for number in range(8):
        await shop.paid(f"o-{number}", f"m-{number}", 1_000)
    shop.clock.advance(timedelta(days=15))

    ran = await sweep.run()

    assert ran["corner"] == 8
    assert sweep.names() == [f"m-{number}" for number in range(8)]


async def test_two_sweeps_at_once_do_no_harm(shop: Shop) -> None:
    sweep = Sweep(shop)
    await shop.paid("o-1", "ann", 30_000)
    shop.clock.advance(timedelta(days=400))

    await asyncio.gather(sweep.run(), sweep.run())

    assert await shop.points("ann") == (0, 0, 0)
    assert await shop.problems() == []


async def test_a_tenant_without_a_program_hinders_no_other(shop: Shop) -> None:
    await Tenants(shop.database, shop.clock).create("bare", "bare")
    await shop.paid("o-1", "ann", 1_000)
    shop.clock.advance(timedelta(days=15))

    assert await Sweep(shop).run() == {"corner": 1, "other": 0, "bare": 0}


async def test_training_goes_on_past_a_tenant_with_too_little(shop: Shop, tmp_path: Path) -> None:
    cache = open_cache(None)
    await Catalogue(shop.database, cache, shop.clock).upsert(
        shop.tenant_id, products(shop.clock.now())
    )
    orders = [paid_order(visit) for visit in visits(shop.clock.now())]
    await shop.door.execute(
        shop.tenant_id, [BookOrder(shop.tenant_id, order, "test") for order in orders]
    )
    trainer = Trainer(shop.database, shop.rulesets, shop.clock, tmp_path)

    trained = await train_all(Tenants(shop.database, shop.clock), trainer)

    assert trained == {"corner": artifact.current_id(tmp_path / str(shop.tenant_id))}
    await cache.close()


async def test_training_goes_on_past_a_tenant_that_fails(
    shops: tuple[Shop, Shop], tmp_path: Path
) -> None:
    class Trouble(Trainer):
        """Finds the database busy at the first tenant."""

        async def train(self, tenant_id: int, **more: Any) -> Card:
            if tenant_id == shops[0].tenant_id:
                raise Unavailable("the database is busy")
            return await super().train(tenant_id, **more)

    shop = shops[1]
    cache = open_cache(None)
    catalogue = Catalogue(shop.database, cache, shop.clock)
    await catalogue.upsert(shop.tenant_id, products(shop.clock.now()))
    await cache.close()
    orders = [paid_order(visit) for visit in visits(shop.clock.now())]
    await shop.door.execute(
        shop.tenant_id, [BookOrder(shop.tenant_id, order, "test") for order in orders]
    )

    trained = await train_all(
        Tenants(shop.database, shop.clock),
        Trouble(shop.database, shop.rulesets, shop.clock, tmp_path),
    )

    assert list(trained) == ["other"]


async def test_a_job_that_fails_is_run_again() -> None:
    runs: list[int] = []
    is_enough = asyncio.Event()

    async def job() -> None:
        runs.append(len(runs))
        if len(runs) == 3:
            is_enough.set()
        raise ValueError("not this time")

    task = asyncio.create_task(repeated("failing", job, 0))
    async with asyncio.timeout(5):
        await is_enough.wait()
    task.cancel()
    ended = (await asyncio.gather(task, return_exceptions=True))[0]

    assert isinstance(ended, asyncio.CancelledError)
    assert runs[:3] == [0, 1, 2]


async def test_a_job_runs_while_its_context_is_open_and_not_after() -> None:
    ran = asyncio.Event()

    async def job() -> None:
        ran.set()

    async with asyncio.timeout(10), running("quick", job, 1):
        await ran.wait()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    async with running("never", job, 0):
        assert [t for t in asyncio.all_tasks() if t is not asyncio.current_task()] == others
