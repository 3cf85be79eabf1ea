"""Campaigns: who received which offers, and what was redeemed when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray, Indices, Scores
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.offers.features import Market, of_pairs
from loyalty_recommender.offers.purchases import Pasts
from loyalty_recommender.offers.targets import Shelves, Targets

NEVER = np.iinfo(np.int32).max
"""Day of a redemption that did not happen."""


@dataclass(frozen=True, slots=True, eq=False)
class Campaign:
    """One campaign. Whoever received it could use each of its offers."""

    id: str
    kind: str
    """Empty where campaigns have no kinds."""
    starts: int
    """First day, in days since 1970-01-01."""
    ends: int
    """First day after it."""
    members: Indices
    """(members,) who received it, rising: positions in the purchases' members, or beyond them for
    members without any purchase."""
    offers: tuple[str, ...]
    """In code point order."""
    sets: tuple[Indices, ...]
    """Each offer's products, as positions in the purchases' products."""
    redeemed: Indices
    """(members, offers) day of the first redemption, ``NEVER`` where there is none."""

    def redeemed_before(self, day: int) -> NDArray[np.bool_]:
        """Which pairs were redeemed before a day, (members * offers,), members first."""
        return (self.redeemed < day).ravel()

    def elapsed(self, day: int) -> float:
        """The share of the campaign that is over at the start of a day, 0 to 1."""
        return float(np.clip((day - self.starts) / max(self.ends - self.starts, 1), 0.0, 1.0))

    def household(self) -> NDArray[np.int64]:
        """Each pair's member, (members * offers,)."""
        return np.repeat(self.members.astype(np.int64), len(self.offers))


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """A campaign with what was known of each pair when it started."""

    campaign: Campaign
    features: Scores
    """(members * offers, ``features.FEATURES``), members first."""

    @classmethod
    def of(
        cls, campaign: Campaign, purchases: Interactions, pasts: Pasts, shelves: Shelves
    ) -> Self:
        """Look at purchases before its first day."""
        targets = Targets.of(campaign.sets, shelves)
        market = Market.before(purchases, campaign.starts).of_target(
            targets, campaign.ends - campaign.starts
        )
        rows = [
            of_pairs(pasts.of(member), campaign.starts, targets, market)
            for member in campaign.members.tolist()
        ]
        return cls(campaign, np.concatenate(rows))


def describe(
    campaigns: Sequence[Campaign], purchases: Interactions, shelves: Shelves
) -> list[Described]:
    """Every campaign that some purchases came before, by first day, then id."""
    pasts = Pasts(purchases)
    first = int(purchases.day.min())
    ordered = sorted(campaigns, key=lambda each: (each.starts, each.id))
    return [
        Described.of(each, purchases, pasts, shelves)
        for each in ordered
        if each.starts > first and len(each.members) and each.offers
    ]


def redemption_days(
    member: AnyArray, offer: AnyArray, day: AnyArray, members: int, offers: int
) -> Indices:
    """First day of each pair, (members, offers).

    Args:
        member: (redemptions,) row.
        offer: (redemptions,) column.
        day: (redemptions,).
    """
    days = np.full((members, offers), NEVER, dtype=np.int32)
    np.minimum.at(days, (member, offer), day.astype(np.int32))
    return days
