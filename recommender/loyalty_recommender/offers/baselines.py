"""What ranks offers: ours and what it has to beat, all of one shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.offers.campaigns import Described
from loyalty_recommender.offers.features import FEATURES
from loyalty_recommender.offers.logistic import chances
from loyalty_recommender.offers.redemptions import Settings, fit_on_redemptions
from loyalty_recommender.offers.scorer import OfferScorer


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Everything that is known at the start of a campaign."""

    day: int
    """Its first, in days since 1970-01-01."""
    earlier: Sequence[Described]
    """Campaigns that started before; only redemptions before ``day`` may be looked at."""
    purchases: OfferScorer
    """Learned on purchases before ``day``."""


class Ranker(Protocol):
    """Something that scores every pair of a campaign."""

    name: ClassVar[str]
    gives_chances: ClassVar[bool]
    """Whether scores are chances and can be calibrated, or only rank."""

    def scores(self, known: Known, asked: Described) -> NDArray[np.float64]:
        """Higher where a redemption is more likely, (members * offers,)."""
        ...


def _column(described: Described, feature: str) -> NDArray[np.float64]:
    return described.features[:, FEATURES.index(feature)].astype(np.float64)


class Popularity:
    """How often anybody bought the offer's products, the recent counting more."""

    name: ClassVar[str] = "popularity"
    gives_chances: ClassVar[bool] = False

    def scores(self, known: Known, asked: Described) -> NDArray[np.float64]:
        """Alike for all members."""
        return _column(asked, "popular_lasting")


class BoughtBefore:
    """In how many visits the member bought any of the offer's products before the start."""

    name: ClassVar[str] = "bought before"
    gives_chances: ClassVar[bool] = False

    def scores(self, known: Known, asked: Described) -> NDArray[np.float64]:
        """Equal for all offers of which the member bought nothing."""
        return _column(asked, "product_visits")


class BoughtBeforeThenPopularity:
    """Bought before; among equals the popular ones first."""

    name: ClassVar[str] = "bought before, then popularity"
    gives_chances: ClassVar[bool] = False

    def scores(self, known: Known, asked: Described) -> NDArray[np.float64]:
        """Popularity in steps that no visit could be mistaken for."""
        visits = np.round(np.expm1(_column(asked, "product_visits")))
        popular = _column(asked, "popular_lasting")
        least, most = popular.min(), popular.max()
        found: NDArray[np.float64] = visits + 0.5 * (popular - least) / max(most - least, 1e-9)
        return found


class OnPurchases:
    """What a shop without redemptions uses: the chance that the member buys the products."""

    name: ClassVar[str] = "learned on purchases"
    gives_chances: ClassVar[bool] = True

    def scores(self, known: Known, asked: Described) -> NDArray[np.float64]:
        """Chances of a purchase, not of a redemption: far too high for that."""
        return chances(known.purchases.log_odds(asked.features))


@dataclass(frozen=True, slots=True)
class OnRedemptions:
    """Ours: drawn from purchases towards what earlier campaigns taught."""

    name: ClassVar[str] = "learned on earlier campaigns"
    gives_chances: ClassVar[bool] = True
    settings: Settings = field(default_factory=Settings)

    def scores(self, known: Known, asked: Described) -> NDArray[np.float64]:
        """Chances of a redemption."""
        learned = fit_on_redemptions(known.purchases, known.earlier, known.day, self.settings)
        return learned.chances(asked)


@dataclass(frozen=True, slots=True)
class WithoutCeiling(OnRedemptions):
    """The same with high chances as they are learned: what the ceiling is measured against."""

    name: ClassVar[str] = "the same without a ceiling"
    settings: Settings = field(default_factory=lambda: Settings(parts=0))


RANKERS: tuple[Ranker, ...] = (
    Popularity(),
    BoughtBefore(),
    BoughtBeforeThenPopularity(),
    OnPurchases(),
    WithoutCeiling(),
    OnRedemptions(),
)
