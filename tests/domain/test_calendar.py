from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.calendar import (
    after_days,
    day_of,
    end_after_months,
    local,
    start_of_day,
    time_zone,
)
from loyalty.errors import BadInput

ZONES = (
    "UTC",
    "Europe/Budapest",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
)

zones = st.sampled_from(ZONES)
days = st.dates(date(1970, 1, 2), date(2100, 12, 31))


def utc(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0
) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("case", "day", "zone", "instant"),
    [
        ("plain winter day", date(2026, 1, 15), "Europe/Budapest", utc(2026, 1, 14, 23)),
        ("plain summer day", date(2026, 7, 15), "Europe/Budapest", utc(2026, 7, 14, 22)),
        ("day the clocks go forward", date(2026, 3, 29), "Europe/Budapest", utc(2026, 3, 28, 23)),
        ("day after that", date(2026, 3, 30), "Europe/Budapest", utc(2026, 3, 29, 22)),
        ("day the clocks go back", date(2026, 10, 25), "Europe/Budapest", utc(2026, 10, 24, 22)),
        ("day after that", date(2026, 10, 26), "Europe/Budapest", utc(2026, 10, 25, 23)),
        ("leap day", date(2028, 2, 29), "America/New_York", utc(2028, 2, 29, 5)),
        ("new year east of UTC", date(2027, 1, 1), "Asia/Kathmandu", utc(2026, 12, 31, 18, 15)),
        ("no midnight: 00:00 became 01:00", date(2018, 11, 4), "America/Sao_Paulo",
         utc(2018, 11, 4, 3)),
        ("back over midnight: 24:00 became 23:00", date(2018, 2, 18), "America/Sao_Paulo",
         utc(2018, 2, 18, 3)),
        ("no midnight", date(2024, 3, 31), "Asia/Beirut", utc(2024, 3, 30, 22)),
        ("back over midnight", date(2024, 10, 27), "Asia/Beirut", utc(2024, 10, 26, 22)),
        ("no midnight, by half hours", date(2021, 3, 22), "Asia/Tehran", utc(2021, 3, 21, 20, 30)),
        ("midnight twice, the first counts", date(2010, 11, 7), "America/St_Johns",
         utc(2010, 11, 7, 2, 30)),
        ("jump from 23:30 past midnight", date(1919, 3, 31), "America/Toronto",
         utc(1919, 3, 31, 4, 30)),
        ("a day that never was starts with the next", date(2011, 12, 30), "Pacific/Apia",
         utc(2011, 12, 30, 10)),
        ("the day after it", date(2011, 12, 31), "Pacific/Apia", utc(2011, 12, 30, 10)),
        ("past the zone file's table", date(2090, 7, 1), "Europe/Budapest", utc(2090, 6, 30, 22)),
    ],
)  # fmt: skip
def test_start_of_day(case: str, day: date, zone: str, instant: datetime) -> None:
    assert start_of_day(day, zone) == instant
    assert start_of_day(day, zone).tzinfo is UTC


@pytest.mark.parametrize(
    ("case", "at", "count", "zone", "instant"),
    [
        ("none is the instant itself", utc(2026, 3, 5, 12, 34, 56), 0, "Europe/Budapest",
         utc(2026, 3, 5, 12, 34, 56)),
        ("tomorrow, late in the local day", utc(2026, 3, 5, 22, 59, 59), 1, "Europe/Budapest",
         utc(2026, 3, 5, 23)),
        ("tomorrow, early in the local day", utc(2026, 3, 5, 23), 1, "Europe/Budapest",
         utc(2026, 3, 6, 23)),
        ("over the change of clocks", utc(2026, 3, 20, 10), 14, "Europe/Budapest",
         utc(2026, 4, 2, 22)),
        ("over the leap day", utc(2028, 2, 15, 10), 14, "UTC", utc(2028, 2, 29)),
        ("same dates in a common year", utc(2027, 2, 15, 10), 14, "UTC", utc(2027, 3, 1)),
        ("over the year's end", utc(2026, 12, 25, 10), 14, "America/New_York",
         utc(2027, 1, 8, 5)),
        ("into a day without midnight", utc(2018, 10, 30, 12), 5, "America/Sao_Paulo",
         utc(2018, 11, 4, 3)),
    ],
)  # fmt: skip
def test_after_days(case: str, at: datetime, count: int, zone: str, instant: datetime) -> None:
    assert after_days(at, count, zone) == instant


@pytest.mark.parametrize(
    ("case", "at", "months", "zone", "instant"),
    [
        ("a month", utc(2026, 4, 10, 10), 1, "Europe/Budapest", utc(2026, 5, 10, 22)),
        ("a year over the change of clocks", utc(2026, 3, 28, 22, 59), 12, "Europe/Budapest",
         utc(2027, 3, 28, 22)),
        ("31 January and a month", utc(2026, 1, 31, 12), 1, "UTC", utc(2026, 3, 1)),
        ("31 January and a month, leap year", utc(2028, 1, 31, 12), 1, "UTC", utc(2028, 3, 1)),
        ("leap day and a year", utc(2028, 2, 29, 12), 12, "UTC", utc(2029, 3, 1)),
        ("leap day and four years", utc(2028, 2, 29, 12), 48, "UTC", utc(2032, 3, 1)),
        ("a day before leap day and a year", utc(2027, 2, 28, 12), 12, "UTC", utc(2028, 2, 29)),
        ("31 December local, still 31 in UTC", utc(2026, 12, 31, 22), 2, "Europe/Budapest",
         utc(2027, 2, 28, 23)),
        ("1 January local, still 31 in UTC", utc(2026, 12, 31, 23), 2, "Europe/Budapest",
         utc(2027, 3, 1, 23)),
        ("no months: until the day ends", utc(2026, 6, 1, 12), 0, "America/New_York",
         utc(2026, 6, 2, 4)),
        ("ends where the next day has no midnight", utc(2018, 10, 3, 12), 1, "America/Sao_Paulo",
         utc(2018, 11, 4, 3)),
    ],
)  # fmt: skip
def test_end_after_months(
    case: str, at: datetime, months: int, zone: str, instant: datetime
) -> None:
    assert end_after_months(at, months, zone) == instant


@given(days, zones)
def test_a_day_starts_with_its_first_instant(day: date, zone: str) -> None:
    first = start_of_day(day, zone)

    assert day_of(first, zone) >= day
    assert day_of(first - timedelta(seconds=1), zone) < day


@given(days, zones)
def test_days_start_in_order(day: date, zone: str) -> None:
    assert start_of_day(day, zone) <= start_of_day(day + timedelta(days=1), zone)


@given(days, st.integers(0, 120), zones)
def test_a_longer_life_never_ends_sooner(day: date, months: int, zone: str) -> None:
    at = start_of_day(day, zone)

    assert at < end_after_months(at, months, zone) < end_after_months(at, months + 1, zone)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe", "a\0b", "x" * 999])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="wanted an IANA name"):
        time_zone(name)


@pytest.mark.parametrize(
    "asked",
    [
        lambda: after_days(utc(9999, 12, 31, 12), 1, "UTC"),
        lambda: end_after_months(utc(9999, 6, 1), 12, "UTC"),
        lambda: end_after_months(utc(9999, 12, 31), 0, "UTC"),
        lambda: start_of_day(date(1, 1, 1), "Asia/Kathmandu"),
        lambda: local(utc(9999, 12, 31, 23), "Asia/Kathmandu"),
        lambda: day_of(utc(1, 1, 1), "America/New_York"),
    ],
)
def test_the_edge_of_time_is_refused_not_crashed_into(asked: Callable[[], object]) -> None:
    with pytest.raises(BadInput, match="year 1"):
        asked()
