"""Days of a program in Budapest, for ``shop_model``."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Budapest")
UTC = ZoneInfo("UTC")


def start_of_day(at: datetime, days: int) -> datetime:
    """The first instant of the local day so many days later."""
    day = at.astimezone(ZONE).date() + timedelta(days=days)
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def end_after_months(at: datetime, months: int) -> datetime:
    """The end of the same day so many months later; a month too short counts to its last day."""
    day = at.astimezone(ZONE).date()
    years, month = divmod(day.month - 1 + months, 12)
    first = date(day.year + years, month + 1, 1)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    last = min(first + timedelta(days=day.day - 1), after - timedelta(days=1))
    return datetime.combine(last + timedelta(days=1), time(), ZONE).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The first instant after a local day."""
    return datetime.combine(day + timedelta(days=1), time(), ZONE).astimezone(UTC)
