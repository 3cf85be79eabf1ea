"""``loyalty jobs``: what a server does by itself now and then, run once from here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from loyalty.cli.context import AsJson, Folder, print_json, run, settings_of, wired

if TYPE_CHECKING:
    from loyalty.services.services import Services

app = typer.Typer(help="Periodic work, each runnable once, for all tenants.")


class Job(StrEnum):
    """Jobs by name."""

    SETTLE = "settle"
    ROOTS = "roots"
    TRAIN = "train"
    PURGE = "purge"
    ATTRIBUTE = "attribute"


@app.callback()
def _group() -> None:
    pass


@app.command("run")
def run_once(
    job: Annotated[
        Job,
        typer.Argument(
            help="settle: expire lots, release holds, end tiers; roots: of days that have ended; "
            "train: new models; purge: forget outcomes of idempotency keys after 30 days, and old "
            "events of recommendations; attribute: find what orders owe to recommendations."
        ),
    ],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Run one job now, once, for every tenant."""

    async def work() -> Mapping[str, object]:
        async with wired(settings_of(folder)) as services:
            return await _JOBS[job](services)

    done = run(work())
    if as_json:
        print_json(done)
        return
    for tenant, outcome in done.items():
        said = f"{outcome:,}" if isinstance(outcome, int) else str(outcome)
        print(f"{tenant}: {_SAID[job].format(said)}")
    if not done:
        print("nothing was done: no tenant has what it takes (see above)")


async def _roots(services: Services) -> Mapping[str, object]:
    from loyalty.jobs.roots import make_roots

    return await make_roots(services.tenants, services.roots)


async def _settle(services: Services) -> Mapping[str, object]:
    from loyalty.jobs.settling import settle_due

    return await settle_due(services.tenants, services.settling)


async def _train(services: Services) -> Mapping[str, object]:
    from loyalty.jobs.training import train_all

    return await train_all(services.tenants, services.trainer)


async def _purge(services: Services) -> Mapping[str, object]:
    from loyalty.jobs.purging import purge_due

    return await purge_due(services.tenants, services.purging)


async def _attribute(services: Services) -> Mapping[str, object]:
    from loyalty.jobs.attributing import attribute_due

    return await attribute_due(services.tenants, services.feedback.attribution)


_SAID: Mapping[Job, str] = {
    Job.SETTLE: "{} members settled",
    Job.ROOTS: "{} roots made",
    Job.TRAIN: "model {}",
    Job.PURGE: "{} keys forgotten",
    Job.ATTRIBUTE: "{} sales attributed",
}
_JOBS: Mapping[Job, Callable[[Services], Awaitable[Mapping[str, object]]]] = {
    Job.SETTLE: _settle,
    Job.ROOTS: _roots,
    Job.TRAIN: _train,
    Job.PURGE: _purge,
    Job.ATTRIBUTE: _attribute,
}
