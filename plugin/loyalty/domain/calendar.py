"""Days in a program's time zone, turned into UTC instants (law 18).

A "day" begins at its first instant on the local clock. That is midnight nearly always, but
where clocks jump over midnight it is the moment of the jump, and where midnight comes twice
it is the first of the two. Everything returned is aware UTC; ranges are ``[start, end)``.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from loyalty.errors import BadInput


@lru_cache(maxsize=512)
def time_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name such as ``Europe/Budapest``.

    Raises:
        BadInput: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    # zoneinfo answers a missing zone, a path outside its folder and the name of one of its
    # folders with three different errors.
    except (KeyError, ValueError, OSError):
        raise BadInput(
            f"found time zone {name[:80]!r}, wanted an IANA name such as Europe/Budapest"
        ) from None


@lru_cache(maxsize=8_192)
def start_of_day(day: date, zone: str) -> datetime:
    """First instant of a local day; a day that was skipped starts where the next one does.

    Raises:
        BadInput: the day is at the very edge of what a date can hold.
    """
    tz = time_zone(zone)
    midnight = datetime.combine(day, time(), tz)
    try:
        first = midnight.astimezone(UTC)
        if first.astimezone(tz).replace(tzinfo=None) == midnight.replace(tzinfo=None):
            return first
        before = midnight.replace(fold=1).astimezone(UTC)
    except OverflowError:
        raise _out_of_range() from None
    return _jump_into(day, tz, before, first)


def _jump_into(day: date, tz: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The moment at which clocks jumped from an earlier day into ``day`` or past it.

    In a gap ``fold=1`` reads midnight with the later offset and ``fold=0`` with the earlier
    one; the jump lies after the former and not after the latter. Offsets are whole seconds.
    """
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(tz).date() >= day:
            high = middle
        else:
            low = middle
    return before + timedelta(seconds=high)


def day_of(at: datetime, zone: str) -> date:
    """The local day on which an instant falls."""
    return local(at, zone).date()


def local(at: datetime, zone: str) -> datetime:
    """An instant on the local clock.

    Raises:
        BadInput: the instant is at the very edge of what a date can hold.
    """
    try:
        return at.astimezone(time_zone(zone))
    except OverflowError:
        raise _out_of_range() from None


def after_days(at: datetime, days: int, zone: str) -> datetime:
    """Start of the local day ``days`` days later; ``at`` itself for 0.

    Raises:
        BadInput: past the year 9999.
    """
    if days == 0:
        return at
    return _start_days_later(day_of(at, zone), days, zone)


def end_after_months(at: datetime, months: int, zone: str) -> datetime:
    """The instant right after the end of the local day ``months`` months later.

    Where that month is too short its last day counts: one month after 31 January ends with
    28 or 29 February.

    Raises:
        BadInput: past the year 9999.
    """
    return _end_months_later(day_of(at, zone), months, zone)


@lru_cache(maxsize=8_192)
def _start_days_later(day: date, days: int, zone: str) -> datetime:
    try:
        return start_of_day(day + timedelta(days=days), zone)
    except OverflowError:
        raise _out_of_range() from None


@lru_cache(maxsize=8_192)
def _end_months_later(day: date, months: int, zone: str) -> datetime:
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    if not 1 <= year <= 9_999:
        raise _out_of_range()
    last = date(year, month, min(day.day, monthrange(year, month)[1]))
    return _start_days_later(last, 1, zone)


def _out_of_range() -> BadInput:
    return BadInput("found a date before the year 1 or after 9999, wanted one between them")
