"""What members bought of an offer pool's targets, read for a plan."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from loyalty.domain.calendar import local
from loyalty.domain.ledger import instant, micros
from loyalty.domain.offer_plan import Goods
from loyalty.domain.propensity import LATELY_DAYS, LOOK_BACK_DAYS
from loyalty.storage import offers as sql
from loyalty.storage.database import Database

PAGE_ROWS = 20_000
_DAY_MICROS = 86_400 * 1_000_000
_QUARTER_MICROS = 900 * 1_000_000
"""Clocks go forward and back at whole quarters of an hour."""
_UNIT_BP = 10_000


@dataclass(slots=True)
class Bought:
    """What one member bought of one target. Amounts in minor units, all days together.

    ``days``: the days on which it was, counted from 1970 in the program's time.
    """

    days: set[int] = field(default_factory=set)
    spend_minor: int = 0
    margin_minor: int = 0
    quantity: int = 0

    def add(self, day: int, quantity: int, spend_minor: int, margin_minor: int) -> None:
        self.days.add(day)
        self.quantity += quantity
        self.spend_minor += spend_minor
        self.margin_minor += margin_minor

    def lately(self, today: int) -> int:
        return sum(today - day <= LATELY_DAYS for day in self.days)


@dataclass(slots=True)
class Histories:
    """Of every target, by member; ``today`` counted like the days in it.

    ``named``: a product of each target, for kinds of reward that look at it.
    """

    today: int
    by_goods: dict[Goods, dict[int, Bought]]
    named: dict[Goods, str]

    def average(self, goods: Goods) -> Bought | None:
        """All members' purchases of a target together; None when nobody bought it."""
        everybody = Bought()
        visits = 0
        for bought in self.by_goods[goods].values():
            visits += len(bought.days)
            everybody.spend_minor += bought.spend_minor
            everybody.margin_minor += bought.margin_minor
            everybody.quantity += bought.quantity
        everybody.days = set(range(visits))
        return everybody if visits else None


@dataclass(frozen=True, slots=True)
class _Costs:
    """Which targets each product is of, and what one costs."""

    goods: Mapping[str, Sequence[Goods]]
    cost_minor: Mapping[str, int]
    margin_bp: int

    def margin(self, product: str, quantity: int, spend_minor: int) -> int:
        """The margin of a line, rounded down; of unknown cost by the policy's rate."""
        cost = self.cost_minor.get(product)
        if cost is None:
            return spend_minor * self.margin_bp // _UNIT_BP
        return spend_minor - cost * quantity


async def read_histories(
    database: Database,
    tenant_id: int,
    wanted: Collection[Goods],
    members: Collection[int],
    *,
    at: datetime,
    zone: str,
    currency: str,
    margin_bp: int,
) -> Histories:
    """What ``members`` bought of each target within the look-back before ``at``."""
    found, costs = await _products(database, tenant_id, wanted, currency, margin_bp)

    @cache
    def shift(quarter: int) -> int:
        """What a quarter of an hour's local time is ahead of UTC."""
        offset = local(instant(quarter * _QUARTER_MICROS), zone).utcoffset() or timedelta()
        return offset // timedelta(microseconds=1)

    def day_of(moment: int) -> int:
        return (moment + shift(moment // _QUARTER_MICROS)) // _DAY_MICROS

    found.today = day_of(micros(at))
    since = at - timedelta(days=LOOK_BACK_DAYS)
    known = frozenset(members)
    products, after = sorted(costs.goods), 0
    while products:
        rows = await database.read(
            sql.PURCHASES(tenant_id, after, products, since, at, currency, PAGE_ROWS)
        )
        for _, member_id, product, occurred_at, quantity, spend in rows:
            if member_id not in known:
                continue
            day, margin = day_of(occurred_at), costs.margin(product, quantity, spend)
            for goods in costs.goods[product]:
                found.by_goods[goods].setdefault(member_id, Bought()).add(
                    day, quantity, spend, margin
                )
        if len(rows) < PAGE_ROWS:
            break
        after = rows[-1][0]
    return found


async def _products(
    database: Database, tenant_id: int, wanted: Collection[Goods], currency: str, margin_bp: int
) -> tuple[Histories, _Costs]:
    """The products of the targets, each with the targets it is of."""
    histories = Histories(0, {goods: {} for goods in wanted}, {})
    goods_of: dict[str, list[Goods]] = {}
    cost_of: dict[str, int] = {}
    by_value = _by_value(wanted)
    after = 0
    while True:
        rows = await database.read(sql.PRODUCTS(tenant_id, after, PAGE_ROWS))
        for _, product, category, department, brand, cost, own in rows:
            values = (product, category, department, brand)
            of = [
                goods
                for dimension, value in enumerate(values)
                for goods in by_value.get((dimension, value), ())
            ]
            if of:
                goods_of[product] = of
                for goods in of:
                    histories.named.setdefault(goods, product)
                if cost is not None and own == currency:
                    cost_of[product] = cost
        if len(rows) < PAGE_ROWS:
            break
        after = rows[-1][0]
    # Products that a target names need not be in the catalogue.
    for (dimension, value), of in by_value.items():
        if dimension == 0:
            goods_of.setdefault(value, of)
            for goods in of:
                histories.named.setdefault(goods, value)
    return histories, _Costs(goods_of, cost_of, margin_bp)


def _by_value(wanted: Collection[Goods]) -> dict[tuple[int, Any], list[Goods]]:
    """Targets by what they name: a product, category, department or brand."""
    found: dict[tuple[int, Any], list[Goods]] = {}
    for goods in wanted:
        for dimension, values in enumerate(goods):
            for value in values:
                found.setdefault((dimension, value), []).append(goods)
    return found
