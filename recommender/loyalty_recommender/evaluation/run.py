"""Models times windows times cuts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from loyalty_recommender.arrays import AnyArray, Indices
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.errors import BadAnswer
from loyalty_recommender.evaluation import metrics
from loyalty_recommender.evaluation.bootstrap import Draws, Interval
from loyalty_recommender.evaluation.protocol import DEPTH, AskedWindow, Case, Split
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models import Model, Query

Progress: TypeAlias = Callable[[str], None]


class Answering(Protocol):
    """Something that has learned."""

    def answer(self, case: Case) -> AnyArray | Sequence[int]:
        """Positions of products, best first, at most ``DEPTH`` are looked at; may be short.

        Distinct, and of ``case.allowed`` only.
        """
        ...


class Candidate(Protocol):
    """Something that can learn before a cut and then answer."""

    def fit(self, interactions: Interactions, attributes: Attributes) -> Answering:
        """Learn from purchases and from what their products are."""
        ...


@dataclass(frozen=True, slots=True)
class OfModel:
    """A model of ``loyalty_recommender.models`` as a candidate."""

    model: Model

    def fit(self, interactions: Interactions, attributes: Attributes) -> Answering:
        """Learn, without the attributes."""
        fitted = self.model.fit(interactions)
        products = len(interactions.products)

        class Asked:
            def answer(self, case: Case) -> AnyArray:
                query = Query(
                    member=case.member, basket=case.cart, history=case.history, day=case.day
                )
                return fitted.recommend(query, DEPTH, case.allowed(products)).products

        return Asked()


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One model's answers to all questions of one window, over any number of cuts."""

    hits: NDArray[np.bool_]
    """(questions, DEPTH)."""
    wanted: NDArray[np.int64]
    """(questions,) size of the truth."""
    household: NDArray[np.int64]
    """(questions,)."""
    cut: NDArray[np.int64]
    """(questions,) days from the first day of the data."""

    def recall(self, k: int = 10) -> NDArray[np.float64]:
        """Recall at k per question."""
        return metrics.recall(self.hits, self.wanted, k)

    def ndcg(self, k: int = 10) -> NDArray[np.float64]:
        """nDCG at k per question."""
        return metrics.ndcg(self.hits, self.wanted, k)

    def rows(self, kept: AnyArray) -> Measured:
        """Some of the questions, by a mask or by positions."""
        return Measured(self.hits[kept], self.wanted[kept], self.household[kept], self.cut[kept])

    def of_cut(self, cut: int) -> Measured:
        """Only the questions of one cut."""
        return self.rows(self.cut == cut)

    def same_questions(self, other: Measured) -> Measured:
        """The questions that ``other`` was asked too, in its sequence.

        Raises:
            KeyError: ``other`` was asked one that this was not.
        """
        at = {key: row for row, key in enumerate(self._keys())}
        return self.rows(np.array([at[key] for key in other._keys()], dtype=np.int64))

    def _keys(self) -> list[tuple[int, int]]:
        return list(zip(self.cut.tolist(), self.household.tolist(), strict=True))

    def summary(self, k: int = 10) -> tuple[Interval, Interval]:
        """Recall and nDCG at k with their intervals."""
        draws = Draws.of(self.household)
        return draws.interval(self.recall(k)), draws.interval(self.ndcg(k))

    @staticmethod
    def pooled(parts: Sequence[Measured]) -> Measured:
        """The questions of several cuts as one."""
        return Measured(
            np.concatenate([each.hits for each in parts]),
            np.concatenate([each.wanted for each in parts]),
            np.concatenate([each.household for each in parts]),
            np.concatenate([each.cut for each in parts]),
        )


def measure(answering: Answering, cases: Sequence[Case], products: int, cut: int) -> Measured:
    """Ask all questions of one window.

    Args:
        products: how many products the model knows.
        cut: day of the cut, only noted.

    Raises:
        BadAnswer: an answer names a product twice, or one that may not be answered.
    """
    answers = np.full((len(cases), DEPTH), metrics.PADDING, dtype=np.int32)
    for row, case in zip(answers, cases, strict=True):
        given = np.asarray(answering.answer(case), dtype=np.int32)[:DEPTH]
        _check(given, case, products)
        row[: len(given)] = given
    truths: list[Indices] = [case.truth for case in cases]
    return Measured(
        metrics.hits(answers, truths, products),
        metrics.sizes(truths),
        np.array([case.household for case in cases], dtype=np.int64),
        np.full(len(cases), cut, dtype=np.int64),
    )


def run(
    candidate: Candidate,
    splits: Iterable[Split],
    windows: Sequence[AskedWindow],
    progress: Progress = lambda doing: None,
    taught: Callable[[Split, Answering], None] = lambda split, answering: None,
) -> dict[AskedWindow, Measured]:
    """Teach a candidate at each cut and ask it the questions of some windows.

    Args:
        taught: is shown each model that has learned, after it has answered.

    Raises:
        BadAnswer: an answer breaks the rules.
        FitFailed: the candidate cannot learn from the data.
    """
    parts: dict[AskedWindow, list[Measured]] = {window: [] for window in windows}
    for split in splits:
        started = perf_counter()
        answering = candidate.fit(split.train, split.attributes)
        fitted = perf_counter()
        for window, measured in _windows(answering, split, windows):
            parts[window].append(measured)
        taught(split, answering)
        progress(
            f"cut {split.cut}: learned in {fitted - started:.1f} s, "
            f"answered in {perf_counter() - fitted:.1f} s"
        )
    return {window: Measured.pooled(measured) for window, measured in parts.items()}


def _windows(
    answering: Answering, split: Split, windows: Sequence[AskedWindow]
) -> Iterator[tuple[AskedWindow, Measured]]:
    products = len(split.train.products)
    for window in windows:
        yield window, measure(answering, split.cases[window], products, split.cut)


def _check(given: AnyArray, case: Case, products: int) -> None:
    if len(given) and (given.min() < 0 or given.max() >= products):
        raise BadAnswer(f"{case.window}: products lie in 0..{products - 1}, found {given}")
    if len(np.unique(given)) != len(given):
        raise BadAnswer(f"{case.window}: a product was answered twice: {given}")
    refused = given[~case.allowed(products)[given]]
    if len(refused):
        raise BadAnswer(f"{case.window}: products that may not be answered: {refused}")
