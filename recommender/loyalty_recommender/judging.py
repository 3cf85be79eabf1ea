"""Two settings asked the same questions about the latest weeks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np

from loyalty_recommender.arrays import AnyArray, Mask
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.errors import BadInteractions, BadSettings, FitFailed
from loyalty_recommender.evaluation.bootstrap import Draws, Interval
from loyalty_recommender.evaluation.candidates import ServedModel
from loyalty_recommender.evaluation.protocol import (
    HOUSEHOLD_VISITS_MIN,
    AskedWindow,
    Case,
    Split,
)
from loyalty_recommender.evaluation.run import Measured, measure
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.pasts import LATER_DAYS, split_day
from loyalty_recommender.serving import Recommender
from loyalty_recommender.training import SHARES, Learned, Report, Settings, learn

DEPTH = 10

PARTS: Mapping[AskedWindow, tuple[str, ...]] = {
    "NEXT_VISIT": ("buy_again", "for_you", "popular"),
    "FOR_YOU": ("for_you", "popular"),
    "CART": ("cart", "popular"),
}
"""The windows that are asked, and the parts of the settings that have a say in each."""


@dataclass(frozen=True, slots=True)
class Gate:
    """How new settings are judged."""

    margin: float = 0.02
    """How much worse, as a share of the old nDCG@10, still counts as not worse, >= 0."""
    members_max: int = 2_000
    """How many members are asked about at most, drawn at random."""
    members_min: int = 100
    """With fewer in a window it is no judge; with none for what differs, nothing is, >= 1."""
    seed: int = 7
    """Draws the members, >= 0."""

    def __post_init__(self) -> None:
        if not 0 <= self.margin < 1 or not 1 <= self.members_min <= self.members_max:
            raise BadSettings(
                "margin must be 0 to 1, members_min at least 1 and members_max not below it, "
                f"found {self.margin}, {self.members_min} and {self.members_max}"
            )


@dataclass(frozen=True, slots=True)
class Figures:
    """How well one model did in one window."""

    ndcg10: Interval
    recall10: Interval

    def content(self) -> dict[str, Any]:
        """As JSON values."""
        return {name: _rounded(each) for name, each in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Compared:
    """Both settings in one window, on the same questions."""

    questions: int
    old: Figures
    new: Figures
    difference: Figures
    """New less old."""
    allowed: float
    """How much lower nDCG@10 may be, >= 0."""

    @property
    def passed(self) -> bool:
        """Whether the new settings are not worse by more than is allowed."""
        return self.difference.ndcg10.low >= -self.allowed

    def content(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "questions": self.questions,
            "old": self.old.content(),
            "new": self.new.content(),
            "difference": self.difference.content(),
            "allowed": round(self.allowed, 5),
            "passed": self.passed,
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of asking both."""

    asked: Settings
    """The new settings."""
    gate: Gate
    first_day: int
    """Day of the first questions, since 1970-01-01."""
    windows: Mapping[AskedWindow, Compared] = field(default_factory=dict)
    """Those with enough questions."""
    too_little: bool = False
    """Whether nothing can be said of what the settings differ in."""

    @property
    def passed(self) -> bool:
        """Whether the new settings are not worse in any window."""
        return not self.too_little and all(each.passed for each in self.windows.values())

    def metrics(self, *, of_new: bool) -> dict[str, Any]:
        """The figures of one of the two, for its card."""
        figures = {
            window: (each.questions, each.new if of_new else each.old)
            for window, each in self.windows.items()
        }
        return _metrics(self.first_day, figures)

    def content(self) -> dict[str, Any]:
        """As JSON values, with the settings that were judged."""
        return {
            **_days(self.first_day),
            **asdict(self.gate),
            "asked": asdict(self.asked),
            "windows": {window: each.content() for window, each in self.windows.items()},
        }


def judge(
    interactions: Interactions, old: Settings, new: Settings, gate: Gate, progress: Report
) -> Judged:
    """Fit both before the latest weeks, and ask both what was bought in them.

    Both models are held at once; what they have in common is fitted once.

    Raises:
        FitFailed: the new settings cannot learn where the old ones did.
    """
    day = split_day(interactions)
    nothing = Judged(new, gate, day, too_little=True)
    try:
        questions = Questions.of(interactions, day, gate)
        enough = questions.enough(gate.members_min)
        differing = differing_windows(old, new)
        if not enough or (differing and not set(differing) & set(enough)):
            return nothing
        learned, answers = questions.put(old, partial(_half, progress, "settings in service", 0.0))
    except (FitFailed, BadInteractions):
        return nothing
    same = old.product_visits_min == new.product_visits_min
    known = {part: learned.parts[part] for part in SHARES if same and _alike(old, new, part)}
    _, theirs = questions.put(new, partial(_half, progress, "new settings", 0.5), known)
    windows = {window: compared(answers[window], theirs[window], gate.margin) for window in enough}
    return Judged(new, gate, day, windows)


def measure_alone(
    interactions: Interactions, settings: Settings, gate: Gate, progress: Report
) -> dict[str, Any] | None:
    """The figures of settings that there is nothing to compare with; None with too little data."""
    day = split_day(interactions)
    try:
        questions = Questions.of(interactions, day, gate)
        enough = questions.enough(gate.members_min)
        if not enough:
            return None
        _, answers = questions.put(settings, partial(_named, progress, "first settings"))
    except (FitFailed, BadInteractions):
        return None
    figures = {
        window: (len(answers[window].wanted), _figures(answers[window])) for window in enough
    }
    return _metrics(day, figures)


def differing_windows(old: Settings, new: Settings) -> tuple[AskedWindow, ...]:
    """Windows whose answers the difference of two settings may change."""
    if (old.product_visits_min, old.member_visits_min) != (
        new.product_visits_min,
        new.member_visits_min,
    ):
        return tuple(PARTS)
    return tuple(
        window
        for window, parts in PARTS.items()
        if not all(_alike(old, new, part) for part in parts)
    )


def compared(old: Measured, new: Measured, margin: float) -> Compared:
    """Both on the same questions, with the intervals of what they differ by."""
    draws = Draws.of(old.household)
    difference = Figures(
        draws.interval(new.ndcg(DEPTH) - old.ndcg(DEPTH)),
        draws.interval(new.recall(DEPTH) - old.recall(DEPTH)),
    )
    before = _figures(old, draws)
    return Compared(
        len(old.wanted),
        before,
        _figures(new, draws),
        difference,
        allowed=margin * before.ndcg10.mean,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """What was known before a day, and what some members bought from it on."""

    before: Interactions
    split: Split

    @classmethod
    def of(cls, interactions: Interactions, day: int, gate: Gate) -> Questions:
        """Part the purchases; everybody teaches, a part of the members is asked about.

        Raises:
            BadInteractions: there is nothing before the day.
        """
        is_before = interactions.day < day
        before = interactions.rows(is_before)
        asked = _asked(interactions, before, day, gate)
        attributes = interactions.attributes or Attributes.unknown(len(interactions.products))
        kept = is_before | asked[interactions.member]
        split = Split.of(interactions.rows(kept), attributes, day, first_day=0)
        return cls(before, split)

    def enough(self, members_min: int) -> tuple[AskedWindow, ...]:
        """The windows that enough members can be asked about."""
        return tuple(each for each in PARTS if len(self.split.cases[each]) >= members_min)

    def put(
        self, settings: Settings, progress: Report, known: Mapping[str, Any] | None = None
    ) -> tuple[Learned, dict[AskedWindow, Measured]]:
        """Fit settings before the day and put the questions to them.

        Raises:
            FitFailed: too little data.
        """
        trained_at = datetime.fromtimestamp(self.before.span[1], UTC)
        learned = learn(
            self.before,
            settings,
            lambda doing, share: progress(doing, 0.7 * share),
            trained_at=trained_at,
            known=known,
        )
        model = _Asked(Recommender(learned.card, learned.arrays), self.split.train)
        products = len(self.split.train.products)
        found = {}
        for at, window in enumerate(PARTS):
            progress(f"asking {window}", 0.7 + 0.1 * at)
            found[window] = measure(model, self.split.cases[window], products, self.split.cut)
        return learned, found


class _Asked(ServedModel):
    """As it is served, no deeper than is judged."""

    def answer(self, case: Case) -> AnyArray:
        found = self.recommendation(case, DEPTH).products
        return np.array([self._ours[each] for each in found if each in self._ours], dtype=np.int32)


def _asked(interactions: Interactions, before: Interactions, day: int, gate: Gate) -> Mask:
    """Which members are asked about: those with habits that came back, or a part of them."""
    came = np.zeros(len(interactions.members), dtype=np.bool_)
    came[interactions.member[interactions.day >= day]] = True
    came &= before.member_visits() >= HOUSEHOLD_VISITS_MIN
    members = np.flatnonzero(came)
    if len(members) > gate.members_max:
        random = np.random.default_rng(gate.seed)
        members = random.choice(members, gate.members_max, replace=False)
    asked = np.zeros(len(interactions.members), dtype=np.bool_)
    asked[members] = True
    return asked


def _alike(old: Settings, new: Settings, part: str) -> bool:
    found: bool = getattr(old, part) == getattr(new, part)
    return found


def _figures(measured: Measured, draws: Draws | None = None) -> Figures:
    draws = draws or Draws.of(measured.household)
    return Figures(draws.interval(measured.ndcg(DEPTH)), draws.interval(measured.recall(DEPTH)))


def _metrics(first_day: int, figures: Mapping[Any, tuple[int, Figures]]) -> dict[str, Any]:
    if not figures:
        return {}
    return {
        **_days(first_day),
        "windows": {
            window: {"questions": questions, **each.content()}
            for window, (questions, each) in figures.items()
        },
    }


def _days(first_day: int) -> dict[str, str]:
    first = date(1970, 1, 1) + timedelta(days=first_day)
    return {
        "from": first.isoformat(),
        "to": (first + timedelta(days=LATER_DAYS - 1)).isoformat(),
    }


def _rounded(interval: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 5) for name, value in interval.items()}


def _half(progress: Report, whose: str, start: float, doing: str, share: float) -> None:
    progress(f"{whose}: {doing}", start + share / 2)


def _named(progress: Report, whose: str, doing: str, share: float) -> None:
    progress(f"{whose}: {doing}", share)
