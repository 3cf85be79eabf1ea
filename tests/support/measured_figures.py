"""Figures of an evaluation that never was, for what is made of them."""

import numpy as np

from loyalty_recommender.evaluation.examples import Example, Habit, Shown
from loyalty_recommender.evaluation.figures import Figures
from loyalty_recommender.evaluation.protocol import DEPTH
from loyalty_recommender.evaluation.run import Measured

SAYS = {"served": "what is served", "other & more": "another <model>"}


def measured(seed: int) -> Measured:
    """Forty questions of twenty households, answered by chance."""
    random = np.random.default_rng(seed)
    hits = random.random((40, DEPTH)) < 0.1
    return Measured(hits, np.full(40, 60), np.arange(40) // 2, np.arange(40) % 2 * 28 + 100)


def measured_figures() -> Figures:
    """Two models at two cuts of one window."""
    about = {
        "dayZero": "2017-01-01",
        "cuts": [100, 128],
        "testDays": 28,
        "askedOn": "cut",
        "households": 20,
        "productsOfVisits": 4_000,
    }
    found = Figures(about=about, seconds={"served": 1.0, "other & more": 2.0})
    for seed, model in enumerate(SAYS):
        found.add(model, "NEXT_VISIT", measured(seed))
    found.compare("other & more", "NEXT_VISIT", measured(0), measured(1))
    found.add_left_out("served", "NEXT_VISIT", measured(2), measured(0))
    return found


EXAMPLE = Example(
    window="NEXT_VISIT",
    household="7",
    quantile=0.9,
    visits=12,
    habits=[Habit("Bread & butter", 9, 3)],
    cart=[],
    shown=[Shown("Milk", "bought 4 times", True), Shown("Tea", "goes with Milk", False)],
    missed=["Salt <coarse>"],
)
