"""Chances brought down to what came of chances like them.

What is learned from a dozen campaigns is too sure of its best pairs: where several habits come
together a sum of log-odds promises more and more, while a member uses only so many offers. So a
chance p becomes p / (1 + strength * p), which leaves small chances as they are, keeps every order
and gives no more than 1 / (1 + strength). The strength is the likeliest one by what became of
campaigns that were *not* learned from.

One number is what a few hundred redemptions can tell: a slope and a constant (Platt) or steps
(isotonic) erred more, see docs/reference/offers-evaluation.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray

STRENGTH_MAX = 8.0
"""The first redemptions of a shop are few and would bring chances down without end."""
USED_MIN = 20
"""Fewer uses say nothing of how high chances may be."""
ENOUGH = 1e-3
"""Two logarithms of 1 + strength that are so close are the same."""
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How strongly chances are brought down; 0 leaves them alone."""

    strength: float = 0.0

    def below(self, chance: AnyArray) -> NDArray[np.float64]:
        """The same chances below the ceiling, in the same order."""
        found: NDArray[np.float64] = chance / (1.0 + self.strength * chance)
        return found

    @classmethod
    def fit(cls, chance: AnyArray, used: AnyArray, elapsed: AnyArray) -> Self:
        """Find the likeliest strength, 0 where there is too little to learn it from.

        Args:
            chance: (pairs,) as given by what was learned from other campaigns.
            used: (pairs,) whether it was used until now.
            elapsed: (pairs,) share of the days in which it could be, 0 to 1.
        """
        happened = np.asarray(used, dtype=np.bool_)
        if happened.sum() < USED_MIN:
            return cls()

        def surprise(steps: float) -> float:
            low = cls(float(np.expm1(steps))).below(chance) * elapsed
            inside = np.clip(low, 1e-12, 1 - 1e-12)
            return float(-np.log(inside[happened]).sum() - np.log1p(-inside[~happened]).sum())

        steps = _least(surprise, float(np.log1p(STRENGTH_MAX)))
        # Where no ceiling is as likely, chances stay as they are.
        return cls(float(np.expm1(steps))) if surprise(steps) < surprise(0.0) else cls()


NO_CEILING = Ceiling()


def _least(of: Callable[[float], float], most: float) -> float:
    """Where between 0 and ``most`` a function with one valley is least.

    Source: Kiefer, "Sequential Minimax Search for a Maximum", Proceedings of the AMS 4(3), 1953.
    """
    low, high = 0.0, most
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = of(left), of(right)
    while high - low > ENOUGH:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = of(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = of(right)
    return (low + high) / 2
