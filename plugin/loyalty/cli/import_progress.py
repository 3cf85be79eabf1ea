"""How far an import is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loyalty.services.imports.imports import ImportStep

LINE_EVERY_S = 10
"""Between two lines where there is no terminal."""


@contextmanager
def shown(
    what: str, say: Callable[[str], None] | None = None
) -> Iterator[Callable[[ImportStep], None]]:
    """Progress of one import.

    Args:
        what: is counted: orders, members or products.
        say: takes each state in words, instead of a bar or lines.
    """
    begun = time.monotonic()
    if say is not None:
        tell = say
        yield lambda step: tell(worded(what, step, time.monotonic() - begun))
    elif sys.stderr.isatty():
        with _bar(what) as update:
            yield update
    else:
        yield _lines(what, begun)


def worded(what: str, step: ImportStep, seconds: float) -> str:
    """``12,000 orders, 3,100 per second, 40 s to go``."""
    text = f"{step.taken:,} {what}, {int(step.taken / max(seconds, 0.001)):,} per second"
    rows = step.rows_done - step.rows_before
    if step.rows_total and rows:
        left = (step.rows_total - step.rows_done) * seconds / rows
        text += f", {int(left):,} s to go"
    return text


def _lines(what: str, begun: float) -> Callable[[ImportStep], None]:
    last = begun

    def tell(step: ImportStep) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINE_EVERY_S:
            last = now
            print(worded(what, step, now - begun), file=sys.stderr, flush=True)

    return tell


@contextmanager
def _bar(what: str) -> Iterator[Callable[[ImportStep], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    begun = time.monotonic()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(what, total=None, speed="")

        def update(step: ImportStep) -> None:
            speed = int(step.taken / max(time.monotonic() - begun, 0.001))
            bar.update(
                task,
                total=step.rows_total,
                completed=step.rows_done,
                description=f"{step.taken:,} {what}",
                speed=f"{speed:,}/s",
            )

        yield update
