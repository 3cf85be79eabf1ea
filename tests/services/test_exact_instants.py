"""Days are the program's, instants are exact, and a clock stepped back changes nothing (law 18)."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.domain.tiers import TierState
from loyalty.errors import InsufficientPoints, QuoteExpired
from loyalty.storage.statements import Sql

from .conftest import PROGRAM, Shop

pytestmark = pytest.mark.anyio

MOMENT = timedelta(microseconds=1)
TIER_CHANGES = Sql("SELECT at, reason FROM tier_change WHERE tenant_id = $1 ORDER BY at, id")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def server_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own time zone, which is to have no say."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("case", "zone", "server_zone", "bought", "active", "expired", "downgraded"),
    [
        ("clocks go forward before it is active", "Europe/Budapest", "Pacific/Kiritimati",
         "2026-03-20 10:00", "2026-04-02 22:00", "2027-03-20 23:00", "2027-04-19 22:00"),
        ("clocks go back before it is active", "Europe/Budapest", "America/Los_Angeles",
         "2026-10-20 10:00", "2026-11-02 23:00", "2027-10-20 22:00", "2027-11-19 23:00"),
        ("bought in the hour that comes twice", "Europe/Budapest", "UTC",
         "2026-10-25 00:30", "2026-11-07 23:00", "2027-10-25 22:00", "2027-11-24 23:00"),
        ("already New Year there, not yet in UTC", "Europe/Budapest", "America/Los_Angeles",
         "2026-12-31 23:30", "2027-01-14 23:00", "2028-01-01 23:00", "2028-01-31 23:00"),
        ("bought on the leap day", "America/New_York", "Pacific/Kiritimati",
         "2028-02-29 12:00", "2028-03-14 04:00", "2029-03-01 05:00", "2029-03-31 04:00"),
        ("a year ends where the leap day begins", "America/New_York", "Asia/Kathmandu",
         "2027-02-28 12:00", "2027-03-14 05:00", "2028-02-29 05:00", "2028-03-30 04:00"),
        ("a zone of quarter hours at New Year", "Asia/Kathmandu", "America/New_York",
         "2026-12-31 18:20", "2027-01-14 18:15", "2028-01-01 18:15", "2028-01-31 18:15"),
    ],
    indirect=["server_zone"],
)  # fmt: skip
async def test_points_and_tiers_change_at_exact_instants(
    shop: Shop,
    case: str,
    zone: str,
    server_zone: None,
    bought: str,
    active: str,
    expired: str,
    downgraded: str,
) -> None:
    program = PROGRAM.replace("Europe/Budapest", zone)
    await shop.rulesets.publish(shop.tenant_id, program + "\n# of this case\n", "test")
    shop.clock.set(utc(bought))
    await shop.paid("o-1", "ann", 60_000)

    async def at(moment: datetime) -> tuple[tuple[int, int, int], str, TierState]:
        shop.clock.set(moment)
        member = await shop.member("ann")
        return await shop.points("ann"), member.tier.current.code, member.tier.state

    gold, grace = ("gold", TierState.QUALIFIED), ("gold", TierState.IN_GRACE)
    assert await at(utc(active) - MOMENT) == ((0, 600, 0), *gold)
    assert await at(utc(active)) == ((600, 0, 0), *gold)
    assert await at(utc(expired) - MOMENT) == ((600, 0, 0), *gold)
    assert await at(utc(expired)) == ((0, 0, 0), *grace)
    assert await at(utc(downgraded) - MOMENT) == ((0, 0, 0), *grace)
    assert await at(utc(downgraded)) == ((0, 0, 0), "base", TierState.QUALIFIED)

    # Booked long after, each at its own instant.
    shop.clock.set(utc(downgraded) + timedelta(days=100))
    await shop.paid("o-2", "ann", 100)
    rows = await shop.database.read(TIER_CHANGES(shop.tenant_id))
    assert [row for row in rows if row[1] != "QUALIFIED"] == [
        (micros(utc(expired)), "GRACE_STARTED"),
        (micros(utc(downgraded)), "DOWNGRADED"),
    ]
    assert await shop.problems() == []


def micros(at: datetime) -> int:
    return int((at - utc("1970-01-01 00:00")) / MOMENT)


@pytest.mark.parametrize(
    ("case", "now"),
    [
        ("clocks go forward meanwhile", "2026-03-29 00:50"),
        ("clocks go back meanwhile", "2026-10-25 00:50"),
        ("the year ends meanwhile", "2026-12-31 22:50"),
        ("the leap day begins meanwhile", "2028-02-28 22:50"),
    ],
)
async def test_quotes_and_holds_end_after_minutes_of_no_clock_in_particular(
    shop: Shop, case: str, now: str
) -> None:
    shop.clock.set(utc(now))
    await shop.rich_member("ann", 100)
    offered = await shop.quote("ann", "cart", 2_000)
    assert offered.valid_until == utc(now) + timedelta(minutes=15)

    shop.clock.set(offered.valid_until - MOMENT)
    held = (await shop.reserve(offered)).outcome
    assert held is not None
    expires_at = offered.valid_until - MOMENT + timedelta(minutes=15)
    assert held["expires_at"] == micros(expires_at)

    shop.clock.set(offered.valid_until)
    assert isinstance((await shop.reserve(offered)).refusal, QuoteExpired)
    shop.clock.set(expires_at - MOMENT)
    assert await shop.points("ann") == (0, 0, 100)
    shop.clock.set(expires_at)
    assert await shop.points("ann") == (100, 0, 0)
    assert await shop.problems() == []


HOUR = timedelta(hours=1)


async def test_a_hold_outlives_a_clock_stepped_back(shop: Shop) -> None:
    await shop.rich_member("ann", 100)
    first, second = [await shop.quote("ann", cart, 2_000) for cart in ("a", "b")]
    held = (await shop.reserve(first)).outcome
    assert held is not None

    shop.clock.advance(-HOUR)
    refused = await shop.reserve(second)
    assert isinstance(refused.refusal, InsufficientPoints)
    assert await shop.points("ann") == (0, 0, 100)

    committed = await shop.commit(held["reservation"], "o-1", 1_500)
    assert committed.refusal is None
    assert await shop.points("ann") == (0, 15, 0)
    assert await shop.problems() == []


async def test_a_hold_that_was_settled_stays_over_for_a_clock_stepped_back(shop: Shop) -> None:
    await shop.rich_member("ann", 100)
    held = (await shop.reserve(await shop.quote("ann", "cart", 2_000))).outcome
    assert held is not None
    shop.clock.advance(timedelta(minutes=16))
    await shop.paid("o-1", "ann", 100)

    shop.clock.advance(-HOUR)

    assert await shop.points("ann") == (100, 1, 0)
    late = await shop.commit(held["reservation"], "o-2", 1_500)
    assert late.refusal is None
    assert await shop.points("ann") == (0, 16, 0)
    assert await shop.problems() == []


async def test_what_expired_stays_expired_for_a_clock_stepped_back(shop: Shop) -> None:
    shop.clock.set(utc("2026-03-20 10:00"))
    await shop.paid("o-1", "ann", 60_000)
    expired = utc("2027-03-20 23:00")
    shop.clock.set(expired)
    await shop.paid("o-2", "ann", 100)
    before = await shop.member("ann")

    shop.clock.advance(-HOUR)

    after = await shop.member("ann")
    assert after.balance("points").available == before.balance("points").available == 0
    assert after.tier.current == before.tier.current
    offered = await shop.quote("ann", "cart", 2_000)
    assert offered.points_needed == {}
    await shop.paid("o-3", "ann", 100)
    assert await shop.problems() == []


async def test_bookings_never_run_back(shop: Shop) -> None:
    booked = Sql(
        "SELECT booked_at FROM ledger_transaction WHERE tenant_id = $1 ORDER BY member_id, seq"
    )
    for number, step in enumerate((timedelta(), -HOUR, timedelta(minutes=10), HOUR)):
        shop.clock.advance(step)
        await shop.paid(f"o-{number}", "ann", 1_000)

    moments = [row[0] for row in await shop.database.read(booked(shop.tenant_id))]

    assert len(moments) == 4
    assert moments == sorted(moments)
    assert await shop.problems() == []
