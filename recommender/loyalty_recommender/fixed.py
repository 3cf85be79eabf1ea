"""Rankings that are the same for everybody, ordered once when the model is fitted."""

import numpy as np

from loyalty_recommender.arrays import AnyArray, Mask
from loyalty_recommender.topk import Ranking, best

FIRST_LOOK = 256


def ordered(scores: AnyArray) -> Ranking:
    """All products with a score above zero, (products,), best first."""
    scored = np.flatnonzero(scores > 0).astype(np.int32)
    return best(scored, scores[scored].astype(np.float32), max(len(scored), 1))


def first_allowed(ranking: Ranking, first: int, allowed: Mask) -> Ranking:
    """The first products of a ranking that pass a filter (products,)."""
    # Most filters leave most products, so the answer is near the top and the rest unread.
    look = max(FIRST_LOOK, 2 * first)
    while True:
        kept = np.flatnonzero(allowed[ranking.products[:look]])[:first]
        if len(kept) == first or look >= len(ranking):
            return Ranking(ranking.products[kept], ranking.scores[kept])
        look *= 8
