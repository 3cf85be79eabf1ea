"""What came of recommendations, added up by window, model and variant."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from loyalty.domain.money import Money
from loyalty.errors import BadInput
from loyalty.storage import recommendation_figures as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Row, Unit

SPAN_MAX: Final = timedelta(days=800)
"""Days added up at most."""


class Place(NamedTuple):
    """Where products were shown: a window, by a model (empty: none), for a variant (or empty)."""

    window: str
    model: str
    variant: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one place over some days.

    ``purchases`` are products of orders, those that came back whole left out; ``sales`` what was
    charged for them and did not come back, by currency.
    """

    place: Place
    impressions: int
    clicks: int
    carts: int
    purchases: int
    sales: tuple[Money, ...]


class RecommendationFigures:
    """Adds up. Reads counts by day and sales, never single events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def over(self, tenant_id: int, first: date, until: date) -> list[Figures]:
        """Every place that had anything from ``first`` to before ``until``, in order.

        Raises:
            BadInput: no day at all, or too many.
        """
        if not timedelta() < until - first <= SPAN_MAX:
            raise BadInput(
                f"found from {first} until {until}, wanted 1 to {SPAN_MAX.days} days",
                field=("until",),
            )
        days = (tenant_id, first.isoformat(), until.isoformat())

        def unit() -> Unit[tuple[list[Row], list[Row]]]:
            return (yield sql.EVENTS(*days)), (yield sql.SALES(*days))

        return _added(*await self._database.read_unit(unit))


def _added(events: list[Row], sales: list[Row]) -> list[Figures]:
    counts: Mapping[Place, tuple[int, int, int]] = {
        Place(*row[:3]): (row[3], row[4], row[5]) for row in events
    }
    purchases: defaultdict[Place, int] = defaultdict(int)
    money: defaultdict[Place, list[Money]] = defaultdict(list)
    for *place, currency, number, minor in sorted(sales):
        purchases[Place(*place)] += number
        money[Place(*place)].append(Money(minor, currency))
    return [
        Figures(place, *counts.get(place, (0, 0, 0)), purchases[place], tuple(money[place]))
        for place in sorted({*counts, *money})
    ]
