"""``python -m loyalty_recommender evaluate``: files in, a table, figures and a page out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter
from typing import Literal

from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.attributes import Products
from loyalty_recommender.errors import BadRequest
from loyalty_recommender.evaluation.candidates import Entry, ServedModel, entries
from loyalty_recommender.evaluation.examples import Example, examples
from loyalty_recommender.evaluation.figures import OURS, Figures
from loyalty_recommender.evaluation.protocol import (
    FOLDS,
    TEST_DAYS,
    AskedWindow,
    Split,
)
from loyalty_recommender.evaluation.report import page
from loyalty_recommender.evaluation.run import Answering, Measured, run
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.layout import columns_of, in_folder
from loyalty_recommender.reading import read_interactions, read_products

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is asked for, in the words of the command line."""

    data: Path
    columns: Mapping[str, str]
    """Our name → the files' name, where they differ and are not recognised."""
    models: Sequence[str]
    cuts: Sequence[int]
    day_zero: date | None
    """The day that cuts count from; None for that of the first purchase."""
    ask_on: Literal["cut", "visit"]
    left_out: int
    """How many folds are left out of training in turn, 0 to ``FOLDS``."""
    out: Path | None
    """Folder for ``figures.json`` and ``report.html``."""


def evaluate(asked: Evaluation, progress: Report) -> Figures:
    """Measure, and write what was asked for.

    Raises:
        RecommenderError: the files or the options are not as wanted.
        OSError: a file cannot be read or written.
    """
    chosen = entries(list(asked.models))
    if not 0 <= asked.left_out <= FOLDS:
        raise BadRequest(f"--left-out must be 0 to {FOLDS}, found {asked.left_out}")
    if asked.out is not None:
        asked.out.mkdir(parents=True, exist_ok=True)
    year, products, first_day = _read(asked)
    attributes = products.attributes_of(year.products)
    _check_cuts(asked.cuts, year, first_day)
    progress(f"{len(year):,} products of visits, day 0 is {_date(first_day)}")
    splits = [
        Split.of(year, attributes, cut, first_day=first_day, ask_on=asked.ask_on)
        for cut in asked.cuts
    ]
    figures = Figures(about=_about(asked, year, first_day, splits))
    last = Last()
    measured = {each.name: _measure(each, splits, figures, progress, last) for each in chosen}
    _compare(figures, measured)
    if asked.left_out:
        for each in chosen:
            if each.folds_in:
                _leave_out(each, splits, asked.left_out, measured[each.name], figures, progress)
    if asked.out is not None:
        (asked.out / "figures.json").write_text(figures.json(), encoding="utf-8")
        told = last.examples(measured, products)
        says = {each.name: each.says for each in chosen}
        (asked.out / "report.html").write_text(page(figures, says, told), encoding="utf-8")
    return figures


class Last:
    """What is served, as it learned before the last cut, for the examples."""

    def __init__(self) -> None:
        self._found: tuple[Split, ServedModel] | None = None

    def taught(self, split: Split, answering: Answering) -> None:
        """Keep what is served."""
        if isinstance(answering, ServedModel):
            self._found = split, answering

    def examples(
        self, measured: Mapping[str, Mapping[AskedWindow, Measured]], products: Products
    ) -> list[Example]:
        """Households one can look at; none where what is served was not measured."""
        if self._found is None:
            return []
        split, model = self._found
        known = dict(zip(products.ids.texts(), products.names, strict=True))
        ids = split.train.products.texts()
        # Many products share a type, so the id tells them apart.
        names = [f"{known[each]} ({each})" if each in known else each for each in ids]
        return examples(split, model, measured[OURS], names)


def _read(asked: Evaluation) -> tuple[Interactions, Products, int]:
    layout = in_folder(asked.data)
    products = read_products(layout.products, columns=columns_of(layout.products, asked.columns))
    year = read_interactions(
        layout.interactions,
        columns=columns_of(layout.interactions, asked.columns),
        products=products.goods(),
    )
    first_day = year.span[0] // DAY_S
    if asked.day_zero is not None:
        first_day = (asked.day_zero - date(1970, 1, 1)).days
    return year, products, first_day


def _check_cuts(cuts: Sequence[int], year: Interactions, first_day: int) -> None:
    last = int(year.day.max()) - first_day
    late = [cut for cut in cuts if not 0 < cut <= last]
    if late or not cuts:
        raise BadRequest(
            f"--cuts must lie in 1..{last}, the last day of the purchases, found "
            f"{', '.join(str(each) for each in cuts) or 'none'}"
        )


def _about(
    asked: Evaluation, year: Interactions, first_day: int, splits: Sequence[Split]
) -> dict[str, object]:
    return {
        "dayZero": _date(first_day),
        "cuts": list(asked.cuts),
        "testDays": TEST_DAYS,
        "askedOn": asked.ask_on,
        "households": len(year.members),
        "productsOfVisits": len(year),
        "products": {split.cut: len(split.train.products) for split in splits},
    }


def _measure(
    entry: Entry, splits: Sequence[Split], figures: Figures, progress: Report, last: Last
) -> dict[AskedWindow, Measured]:
    started = perf_counter()
    found = run(
        entry.candidate,
        splits,
        entry.windows,
        lambda doing: progress(f"{entry.name}, {doing}"),
        last.taught,
    )
    figures.seconds[entry.name] = round(perf_counter() - started, 1)
    for window, measured in found.items():
        figures.add(entry.name, window, measured)
    return found


def _compare(figures: Figures, measured: Mapping[str, Mapping[AskedWindow, Measured]]) -> None:
    for window, ours in measured.get(OURS, {}).items():
        for name, theirs in measured.items():
            if name != OURS and window in theirs:
                figures.compare(name, window, ours, theirs[window])


def _leave_out(
    entry: Entry,
    splits: Sequence[Split],
    folds: int,
    trained: Mapping[AskedWindow, Measured],
    figures: Figures,
    progress: Report,
) -> None:
    parts = [split.without(fold) for split in splits for fold in range(folds)]
    found = run(
        entry.candidate,
        parts,
        entry.windows,
        lambda doing: progress(f"{entry.name}, households left out, {doing}"),
    )
    for window, measured in found.items():
        figures.add_left_out(entry.name, window, measured, trained[window])


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_S, UTC).date().isoformat()


def told(doing: str) -> None:
    """Say what is being done on stderr, so that stdout holds the table alone."""
    print(doing, file=sys.stderr, flush=True)
