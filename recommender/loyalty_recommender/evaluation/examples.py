"""Households one can look at: their habits, what was shown to them and why, what they bought."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loyalty_recommender.evaluation.candidates import ServedModel
from loyalty_recommender.evaluation.figures import K
from loyalty_recommender.evaluation.protocol import AskedWindow, Case, Split
from loyalty_recommender.evaluation.run import Measured
from loyalty_recommender.reasons import Reason, ReasonCode

HABITS = 5

QUANTILES: dict[AskedWindow, tuple[float, ...]] = {
    "NEXT_VISIT": (0.9, 0.7, 0.5, 0.3),
    "FOR_YOU": (0.98, 0.9, 0.5),
    "CART": (0.9, 0.7, 0.3),
}
"""Which households are shown, by their place from the worst answered (0) to the best (1): good
and bad ones alike. Of FOR_YOU the middle one has no hit at all."""


@dataclass(frozen=True, slots=True)
class Habit:
    """A product that the household buys."""

    name: str
    times: int
    last_days: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A recommended product."""

    name: str
    why: str
    was_bought: bool


@dataclass(frozen=True, slots=True)
class Example:
    """One question and its answer."""

    window: AskedWindow
    household: str
    quantile: float
    """Share of the households that were answered worse, by nDCG."""
    visits: int
    habits: list[Habit]
    cart: list[str]
    shown: list[Shown]
    missed: list[str]
    """What else was bought."""


Names = Callable[[int], str]
"""What the product at a position is called."""


def examples(
    split: Split,
    model: ServedModel,
    measured: Mapping[AskedWindow, Measured],
    names: Sequence[str],
) -> list[Example]:
    """Pick households by how well they were answered, and tell their stories.

    Args:
        split: of the last cut.
        measured: answers of all cuts.
        names: of the products of ``split``.
    """
    found = []
    position = {product: at for at, product in enumerate(model.products)}
    for window, quantiles in QUANTILES.items():
        gained = measured[window].of_cut(split.cut).ndcg(K)
        order = np.argsort(gained, kind="stable")
        for quantile in quantiles if len(order) else ():
            case = split.cases[window][int(order[round(quantile * (len(order) - 1))])]
            found.append(_example(case, quantile, split, model, names, position))
    return found


def _example(
    case: Case,
    quantile: float,
    split: Split,
    model: ServedModel,
    names: Sequence[str],
    position: dict[str, int],
) -> Example:
    answer = model.recommendation(case, K)
    given = [position[each] for each in answer.products]
    wanted = set(case.truth.tolist())
    products, visits = np.unique(case.history.product, return_counts=True)
    most = np.lexsort((products, -visits))[:HABITS]
    return Example(
        window=case.window,
        household=split.train.members.texts()[case.household],
        quantile=quantile,
        visits=case.history.visits,
        habits=[
            Habit(
                names[products[each]],
                int(visits[each]),
                int(case.day - case.history.day[case.history.product == products[each]].max()),
            )
            for each in most.tolist()
        ],
        cart=[names[each] for each in case.cart.tolist()],
        shown=[
            Shown(
                names[at],
                words(item.reason, lambda product: names[position[product]]),
                at in wanted,
            )
            for at, item in zip(given, answer.items, strict=True)
        ],
        missed=[names[each] for each in case.truth.tolist() if each not in given],
    )


def words(reason: Reason, name_of: Callable[[str], str]) -> str:
    """A reason in English, for this page only: shops have their own wording.

    Args:
        name_of: what a product id is called.
    """
    about = "" if reason.about is None else name_of(reason.about)
    if reason.code is ReasonCode.BOUGHT_BEFORE:
        every = "" if reason.every_days is None else f", about every {reason.every_days} days"
        return f"bought {_times(reason.times)}{every}, last {reason.last_days} days ago"
    if reason.code is ReasonCode.BECAUSE_YOU_BUY:
        return f"because you buy {about}"
    if reason.code is ReasonCode.GOES_WITH:
        return f"goes with {about}"
    if reason.code is ReasonCode.SIMILAR_TO:
        return f"bought by those who buy {about}"
    if reason.code is ReasonCode.NEW:
        return f"new, first bought {reason.last_days} days ago"
    return f"bought in {reason.times} visits of the last four weeks"


def _times(count: int | None) -> str:
    return "once" if count == 1 else f"{count} times"
