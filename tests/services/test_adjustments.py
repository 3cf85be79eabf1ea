"""Corrections by merchants: one person's word, or two."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from corner_program import CORNER

from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.errors import LoyaltyError, MemberNotActive
from loyalty.services.access import Viewer, ViewerKind
from loyalty.services.audit import Audit, Wanted
from loyalty.services.members.adjustments import Adjustments, Correction
from loyalty.services.members.members import SetState
from loyalty.services.orders.orders import BookOrder
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.storage.statements import Sql

from .conftest import Shop

pytestmark = pytest.mark.anyio

LIMITS = CORNER + "\n[adjustments]\napproval_above = 1000\napproval_above_minor = 5000\n"
NOTES = Sql(
    """SELECT t.kind, n.client, n.idempotency_key, n.reason FROM transaction_note n
         JOIN ledger_transaction t ON t.tenant_id = n.tenant_id AND t.id = n.id
        WHERE n.tenant_id = $1 ORDER BY n.id"""
)
COUNTS = Sql(
    """SELECT (SELECT COUNT(*) FROM ledger_transaction WHERE tenant_id = $1),
              (SELECT COUNT(*) FROM adjustment WHERE tenant_id = $1),
              (SELECT COUNT(*) FROM audit_event WHERE tenant_id = $1)"""
)


def merchant(shop: Shop, name: str) -> Viewer:
    return Viewer(shop.tenant_id, ViewerKind.MERCHANT, None, frozenset({"admin"}), f"key:{name}")


class Desk:
    """The merchant's people at their desks."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.adjustments = Adjustments(shop.door, shop.database)
        self.numbers = shop.keys

    async def adjust(self, amount: int, by: str = "ops", **more: Any) -> dict[str, Any]:
        reason = more.pop("reason", "goodwill")
        key = more.pop("key", f"a-{next(self.numbers)}")
        correction = Correction("ann", amount, reason, **more)
        done = await self.adjustments.adjust(merchant(self.shop, by), key, correction)
        return dict(done.outcome) | {"replayed": done.replayed}

    async def decide(self, id: int, by: str, *, accepts: bool = True, key: str = "") -> str:
        """The code of the refusal, or the state it is in."""
        key = key or f"d-{next(self.numbers)}"
        try:
            await self.adjustments.decide(merchant(self.shop, by), key, id, accepts=accepts)
        except LoyaltyError as refusal:
            return refusal.code
        return (await self.adjustments.one(self.shop.tenant_id, id)).state

    async def state(self, id: int) -> str:
        return (await self.adjustments.one(self.shop.tenant_id, id)).state

    async def counts(self) -> object:
        return await self.shop.database.read(COUNTS(self.shop.tenant_id))


@pytest.fixture
async def desk(shop: Shop) -> Desk:
    await shop.rulesets.publish(shop.tenant_id, LIMITS, "test")
    await shop.enrol("ann")
    return Desk(shop)


async def test_what_is_added_can_be_spent_at_once_and_says_why(desk: Desk) -> None:
    shop = desk.shop

    done = await desk.adjust(500, key="once")
    again = await desk.adjust(500, key="once")

    assert again == done | {"replayed": True}
    assert await shop.points("ann") == (500, 0, 0)
    assert await shop.database.read(NOTES(shop.tenant_id)) == [
        ("ADJUST", "key:ops", "once", "goodwill")
    ]
    shown = await desk.adjustments.one(shop.tenant_id, done["adjustment"])
    assert (shown.member, shown.unit, shown.amount, shown.state) == ("ann", "points", 500, "BOOKED")
    assert (shown.proposed_by, shown.decided_by, shown.reason) == ("key:ops", None, "goodwill")
    assert await shop.problems() == []


async def test_what_is_added_ends_as_anything_earned_now_or_after_the_day_named(
    desk: Desk,
) -> None:
    shop = desk.shop
    await desk.adjust(100)
    await desk.adjust(30, last_day=date(2026, 3, 2))

    shop.clock.set(datetime.fromisoformat("2026-03-02T22:59:59+00:00"))
    before = await shop.points("ann")
    shop.clock.set(datetime.fromisoformat("2026-03-02T23:00:00+00:00"))
    after = await shop.points("ann")
    shop.clock.advance(timedelta(days=370))

    assert (before, after) == ((130, 0, 0), (100, 0, 0))
    assert await shop.points("ann") == (0, 0, 0)


async def test_what_is_taken_goes_no_lower_than_zero_unless_told(desk: Desk) -> None:
    shop = desk.shop
    await desk.adjust(100)
    counts = await desk.counts()

    with pytest.raises(LoyaltyError) as refused:
        await desk.adjust(-101)
    assert (refused.value.code, refused.value.data) == (
        "INSUFFICIENT_POINTS",
        {"requested": 101, "available": 100},
    )
    assert await desk.counts() == counts
    assert await shop.points("ann") == (100, 0, 0)

    await desk.adjust(-101, allows_deficit=True)
    assert await shop.points("ann") == (-1, 0, 0)
    await desk.adjust(11)
    assert await shop.points("ann") == (10, 0, 0)
    assert await shop.problems() == []


async def test_held_points_are_not_taken(desk: Desk) -> None:
    shop = desk.shop
    await desk.adjust(150)
    await shop.reserve(await shop.quote("ann", "cart", 2_000))
    assert await shop.points("ann") == (50, 0, 100)

    with pytest.raises(LoyaltyError, match="51 points requested, 50 available"):
        await desk.adjust(-51)
    await desk.adjust(-50)

    assert await shop.points("ann") == (0, 0, 100)
    assert await shop.problems() == []


async def test_credit_is_an_account_of_its_own_for_each_currency(desk: Desk) -> None:
    shop = desk.shop

    await desk.adjust(2_500, currency="EUR")
    await desk.adjust(700, currency="HUF")
    await desk.adjust(-500, currency="EUR")

    member = await shop.member("ann")
    assert [(item.unit, item.available) for item in member.credits] == [
        ("credit:EUR", 2_000),
        ("credit:HUF", 700),
    ]
    assert (member.credit_minor("EUR"), member.credit_minor("USD")) == (2_000, 0)
    assert await shop.points("ann") == (0, 0, 0)
    assert await shop.problems() == []


@pytest.mark.parametrize(
    ("amount", "more", "code", "field"),
    [
        (0, {}, "BAD_USER_INPUT", ("input", "amount")),
        (2**60, {}, "BAD_USER_INPUT", ("input", "amount")),
        (5, {"point_type": "gems"}, "BAD_USER_INPUT", ("input", "pointType")),
        (5, {"point_type": "points", "currency": "EUR"}, "BAD_USER_INPUT", ("input", "currency")),
        (5, {"currency": "XYZ"}, "BAD_MONEY", ("input", "currency")),
        (5, {"last_day": date(2026, 2, 28)}, "BAD_USER_INPUT", ("input", "lastDay")),
        (-5, {"last_day": date(2026, 4, 1)}, "BAD_USER_INPUT", ("input", "lastDay")),
    ],
)
async def test_what_makes_no_sense_is_refused(
    desk: Desk, amount: int, more: dict[str, Any], code: str, field: tuple[str, ...]
) -> None:
    counts = await desk.counts()

    with pytest.raises(LoyaltyError) as refused:
        await desk.adjust(amount, **more)

    assert (refused.value.code, refused.value.field) == (code, field)
    assert await desk.counts() == counts


@pytest.mark.parametrize(
    ("amount", "more", "state"),
    [
        (1_000, {}, "BOOKED"),
        (1_001, {}, "PROPOSED"),
        (-1_001, {"allows_deficit": True}, "PROPOSED"),
        (5_000, {"currency": "EUR"}, "BOOKED"),
        (5_001, {"currency": "EUR"}, "PROPOSED"),
    ],
)
async def test_above_the_limit_it_waits_for_a_second_person(
    desk: Desk, amount: int, more: dict[str, Any], state: str
) -> None:
    done = await desk.adjust(amount, **more)

    assert await desk.state(done["adjustment"]) == state


async def test_a_large_one_cannot_be_split_into_small_ones(desk: Desk) -> None:
    shop = desk.shop
    clock, start = shop.clock, shop.clock.now()
    small = [await desk.adjust(amount) for amount in (600, -300)]

    assert [await desk.state(each["adjustment"]) for each in small] == ["BOOKED", "BOOKED"]
    beyond = (await desk.adjust(101))["adjustment"]
    assert await desk.state(beyond) == "PROPOSED"
    for others in ({"by": "desk"}, {"currency": "EUR"}, {"point_type": "status"}):
        assert await desk.state((await desk.adjust(101, **others))["adjustment"]) == "BOOKED"
    assert await desk.decide(beyond, "boss") == "BOOKED"
    # What a second person accepted does not count.
    assert await desk.state((await desk.adjust(100))["adjustment"]) == "BOOKED"
    assert await desk.state((await desk.adjust(1))["adjustment"]) == "PROPOSED"

    clock.set(start + timedelta(hours=24) - timedelta(microseconds=1))
    assert await desk.state((await desk.adjust(1))["adjustment"]) == "PROPOSED"
    clock.set(start + timedelta(hours=24))
    assert await desk.state((await desk.adjust(1_000))["adjustment"]) == "BOOKED"
    assert await shop.problems() == []


async def test_small_ones_at_once_are_no_way_round_the_limit(desk: Desk) -> None:
    done = await asyncio.gather(*(desk.adjust(300) for _ in range(10)))

    states = [await desk.state(each["adjustment"]) for each in done]

    assert sorted(states) == ["BOOKED"] * 3 + ["PROPOSED"] * 7
    assert await desk.shop.points("ann") == (900, 0, 0)


async def test_only_another_person_accepts_a_proposal(desk: Desk) -> None:
    shop = desk.shop
    id = (await desk.adjust(2_000, reason="large"))["adjustment"]
    assert await shop.points("ann") == (0, 0, 0)

    own = await desk.decide(id, "ops")
    assert (own, await shop.points("ann")) == ("CONFLICT", (0, 0, 0))

    accepted = await desk.decide(id, "boss")
    late = await desk.decide(id, "third", accepts=False)

    assert (accepted, late) == ("BOOKED", "CONFLICT")
    assert await shop.points("ann") == (2_000, 0, 0)
    shown = await desk.adjustments.one(shop.tenant_id, id)
    assert (shown.proposed_by, shown.decided_by) == ("key:ops", "key:boss")
    assert (await shop.database.read(NOTES(shop.tenant_id)))[0][3] == "large"
    assert await shop.problems() == []


async def test_a_declined_proposal_books_nothing(desk: Desk) -> None:
    shop = desk.shop
    id = (await desk.adjust(2_000))["adjustment"]

    declined = await desk.decide(id, "ops", accepts=False)
    late = await desk.decide(id, "boss")

    assert (declined, late) == ("DECLINED", "CONFLICT")
    assert await shop.points("ann") == (0, 0, 0)
    assert await desk.decide(12345, "boss") == "NOT_FOUND"


async def test_a_proposal_is_judged_again_when_it_is_accepted(desk: Desk) -> None:
    shop = desk.shop
    gone = (await desk.adjust(2_000, last_day=date(2026, 3, 1)))["adjustment"]
    for name in ("ops", "desk"):
        await desk.adjust(1_000, by=name)
    taken = (await desk.adjust(-1_500))["adjustment"]
    await desk.adjust(-1_000, by="night")
    shop.clock.advance(timedelta(days=1))

    refused = [await desk.decide(id, "boss") for id in (gone, taken)]

    assert refused == ["CONFLICT", "INSUFFICIENT_POINTS"]
    assert [await desk.state(id) for id in (gone, taken)] == ["PROPOSED", "PROPOSED"]
    assert await shop.points("ann") == (1_000, 0, 0)


async def test_two_who_accept_at_once_book_once(desk: Desk) -> None:
    shop = desk.shop
    id = (await desk.adjust(2_000))["adjustment"]

    found = await asyncio.gather(*(desk.decide(id, f"boss-{n}") for n in range(20)))

    assert sorted(found) == ["BOOKED"] + ["CONFLICT"] * 19
    assert await shop.points("ann") == (2_000, 0, 0)
    assert await shop.problems() == []


async def test_a_key_hammered_adjusts_once(desk: Desk) -> None:
    done = await asyncio.gather(*(desk.adjust(10, key="once") for _ in range(64)))

    assert sorted(each.pop("replayed") for each in done) == [False] + [True] * 63
    assert all(each == done[0] for each in done)
    assert await desk.shop.points("ann") == (10, 0, 0)


async def test_a_membership_set_aside_is_corrected_and_one_that_ended_is_not(desk: Desk) -> None:
    shop = desk.shop
    await shop.door.submit(SetState(shop.tenant_id, None, "ann", "SUSPENDED"))
    await desk.adjust(10)
    await shop.door.submit(SetState(shop.tenant_id, None, "ann", "CLOSED"))

    with pytest.raises(MemberNotActive):
        await desk.adjust(10)

    assert await shop.points("ann") == (10, 0, 0)


async def test_proposals_are_listed_and_another_tenants_do_not_exist(
    shops: tuple[Shop, Shop], desk: Desk
) -> None:
    other = Desk(shops[1])
    await shops[1].enrol("ann")
    id = (await desk.adjust(2_000))["adjustment"]
    await desk.adjust(10)
    tenant = desk.shop.tenant_id

    listed = desk.adjustments.listed
    assert [each.amount for each in await listed(tenant, 10)] == [10, 2_000]
    assert [each.id for each in await listed(tenant, 10, state="PROPOSED")] == [id]
    assert await listed(tenant, 10, member="bob") == []
    assert await other.adjustments.listed(shops[1].tenant_id, 10) == []
    assert await other.decide(id, "boss") == "NOT_FOUND"
    assert await desk.state(id) == "PROPOSED"


async def test_the_trail_tells_who_and_what_but_not_why(desk: Desk) -> None:
    shop = desk.shop
    id = (await desk.adjust(2_000, reason="Ann phoned from +36 1 555"))["adjustment"]
    await desk.decide(id, "boss")

    events = await Audit(shop.database).events(
        shop.tenant_id, Wanted(kind="ADJUSTMENT", subject=str(id)), 10
    )

    assert [(e.actor, e.action, e.detail["state"]) for e in events] == [
        ("key:boss", "adjustmentApprove", "BOOKED"),
        ("key:ops", "pointsAdjust", "PROPOSED"),
    ]
    assert "555" not in str(events)
    assert "ann" not in str(events)


async def test_what_a_correction_took_from_a_tiers_count_a_refund_does_not_take_twice(
    desk: Desk,
) -> None:
    shop = desk.shop

    async def count() -> int:
        assert await shop.problems() == []
        return (await shop.member("ann")).tier.qualifying

    lines = (OrderLine("tea", 2, 6_000), OrderLine("pot", 1, 3_000))
    paid = PaidOrder("o-1", "ann", "EUR", lines, shop.clock.now())
    await shop.door.submit(BookOrder(shop.tenant_id, paid, "test"))
    await desk.adjust(-44, point_type="status")
    assert await count() == 90 - 44

    for name, ask, left in (
        ("r-1", LineAsk("1", quantity=1), 16),
        ("r-2", LineAsk("2"), 0),
        ("r-3", LineAsk("1"), 0),
    ):
        refund = RefundOrder(shop.tenant_id, "o-1", name, None, None, lines=(ask,))
        assert (await shop.door.submit(refund)).refusal is None
        assert await count() == left
