"""Days as people type them, turned into instants in the program's time zone."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from loyalty.errors import BadInput

if TYPE_CHECKING:
    from datetime import datetime

FirstDay = Annotated[
    str | None, typer.Option("--from", help="The first day, such as 2026-12-01; default: now.")
]
LastDay = Annotated[
    str | None, typer.Option("--until", help="The last day, such as 2026-12-24; default: none.")
]


def begin_of(day: str | None, zone: str) -> datetime | None:
    """When a day begins. Raises BadInput for none that there is."""
    from loyalty.domain.calendar import start_of_day

    return None if day is None else start_of_day(_day(day), zone)


def end_of(day: str | None, zone: str) -> datetime | None:
    """When a day is over. Raises BadInput for none that there is."""
    from loyalty.domain.calendar import after_days, start_of_day

    return None if day is None else after_days(start_of_day(_day(day), zone), 1, zone)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise BadInput(f"found day {text[:20]!r}, wanted one such as 2026-12-24") from problem
