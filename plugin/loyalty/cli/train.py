"""``loyalty train``: learn a tenant's recommendations from its orders."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loyalty.cli.context import (
    AsJson,
    Folder,
    TenantCode,
    note,
    print_json,
    print_table,
    run,
    settings_of,
    tenant_of,
    wired,
)

if TYPE_CHECKING:
    from loyalty.services.recommendations.models import ModelCard

SAID = {
    "FIRST": "there was no model to compare it with",
    "SAME": "its settings are those that were in service",
    "PASSED": "its settings are new, and not worse than those of {against} by more than {margin}",
    "REFUSED": "its settings are the OLD ones: the new ones may be worse than those of {against} "
    "by more than {margin}",
    "TOO_LITTLE": "its settings are the OLD ones: too few members bought enough to judge the new "
    "ones by",
    "NOT_ASKED": "its settings were not compared with any",
}
"""What a verdict of the gate means, after "model … is in service: "."""


def command(
    tenant: TenantCode = None,
    departments: Annotated[
        str | None,
        typer.Option(help="Learn only products of these departments, comma between."),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(
            help="A TOML file with settings of the recommender; what it leaves out is by default.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    gate: Annotated[
        bool,
        typer.Option(
            "--gate/--no-gate",
            help="Take other settings than those in service only if they are not worse on the "
            "latest four weeks; or take them unseen.",
        ),
    ] = True,
    memory_max: Annotated[
        int | None,
        typer.Option(
            help="Memory of the process in MB; the oldest visits that do not fit are left out.",
            min=1,
        ),
    ] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Train from all orders and put the model into service; running servers take it up."""
    from loyalty.services.recommendations import training

    only = [name.strip() for name in (departments or "").split(",") if name.strip()] or None
    stated = None if settings is None else training.settings_in(settings)

    async def work() -> tuple[ModelCard, bool]:
        async with wired(settings_of(folder)) as services:
            found = await tenant_of(services.database, tenant)
            with _bar(f"training for {found.code}") as progress:
                card = await services.trainer.train(
                    found.id,
                    departments=only,
                    settings=stated,
                    gate=training.GATE if gate else None,
                    memory_max_mb=memory_max,
                    progress=progress,
                )
            models = await services.feedback.models.listed(found.id)
            return card, any(model.is_on_trial for model in models)

    card, is_tried = run(work())
    if as_json:
        print_json(
            {
                "model": card.model_id,
                "counts": dict(card.counts),
                "gate": dict(card.gate),
                "metrics": dict(card.metrics),
                "memoryPeakMb": _memory_peak_mb(),
            }
        )
        return
    _tell(card)
    if is_tried:
        print("an experiment runs: its two models answer until it is stopped")
    note(f"at most {_memory_peak_mb():,} MB of memory were used")


def _tell(card: ModelCard) -> None:
    seen = ", ".join(f"{count:,} {name}" for name, count in card.counts.items())
    print(f"model {card.model_id} is in service, learned from {seen}")
    print(_said(card.gate))
    if card.gate.get("windows"):
        columns = ["window", "questions", "old nDCG@10", "new", "difference", "passed"]
        print_table(columns, list(_compared(card.gate["windows"])))
    elif card.metrics:
        columns = ["window", "questions", "nDCG@10", "recall@10"]
        print_table(columns, list(_measured(card.metrics["windows"])))
    if card.metrics:
        print(f"measured on {card.metrics['from']} to {card.metrics['to']}, fitted before")


@contextmanager
def _bar(title: str) -> Iterator[Callable[[str, float], None]]:
    """A bar with the share of the whole that is done, and what is being done."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(title),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda doing, share: bar.update(task, description=doing, completed=share)


def _said(gate: Mapping[str, Any]) -> str:
    margin = f"{gate.get('margin', 0):.0%} of nDCG@10"
    return SAID[gate["verdict"]].format(against=gate.get("against"), margin=margin)


def _compared(windows: Mapping[str, Any]) -> Iterator[list[str]]:
    for window, figures in sorted(windows.items()):
        difference = figures["difference"]["ndcg10"]
        yield [
            window,
            f"{figures['questions']:,}",
            _interval(figures["old"]["ndcg10"]),
            _interval(figures["new"]["ndcg10"]),
            f"{_interval(difference, '+.4f')}, allowed -{figures['allowed']:.4f}",
            "yes" if figures["passed"] else "no",
        ]


def _measured(windows: Mapping[str, Any]) -> Iterator[list[str]]:
    for window, figures in sorted(windows.items()):
        intervals = [_interval(figures[name]) for name in ("ndcg10", "recall10")]
        yield [window, f"{figures['questions']:,}", *intervals]


def _interval(found: Mapping[str, float], form: str = ".4f") -> str:
    return f"{found['mean']:{form}} [{found['low']:{form}}, {found['high']:{form}}]"


def _memory_peak_mb() -> int:
    """The most this process has held, in 10^6 bytes."""
    unit = 1 if sys.platform == "darwin" else 1_024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit // 1_000_000
