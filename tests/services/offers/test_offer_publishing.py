"""Plans published once, taken up again, overtaken, withdrawn."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loyalty.domain.offers.offer_plan import PPM
from loyalty.errors import Conflict, NotFound
from loyalty.services.books.door import outcome_of
from loyalty.services.members.erasure import Erase
from loyalty.services.members.members import Profile, UpdateMember
from loyalty.services.offers.offer_plan_file import read, written
from loyalty.services.offers.offer_publishing import OfferPublisher, Published
from loyalty.storage import offers as offers_sql
from loyalty.storage.statements import Sql, Unit

from ..conftest import Shop
from .conftest import RULES, Planner

pytestmark = pytest.mark.anyio


async def test_a_published_plan_is_everybodys_at_once_and_only_once(desk: Planner) -> None:
    for number in range(5):
        await desk.member(f"m{number}", buys=[20 + number, 60, 100])
    filed = await desk.filed()

    first = await desk.publish(filed)
    again = await desk.publish(filed)

    assert (first.offers, first.held_out, first.skipped, first.replayed) == (5, 0, 0, False)
    assert (again.plan_id, again.offers, again.replayed) == (first.plan_id, 0, True)
    for number in range(5):
        assert await desk.desk.states(f"m{number}") == ["OFFERED"]
    (offer,) = await desk.desk.of("m0")
    # Until the end of the fourteenth day after this one, in Budapest.
    assert f"{offer.ends_at:%m-%d %H:%M}" == "03-15 23:00"


async def test_what_ends_publishing_in_between_is_taken_up_again(desk: Planner) -> None:
    class Cut(OfferPublisher):
        """Is stopped after the first part."""

        parts = 0

        def _part(self, *arguments: Any) -> Unit[tuple[int, int, int]]:
            self.parts += 1
            if self.parts > 1:
                raise RuntimeError("stopped")
            return super()._part(*arguments)

        def _ended(self, *arguments: Any) -> Unit[None]:
            raise RuntimeError("stopped")

    shop = desk.shop
    for number in range(4):
        await desk.member(f"m{number}", buys=[20 + number, 60, 100])
    filed = await desk.filed()
    cut = Cut(shop.database, shop.clock, shop.rulesets)
    with pytest.raises(RuntimeError):
        await cut.publish(shop.tenant_id, "corner", filed, "test")
    assert await desk.desk.states("m0") == []
    with pytest.raises(Conflict, match="half published"):
        await desk.publish(replace(filed, key="0" * 64))

    done = await desk.publish(filed)

    assert done.offers == 4
    rows = await shop.database.read(Sql("SELECT COUNT(*) FROM member_offer")())
    assert rows == [(4,)]
    assert await desk.desk.states("m3") == ["OFFERED"]


async def test_a_plan_withdrawn_while_it_is_published_is_not_said_to_be(desk: Planner) -> None:
    class Overtaken(OfferPublisher):
        """Is withdrawn after the last part."""

        def _ended(self, tenant_id: int, plan_id: int, by: str) -> Unit[None]:
            yield offers_sql.WITHDRAW(tenant_id, plan_id, desk.shop.clock.now())
            yield from super()._ended(tenant_id, plan_id, by)

    shop = desk.shop
    await desk.member("m", buys=[20, 60, 100])
    publisher = Overtaken(shop.database, shop.clock, shop.rulesets)

    with pytest.raises(Conflict, match="withdrawn meanwhile"):
        await publisher.publish(shop.tenant_id, "corner", await desk.filed(), "test")
    assert await desk.desk.states("m") == []


async def test_two_who_publish_the_same_plan_publish_it_once(desk: Planner) -> None:
    for number in range(6):
        await desk.member(f"m{number}", buys=[20 + number, 60, 100])
    filed = await desk.filed()

    done = await asyncio.gather(*(desk.publish(filed) for _ in range(4)), return_exceptions=True)

    assert {each.plan_id for each in done if isinstance(each, Published)} != set()
    assert all(isinstance(each, Published | Conflict) for each in done), done
    rows = await desk.shop.database.read(
        Sql("SELECT COUNT(*), COUNT(DISTINCT plan_id) FROM member_offer")()
    )
    assert rows == [(6, 1)]


async def test_a_plan_overtaken_by_another_or_by_new_rules_is_refused(desk: Planner) -> None:
    shop = desk.shop
    await desk.member("m", buys=[20, 60, 100])
    old = await desk.filed()
    shop.clock.advance(timedelta(minutes=1))
    newer = await desk.filed()
    await desk.publish(newer)

    with pytest.raises(Conflict, match="published since"):
        await desk.publish(old)
    with pytest.raises(Conflict, match="of tenant 'corner'"):
        await desk.publisher.publish(shop.tenant_id, "elsewhere", newer, "test")
    await shop.rulesets.publish(shop.tenant_id, RULES + "\n# changed\n", "test")
    with pytest.raises(Conflict, match="made by version"):
        await desk.publish(newer)
    assert await desk.desk.states("m") == ["OFFERED"]


async def test_who_left_or_took_back_consent_meanwhile_gets_nothing(desk: Planner) -> None:
    shop = desk.shop
    for name in ("stays", "left", "silent"):
        await desk.member(name, buys=[20, 60, 100])
    filed = await desk.filed()
    await shop.door.submit(Erase(shop.tenant_id, None, "left", "test"))
    quiet = UpdateMember(shop.tenant_id, None, "silent", Profile({}, {"profiling": False}))
    outcome_of(await shop.door.submit(quiet))

    done = await desk.publish(filed)

    assert (done.offers, done.skipped) == (1, 2)
    assert await desk.desk.states("stays") == ["OFFERED"]
    assert await desk.desk.states("silent") == []


async def test_a_second_plan_keeps_its_distance_and_what_is_left_of_the_budget(
    desk: Planner,
) -> None:
    shop = desk.shop
    await desk.member("m", buys=[20, 60, 100])
    first = await desk.plan()
    await desk.publish(read(written(first, "corner")))

    second = await desk.plan()

    assert second.chosen == ()
    expected = -(-first.chosen[0].cost_ppm // PPM)
    assert second.budgets["fresh"].minor == 1_000 - expected
    # Fourteen days it stands, and seven it rests; what it cost is what it cost.
    shop.clock.advance(timedelta(days=21, hours=12))
    assert len((await desk.plan()).chosen) == 1
    assert (await desk.plan()).budgets["fresh"].minor == 1_000


async def test_an_offer_that_is_used_up_makes_room_for_another(desk: Planner) -> None:
    shop = desk.shop
    second = (
        RULES.replace("target_days_between", "open_max = 1\ntarget_days_between")
        + """
[[offers]]
code = "clean"
name = "A fifth off {target}"
reward = "fifth"
targets = [{ code = "soap", name = "soap", products = ["soap"] }]
"""
    )
    await desk.member("m", buys=[20, 60, 100])
    await desk.publish()
    for days in (20, 60, 100):
        await desk.bought("m", days, "soap")
    await shop.rulesets.publish(shop.tenant_id, second, "test")
    assert (await desk.plan()).chosen == ()
    (offer,) = await desk.desk.of("m")
    await desk.desk.offers.activate(shop.tenant_id, shop.key("activate"), "m", offer.id)
    quote = await desk.desk.quoted("m", "c-1", 2_000, category="TEA")
    held = outcome_of(await shop.reserve(quote))
    outcome_of(await shop.commit(held["reservation"], "o-1", quote.payable_minor))

    assert [item.prospect.offer for item in (await desk.plan()).chosen] == ["clean"]
    # Read together, each plan is told what came of it alone.
    await desk.publish()
    newer, older = await desk.reports.plans(shop.tenant_id, 10)
    assert [newer, older] == [
        await desk.reports.plan(shop.tenant_id, each.id) for each in (newer, older)
    ]
    assert [[each.uses for each in plan.offers] for plan in (newer, older)] == [[0, 0], [1]]


async def test_a_withdrawn_plan_is_nobodys_any_more(desk: Planner) -> None:
    shop = desk.shop
    await desk.member("m", buys=[20, 60, 100])
    filed = await desk.filed()
    done = await desk.publish(filed)

    assert await desk.publisher.withdraw(shop.tenant_id, done.plan_id, "test")
    assert not await desk.publisher.withdraw(shop.tenant_id, done.plan_id, "test")
    assert await desk.desk.states("m") == ["WITHDRAWN"]
    with pytest.raises(Conflict, match="withdrawn"):
        await desk.publish(filed)
    with pytest.raises(NotFound):
        await desk.publisher.withdraw(shop.tenant_id, 12, "test")
    events = await shop.database.read(
        Sql("SELECT action FROM audit_event WHERE subject_kind = 'OFFER_PLAN' ORDER BY id")()
    )
    assert events == [("offerPlanPublish",), ("offerPlanWithdraw",)]


async def test_another_tenants_plan_is_not_there(shops: tuple[Shop, Shop], desk: Planner) -> None:
    await desk.member("m", buys=[20, 60, 100])
    done = await desk.publish()
    await shops[1].rulesets.publish(shops[1].tenant_id, RULES, "test")
    other = Planner(shops[1], desk.models)

    with pytest.raises(NotFound):
        await other.publisher.withdraw(shops[1].tenant_id, done.plan_id, "test")
    with pytest.raises(NotFound):
        await other.reports.plan(shops[1].tenant_id, done.plan_id)
    assert await other.reports.plans(shops[1].tenant_id, 9) == []
    # Its members are nobody's here, even where the file says otherwise.
    filed = read(written(await desk.plan(at=desk.shop.clock.now() - timedelta(days=1)), "corner"))
    there = await other.publisher.publish(shops[1].tenant_id, "corner", filed, "test")
    assert (there.offers, there.skipped) == (0, len(filed.offers))
