"""A logistic regression with a penalty, drawn towards an earlier one.

Constant and slope of the prior are free: how often something happens is learned at once. Beyond
that the penalty is on how far the weights, per standard deviation of their feature, are from the
prior's. With little to learn from the prior's order stays; with much it is left behind.

Source: McCullagh, Nelder, "Generalized Linear Models", 1989, section 4.4 (Newton's method); King,
Zeng, "Logistic Regression in Rare Events Data", Political Analysis 9(2), 2001, section 4.1 (some
of the zeros only, and the constant corrected for it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray
from loyalty_recommender.errors import FitFailed

ROUNDS_MAX = 40
ENOUGH = 1e-6
"""Stop when a step improves the penalised likelihood by less than this share of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """Log-odds as a constant and a weight per feature."""

    constant: float
    weights: NDArray[np.float64]
    """(features,)."""

    def log_odds(self, features: AnyArray) -> NDArray[np.float64]:
        """Log-odds of each row, (rows,).

        Args:
            features: (rows, features).
        """
        found: NDArray[np.float64] = self.constant + features.astype(np.float64) @ self.weights
        return found

    @classmethod
    def none(cls, features: int) -> Self:
        """Even odds, whatever the features: a prior that says nothing."""
        return cls(0.0, np.zeros(features))

    @classmethod
    def fit(
        cls,
        features: AnyArray,
        outcome: AnyArray,
        *,
        penalty: float,
        prior: Logistic | None = None,
        fixed: AnyArray | None = None,
        zeros_share: float = 1.0,
    ) -> Self:
        """Learn weights.

        Args:
            features: (rows, features).
            outcome: (rows,) true where it happened.
            penalty: > 0; so many rows' worth of resistance to leaving the prior.
            prior: weights to start from; None for zeros.
            fixed: (features,) true where a weight stays as the prior has it, up to the slope.
            zeros_share: of the rows without the outcome so many are here; all with it are.

        Raises:
            FitFailed: both outcomes are needed, and finite features.
        """
        happened = np.asarray(outcome, dtype=np.bool_)
        if happened.all() or not happened.any():
            raise FitFailed(f"both outcomes are needed, found one only in {len(happened)} rows")
        if not np.isfinite(features).all():
            raise FitFailed("features must be finite")
        prior = prior or cls.none(features.shape[1])
        free = np.ones(features.shape[1], dtype=np.bool_)
        if fixed is not None:
            free &= ~np.asarray(fixed, dtype=np.bool_)
        offset = prior.log_odds(features)
        columns = np.concatenate([offset[:, None], features[:, free].astype(np.float64)], axis=1)
        centre, spread = columns.mean(axis=0), columns.std(axis=0)
        spread[spread < 1e-9] = 1.0
        design = np.concatenate([np.ones((len(columns), 1)), (columns - centre) / spread], axis=1)
        penalties = np.full(design.shape[1], float(penalty))
        penalties[:2] = 0.0
        moved = _newton(design, happened, offset, penalties)
        slopes = moved[1:] / spread
        constant = prior.constant * (1 + slopes[0]) + moved[0] - float(centre @ slopes)
        weights = prior.weights * (1 + slopes[0])
        weights[free] += slopes[1:]
        return cls(float(constant + np.log(zeros_share)), weights)


def chances(log_odds: AnyArray) -> NDArray[np.float64]:
    """Probabilities of log-odds."""
    # Beyond this a float64 cannot tell the chance from one, and exp would overflow at the other.
    found: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -500.0, 500.0)))
    return found


def _newton(
    design: NDArray[np.float64],
    happened: NDArray[np.bool_],
    offset: NDArray[np.float64],
    penalties: NDArray[np.float64],
) -> NDArray[np.float64]:
    moved = np.zeros(design.shape[1])
    # Start where the mean is right: far from it the second derivative says little.
    share = happened.mean()
    moved[0] = np.log(share / (1 - share)) - float(np.mean(offset))
    loss = _loss(design, happened, offset, penalties, moved)
    for _ in range(ROUNDS_MAX):
        chance = chances(offset + design @ moved)
        gradient = design.T @ (happened - chance) - penalties * moved
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalties)
        curvature[np.diag_indices_from(curvature)] += 1e-9
        step = np.linalg.solve(curvature, gradient)
        length, better = 1.0, np.inf
        while length > 1e-6:
            better = _loss(design, happened, offset, penalties, moved + length * step)
            if better <= loss:
                break
            length /= 2
        if not better <= loss:
            return moved
        moved, gained, loss = moved + length * step, loss - better, better
        if gained <= ENOUGH * abs(loss):
            return moved
    return moved


def _loss(
    design: NDArray[np.float64],
    happened: NDArray[np.bool_],
    offset: NDArray[np.float64],
    penalties: NDArray[np.float64],
    moved: NDArray[np.float64],
) -> float:
    log_odds = offset + design @ moved
    fit = np.logaddexp(0.0, log_odds).sum() - log_odds[happened].sum()
    return float(fit + 0.5 * (penalties * moved**2).sum())
