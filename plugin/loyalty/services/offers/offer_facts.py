"""A member's personal offers as a quote looks at them, out of the rows they were found in."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from loyalty.domain.books.ledger import instant
from loyalty.domain.offers.offers import money_budget, points_budget
from loyalty.domain.quotes.quote_holdings import BudgetFacts, OfferFacts
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.storage.offers import OFFER_COLUMNS

OWN_OFFERS_MAX = 50
"""Offers of the member's own that are reckoned with, the latest first."""
TOLD_FOR = timedelta(days=7)
"""For so long it is said that an offer is over; then it is no longer told of."""


def budget_subjects(ruleset: Ruleset) -> list[str]:
    """What the quotas of the pool's budgets are called."""
    codes = [offer.code for offer in ruleset.offers]
    return [*map(money_budget, codes), *map(points_budget, codes)]


def offer_facts(row: Sequence[Any], held: Mapping[int, int]) -> OfferFacts:
    """One offer. ``held``: uses under open reservations, by the offer's id."""
    of = dict(zip(OFFER_COLUMNS, row, strict=True))
    return OfferFacts(
        offer_id=of["id"],
        offer=of["offer"],
        target=of["target"],
        ends_at=instant(of["ends_at"]),
        is_active=of["activated_at"] is not None,
        is_withdrawn="WITHDRAWN" in (of["state"], of["plan_state"]),
        left=max(of["uses_max"] - of["used"] - held.get(of["id"], 0), 0),
    )


def budgets_left(
    ruleset: Ruleset, rows: Sequence[Sequence[Any]], held: Mapping[int, int]
) -> dict[str, BudgetFacts]:
    """What is left of each offer's budget, by its code; one without a limit is left out.

    Args:
        rows: of ``quotas.QUOTAS``. held: under open reservations, by the quota's id.
    """
    gone = {subject: used + held.get(id, 0) for id, subject, _, _, used in rows}

    def left(limit: int | None, subject: str) -> int | None:
        return None if limit is None else max(limit - gone.get(subject, 0), 0)

    return {
        offer.code: BudgetFacts(
            left(offer.budget_minor, money_budget(offer.code)),
            left(offer.budget_points, points_budget(offer.code)),
        )
        for offer in ruleset.offers
        if (offer.budget_minor, offer.budget_points) != (None, None)
    }
