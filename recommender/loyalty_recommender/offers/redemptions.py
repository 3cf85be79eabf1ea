"""Learning from earlier campaigns: weights, then what kind of campaign and what member differ.

Weights start from those learned on purchases, and leave them as far as redemptions give reason to.
How often a kind of campaign is used, and how often a member uses anything, are then what was
redeemed over what was expected, both drawn towards one. How high chances may be is learned last:
from each campaign's chances by what the others taught, and what became of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray, Scores
from loyalty_recommender.errors import BadSettings
from loyalty_recommender.offers.campaigns import Described
from loyalty_recommender.offers.ceiling import Ceiling
from loyalty_recommender.offers.features import FEATURES
from loyalty_recommender.offers.logistic import Logistic, chances
from loyalty_recommender.offers.scorer import OfferScorer, Past

BASIS = "redemptions"

FIXED = ("valid_days",)
"""Weights that stay as purchases gave them: a dozen campaigns have a dozen lengths, which says
nothing of lengths."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults chosen on campaigns of Complete Journey that started before day 225."""

    penalty: float = 300.0
    """How strongly weights are held to those learned on purchases, > 0."""
    kind_prior: float = 5.0
    """Redemptions of a kind of campaign that weigh as much as all campaigns together."""
    zeros_max: int = 60_000
    """Pairs without a redemption that are learned from at most; the constant is corrected."""
    parts: int = 24
    """Into so many parts at most campaigns are put, one in each while there are so few: a part is
    given chances by what the others taught, and what became of them is the ceiling. With five
    parts, two of three large campaigns were left out at once. 0 for no ceiling."""

    def __post_init__(self) -> None:
        if not (self.penalty > 0 and self.kind_prior > 0 and self.zeros_max > 0):
            raise BadSettings("penalty, kind_prior and zeros_max must be above 0")
        if self.parts < 0 or self.parts == 1:
            raise BadSettings(f"parts must be 0, or 2 or more, found {self.parts}")


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A scorer, and what became of each member's earlier offers."""

    scorer: OfferScorer
    pasts: Mapping[int, Past]

    def log_odds(self, described: Described) -> NDArray[np.float64]:
        """Of every pair of a campaign, (members * offers,)."""
        campaign = described.campaign
        lifts = np.array(
            [self.pasts[each].lift if each in self.pasts else 1.0 for each in campaign.members]
        )
        alike = self.scorer.log_odds(described.features, campaign.kind)
        found: NDArray[np.float64] = alike + np.repeat(np.log(lifts), len(campaign.offers))
        return found

    def chances(self, described: Described) -> NDArray[np.float64]:
        """Of every pair of a campaign, (members * offers,)."""
        return self.scorer.ceiling.below(chances(self.log_odds(described)))


def fit_on_redemptions(
    prior: OfferScorer, earlier: Sequence[Described], day: int, settings: Settings | None = None
) -> Learned:
    """Learn from campaigns that started before a day, and what was redeemed before it.

    Args:
        prior: learned on purchases before ``day``; answers alone while nothing was redeemed.
        earlier: other campaigns are left out.
        day: in days since 1970-01-01.
    """
    settings = settings or Settings()
    known = [each for each in earlier if each.campaign.starts < day]
    outcomes = [each.campaign.redeemed_before(day) for each in known]
    if not any(each.any() for each in outcomes):
        return Learned(prior, {})
    features = [prior.seen.inside(each.features) for each in known]
    learned = _learned(prior, known, features, outcomes, day, settings)
    ceiling = _ceiling(prior, known, features, outcomes, day, settings)
    return replace(learned, scorer=replace(learned.scorer, ceiling=ceiling))


def _learned(
    prior: OfferScorer,
    known: Sequence[Described],
    features: Sequence[Scores],
    outcomes: Sequence[AnyArray],
    day: int,
    settings: Settings,
) -> Learned:
    logistic = _weights(prior, features, outcomes, settings)
    # A running campaign has had part of its time, so part of its uses is expected.
    expected = [
        chances(logistic.log_odds(rows)) * each.campaign.elapsed(day)
        for each, rows in zip(known, features, strict=True)
    ]
    kinds = _kinds(known, outcomes, expected, settings)
    for at, each in enumerate(known):
        expected[at] = expected[at] * kinds[each.campaign.kind]
    scorer = OfferScorer(BASIS, logistic, prior.market, prior.seen, kinds)
    return Learned(scorer, _pasts(known, outcomes, expected))


def _ceiling(
    prior: OfferScorer,
    known: Sequence[Described],
    features: Sequence[Scores],
    outcomes: Sequence[AnyArray],
    day: int,
    settings: Settings,
) -> Ceiling:
    """What chances for campaigns that were not learned from came to."""
    chance, used, elapsed = [], [], []
    for part in range(min(settings.parts, len(known))):
        others = [at for at in range(len(known)) if at % settings.parts != part]
        if not any(outcomes[at].any() for at in others):
            continue
        learned = _learned(
            prior,
            [known[at] for at in others],
            [features[at] for at in others],
            [outcomes[at] for at in others],
            day,
            settings,
        )
        for at in range(part, len(known), settings.parts):
            chance.append(learned.chances(known[at]))
            used.append(outcomes[at])
            elapsed.append(np.full(len(outcomes[at]), known[at].campaign.elapsed(day)))
    if not chance:
        return Ceiling()
    return Ceiling.fit(np.concatenate(chance), np.concatenate(used), np.concatenate(elapsed))


def _weights(
    prior: OfferScorer,
    known: Sequence[Scores],
    outcomes: Sequence[AnyArray],
    settings: Settings,
) -> Logistic:
    zeros = sum(int((~each).sum()) for each in outcomes)
    every = -(-zeros // settings.zeros_max)
    kept = []
    at = 0
    for outcome in outcomes:
        # Every n-th pair without a redemption, counted through all campaigns.
        nth = np.cumsum(~outcome) + at
        at = int(nth[-1])
        kept.append(outcome | (nth % every == 0))
    features = np.concatenate([each[rows] for each, rows in zip(known, kept, strict=True)])
    outcome = np.concatenate([each[rows] for each, rows in zip(outcomes, kept, strict=True)])
    return Logistic.fit(
        features,
        outcome,
        penalty=settings.penalty,
        prior=prior.logistic,
        fixed=np.isin(FEATURES, FIXED),
        zeros_share=float((~outcome).sum() / zeros),
    )


def _kinds(
    known: Sequence[Described],
    outcomes: Sequence[AnyArray],
    expected: Sequence[AnyArray],
    settings: Settings,
) -> dict[str, float]:
    found = {}
    for kind in sorted({each.campaign.kind for each in known}):
        rows = [at for at, each in enumerate(known) if each.campaign.kind == kind]
        used = sum(int(outcomes[at].sum()) for at in rows)
        awaited = sum(float(expected[at].sum()) for at in rows)
        found[kind] = (used + settings.kind_prior) / (awaited + settings.kind_prior)
    return found


def _pasts(
    known: Sequence[Described], outcomes: Sequence[AnyArray], expected: Sequence[AnyArray]
) -> dict[int, Past]:
    member = np.concatenate([each.campaign.household() for each in known])
    distinct, row = np.unique(member, return_inverse=True)
    used = np.bincount(row, weights=np.concatenate(outcomes).astype(np.float64))
    awaited = np.bincount(row, weights=np.concatenate(expected))
    return {
        each: Past(float(of_member), int(count))
        for each, of_member, count in zip(
            distinct.tolist(), awaited.tolist(), used.tolist(), strict=True
        )
    }
