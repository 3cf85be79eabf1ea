"""Make a plan: which members get which offers, and what that is expected to come to.

Reads alone; nothing is anybody's before the plan is published.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant
from loyalty.domain.offers.offer_plan import (
    PPM,
    Chooser,
    OfferFigures,
    Planned,
    Standing,
    figures,
    goods_of,
)
from loyalty.domain.offers.offers import OfferConsent, PoolOffer
from loyalty.domain.quotes.quote_holdings import BudgetFacts
from loyalty.domain.quotes.quote_terms import QuotaKind
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.errors import BadInput, Conflict
from loyalty.services.offers.offer_facts import budget_subjects, budgets_left
from loyalty.services.offers.offer_histories import Calendar, MemberPast, pasts, read_shelf
from loyalty.services.offers.offer_prospects import Prospects, aimed
from loyalty.services.offers.propensity import Propensity, propensity
from loyalty.services.rulesets import Rulesets
from loyalty.storage import offers as sql
from loyalty.storage import quotas as quotas_sql
from loyalty.storage.database import Database

PAGE_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class OfferPlan:
    """What was chosen, in the sequence of its worth for its cost.

    ``budgets``: what was left of each offer's before, less what open offers are expected to cost.
    ``propensity``: what told how likely members are to buy; ``prior_for``: why, or for which
    targets, that was the prior, None where it was the model. ``considered``: members with the
    consent that the policy wants.
    """

    ruleset_version: int
    currency: str
    planned_at: datetime
    propensity: str
    prior_for: str | None
    considered: int
    chosen: tuple[Planned, ...]
    figures: tuple[OfferFigures, ...]
    budgets: Mapping[str, BudgetFacts]


class OfferPlanner:
    """Makes plans.

    Args:
        models: folder with a folder of models per tenant, named by the tenant's id.
    """

    def __init__(self, database: Database, clock: Clock, rulesets: Rulesets, models: Path) -> None:
        self._database = database
        self._clock = clock
        self._rulesets = rulesets
        self._models = models

    async def plan(self, tenant_id: int, at: datetime | None = None) -> OfferPlan:
        """The plan by the ruleset in force.

        Args:
            at: as if it were then: no later purchases count. None: now.

        Raises:
            Conflict: the program has no offers, or the model in service is broken.
            BadInput: ``at`` is still to come; what is published until then would not be known.
        """
        ruleset = await self._rulesets.current(tenant_id)
        if not ruleset.offers:
            raise Conflict("the program has no [[offers]], wanted a pool to choose from")
        now = self._clock.now()
        at = at or now
        if at > now:
            raise BadInput(f"found {at.isoformat()}, wanted a moment that has come")
        members = await self._members(tenant_id, ruleset.offer_policy.consent)
        standings, expected = await self._standings(tenant_id, ruleset, at)
        budgets = await self._budgets(tenant_id, ruleset, expected)
        chooser = Chooser(
            ruleset.offers,
            ruleset.offer_policy,
            tenant_id=tenant_id,
            at=at,
            budgets=budgets,
            standings=standings,
        )
        candidates, judge = await self._candidates(tenant_id, ruleset, members, at)
        chosen = chooser.chosen(candidates)
        return OfferPlan(
            ruleset.version,
            ruleset.currency,
            at,
            judge.name,
            judge.prior_for,
            len(members),
            tuple(chosen),
            tuple(figures(ruleset.offers, chosen)),
            budgets,
        )

    async def _candidates(
        self, tenant_id: int, ruleset: Ruleset, members: Sequence[int], at: datetime
    ) -> tuple[list[Planned], Propensity]:
        """Every offer that a member could get and that is worth its cost, and what judged it."""
        offers = aimed(ruleset)
        shelf = await read_shelf(
            self._database,
            tenant_id,
            {each.goods for each in offers},
            ruleset.currency,
            ruleset.offer_policy.margin_bp,
        )
        calendar = Calendar(at, ruleset.time_zone)
        judge = await propensity(
            self._models / f"{tenant_id}",
            shelf,
            [each.question for each in offers],
            at=at,
            today=calendar.today,
        )
        prospects = Prospects(ruleset, offers, shelf, judge, calendar.today)
        found: list[Planned] = []

        def take(page: Sequence[MemberPast]) -> None:
            for past in page:
                found.extend(prospects.of(past))

        async for page in pasts(
            self._database,
            tenant_id,
            shelf,
            members,
            calendar=calendar,
            currency=ruleset.currency,
        ):
            await asyncio.to_thread(take, page)
        found.extend(prospects.of_new())
        return found, judge

    async def _members(self, tenant_id: int, consent: OfferConsent) -> list[int]:
        """Who consented to what the policy wants, by id."""
        found: list[int] = []
        after = 0
        while rows := await self._database.read(sql.MEMBERS(tenant_id, after, PAGE_ROWS)):
            after = rows[-1][0]
            found += [
                id for id, email, sms in rows if email or sms or consent is OfferConsent.PROFILING
            ]
        return found

    async def _standings(
        self, tenant_id: int, ruleset: Ruleset, at: datetime
    ) -> tuple[dict[int, Standing], dict[str, tuple[int, int]]]:
        """What members have or had lately; and, by offer, what of it that is open is expected to
        cost in minor units and to be used, in millionths.
        """
        pool = {offer.code: offer for offer in ruleset.offers}
        days = [ruleset.offer_policy.target_days_between, *(x.days_between for x in pool.values())]
        since = at - timedelta(days=max(days))
        standings: dict[int, Standing] = {}
        expected: dict[str, tuple[int, int]] = {}
        after = 0
        while rows := await self._database.read(sql.STANDING(tenant_id, after, since, PAGE_ROWS)):
            after = rows[-1][0]
            for row in rows:
                of = dict(zip(sql.STANDING_COLUMNS, row, strict=True))
                ends_at = instant(of["ends_at"])
                standing = standings.setdefault(of["member_id"], Standing())
                _note(standing, pool.get(of["offer"]), of["offer"], of["target"], ends_at)
                if ends_at <= at or of["used"] >= of["uses_max"]:
                    continue
                standing.open += 1
                if of["state"] == "OFFERED":
                    cost, uses = expected.get(of["offer"], (0, 0))
                    cost += of["use_ppm"] * of["cost_minor"]
                    expected[of["offer"]] = cost, uses + of["use_ppm"]
        return standings, expected

    async def _budgets(
        self, tenant_id: int, ruleset: Ruleset, expected: Mapping[str, tuple[int, int]]
    ) -> dict[str, BudgetFacts]:
        subjects = budget_subjects(ruleset)
        rows = await self._database.read(quotas_sql.QUOTAS(tenant_id, QuotaKind.BUDGET, subjects))
        ids = [row[0] for row in rows]
        now = self._clock.now()
        held = await self._database.read(quotas_sql.HELD(tenant_id, ids, now, 0)) if ids else []
        left = budgets_left(ruleset, rows, {id: int(count) for id, count in held})
        found = {}
        for offer in ruleset.offers:
            if offer.code not in left:
                continue
            budget = left[offer.code]
            cost_ppm, uses_ppm = expected.get(offer.code, (0, 0))
            found[offer.code] = BudgetFacts(
                _less(budget.minor, cost_ppm), _less(budget.points, uses_ppm * offer.bonus_points)
            )
        return found


def _note(
    standing: Standing, pool: PoolOffer | None, offer: str, target: str, ends_at: datetime
) -> None:
    standing.offers[offer] = max(standing.offers.get(offer, ends_at), ends_at)
    known = None if pool is None else pool.target(target)
    if known is not None:
        goods = goods_of(known)
        standing.goods[goods] = max(standing.goods.get(goods, ends_at), ends_at)


def _less(left: int | None, expected_ppm: int) -> int | None:
    """What is left of a budget once what is expected is set aside, rounded down."""
    return None if left is None else max(left - -(-expected_ppm // PPM), 0)
