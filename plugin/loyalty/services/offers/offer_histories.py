"""What members bought, read for a plan of offers a few members at a time."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from itertools import repeat
from typing import Any

import numpy as np

from loyalty.domain.books.ledger import instant, micros
from loyalty.domain.calendar import local
from loyalty.domain.offers.offer_plan import Goods
from loyalty.domain.offers.propensity import LATELY_DAYS, LOOK_BACK_DAYS, TargetHistory
from loyalty.storage import offers as sql
from loyalty.storage.database import Database
from loyalty_recommender.arrays import AnyArray
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.offers.targets import Shelves
from loyalty_recommender.vocabulary import Vocabulary

PAGE_ROWS = 20_000
PAGE_MEMBERS = 50
"""Whose purchases are held at once: they are as many as these members ever made, however many
members there are."""
_DAY_MICROS = 86_400 * 1_000_000
_QUARTER_MICROS = 900 * 1_000_000
"""Clocks go forward and back at whole quarters of an hour."""
_UNIT_BP = 10_000
_NOTHING = np.empty(0, dtype=np.int32)

Rows = Sequence[Sequence[Any]]
Kind = tuple[str | None, str | None, str | None, str | None]
"""Department, category, type and brand of a product."""


@dataclass(slots=True)
class Totals:
    """Purchases of one target: on so many days of members; amounts in minor units."""

    times: int = 0
    spend_minor: int = 0
    margin_minor: int = 0
    quantity: int = 0

    def add(self, other: "Totals") -> None:
        self.times += other.times
        self.spend_minor += other.spend_minor
        self.margin_minor += other.margin_minor
        self.quantity += other.quantity


@dataclass(slots=True)
class Bought:
    """What one member bought of one target within the look-back. Amounts in minor units, all days
    together.

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

    def history(self, today: int) -> TargetHistory:
        lately = sum(today - day <= LATELY_DAYS for day in self.days)
        return TargetHistory(len(self.days), lately, max(today - max(self.days), 0))

    def totals(self) -> Totals:
        return Totals(len(self.days), self.spend_minor, self.margin_minor, self.quantity)


@dataclass(frozen=True, slots=True)
class MemberPast:
    """One member: what it bought of each target, and everything it ever bought.

    ``products``: positions in the shelf's products, with ``days`` counted from 1970 in the
    program's time.
    """

    member_id: int
    bought: Mapping[Goods, Bought]
    products: AnyArray
    days: AnyArray


@dataclass(frozen=True)
class Shelf:
    """The catalogue as a plan sees it.

    ``goods_of``: which targets each product is of. ``named``: a product of each target, for kinds
    of reward that look at it. ``kinds``: of each product there is.
    """

    goods_of: Mapping[str, Sequence[Goods]]
    named: Mapping[Goods, str]
    cost_minor: Mapping[str, int]
    margin_bp: int
    kinds: Mapping[str, Kind]

    @cached_property
    def products(self) -> Vocabulary:
        """Of the catalogue, in the order of positions."""
        return Vocabulary.of(self.kinds)

    @cached_property
    def position(self) -> Mapping[str, int]:
        return {product: at for at, product in enumerate(self.products.texts())}

    def shelves(self) -> Shelves:
        """What the products are."""
        kinds = [self.kinds[product] for product in self.position]
        department, category, type_, brand = ([kind[at] for kind in kinds] for at in range(4))
        return Shelves.of(Attributes.of_names(department, category, type_, brand))

    def products_of(self, goods: Goods) -> list[str]:
        """Every product of a target."""
        return [each for each, of in self.goods_of.items() if goods in of]

    def positions(self, goods: Goods) -> AnyArray:
        """Of the products of a target that the catalogue has."""
        found = [self.position.get(each, -1) for each in self.products_of(goods)]
        return np.array([each for each in found if each >= 0], dtype=np.int32)

    def margin(self, product: str, quantity: int, spend_minor: int) -> int:
        """The margin of a line, rounded down; of unknown cost by the policy's rate."""
        cost = self.cost_minor.get(product)
        if cost is None:
            return spend_minor * self.margin_bp // _UNIT_BP
        return spend_minor - cost * quantity


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days of a program's time; ``today`` and those in it are counted from 1970."""

    at: datetime
    zone: str

    def day_of(self, moment: int) -> int:
        return (moment + _shift(self.zone, moment // _QUARTER_MICROS)) // _DAY_MICROS

    @property
    def today(self) -> int:
        return self.day_of(micros(self.at))

    @property
    def since(self) -> int:
        """From when on purchases count as a member's own of a target, in microseconds."""
        return micros(self.at - timedelta(days=LOOK_BACK_DAYS))


@lru_cache(maxsize=65_536)
def _shift(zone: str, quarter: int) -> int:
    """What a quarter of an hour's local time is ahead of UTC, in microseconds."""
    offset = local(instant(quarter * _QUARTER_MICROS), zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)


async def pasts(
    database: Database,
    tenant_id: int,
    shelf: Shelf,
    members: Sequence[int],
    *,
    calendar: Calendar,
    currency: str,
) -> AsyncIterator[list[MemberPast]]:
    """The past of each member before the calendar's moment, ``PAGE_MEMBERS`` at a time."""

    for start in range(0, len(members), PAGE_MEMBERS):
        ids = members[start : start + PAGE_MEMBERS]
        rows = await database.read(sql.BOUGHT(tenant_id, ids, calendar.at))
        yield await asyncio.to_thread(_pasts, shelf, ids, rows, calendar, currency)


def _pasts(
    shelf: Shelf, ids: Sequence[int], rows: Rows, calendar: Calendar, currency: str
) -> list[MemberPast]:
    if not rows:
        return [MemberPast(id, {}, _NOTHING, _NOTHING) for id in ids]
    member_ids, moments, products, *_ = zip(*rows, strict=True)
    bought = _bought(shelf, rows, products, calendar, currency)
    product = np.fromiter(
        map(shelf.position.get, products, repeat(-1)), np.int32, count=len(products)
    )
    # By the offset of the moment of the plan, as the recommender counts days.
    shift = _shift(calendar.zone, micros(calendar.at) // _QUARTER_MICROS)
    days = ((np.array(moments, dtype=np.int64) + shift) // _DAY_MICROS).astype(np.int32)
    member = np.array(member_ids, dtype=np.int64)
    order = np.argsort(member, kind="stable")
    order = order[product[order] >= 0]
    ends = np.searchsorted(member[order], np.array(ids, dtype=np.int64), side="right").tolist()
    starts = np.searchsorted(member[order], np.array(ids, dtype=np.int64)).tolist()
    return [
        MemberPast(id, bought.get(id, {}), product[order[low:high]], days[order[low:high]])
        for id, low, high in zip(ids, starts, ends, strict=True)
    ]


def _bought(
    shelf: Shelf, rows: Rows, products: Sequence[str], calendar: Calendar, currency: str
) -> dict[int, dict[Goods, Bought]]:
    """What each member bought of each target, with the money of it."""
    found: dict[int, dict[Goods, Bought]] = {}
    since, goods_of = calendar.since, shelf.goods_of
    for at in [at for at, product in enumerate(products) if product in goods_of]:
        member_id, occurred_at, product, quantity, spend, paid_in = rows[at]
        if occurred_at < since or paid_in != currency:
            continue
        day, margin = calendar.day_of(occurred_at), shelf.margin(product, quantity, spend)
        own = found.setdefault(member_id, {})
        for goods in goods_of[product]:
            own.setdefault(goods, Bought()).add(day, quantity, spend, margin)
    return found


async def read_shelf(
    database: Database, tenant_id: int, wanted: Collection[Goods], currency: str, margin_bp: int
) -> Shelf:
    """The catalogue, each product with the targets it is of."""
    goods_of: dict[str, list[Goods]] = {}
    named: dict[Goods, str] = {}
    cost_of: dict[str, int] = {}
    kinds: dict[str, Kind] = {}
    by_value = _by_value(wanted)
    after = 0
    while True:
        rows = await database.read(sql.PRODUCTS(tenant_id, after, PAGE_ROWS))
        for _, product, category, department, brand, type_, cost, own in rows:
            kinds[product] = department, category, type_, brand
            values = (product, category, department, brand)
            of = [
                goods
                for dimension, value in enumerate(values)
                for goods in by_value.get((dimension, value), ())
            ]
            if of:
                goods_of[product] = of
                for goods in of:
                    named.setdefault(goods, product)
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
                named.setdefault(goods, value)
    return Shelf(goods_of, named, cost_of, margin_bp, kinds)


def _by_value(wanted: Collection[Goods]) -> dict[tuple[int, Any], list[Goods]]:
    """Targets by what they name: a product, category, department or brand."""
    found: dict[tuple[int, Any], list[Goods]] = {}
    for goods in wanted:
        for dimension, values in enumerate(goods):
            for value in values:
                found.setdefault((dimension, value), []).append(goods)
    return found
