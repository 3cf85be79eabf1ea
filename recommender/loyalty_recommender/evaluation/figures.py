"""What was measured, as plain figures: for the table, the report and a JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from loyalty_recommender.evaluation.bootstrap import Draws, Interval, paired_difference
from loyalty_recommender.evaluation.protocol import DEPTH, AskedWindow
from loyalty_recommender.evaluation.run import Measured

OURS = "served"
K = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One model at one window, at one cut or at all of them."""

    model: str
    window: AskedWindow
    cut: int | None
    """None for all cuts pooled."""
    questions: int
    recall: Interval
    ndcg: Interval


@dataclass(frozen=True, slots=True)
class Curve:
    """One model at one window, all cuts pooled, for K from 1 to ``DEPTH``."""

    model: str
    window: AskedWindow
    recall: list[float]
    ndcg: list[float]


@dataclass(frozen=True, slots=True)
class Difference:
    """What is served less another model, on the same questions; in points of recall and nDCG."""

    other: str
    window: AskedWindow
    recall: Interval
    ndcg: Interval


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Households left out of training and answered from their history, over themselves trained."""

    model: str
    window: AskedWindow
    questions: int
    ndcg: Interval
    """Left out of training."""
    ratio: Interval
    """Of nDCG, left out over trained."""


@dataclass(slots=True)
class Figures:
    """Everything one evaluation measured."""

    about: dict[str, Any]
    """What was measured, on what: files' counts, cuts, which day questions name."""
    rows: list[Row] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """Model → wall time of learning and answering at all cuts."""

    def pooled(self, window: AskedWindow) -> list[Row]:
        """Rows over all cuts of one window."""
        return [row for row in self.rows if row.window == window and row.cut is None]

    def add(self, model: str, window: AskedWindow, measured: Measured) -> None:
        """Take one model's answers to one window, if anything was asked."""
        if not len(measured.wanted):
            return
        for cut, part in _cuts(measured):
            recall, ndcg = part.summary(K)
            self.rows.append(Row(model, window, cut, len(part.wanted), recall, ndcg))
        depths = range(1, DEPTH + 1)
        self.curves.append(
            Curve(
                model,
                window,
                recall=[float(measured.recall(k).mean()) for k in depths],
                ndcg=[float(measured.ndcg(k).mean()) for k in depths],
            )
        )

    def compare(self, other: str, window: AskedWindow, ours: Measured, theirs: Measured) -> None:
        """Take the difference of what is served to another model, if anything was asked."""
        if not len(ours.wanted):
            return
        self.differences.append(
            Difference(
                other,
                window,
                paired_difference(ours.recall(K), theirs.recall(K), ours.household),
                paired_difference(ours.ndcg(K), theirs.ndcg(K), ours.household),
            )
        )

    def add_left_out(
        self, model: str, window: AskedWindow, left_out: Measured, trained: Measured
    ) -> None:
        """Take the answers to households that training did not see, if it answers any trained."""
        theirs = trained.same_questions(left_out)
        if not theirs.hits[:, :K].any():
            return
        draws = Draws.of(left_out.household)
        self.left_out.append(
            LeftOut(
                model,
                window,
                len(left_out.wanted),
                draws.interval(left_out.ndcg(K)),
                draws.ratio(left_out.ndcg(K), theirs.ndcg(K)),
            )
        )

    def json(self) -> str:
        """Everything, for another program."""
        return json.dumps(asdict(self), indent=1) + "\n"

    def table(self) -> str:
        """The pooled rows as a Markdown table, recall@10 / nDCG@10 with their intervals."""
        lines = [
            f"| window | model | questions | recall@{K} | nDCG@{K} |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {row.window} | {row.model} | {row.questions:,} | {_text(row.recall)} "
            f"| {_text(row.ndcg)} |"
            for row in self.rows
            if row.cut is None
        ]
        return "\n".join(lines) + "\n"


def _cuts(measured: Measured) -> Iterator[tuple[int | None, Measured]]:
    yield None, measured
    for cut in sorted(set(measured.cut.tolist())):
        yield cut, measured.of_cut(cut)


def _text(each: Interval) -> str:
    return f"{each.mean:.4f} [{each.low:.4f}, {each.high:.4f}]"
