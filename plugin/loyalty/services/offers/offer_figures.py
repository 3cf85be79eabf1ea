"""What published plans came to, beside what they were expected to: for the merchant."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant
from loyalty.domain.offers.offer_effect import (
    Effect,
    Group,
    TargetEffect,
    effect_of,
    group_of,
    target_effect_of,
)
from loyalty.domain.offers.offer_plan import goods_of
from loyalty.errors import NotFound
from loyalty.services.offers.offer_histories import read_shelf
from loyalty.services.rulesets import Rulesets
from loyalty.storage import offers as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Unit, together

LAST = 2**63 - 1
"""After every id."""
PAGE_MEMBERS = 20_000
"""Members of a plan whose sales are read at once."""


@dataclass(frozen=True, slots=True)
class OfferCame:
    """One offer of the pool within a plan.

    Expected before it was published: ``expected_uses_ppm`` (millionths), ``expected_minor``.
    Came so far: ``offered`` to members, ``activated`` by them, ``users`` who used it and ``uses``,
    refunds taken off; ``held`` uses of checkouts in progress; ``cost_minor``: what the uses took
    off. ``held_out``: offers that members would have got.
    """

    offer: str
    expected_uses_ppm: int
    expected_minor: int
    offered: int
    held_out: int
    activated: int
    users: int
    uses: int
    held: int
    cost_minor: int


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A plan; ``ends_at``: when the last of its offers ends, None for one without any."""

    id: int
    state: str
    ruleset_version: int
    planned_at: datetime
    starts_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None
    published_by: str
    propensity: str
    considered: int
    ends_at: datetime | None
    offers: tuple[OfferCame, ...]


class OfferReports:
    """Reads plans and what came of them."""

    def __init__(self, database: Database, clock: Clock, rulesets: Rulesets) -> None:
        self._database = database
        self._clock = clock
        self._rulesets = rulesets

    async def plans(self, tenant_id: int, first: int, before_id: int = LAST) -> list[PlanSummary]:
        """Plans, the newest first."""
        now = self._clock.now()

        def unit() -> Unit[list[PlanSummary]]:
            rows = yield sql.PLANS(tenant_id, before_id, first)
            return (yield from _summaries(tenant_id, rows, now))

        return await self._database.read_unit(unit)

    async def plan(self, tenant_id: int, plan_id: int) -> PlanSummary:
        """Raises NotFound."""
        now = self._clock.now()

        def unit() -> Unit[PlanSummary]:
            rows = yield sql.PLAN(tenant_id, plan_id)
            if not rows:
                raise NotFound("offer plan", field=("input", "id"))
            (found,) = yield from _summaries(tenant_id, rows, now)
            return found

        return await self._database.read_unit(unit)

    async def effect(self, tenant_id: int, plan: PlanSummary) -> Effect | None:
        """Members with the plan's offers beside those held out, from its publication until its last
        offer ends or until now; None for a plan that nobody got anything of.
        """
        stood = self._stood(plan)
        if stood is None:
            return None
        groups = [Group(), Group()]
        after = 0
        while rows := await self._database.read(
            sql.SALES(tenant_id, plan.id, *stood, after, PAGE_MEMBERS)
        ):
            after = rows[-1][0]
            page = await asyncio.to_thread(_groups, rows)
            groups = [one.with_more(other) for one, other in zip(groups, page, strict=True)]
        return await asyncio.to_thread(effect_of, *groups)

    async def target_effects(self, tenant_id: int, plan: PlanSummary) -> list[TargetEffect]:
        """For each offer of the plan who bought what it is for, of those who got it and of those
        held out; none for a plan that nobody got anything of.

        What a target is for is read by the plan's version of the rules, from today's catalogue.
        """
        stood = self._stood(plan)
        if stood is None:
            return []
        ruleset = await self._rulesets.version(tenant_id, plan.ruleset_version)
        wanted = {goods_of(target) for offer in ruleset.offers for target in offer.targets}
        shelf = await read_shelf(self._database, tenant_id, wanted, ruleset.currency, 0)
        found = []
        for offer in ruleset.offers:
            groups = [Group(), Group()]
            for target in offer.targets:
                products = shelf.products_of(goods_of(target))
                rows = await self._database.read(
                    sql.TARGET_BUYERS(tenant_id, plan.id, offer.code, target.code, *stood, products)
                )
                for is_out, members, buyers in rows:
                    groups[is_out] = groups[is_out].with_more(Group(int(members), int(buyers)))
            if any(each.members for each in groups):
                assumed_bp = ruleset.offer_policy.uplift_bp
                found.append(target_effect_of(offer.code, *groups, assumed_bp=assumed_bp))
        return found

    def _stood(self, plan: PlanSummary) -> tuple[datetime, datetime] | None:
        """From when until when a plan's offers could change anything, until now at most."""
        if plan.published_at is None or plan.ends_at is None:
            return None
        until = min(self._clock.now(), plan.withdrawn_at or plan.ends_at, plan.ends_at)
        return plan.published_at, max(until, plan.published_at)


def _groups(rows: Sequence[Sequence[Any]]) -> list[Group]:
    """Some members of a plan, those who got something and those held out."""
    return [
        group_of(int(minor) if count else None for _, is_out, count, minor in rows if is_out == out)
        for out in (0, 1)
    ]


def _summaries(
    tenant_id: int, rows: Sequence[Sequence[Any]], now: datetime
) -> Unit[list[PlanSummary]]:
    """Plans with what came of them, in so many statements whatever the number of plans."""
    ids = [row[sql.PLAN_COLUMNS.index("id")] for row in rows]
    if not ids:
        return []
    found = yield from together(
        sql.COUNTS(tenant_id, ids), sql.USES(tenant_id, ids), sql.HELD(tenant_id, ids, now)
    )
    came = [_by_plan(each) for each in found]
    return [_summary(row, *(each[id] for each in came)) for id, row in zip(ids, rows, strict=True)]


def _by_plan(rows: Sequence[Sequence[Any]]) -> Mapping[int, list[Sequence[Any]]]:
    """Rows by the plan that each begins with, without it."""
    found: defaultdict[int, list[Sequence[Any]]] = defaultdict(list)
    for plan_id, *rest in rows:
        found[plan_id].append(rest)
    return found


def _summary(
    row: Sequence[Any],
    counts: Sequence[Sequence[Any]],
    uses: Sequence[Sequence[Any]],
    held: Sequence[Sequence[Any]],
) -> PlanSummary:
    of = dict(zip(sql.PLAN_COLUMNS, row, strict=True))
    figures = orjson.loads(of["figures"])
    ends = [ends_at for *_, ends_at in counts]
    return PlanSummary(
        id=of["id"],
        state=of["state"],
        ruleset_version=of["ruleset_version"],
        planned_at=instant(of["planned_at"]),
        starts_at=instant(of["starts_at"]),
        published_at=_moment(of["published_at"]),
        withdrawn_at=_moment(of["withdrawn_at"]),
        published_by=of["published_by"],
        propensity=figures.get("propensity", ""),
        considered=figures.get("considered", 0),
        ends_at=instant(max(ends)) if ends else None,
        offers=tuple(_offers(figures.get("offers", ()), counts, uses, held)),
    )


def _offers(
    expected: Sequence[Mapping[str, Any]],
    counts: Sequence[Sequence[Any]],
    uses: Sequence[Sequence[Any]],
    held: Sequence[Sequence[Any]],
) -> list[OfferCame]:
    used = {offer: figures for offer, *figures in uses}
    open_now = {offer: int(count) for offer, count in held}
    found = []
    for figures in expected:
        offer = figures["offer"]
        own = {
            state: (int(all_), int(active))
            for code, state, all_, active, _ in counts
            if code == offer
        }
        out = own.pop("HELD_OUT", (0, 0))[0]
        count, users, cost = used.get(offer, (0, 0, 0))
        found.append(
            OfferCame(
                offer,
                figures["usesPpm"],
                figures["costMinor"],
                offered=sum(all_ for all_, _ in own.values()),
                held_out=out,
                activated=sum(active for _, active in own.values()),
                users=int(users),
                uses=int(count),
                held=open_now.get(offer, 0),
                cost_minor=int(cost),
            )
        )
    return found


def _moment(value: int | None) -> datetime | None:
    return None if value is None else instant(value)
