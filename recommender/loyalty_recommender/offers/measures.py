"""How good chances of pairs are: areas under curves, recall, calibration; with intervals.

Households are drawn again, each with all its pairs, as in ``evaluation.bootstrap``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray
from loyalty_recommender.evaluation.bootstrap import SEED, Interval, interval

AUC_ROUNDS = 500
"""Draws for the pooled area, which sums over all pairs each time."""
BINS = 10


def auc(outcome: AnyArray, scores: AnyArray, weights: AnyArray | None = None) -> float:
    """Chance that a pair with the outcome scores above one without; equal scores count half.

    Args:
        outcome: (pairs,) truth values.
        scores: (pairs,).
        weights: (pairs,) how often each pair is there; None for once.

    Returns:
        NaN where only one outcome is there.
    """
    order = np.argsort(scores, kind="stable")
    starts = _group_starts(scores[order])
    if weights is None:
        weights = np.ones(len(scores))
    return _area(np.asarray(outcome, dtype=np.float64)[order], weights[order], starts)


def _group_starts(ordered: AnyArray) -> AnyArray:
    return np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))


def _area(outcome: AnyArray, weights: AnyArray, starts: AnyArray) -> float:
    """From pairs in order of their scores, groups of equal ones starting at ``starts``.

    Source: Mann, Whitney, Annals of Mathematical Statistics 18(1), 1947.
    """
    with_ = np.add.reduceat(weights * outcome, starts)
    without = np.add.reduceat(weights * (1 - outcome), starts)
    below = np.cumsum(without) - without
    possible = with_.sum() * without.sum()
    return float((with_ * (below + 0.5 * without)).sum() / possible) if possible else float("nan")


def auc_interval(
    outcome: AnyArray, scores: AnyArray, household: AnyArray, *, rounds: int = AUC_ROUNDS
) -> Interval:
    """The pooled area with its 95 % interval over households."""
    order = np.argsort(scores, kind="stable")
    starts = _group_starts(scores[order])
    ordered = np.asarray(outcome, dtype=np.float64)[order]
    distinct, of = np.unique(household[order], return_inverse=True)
    random = np.random.default_rng(SEED)
    areas = []
    for _ in range(rounds):
        drawn = random.integers(0, len(distinct), len(distinct))
        times = np.bincount(drawn, minlength=len(distinct)).astype(np.float64)
        areas.append(_area(ordered, times[of], starts))
    low, high = np.nanquantile(areas, [0.025, 0.975])
    return Interval(_area(ordered, np.ones(len(of)), starts), float(low), float(high))


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One household in one campaign of which it redeemed something: a question with an answer."""

    household: NDArray[np.int64]
    """(questions,)."""
    recall: NDArray[np.float64]
    """(questions,) redeemed offers among the first ten over all redeemed ones."""
    auc: NDArray[np.float64]
    """(questions,) NaN where every offer was redeemed."""

    @classmethod
    def of(cls, outcome: AnyArray, scores: AnyArray, members: AnyArray, k: int = 10) -> Self:
        """Take one campaign.

        Args:
            outcome: (members * offers,) members first.
            scores: (members * offers,) equal ones are ranked by offer.
            members: (members,).
        """
        redeemed = np.asarray(outcome, dtype=np.bool_).reshape(len(members), -1)
        table = scores.reshape(redeemed.shape)
        rows = np.flatnonzero(redeemed.any(axis=1))
        recalls, areas = [], []
        for row in rows.tolist():
            first = np.argsort(-table[row], kind="stable")[:k]
            recalls.append(redeemed[row, first].sum() / redeemed[row].sum())
            areas.append(auc(redeemed[row], table[row]))
        return cls(
            members[rows].astype(np.int64),
            np.array(recalls, dtype=np.float64),
            np.array(areas, dtype=np.float64),
        )

    @classmethod
    def together(cls, parts: list[Self]) -> Self:
        """Several campaigns as one."""
        return cls(
            np.concatenate([each.household for each in parts]),
            np.concatenate([each.recall for each in parts]),
            np.concatenate([each.auc for each in parts]),
        )

    def recall_interval(self) -> Interval:
        """Mean recall with its interval."""
        return interval(self.recall, self.household)

    def auc_interval(self) -> Interval:
        """Mean area of the questions that have one, with its interval."""
        known = np.isfinite(self.auc)
        return interval(self.auc[known], self.household[known])


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs whose chances are near each other, and what came of them."""

    chance: float
    """Mean of what was given."""
    share: Interval
    """Of the pairs that redeemed, with its interval over households."""
    pairs: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether of pairs with a chance of 1 % one in a hundred was redeemed."""

    expected: float
    """Sum of the chances."""
    observed: int
    error: float
    """Mean absolute difference of chance and share over ten groups of pairs, from the least to
    the most likely, each of a tenth of what was expected, over the mean share; 0 is perfect."""
    log_loss: float
    """Mean, in nats."""
    log_loss_base: float
    """Of giving every pair the share of all pairs, which only hindsight knows."""
    bins: tuple[Bin, ...]
    """The groups that hold any pair, the least likely first."""

    @classmethod
    def of(cls, outcome: AnyArray, chance: AnyArray, household: AnyArray) -> Self:
        """Compare (pairs,) truth values with chances in 0..1."""
        happened = np.asarray(outcome, dtype=np.float64)
        order = np.argsort(chance, kind="stable")
        reached = np.cumsum(chance[order])
        # Equal chances are one group, or the order of the pairs would tell them apart.
        starts = _group_starts(chance[order])
        sizes = np.diff([*starts, len(chance)])
        middle = reached[starts] + (sizes - 1) / 2 * chance[order][starts]
        group = np.repeat(
            np.minimum((middle / reached[-1] * BINS).astype(np.int64), BINS - 1), sizes
        )
        counts = np.bincount(group, minlength=BINS)
        awaited = np.bincount(group, weights=chance[order], minlength=BINS)
        found = np.bincount(group, weights=happened[order], minlength=BINS)
        inside = np.clip(chance, 1e-12, 1 - 1e-12)
        loss = -np.mean(happened * np.log(inside) + (1 - happened) * np.log1p(-inside))
        share = float(np.clip(happened.mean(), 1e-12, 1 - 1e-12))
        base = -(share * np.log(share) + (1 - share) * np.log1p(-share))
        return cls(
            expected=float(chance.sum()),
            observed=int(happened.sum()),
            error=float(np.abs(awaited - found).sum() / max(happened.sum(), 1.0)),
            log_loss=float(loss),
            log_loss_base=float(base),
            bins=tuple(
                Bin(
                    float(awaited[each] / counts[each]),
                    interval(happened[rows], household[rows]),
                    len(rows),
                )
                for each in range(BINS)
                if len(rows := order[group == each])
            ),
        )
