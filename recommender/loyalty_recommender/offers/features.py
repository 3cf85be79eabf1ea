"""What a member's past, and the shop's purchases, say of a target.

Everything is from before the day of the question: rows of a history on or after it are not looked
at. Counts go in as ``log1p``, since the step from one visit to two says more than that from
twenty to twenty-one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray, Scores
from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.offers.targets import LEVELS, Targets

HALF_LIVES_DAYS = (30.0, 90.0, 180.0)
"""Three memories of a member's visits. None counts all visits alike: such a count grows with the
days that the shop has records of, and chances with it."""
MARKET_HALF_LIVES_DAYS = (28.0, 120.0)
NEVER_DAYS = 400
"""Stands for the days since a visit that never was."""
RATE_MIN = 1e-5
"""Popularity of what nobody buys; keeps its logarithm finite."""

OF_LEVEL = ("recent", "lasting", "long", "since")
OF_MEMBER = (
    *(f"{level}_{each}" for level in LEVELS for each in OF_LEVEL),
    "product_visits",
    "products_bought",
    "visits",
    "visits_recent",
    "since_visit",
)
OF_TARGET = (
    "popular_recent",
    "popular_lasting",
    "products",
    "lines",
    "types",
    "brands",
    "valid_days",
)
FEATURES = OF_MEMBER + OF_TARGET

_DECAYS = np.log(2) / np.array(HALF_LIVES_DAYS)


def of_member(history: History, day: int, targets: Targets) -> Scores:
    """What one member's past says of each target, (targets, ``OF_MEMBER``).

    Args:
        day: of the question, in days since 1970-01-01; only rows before it count.
    """
    past = history.before(day)
    found = np.zeros((len(targets), len(OF_MEMBER)), dtype=np.float32)
    days = past.visit_days
    ages = (day - days).astype(np.float64)
    weights = np.exp(-_DECAYS[:, None] * ages).astype(np.float32)
    visit = np.searchsorted(days, past.day)
    for at, level in enumerate(LEVELS):
        code = targets.shelves.codes[level][past.product]
        known = code >= 0
        row, target = targets.names[level].expand(code[known])
        # A visit counts once for a target, however many of its products were bought in it.
        visited = np.zeros((len(days), len(targets)), dtype=np.bool_)
        visited[visit[known][row], target] = True
        column = at * len(OF_LEVEL)
        counted = weights @ visited.astype(np.float32)
        found[:, column : column + len(weights)] = np.log1p(counted.T)
        found[:, column + len(weights)] = np.log1p(_days_since(visited, ages))
        if level == "product":
            found[:, len(LEVELS) * len(OF_LEVEL)] = np.log1p(visited.sum(axis=0))
    column = len(LEVELS) * len(OF_LEVEL) + 1
    bought = targets.names["product"].expand(past.bought)[1]
    found[:, column] = np.log1p(np.bincount(bought, minlength=len(targets)))
    found[:, column + 1] = np.log1p(len(days))
    found[:, column + 2] = np.log1p(weights[0].sum())
    found[:, column + 3] = np.log1p(ages.min(initial=NEVER_DAYS))
    return found


def _days_since(visited: NDArray[np.bool_], ages: NDArray[np.float64]) -> NDArray[np.float64]:
    """Age of the last visit of each target."""
    if not len(ages):
        return np.full(visited.shape[1], float(NEVER_DAYS))
    last = len(ages) - 1 - np.argmax(visited[::-1], axis=0)
    return np.where(visited.any(axis=0), np.minimum(ages[last], NEVER_DAYS), NEVER_DAYS)


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """How often each product is bought by anybody, lately and for long."""

    rates: Scores
    """(``MARKET_HALF_LIVES_DAYS``, products): share of all visits that hold the product."""

    @classmethod
    def before(cls, interactions: Interactions, day: int) -> Self:
        """Count purchases of all members before a day.

        Args:
            day: in days since 1970-01-01.
        """
        known = interactions.rows(interactions.day < day)
        products = len(interactions.products)
        size = np.int64(len(interactions.members))
        visits = np.unique(known.day.astype(np.int64) * size + known.member) // max(size, 1)
        rates = []
        for half_life in MARKET_HALF_LIVES_DAYS:
            weights = np.exp2((known.day - day) / half_life)
            counts = np.bincount(known.product, weights=weights, minlength=products)
            rates.append(counts / max(float(np.exp2((visits - day) / half_life).sum()), 1e-9))
        return cls(np.stack(rates).astype(np.float32))

    def of_target(self, targets: Targets, valid_days: int | AnyArray) -> Scores:
        """What the shop's purchases say of each target, (targets, ``OF_TARGET``).

        Args:
            valid_days: for how long the offer can be used, >= 1; one for all, or (targets,).
        """
        columns = [
            np.log(
                RATE_MIN
                + np.bincount(targets.target, weights=rate[targets.product], minlength=len(targets))
            )
            for rate in self.rates
        ]
        columns.append(np.log(np.maximum(targets.sizes, 1)))
        columns += [np.log1p(targets.breadth[level]) for level in ("line", "type", "brand")]
        columns.append(np.full(len(targets), np.log(valid_days)))
        return np.stack(columns, axis=1).astype(np.float32)

    def arrays(self) -> dict[str, AnyArray]:
        """The rates."""
        return {"rates": self.rates}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read the rates back."""
        return cls(arrays["rates"])


def of_pairs(history: History, day: int, targets: Targets, market: Scores) -> NDArray[np.float32]:
    """A member with each target, (targets, ``FEATURES``).

    Args:
        market: what ``Market.of_target`` said of the targets.
    """
    return np.concatenate([of_member(history, day, targets), market], axis=1)
