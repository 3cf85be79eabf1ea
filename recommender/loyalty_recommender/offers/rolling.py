"""Every campaign is asked of what was known when it started.

Settings were chosen on campaigns that start on days ``CHOICE_DAYS`` after the first purchase, and
on what was redeemed of them before the first of the others; figures are reported on campaigns
that start from ``TEST_DAY`` on. A campaign's ranker sees purchases before its first day, campaigns
that started before it, and redemptions before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.errors import BadRequest, FitFailed
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.offers import purchases as on_purchases
from loyalty_recommender.offers.baselines import RANKERS, Known, Ranker
from loyalty_recommender.offers.campaigns import NEVER, Campaign, describe
from loyalty_recommender.offers.features import FEATURES
from loyalty_recommender.offers.logistic import chances
from loyalty_recommender.offers.scorer import OfferScorer
from loyalty_recommender.offers.targets import Shelves

CHOICE_DAYS = (120, 225)
"""[from, to): the campaigns before it have but a hundred redemptions to learn from in all."""
TEST_DAY = 225

MADE_UP_DAYS = 28
"""For how long offers that are made up can be used."""
MADE_UP_CUTS = 4
MADE_UP_MEMBERS = 400

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One ranker's scores of all pairs of one campaign."""

    campaign: Campaign
    outcome: NDArray[np.bool_]
    """(members * offers,)."""
    scores: NDArray[np.float64]
    seen: float
    """The share of the campaign's days whose redemptions are known, 0 to 1."""


@dataclass(slots=True)
class Rolled:
    """Scores of every ranker for every campaign that was asked."""

    rankers: tuple[Ranker, ...]
    measured: dict[str, list[Measured]] = field(default_factory=dict)


def roll(
    campaigns: Sequence[Campaign],
    purchases: Interactions,
    shelves: Shelves,
    first: int,
    end: int,
    *,
    known_until: int = NEVER,
    rankers: tuple[Ranker, ...] = RANKERS,
    settings: on_purchases.Settings | None = None,
    progress: Progress = lambda doing: None,
) -> Rolled:
    """Ask the campaigns that start in [first, end).

    Args:
        first: in days since 1970-01-01, as ``end`` and ``known_until``.
        known_until: redemptions on it or later count as none.

    Raises:
        BadRequest: no campaign starts then.
        FitFailed: too few purchases before one of them.
    """
    described = describe([each for each in campaigns if each.starts < end], purchases, shelves)
    asked = [each for each in described if first <= each.campaign.starts]
    if not asked:
        raise BadRequest("no campaign starts in the days that were asked for")
    rolled = Rolled(rankers, {each.name: [] for each in rankers})
    learned: dict[int, OfferScorer] = {}
    for case in asked:
        day = case.campaign.starts
        progress(f"campaign {case.campaign.id}")
        if day not in learned:
            learned[day] = on_purchases.fit_on_purchases(purchases, shelves, day, settings)
        earlier = [each for each in described if each.campaign.starts < day]
        known = Known(day, earlier, learned[day])
        outcome = case.campaign.redeemed_before(known_until)
        for ranker in rankers:
            scores = ranker.scores(known, case)
            rolled.measured[ranker.name].append(
                Measured(case.campaign, outcome, scores, case.campaign.elapsed(known_until))
            )
    return rolled


@dataclass(frozen=True, slots=True, eq=False)
class RolledMadeUp:
    """Offers that nobody made, and whether their products were bought."""

    days: tuple[int, ...]
    """First days of the offers, since 1970-01-01."""
    household: NDArray[np.int64]
    """(pairs,) as all below."""
    chances: NDArray[np.float64]
    visits: NDArray[np.float64]
    """log1p of the visits in which the member bought any of the products before."""
    bought: NDArray[np.bool_]


def roll_made_up(
    purchases: Interactions,
    shelves: Shelves,
    end: int,
    settings: on_purchases.Settings | None = None,
) -> RolledMadeUp:
    """Whether chances learned on purchases are those of the purchases that follow.

    Args:
        end: the day after the last one whose purchases are looked at. The offers start 28, 56, 84
            and 112 days before it.

    Raises:
        FitFailed: too few purchases before.
    """
    settings = settings or on_purchases.Settings()
    known = purchases.rows(purchases.day < end)
    pasts, random = on_purchases.Pasts(known), np.random.default_rng(settings.seed + 1)
    # Other members and other targets than those that were learned from.
    asked = replace(settings, members=MADE_UP_MEMBERS)
    first = int(known.day.min()) + min(settings.valid_days)
    days = [end - MADE_UP_DAYS * (each + 1) for each in range(MADE_UP_CUTS)]
    days = [day for day in days if day > first]
    if not days:
        raise FitFailed(f"purchases of more than {first + MADE_UP_DAYS - end} days are needed")
    column = FEATURES.index("product_visits")
    parts = []
    for day in days:
        scorer = on_purchases.fit_on_purchases(known, shelves, day, settings)
        made = on_purchases.MadeUp.on(known, pasts, shelves, day, MADE_UP_DAYS, asked, random)
        chance = chances(scorer.log_odds(made.features))
        parts.append((made.household, chance, made.features[:, column], made.bought))
    household, chance, visits, bought = (np.concatenate(each) for each in zip(*parts, strict=True))
    return RolledMadeUp(tuple(days), household, chance, visits.astype(np.float64), bought)
