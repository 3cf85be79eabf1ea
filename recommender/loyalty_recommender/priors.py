"""Weights before a shop's own purchases speak: the plainest model of each kind.

A shop that has just opened is answered by what ALS says, by decayed counts, and by what goes with
a cart. With every member that comes back, the learned weights move away from that.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from loyalty_recommender.arrays import Scores
from loyalty_recommender.features import basket, novel, repeat


def _prior(names: Sequence[str], weights: Mapping[str, float]) -> Scores:
    unknown = weights.keys() - set(names)
    if unknown or len(set(names)) < len(names):
        raise ValueError(f"columns must be distinct and known, found {names} and {unknown}")
    return np.array([weights.get(name, 0.0) for name in names], dtype=np.float32)


REPEAT = _prior(repeat.NAMES, {"visits, half-life 120 days": 1.0})
NOVEL = _prior(novel.NAMES, {"affinity by ALS, for a vector of length 1": 1.0})
COMPLETION = _prior(
    basket.NAMES,
    {
        "visits, half-life 120 days": 1.0,
        "goes with the cart, in sum": 0.5,
        "never bought: goes with the cart, in sum": 0.5,
    },
)
