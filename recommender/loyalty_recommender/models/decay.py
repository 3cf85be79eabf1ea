"""How much less an old visit says than a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loyalty_recommender.arrays import DAY_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loyalty_recommender.interactions import Interactions

LEAST_WEIGHT = 1e-30
"""Keeps a very old purchase above zero in float32: it was made, however little it says."""


def visit_weights(interactions: Interactions, half_life_days: float) -> NDArray[np.float64]:
    """Weight of each row, 1 at the last purchase of the data and halved every half-life.

    Counting from the end of the data, not from the moment of the question, changes no order:
    time passing shrinks all weights by one factor.

    Args:
        half_life_days: > 0.
    """
    if not len(interactions):
        return np.empty(0, dtype=np.float64)
    age_days = (interactions.time.max() - interactions.time) / DAY_S
    weights: NDArray[np.float64] = np.exp2(-age_days / half_life_days)
    return np.maximum(weights, LEAST_WEIGHT)
