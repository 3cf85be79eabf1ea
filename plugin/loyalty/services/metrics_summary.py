"""A program in a few figures, for its merchant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from loyalty.domain.books.ledger import micros
from loyalty.domain.money import Money
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.storage import members as members_sql
from loyalty.storage import metrics_summary as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Unit


@dataclass(frozen=True, slots=True)
class Outstanding:
    """Points of one type that members have and may still spend.

    ``points`` counts what is pending and held too; ``deficit`` is what members owe.
    """

    point_type: str
    points: int
    pending: int
    held: int
    deficit: int


@dataclass(frozen=True, slots=True)
class MetricsSummary:
    """Figures of one moment. ``liability``: what all outstanding points would pay, rounded up;
    None where points do not pay."""

    members: Mapping[str, int]
    orders: int
    outstanding: tuple[Outstanding, ...]
    liability: Money | None


async def metrics_summary(
    database: Database, tenant_id: int, ruleset: Ruleset, at: datetime
) -> MetricsSummary:
    """Add up a tenant at one instant. Reads every open lot: for a page, not for a shopper."""
    return await database.read_unit(lambda: _summary(tenant_id, ruleset, at))


def _summary(tenant_id: int, ruleset: Ruleset, at: datetime) -> Unit[MetricsSummary]:
    members = yield members_sql.COUNTS(tenant_id)
    orders = yield sql.ORDERS(tenant_id)
    lots = {row[0]: row[1:] for row in (yield sql.LOTS(tenant_id, micros(at)))}
    held: dict[str, int] = dict((yield sql.HELD(tenant_id)))
    deficits: dict[str, int] = dict((yield sql.DEFICITS(tenant_id)))
    outstanding = []
    for item in ruleset.point_types:
        remaining, pending = lots.get(item.code, (0, 0))
        under_hold = held.get(item.code, 0)
        outstanding.append(
            Outstanding(
                point_type=item.code,
                points=remaining + under_hold,
                pending=pending,
                held=under_hold,
                deficit=deficits.get(item.code, 0),
            )
        )
    return MetricsSummary(
        members={state: int(number) for state, number in members},
        orders=int(orders[0][0]),
        outstanding=tuple(outstanding),
        liability=_liability(ruleset, {item.point_type: item.points for item in outstanding}),
    )


def _liability(ruleset: Ruleset, points: Mapping[str, int]) -> Money | None:
    tender = ruleset.tender
    if tender is None:
        return None
    # Rounded up: what the shop owes is not made smaller.
    minor = -(-points[tender.point_type] * tender.minor // tender.points)
    return Money(minor, ruleset.currency)
