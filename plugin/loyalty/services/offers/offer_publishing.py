"""Publish a plan, as one step that can be taken up again; and withdraw one.

Its offers are written in parts, each in a transaction of its own, and are nobody's until the last
statement makes the whole plan published. Whatever ends it in between, the same plan published again
goes on where it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant
from loyalty.domain.calendar import after_days
from loyalty.domain.offers.offers import OfferConsent, money_budget, points_budget
from loyalty.domain.quotes.quote_offers import offer_reward
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.errors import BadInput, Conflict, NotFound
from loyalty.services.audit import Action, Subject, added, deed
from loyalty.services.offers.offer_plan_file import FiledOffer, FiledPlan, row_of
from loyalty.services.rulesets import Rulesets
from loyalty.storage import offers as sql
from loyalty.storage import rulesets as rulesets_sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Unit

PART = 500
"""Offers written in one transaction."""

Placed = tuple[int, FiledOffer]
"""An offer with its place in its plan."""
Terms = tuple[datetime, datetime, int]
"""From when and until when an offer stands, and how often it may be used."""


@dataclass(frozen=True, slots=True)
class Published:
    """A published plan. ``skipped``: offers of members who may have none any more.

    ``replayed``: it was published before; then nothing was written, and the counts are 0.
    """

    plan_id: int
    offers: int
    held_out: int
    skipped: int
    replayed: bool


class OfferPublisher:
    """Publishes and withdraws plans."""

    def __init__(self, database: Database, clock: Clock, rulesets: Rulesets) -> None:
        self._database = database
        self._clock = clock
        self._rulesets = rulesets

    async def publish(self, tenant_id: int, tenant: str, plan: FiledPlan, by: str) -> Published:
        """Give members the offers of a plan.

        Args:
            tenant: the tenant's code, which the plan must be of.

        Raises:
            BadInput: it names offers that the program has not. Conflict: it was made for another
            tenant or by other rules, offers were published since, or it was withdrawn.
        """
        ruleset = await self._rulesets.current(tenant_id)
        _check(plan, tenant, ruleset)
        plan_id, state, starts_at = await self._begun(tenant_id, plan, ruleset, by)
        if state == "PUBLISHED":
            return Published(plan_id, 0, 0, 0, replayed=True)
        if state != "PUBLISHING":
            raise Conflict("the plan was withdrawn; make another one")
        offered = held_out = skipped = 0
        terms = _terms(ruleset, starts_at)
        for part in _parts(plan.offers):

            def unit(part: Sequence[Placed] = part) -> Unit[tuple[int, int, int]]:
                return self._part(tenant_id, plan_id, part, terms, ruleset)

            done = await self._database.write(unit)
            offered, held_out, skipped = offered + done[0], held_out + done[1], skipped + done[2]
        await self._database.write(lambda: self._ended(tenant_id, plan_id, by))
        return Published(plan_id, offered, held_out, skipped, replayed=False)

    async def withdraw(self, tenant_id: int, plan_id: int, by: str) -> bool:
        """Let nobody use a plan's offers any more; what was used stays. Whether that is new.

        Raises:
            NotFound: no such plan.
        """
        now, event_id = self._clock.now(), self._database.ids.next()

        def unit() -> Unit[bool]:
            if not (yield sql.LOCK_PLAN(tenant_id, plan_id)):
                raise NotFound("offer plan", field=("input", "id"))
            if not (yield sql.WITHDRAW(tenant_id, plan_id, now)):
                return False
            effects = Effects()
            done = deed(by, Action.OFFER_PLAN_WITHDRAW, Subject.OFFER_PLAN, plan_id)
            added(effects, event_id, tenant_id, now, done)
            yield effects
            return True

        return await self._database.write(unit)

    async def _begun(
        self, tenant_id: int, plan: FiledPlan, ruleset: Ruleset, by: str
    ) -> tuple[int, str, datetime]:
        """The plan's row, made where there is none: its id, state and when it began."""
        now, ids = self._clock.now(), self._database.ids

        def unit() -> Unit[tuple[int, str, datetime]]:
            yield rulesets_sql.LOCK_TENANT(tenant_id)
            known = yield sql.PLAN_BY_KEY(tenant_id, plan.key)
            if known and known[0][1] != "PUBLISHING":
                return known[0][0], known[0][1], instant(known[0][2])
            for other_id, state in (yield sql.PLANS_SINCE(tenant_id, plan.key, plan.planned_at)):
                raise Conflict(
                    f"plan {other_id} was published since this one was made; make another one"
                    if state == "PUBLISHED"
                    else f"plan {other_id} is half published: publish it again, or withdraw it"
                )
            if known:
                return known[0][0], known[0][1], instant(known[0][2])
            for offer in ruleset.offers:
                for subject, limit in (
                    (money_budget(offer.code), offer.budget_minor),
                    (points_budget(offer.code), offer.budget_points),
                ):
                    yield sql.SET_BUDGET(ids.next(), tenant_id, subject, limit)
            effects, id = Effects(), ids.next()
            row = {
                "id": id,
                "tenant_id": tenant_id,
                "key": plan.key,
                "state": "PUBLISHING",
                "ruleset_version": plan.ruleset_version,
                "planned_at": plan.planned_at,
                "starts_at": now,
                "figures": plan.figures,
                "published_by": by,
            }
            effects.insert("offer_plan", row)
            yield effects
            return id, "PUBLISHING", now

        return await self._database.write(unit)

    def _part(
        self,
        tenant_id: int,
        plan_id: int,
        part: Sequence[Placed],
        terms: Mapping[str, Terms],
        ruleset: Ruleset,
    ) -> Unit[tuple[int, int, int]]:
        """Write some of a plan's offers: how many were offered, held out, and skipped."""
        if [row[0] for row in (yield sql.LOCK_PLAN(tenant_id, plan_id))] != ["PUBLISHING"]:
            raise Conflict("the plan was withdrawn or published by somebody else meanwhile")
        first, last = part[0][0], part[-1][0]
        there = {row[0] for row in (yield sql.PLACES(tenant_id, plan_id, first, last + 1))}
        ids = sorted({offer.member_id for _, offer in part})
        able = {
            row[0]
            for row in (yield sql.LOCK_MEMBERS(tenant_id, ids))
            if _may_have(row, ruleset.offer_policy.consent)
        }
        effects, offered, held_out, skipped = Effects(), 0, 0, 0
        for place, offer in part:
            if offer.member_id not in able:
                skipped += 1
                continue
            held_out += offer.is_held_out
            offered += not offer.is_held_out
            if place not in there:
                row = row_of(offer, self._database.ids.next(), *terms[offer.offer])
                row |= {"tenant_id": tenant_id, "plan_id": plan_id, "place": place}
                effects.insert("member_offer", row)
        if effects:
            yield effects
        return offered, held_out, skipped

    def _ended(self, tenant_id: int, plan_id: int, by: str) -> Unit[None]:
        now = self._clock.now()
        if not (yield sql.PUBLISHED(tenant_id, plan_id, now)):
            ((state,),) = yield sql.LOCK_PLAN(tenant_id, plan_id)
            if state != "PUBLISHED":
                raise Conflict("the plan was withdrawn meanwhile; make another one")
            return
        effects = Effects()
        done = deed(by, Action.OFFER_PLAN_PUBLISH, Subject.OFFER_PLAN, plan_id)
        added(effects, self._database.ids.next(), tenant_id, now, done)
        yield effects


def _check(plan: FiledPlan, tenant: str, ruleset: Ruleset) -> None:
    if plan.tenant != tenant:
        raise Conflict(f"the plan is of tenant {plan.tenant!r}, wanted {tenant!r}")
    if plan.ruleset_version != ruleset.version:
        raise Conflict(
            f"the plan was made by version {plan.ruleset_version} of the program, and version "
            f"{ruleset.version} is in force; make another one"
        )
    for name in {(offer.offer, offer.target) for offer in plan.offers}:
        if offer_reward(ruleset, *name) is None:
            raise BadInput(f"found an offer {name[0]!r} for {name[1]!r}, which the program has not")


def _terms(ruleset: Ruleset, starts_at: datetime) -> dict[str, Terms]:
    """Those of each offer of the pool."""
    return {
        offer.code: (
            starts_at,
            after_days(starts_at, offer.valid_days + 1, ruleset.time_zone),
            offer.uses_max,
        )
        for offer in ruleset.offers
    }


def _parts(offers: Sequence[FiledOffer]) -> Iterator[list[Placed]]:
    placed = enumerate(offers)
    while part := list(islice(placed, PART)):
        yield part


def _may_have(row: Sequence[Any], consent: OfferConsent) -> bool:
    _, state, merged_into, profiling, email, sms = row
    if state != "ACTIVE" or merged_into is not None or not profiling:
        return False
    return bool(email or sms or consent is OfferConsent.PROFILING)
