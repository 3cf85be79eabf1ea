"""From a member's past and an offer's products to a chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray, Scores
from loyalty_recommender.errors import BadRequest, BrokenArtifact
from loyalty_recommender.history import History
from loyalty_recommender.offers.ceiling import NO_CEILING, Ceiling
from loyalty_recommender.offers.features import FEATURES, Market, of_pairs
from loyalty_recommender.offers.logistic import Logistic, chances
from loyalty_recommender.offers.targets import Targets

MEMBER_PRIOR = 1.0
"""So many expected redemptions of a member's own weigh as much as what holds for everybody."""


VALID_DAYS_MAX = 3_650
"""Offers that can be used for longer are as likely to be used as those for so long."""


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a member's earlier offers."""

    expected: float = 0.0
    """Sum of the chances that were given to them when they were made, >= 0."""
    used: int = 0

    @property
    def lift(self) -> float:
        """How many times more than expected this member uses, drawn towards 1.

        The mean of a gamma-Poisson model; Efron, Morris, "Data Analysis Using Stein's Estimator",
        JASA 70, 1975, for why such a mean beats the raw ratio.
        """
        return (self.used + MEMBER_PRIOR) / (self.expected + MEMBER_PRIOR)


NO_PAST = Past()


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Between what each feature lay where the weights were learned.

    What lies beyond is taken for the nearest that was seen: a straight line says nothing good of
    a member that never bought anything, if all that it was drawn through had.
    """

    low: NDArray[np.float32]
    """(features,)"""
    high: NDArray[np.float32]
    """(features,)"""

    @classmethod
    def of(cls, features: Scores) -> Self:
        """Look at (rows, ``FEATURES``); how long an offer is valid has no bounds."""
        low, high = features.min(axis=0), features.max(axis=0)
        at = FEATURES.index("valid_days")
        low[at], high[at] = 0.0, np.log(VALID_DAYS_MAX)
        return cls(low, high)

    def inside(self, features: Scores) -> Scores:
        """The same features, none beyond what was seen."""
        return np.clip(features, self.low, self.high)


@dataclass(frozen=True, slots=True, eq=False)
class OfferScorer:
    """Chances that offers are used; immutable, so any number of threads may ask it."""

    basis: str
    """``purchases``: the chance to buy any product of the target while the offer is valid;
    ``redemptions``: the chance that the offer is used."""
    logistic: Logistic
    market: Market
    seen: Seen
    kinds: Mapping[str, float] = field(default_factory=dict)
    """Kind of campaign → how many times more than expected it was used, drawn towards 1."""
    ceiling: Ceiling = NO_CEILING
    """What brings high chances down; chances of a purchase need none."""

    def log_odds(self, features: Scores, kind: str = "", lift: float = 1.0) -> NDArray[np.float64]:
        """Log-odds of rows that ``features.of_pairs`` made, (rows,)."""
        more = float(np.log(self.kinds.get(kind, 1.0) * lift))
        found: NDArray[np.float64] = self.logistic.log_odds(self.seen.inside(features)) + more
        return found

    def with_market(self, market: Market) -> Self:
        """The same weights where products are bought otherwise."""
        return replace(self, market=market)

    def ask(self, targets: Targets, valid_days: int | AnyArray, kind: str = "") -> Asked:
        """Make some targets ready, once for all members.

        Args:
            targets: over the products that this scorer knows.
            valid_days: for how long the offers can be used, >= 1; one for all, or (targets,).
            kind: of the campaign; one that was never seen is an average one.

        Raises:
            BadRequest: targets over other products, or no days.
        """
        shortest = int(np.min(valid_days, initial=VALID_DAYS_MAX))
        if shortest < 1:
            raise BadRequest(f"valid_days must be at least 1, found {shortest}")
        if targets.shelves.sizes["product"] != self.market.rates.shape[1]:
            raise BadRequest(
                f"targets must be over {self.market.rates.shape[1]} products, "
                f"found {targets.shelves.sizes['product']}"
            )
        return Asked(self, targets, kind, self.market.of_target(targets, valid_days))

    def score(
        self,
        history: History,
        targets: Targets,
        day: int,
        *,
        valid_days: int,
        kind: str = "",
        past: Past = NO_PAST,
    ) -> NDArray[np.float64]:
        """One member's chances; ``ask`` is quicker for many.

        Args:
            day: the offers' first, in days since 1970-01-01; purchases on or after it are not
                looked at.

        Returns:
            (targets,) in 0..1.
        """
        return self.ask(targets, valid_days, kind).chances(history, day, past)

    def arrays(self) -> dict[str, AnyArray]:
        """What an artifact holds beside the card."""
        return self.market.arrays()

    def card(self) -> dict[str, Any]:
        """Everything else, as JSON values."""
        return {
            "basis": self.basis,
            "constant": self.logistic.constant,
            "weights": dict(zip(FEATURES, self.logistic.weights.tolist(), strict=True)),
            "seen": {
                name: [float(low), float(high)]
                for name, low, high in zip(FEATURES, self.seen.low, self.seen.high, strict=True)
            },
            "kinds": dict(self.kinds),
            "ceiling": self.ceiling.strength,
        }

    @classmethod
    def from_card(cls, card: Mapping[str, Any], arrays: Mapping[str, AnyArray]) -> Self:
        """Read a scorer back.

        Raises:
            BrokenArtifact: a part is missing, or it was learned from other features.
        """
        try:
            weights: Mapping[str, float] = card["weights"]
            bounds: Mapping[str, tuple[float, float]] = card["seen"]
            for found in (weights, bounds):
                if set(found) != set(FEATURES):
                    wrong = ", ".join(sorted(set(found) ^ set(FEATURES)))
                    raise BrokenArtifact(f"an offer scorer of other features: {wrong}")
            low, high = np.array([bounds[each] for each in FEATURES], dtype=np.float32).T
            return cls(
                str(card["basis"]),
                Logistic(float(card["constant"]), np.array([float(weights[x]) for x in FEATURES])),
                Market.from_arrays(arrays),
                Seen(low, high),
                {str(kind): float(lift) for kind, lift in card["kinds"].items()},
                Ceiling(float(card["ceiling"])),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BrokenArtifact(f"an offer scorer lacks a part: {error!r}") from error


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Targets that are ready for any number of members."""

    scorer: OfferScorer
    targets: Targets
    kind: str
    market: Scores
    """(targets, ``OF_TARGET``)."""

    def chances(self, history: History, day: int, past: Past = NO_PAST) -> NDArray[np.float64]:
        """One member's chances, (targets,)."""
        rows = of_pairs(history, day, self.targets, self.market)
        return self.scorer.ceiling.below(chances(self.scorer.log_odds(rows, self.kind, past.lift)))
