"""Commands that share a unit of work find what the earlier ones of the unit left."""

import asyncio
from datetime import timedelta

import pytest

from loyalty.domain.money import Money
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.services.books.desk import Command, Verdict
from loyalty.services.checkout.commit import Commit
from loyalty.services.checkout.reservations import Release, Reserve
from loyalty.services.members.members import Profile, SetState, UpdateMember
from loyalty.services.orders.orders import BookOrder
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.storage.statements import Sql

from .conftest import Shop

pytestmark = pytest.mark.anyio
PAID = 1_500
STATES = Sql("SELECT state FROM reservation WHERE tenant_id = $1")


def result(verdict: Verdict) -> str:
    """ "ok", or the refusal's code."""
    return "ok" if verdict.refusal is None else getattr(verdict.refusal, "code", "?")


async def together(shop: Shop, *commands: Command) -> list[str]:
    """Book the commands in one unit, in their order."""
    booked = await shop.door.execute(shop.tenant_id, commands)
    return [result(verdict) for verdict in booked.verdicts]


async def held(shop: Shop) -> int:
    """A reservation of 100 of ann's 300 points, for 5.00 off a cart of 20.00."""
    await shop.rich_member("ann", 300)
    verdict = await shop.reserve(await shop.quote("ann", "cart", 2_000))
    assert verdict.outcome is not None
    return int(verdict.outcome["reservation"])


def commit(shop: Shop, reservation: int, order: str) -> Commit:
    paid = Money(PAID, "EUR")
    return Commit(shop.tenant_id, shop.key("commit"), reservation, order, paid, None)


def release(shop: Shop, reservation: int) -> Release:
    return Release(shop.tenant_id, shop.key("release"), reservation)


async def test_a_reservation_is_committed_once(shop: Shop) -> None:
    reservation = await held(shop)

    found = await together(shop, commit(shop, reservation, "o-1"), commit(shop, reservation, "o-2"))

    assert found == ["ok", "CONFLICT"]
    assert await shop.points("ann") == (200, 15, 0)
    assert await shop.problems() == []


async def test_what_was_given_back_is_not_committed(shop: Shop) -> None:
    reservation = await held(shop)

    found = await together(shop, release(shop, reservation), commit(shop, reservation, "o-1"))

    assert found == ["ok", "CONFLICT"]
    assert await shop.points("ann") == (300, 0, 0)


async def test_what_was_committed_is_not_given_back(shop: Shop) -> None:
    reservation = await held(shop)

    found = await together(shop, commit(shop, reservation, "o-1"), release(shop, reservation))

    assert found == ["ok", "CONFLICT"]
    assert await shop.points("ann") == (200, 15, 0)
    assert result(await shop.refund("o-1", "r-1")) == "ok"
    assert await shop.points("ann") == (300, 0, 0)


async def test_a_member_suspended_just_before_pays_with_no_points(shop: Shop) -> None:
    reservation = await held(shop)
    suspend = SetState(shop.tenant_id, shop.key("state"), "ann", "SUSPENDED")

    found = await together(shop, suspend, commit(shop, reservation, "o-1"))

    assert found == ["ok", "CONFLICT"]
    assert await shop.points("ann") == (300, 0, 0)


async def test_a_cart_has_one_hold(shop: Shop) -> None:
    await shop.rich_member("ann", 300)
    offered = await shop.quote("ann", "cart", 2_000)
    reserves = [Reserve(shop.tenant_id, shop.key("reserve"), offered, None) for _ in range(3)]

    found = await together(shop, *reserves)

    assert found == ["ok", "ok", "ok"]
    assert await shop.points("ann") == (200, 0, 100)


async def test_a_refused_reserve_leaves_the_earlier_hold_to_the_next_one(shop: Shop) -> None:
    await held(shop)
    await shop.enrol("bob")
    offered = await shop.quote("ann", "cart", 2_000)
    other = await shop.quote("bob", "cart", 2_000)
    await shop.door.submit(SetState(shop.tenant_id, None, "bob", "SUSPENDED"))

    found = await together(
        shop,
        Reserve(shop.tenant_id, shop.key("reserve"), other, None),
        Reserve(shop.tenant_id, shop.key("reserve"), offered, None),
    )

    assert found == ["MEMBER_NOT_ACTIVE", "ok"]
    assert await shop.points("ann") == (200, 0, 100)


async def test_a_refund_that_comes_just_before_its_order_is_booked(shop: Shop) -> None:
    await shop.enrol("ann")
    lines = (OrderLine("tea", 1, 5_000),)
    order = PaidOrder("o-1", "ann", "EUR", lines, shop.clock.now())

    found = await together(
        shop,
        RefundOrder(shop.tenant_id, "o-1", "r-1", None, None, may_wait=True),
        BookOrder(shop.tenant_id, order, "test"),
    )

    assert found == ["ok", "ok"]
    assert await shop.points("ann") == (0, 0, 0)


async def test_a_refund_waits_for_a_commit_too(shop: Shop) -> None:
    reservation = await held(shop)
    await shop.refund("o-1", "r-1", may_wait=True)

    assert result(await shop.commit(reservation, "o-1", PAID)) == "ok"

    assert await shop.points("ann") == (300, 0, 0)
    assert await shop.problems() == []


async def test_a_refund_waits_for_a_late_commit_too(shop: Shop) -> None:
    reservation = await held(shop)
    await shop.refund("o-1", "r-1", may_wait=True)
    shop.clock.advance(timedelta(hours=1))

    assert result(await shop.commit(reservation, "o-1", PAID)) == "ok"

    assert await shop.points("ann") == (300, 0, 0)
    assert result(await shop.refund("o-1", "r-2")) == "CONFLICT"
    assert await shop.problems() == []


async def test_a_clock_stepped_back_redeems_what_it_holds(shop: Shop) -> None:
    await shop.rich_member("ann", 300)
    now = shop.clock.now()
    shop.clock.advance(timedelta(hours=1))
    await shop.paid("later", "ann", 0)
    shop.clock.set(now)

    verdict = await shop.reserve(await shop.quote("ann", "cart", 2_000))
    assert verdict.outcome is not None
    assert await shop.points("ann") == (200, 0, 100)
    assert result(await shop.commit(verdict.outcome["reservation"], "o-1", PAID)) == "ok"

    assert await shop.points("ann") == (200, 15, 0)
    assert await shop.problems() == []


async def test_a_hold_of_no_points_that_timed_out_is_booked_as_expired(shop: Shop) -> None:
    await shop.enrol("ann")
    await shop.reserve(await shop.quote("ann", "cart", 2_000))
    shop.clock.advance(timedelta(hours=1))

    await shop.door.submit(UpdateMember(shop.tenant_id, None, "ann", Profile()))

    states = await shop.database.read(STATES(shop.tenant_id))
    assert states == [("EXPIRED",)]


async def test_a_command_that_comes_as_the_worker_ends_is_booked(shop: Shop) -> None:
    first = asyncio.ensure_future(shop.enrol("ann"))
    before = asyncio.all_tasks()
    await asyncio.sleep(0)
    (worker,) = asyncio.all_tasks() - before

    async def just_then() -> Verdict:
        # Between the worker's end and its callbacks there is one turn, which no event tells.
        while not worker.done():  # noqa: ASYNC110
            await asyncio.sleep(0)
        return await shop.enrol("bob")

    second = asyncio.create_task(just_then())
    done, waiting = await asyncio.wait([first, second], timeout=10)

    assert waiting == set()
    assert [result(task.result()) for task in done] == ["ok", "ok"]
