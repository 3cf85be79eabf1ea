"""Learning from purchases alone, for a shop that has no redemptions yet.

Offers are made up: products, lines, types, categories and brands drawn at random, given to members
drawn at random, on several days of the past. An offer counts as used where the member bought any
of its products within so many days. That is a chance to buy without any offer, so it says who
would use one far better than how many would; see docs/reference/offers-evaluation.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices
from loyalty_recommender.errors import BadSettings, FitFailed
from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.offers.features import FEATURES, Market, of_pairs
from loyalty_recommender.offers.logistic import Logistic
from loyalty_recommender.offers.scorer import OfferScorer, Seen
from loyalty_recommender.offers.targets import Shelves, Targets

BASIS = "purchases"


@dataclass(frozen=True, slots=True)
class Settings:
    """How offers are made up; defaults chosen on campaigns of Complete Journey before day 225."""

    drawn: tuple[tuple[str, int], ...] = (
        ("product", 30),
        ("line", 60),
        ("type", 12),
        ("category", 6),
        ("brand", 8),
    )
    """Level → how many targets of it at each day, those bought more often more likely."""
    valid_days: tuple[int, ...] = (7, 14, 28)
    """For how long made up offers can be used."""
    rounds: int = 2
    """On so many days per length, the last one that is over and others before it."""
    days_between: int = 14
    members: int = 120
    """How many are drawn for each day."""
    product_visits_min: int = 5
    """Products in fewer visits than this before the day are not drawn."""
    penalty: float = 10.0
    outcomes_min: int = 10 * len(FEATURES)
    """Of so many made up offers at least something has to be bought, and of as many nothing: ten
    for each weight. Peduzzi et al., "A Simulation Study of the Number of Events per Variable in
    Logistic Regression Analysis", Journal of Clinical Epidemiology 49(12), 1996."""
    seed: int = 20_170_101

    def __post_init__(self) -> None:
        least = (self.rounds, self.days_between, self.members, *self.valid_days)
        if not self.valid_days or min(least) < 1 or not self.penalty > 0:
            raise BadSettings("days, rounds, members and penalty must be above 0")


class Pasts:
    """Histories of members, cut out of sorted purchases."""

    def __init__(self, interactions: Interactions) -> None:
        self._rows = interactions
        members = np.arange(len(interactions.members) + 1)
        self._starts = np.searchsorted(interactions.member, members)

    def of(self, member: int) -> History:
        """Everything a member bought; nothing for a position beyond the known members."""
        if member >= len(self._starts) - 1:
            return History.sorted(self._rows.product[:0], self._rows.day[:0])
        rows = slice(int(self._starts[member]), int(self._starts[member + 1]))
        return History.sorted(self._rows.product[rows], self._rows.day[rows])


@dataclass(frozen=True, slots=True, eq=False)
class MadeUp:
    """Made up offers with what became of them."""

    features: AnyArray
    """(pairs, ``features.FEATURES``)."""
    bought: AnyArray
    """(pairs,) whether any product was bought while the offer was valid."""
    household: AnyArray
    """(pairs,) position of the member."""

    @classmethod
    def on(
        cls, past: Interactions, pasts: Pasts, shelves: Shelves, cut: int, valid_days: int,
        settings: Settings, random: np.random.Generator,
    ) -> Self:  # fmt: skip
        """Draw targets and members by what was bought before a day, and look at what follows."""
        known = past.rows(past.day < cut)
        targets = Targets.of(_sets(known, shelves, settings, random), shelves)
        market = Market.before(past, cut).of_target(targets, valid_days)
        members = np.unique(known.member)
        drawn = random.permutation(members)[: settings.members]
        features, bought = [], []
        for member in drawn.tolist():
            history = pasts.of(member)
            features.append(of_pairs(history, cut, targets, market))
            within = (history.day >= cut) & (history.day < cut + valid_days)
            bought.append(targets.hit(np.unique(history.product[within])))
        household = np.repeat(drawn.astype(np.int64), len(targets))
        return cls(np.concatenate(features), np.concatenate(bought), household)


def fit_on_purchases(
    interactions: Interactions, shelves: Shelves, day: int, settings: Settings | None = None
) -> OfferScorer:
    """Learn from purchases before a day.

    Args:
        interactions: of any days; none on or after ``day`` is looked at.
        shelves: of the products of ``interactions``.
        day: in days since 1970-01-01.

    Raises:
        FitFailed: too few purchases, or over too few days.
    """
    settings = settings or Settings()
    past = interactions.rows(interactions.day < day)
    if not len(past):
        raise FitFailed("no purchases to learn from")
    pasts, random = Pasts(past), np.random.default_rng(settings.seed)
    drawn = [
        MadeUp.on(past, pasts, shelves, cut, valid_days, settings, random)
        for cut, valid_days in _cuts(int(past.day.min()), day, settings)
    ]
    if not drawn:
        raise FitFailed(
            f"purchases of more than {min(settings.valid_days)} days are needed, "
            f"found {day - int(past.day.min())}"
        )
    features = np.concatenate([each.features for each in drawn])
    bought = np.concatenate([each.bought for each in drawn])
    scarcer = min(int(bought.sum()), int((~bought).sum()))
    if scarcer < settings.outcomes_min:
        raise FitFailed(
            f"{settings.outcomes_min} offers made up of the past are needed that were used, and "
            f"as many that were not; found {scarcer} of one"
        )
    logistic = Logistic.fit(features, bought, penalty=settings.penalty)
    return OfferScorer(BASIS, logistic, Market.before(past, day), Seen.of(features))


def _cuts(first: int, day: int, settings: Settings) -> Iterator[tuple[int, int]]:
    for valid_days in settings.valid_days:
        for each in range(settings.rounds):
            cut = day - valid_days - each * settings.days_between
            if cut > first:
                yield cut, valid_days


def _sets(
    known: Interactions, shelves: Shelves, settings: Settings, random: np.random.Generator
) -> list[Indices]:
    """Draw targets, each code as likely as the root of its visits."""
    visits = known.household_days()
    often = visits >= settings.product_visits_min
    sets: list[Indices] = []
    for level, count in settings.drawn:
        codes = shelves.codes[level]
        inside = often & (codes >= 0)
        weights = np.bincount(
            codes[inside], weights=np.sqrt(visits[inside]), minlength=shelves.sizes[level]
        )
        found = np.flatnonzero(weights)
        if not len(found):
            continue
        chosen = random.choice(
            found,
            min(count, len(found)),
            replace=False,
            p=weights[found] / weights[found].sum(),
        )
        sets += [np.flatnonzero(codes == code).astype(np.int32) for code in chosen.tolist()]
    return sets
