"""Personal offers in a quote: rewards that a member's offer opens, and what they bring beside."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from loyalty.domain.calendar import after_days, end_after_months
from loyalty.domain.earning import Earning
from loyalty.domain.money import allocated
from loyalty.domain.offers.offers import PoolOffer, money_budget, offer_name, own_use, points_budget
from loyalty.domain.points import POINTS_MAX
from loyalty.domain.quotes.quote_basket import Taken
from loyalty.domain.quotes.quote_holdings import NO_BUDGET, BudgetFacts, Holdings, OfferFacts
from loyalty.domain.quotes.quote_terms import Candidate, Outcome, QuotaKind, QuotaUse
from loyalty.domain.reasons import Reason, Unmet
from loyalty.domain.rulesets.ruleset import Reward, Ruleset
from loyalty.errors import BadInput

_GROUP = "offer."
"""Begins the exclusive group of an offer whose reward has none; no group of a ruleset does."""


def pool_offer(ruleset: Ruleset, code: str) -> PoolOffer | None:
    """The offer of the pool of that code."""
    return next((offer for offer in ruleset.offers if offer.code == code), None)


def offer_reward(ruleset: Ruleset, offer: str, target: str) -> Reward | None:
    """The reward that an offer brings for a target; None where the ruleset has none of them.

    At most one target of an offer applies to an order, because they share a budget.
    """
    pool = pool_offer(ruleset, offer)
    wanted = None if pool is None else pool.target(target)
    if pool is None or wanted is None:
        return None
    for reward in ruleset.rewards:
        if reward.code == pool.reward:
            return replace(
                reward,
                code=offer_name(offer, target),
                name=pool.named(wanted),
                conditions=(*reward.conditions, wanted.condition, *pool.conditions),
                exclusive_group=reward.exclusive_group or _GROUP + offer,
            )
    return None


def personal_rewards(ruleset: Ruleset, holdings: Holdings) -> Iterator[tuple[Reward, OfferFacts]]:
    """The member's offers that the ruleset knows, as rewards; of one name the latest."""
    for facts in _latest(holdings):
        reward = offer_reward(ruleset, facts.offer, facts.target)
        if reward is not None:
            yield reward, facts


def gone_offers(ruleset: Ruleset, holdings: Holdings) -> Iterator[Candidate]:
    """The member's offers that the ruleset in force no longer has: nobody can use them."""
    for facts in _latest(holdings):
        if offer_reward(ruleset, facts.offer, facts.target) is None:
            name = offer_name(facts.offer, facts.target)
            yield Candidate(
                name, name, "unknown", Outcome.REJECTED, Reason.OFFER_WITHDRAWN, None, None, None,
                0, 0, offer_id=facts.offer_id,
            )  # fmt: skip


def budget_of(holdings: Holdings, facts: OfferFacts) -> BudgetFacts:
    """What is left of the budget that an offer spends."""
    return holdings.budgets.get(facts.offer, NO_BUDGET)


def offer_unmet(
    ruleset: Ruleset, facts: OfferFacts, budget: BudgetFacts, at: datetime
) -> Iterator[Unmet]:
    """What keeps an offer from being used, whatever is in the cart."""
    pool = pool_offer(ruleset, facts.offer)
    bonus = 0 if pool is None else pool.bonus_points
    if facts.left < 1:
        yield Unmet(Reason.OFFER_USED)
    if facts.is_withdrawn:
        yield Unmet(Reason.OFFER_WITHDRAWN)
    if facts.ends_at <= at:
        yield Unmet(Reason.OFFER_EXPIRED)
    if not facts.is_active:
        yield Unmet(Reason.OFFER_NOT_ACTIVE)
    is_spent = budget.minor is not None and budget.minor < 1
    if is_spent or (budget.points is not None and budget.points < bonus):
        yield Unmet(Reason.BUDGET_SPENT)


def offer_uses(ruleset: Ruleset, facts: OfferFacts, given_minor: int) -> Iterator[QuotaUse]:
    """What an offer that is taken uses up: itself, and its budget in money and in points."""
    yield QuotaUse(QuotaKind.BUDGET, own_use(facts.offer_id), facts.offer_id)
    yield QuotaUse(QuotaKind.BUDGET, money_budget(facts.offer), None, given_minor)
    pool = pool_offer(ruleset, facts.offer)
    if pool is not None and pool.bonus_points:
        subject = points_budget(facts.offer)
        yield QuotaUse(QuotaKind.BUDGET, subject, None, pool.bonus_points)


def with_bonus(
    ruleset: Ruleset,
    earnings: tuple[Earning, ...],
    taken: Sequence[tuple[Taken, OfferFacts]],
    lines: int,
    at: datetime,
) -> tuple[Earning, ...]:
    """What the order earns with the bonus points of the offers taken.

    The points of an offer are those of the lines that it took something off, in proportion to that,
    so that a refund of these takes them back.

    Args:
        lines: how many the order has. at: when it is placed.

    Raises:
        BadInput: more points than an amount can hold.
    """
    by_line = [0] * (lines + 1)
    for item, facts in taken:
        pool = pool_offer(ruleset, facts.offer)
        parts = allocated(0 if pool is None else pool.bonus_points, item.parts)
        for position, points in zip(item.entrant.covered, parts, strict=True):
            by_line[position] += points
    if not any(by_line):
        return earnings
    kind = ruleset.spendable
    months, zone = kind.expires_after_months, ruleset.time_zone
    plain = next((item for item in earnings if item.point_type == kind.code), None)
    if plain is None:
        plain = Earning(
            kind.code,
            0,
            (0,) * lines,
            after_days(at, kind.pending_days, zone),
            None if months is None else end_after_months(at, months, zone),
        )
    points = plain.points + sum(by_line)
    if points > POINTS_MAX:
        raise BadInput(f"the order would earn {points} {kind.code}, wanted <= {POINTS_MAX}")
    both = tuple(own + more for own, more in zip(plain.by_line, by_line, strict=False))
    found = {item.point_type: item for item in earnings}
    found[kind.code] = replace(plain, points=points, by_line=both)
    return tuple(found[item.code] for item in ruleset.point_types if item.code in found)


def _latest(holdings: Holdings) -> list[OfferFacts]:
    found = {
        (facts.offer, facts.target): facts
        for facts in sorted(holdings.offers, key=lambda facts: facts.offer_id)
    }
    return list(found.values())
