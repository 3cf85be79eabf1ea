"""Make a plan: which members get which offers, and what that is expected to come to.

Reads alone; nothing is anybody's before the plan is published.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from loyalty.clock import Clock
from loyalty.domain.cart import CartLine
from loyalty.domain.ledger import instant
from loyalty.domain.offer_plan import (
    PPM,
    Chooser,
    Goods,
    OfferFigures,
    Planned,
    Prospect,
    Standing,
    figures,
    goods_of,
    weighed,
)
from loyalty.domain.offer_states import OfferReason, WhyOffered
from loyalty.domain.offers import OfferAim, OfferConsent, PoolOffer
from loyalty.domain.propensity import Propensity, TargetHistory
from loyalty.domain.quote_holdings import BudgetFacts
from loyalty.domain.quote_offers import offer_reward
from loyalty.domain.quote_terms import QuotaKind
from loyalty.domain.rewards import OpenLine
from loyalty.domain.ruleset import Reward, Ruleset
from loyalty.errors import BadInput, Conflict
from loyalty.services.offer_facts import budget_subjects, budgets_left
from loyalty.services.offer_histories import Bought, Histories, read_histories
from loyalty.services.propensity import OwnPurchases
from loyalty.services.rulesets import Rulesets
from loyalty.storage import offers as sql
from loyalty.storage import quotas as quotas_sql
from loyalty.storage.database import Database

PAGE_ROWS = 20_000
GONE_DAYS = 56
"""Whoever has not bought a target for so many days is taken to have stopped."""
OFTEN = 6
"""Bought on so many days of the look-back, and lately, it counts as bought often."""
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class OfferPlan:
    """What was chosen, in the sequence of its worth for its cost.

    ``budgets``: what was left of each offer's before, less what open offers are expected to cost.
    ``considered``: members with the consent that the policy wants.
    """

    ruleset_version: int
    currency: str
    planned_at: datetime
    propensity: str
    considered: int
    chosen: tuple[Planned, ...]
    figures: tuple[OfferFigures, ...]
    budgets: Mapping[str, BudgetFacts]


class OfferPlanner:
    """Makes plans."""

    def __init__(self, database: Database, clock: Clock, rulesets: Rulesets) -> None:
        self._database = database
        self._clock = clock
        self._rulesets = rulesets

    async def plan(
        self, tenant_id: int, at: datetime | None = None, *, is_learned: bool = False
    ) -> OfferPlan:
        """The plan by the ruleset in force.

        Args:
            at: as if it were then: no later purchases count. None: now.
            is_learned: whether how likely members are to buy is learned from all purchases, or
                follows from each member's own purchases of the target.

        Raises:
            Conflict: the program has no offers, or there is too little to learn from.
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
        wanted = {goods_of(target) for offer in ruleset.offers for target in offer.targets}
        histories = await read_histories(
            self._database,
            tenant_id,
            wanted,
            members,
            at=at,
            zone=ruleset.time_zone,
            currency=ruleset.currency,
            margin_bp=ruleset.offer_policy.margin_bp,
        )
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
        propensity: Propensity = OwnPurchases()
        if is_learned:
            # Imported here: it brings the recommender, which no other plan needs.
            from loyalty.services.learned_propensity import learned

            propensity = await learned(self._database, tenant_id, ruleset, wanted, at)
        chosen = chooser.chosen(_candidates(ruleset, members, histories, propensity))
        return OfferPlan(
            ruleset.version,
            ruleset.currency,
            at,
            propensity.name,
            len(members),
            tuple(chosen),
            tuple(figures(ruleset.offers, chosen)),
            budgets,
        )

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


def _candidates(
    ruleset: Ruleset, members: Sequence[int], histories: Histories, propensity: Propensity
) -> Iterator[Planned]:
    """Every offer that a member could get and that is worth its cost."""
    tender = ruleset.tender
    point_minor = (0, 1)
    if tender is not None and tender.point_type == ruleset.spendable.code:
        point_minor = tender.minor, tender.points
    for offer in ruleset.offers:
        for target in offer.targets:
            reward = offer_reward(ruleset, offer.code, target.code)
            assert reward is not None
            goods = goods_of(target)
            found = _Found(histories, goods, members, offer.objective)
            facts = found.facts()
            ids, histories_of = [each[0] for each in facts], [each[2] for each in facts]
            chances = propensity.chances_ppm(goods, ids, histories_of, offer.valid_days)
            for (member_id, bought, history), chance in zip(facts, chances, strict=True):
                spend, margin, discount = found.of_a_visit(bought, reward)
                prospect = Prospect(
                    member_id, offer.code, target.code, chance, discount, margin,
                    _why(history, histories.today),
                )  # fmt: skip
                planned = weighed(prospect, offer, ruleset.offer_policy, point_minor)
                if planned is not None and spend:
                    yield planned


@dataclass(slots=True)
class _Found:
    """Members whom an offer's objective means, with what they bought of its target."""

    histories: Histories
    goods: Goods
    members: Sequence[int]
    aim: OfferAim

    def facts(self) -> list[tuple[int, Bought, TargetHistory]]:
        own, today = self.histories.by_goods[self.goods], self.histories.today
        lately = sum(bought.lately(today) > 0 for bought in own.values())
        buyers_bp = lately * 10_000 // max(len(self.members), 1)
        if self.aim is OfferAim.TRY_NEW:
            average = self.histories.average(self.goods)
            if average is None:
                return []
            new = TargetHistory(0, 0, 0, buyers_bp)
            return [(id, average, new) for id in self.members if id not in own]
        found = []
        for member_id in sorted(own):
            bought = own[member_id]
            since = max(today - max(bought.days), 0)
            history = TargetHistory(len(bought.days), bought.lately(today), since, buyers_bp)
            if self.aim is OfferAim.WIN_BACK and (history.times < 2 or since < GONE_DAYS):
                continue
            found.append((member_id, bought, history))
        return found

    def of_a_visit(self, bought: Bought, reward: Reward) -> tuple[int, int, int]:
        """What an average visit spends on the target, its margin, and what the reward takes off;
        all rounded down, and the discount never more than is spent.
        """
        visits = len(bought.days)
        spend, margin = bought.spend_minor // visits, bought.margin_minor // visits
        quantity = max(bought.quantity // visits, 1)
        does = reward.does
        products = getattr(does, "products", None)
        product = products[0] if products else self.histories.named.get(self.goods, "")
        line = CartLine("", product, quantity, spend // quantity, amount_minor=spend)
        if getattr(does, "on_shipping", False):
            # What shipping costs is not known; what it is capped at is the most.
            return spend, margin, does.value_minor or 0
        return spend, margin, min(sum(does.offer([OpenLine(line, spend)])), spend)


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


def _why(history: TargetHistory, today: int) -> OfferReason:
    if not history.times:
        return OfferReason(WhyOffered.NEW_FOR_YOU)
    last = _EPOCH + timedelta(days=today - history.since_days)
    if history.since_days >= GONE_DAYS:
        return OfferReason(WhyOffered.NOT_LATELY, history.times, last)
    often = history.times >= OFTEN and history.lately
    code = WhyOffered.BOUGHT_OFTEN if often else WhyOffered.BOUGHT_BEFORE
    return OfferReason(code, history.times, last)
