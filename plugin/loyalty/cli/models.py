"""``loyalty model``: what was trained, the way back, and two models that share traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from loyalty.cli.context import (
    AsJson,
    Folder,
    TenantCode,
    merchant,
    print_json,
    print_table,
    run,
)

if TYPE_CHECKING:
    from loyalty.domain.recommendations.experiments import Arm, Difference
    from loyalty.services.recommendations.experiments import Comparison, Experiment
    from loyalty.services.recommendations.models import PublishedModel

app = typer.Typer(help="Models of the recommender: list, show, roll back, compare.")
experiment = typer.Typer(help="Two models that share traffic: start, stop, list.")
app.add_typer(experiment, name="experiment")


@app.command("list")
def listed(tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """List published models, the latest training first."""

    async def work() -> list[PublishedModel]:
        async with merchant(folder, tenant) as (services, viewer):
            return await services.feedback.models.listed(viewer.tenant_id)

    found = run(work())
    if as_json:
        print_json([_json(model) for model in found])
        return
    rows = [
        [
            model.id,
            _state(model),
            f"{model.card.data_to:%Y-%m-%d}" if model.card else (model.problem or ""),
            f"{model.card.counts.get('visits', 0):,}" if model.card else "",
        ]
        for model in found
    ]
    print_table(["model", "state", "learned up to", "visits"], rows)


@app.command("show")
def show(
    model: Annotated[
        str | None, typer.Argument(help="Its id; the one in service by default.")
    ] = None,
    tenant: TenantCode = None,
    folder: Folder = None,
) -> None:
    """Print a model's card: data, settings, measures, versions."""
    from loyalty.errors import Conflict, NotFound

    async def work() -> PublishedModel:
        async with merchant(folder, tenant) as (services, viewer):
            models = services.feedback.models
            if model is not None:
                return await models.named(viewer.tenant_id, model)
            for one in await models.listed(viewer.tenant_id):
                if one.is_in_service:
                    return one
            raise NotFound("model in service")

    found = run(work())
    if found.card is None:
        raise Conflict(f"model {found.id} is broken: {found.problem}")
    print_json({**found.card.content(), "state": _state(found) or None})


@app.command("rollback")
def rollback(
    model: Annotated[
        str | None,
        typer.Argument(help="Its id; by default the one trained before the one in service."),
    ] = None,
    tenant: TenantCode = None,
    folder: Folder = None,
) -> None:
    """Put an earlier model into service; running servers take it up within seconds."""

    async def work() -> PublishedModel:
        async with merchant(folder, tenant) as (services, viewer):
            return await services.feedback.models.rollback(viewer.tenant_id, model, viewer.client)

    print(f"model {run(work()).id} is in service")


@experiment.command("start")
def start(
    candidate: Annotated[str, typer.Option(help="Id of the model on trial.")],
    share: Annotated[
        int, typer.Option(help="Its part of all members, in percent.", min=1, max=99)
    ] = 50,
    tenant: TenantCode = None,
    folder: Folder = None,
) -> None:
    """Let a model answer a part of the members, beside the one in service."""

    async def work() -> Experiment:
        async with merchant(folder, tenant) as (services, viewer):
            return await services.feedback.experiments.start(
                viewer.tenant_id, candidate, share * 100, viewer.client
            )

    found = run(work())
    print(f"model {found.candidate} answers {share} % of the members, {found.control} the others")


@experiment.command("stop")
def stop(tenant: TenantCode = None, folder: Folder = None) -> None:
    """End the experiment that runs; the model in service answers everybody again."""

    async def work() -> tuple[Experiment, Comparison]:
        async with merchant(folder, tenant) as (services, viewer):
            experiments = services.feedback.experiments
            found = await experiments.stop(viewer.tenant_id, viewer.client)
            return found, await experiments.comparison(viewer.tenant_id, found)

    found, shown = run(work())
    print(f"the experiment of {found.candidate} has ended")
    _print_comparison(shown)


@experiment.command("list")
def experiments(tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the latest experiments with what they show."""

    async def work() -> list[tuple[Experiment, Comparison]]:
        async with merchant(folder, tenant) as (services, viewer):
            asked = services.feedback.experiments
            return [
                (one, await asked.comparison(viewer.tenant_id, one))
                for one in await asked.listed(viewer.tenant_id, 20)
            ]

    found = run(work())
    if as_json:
        print_json([_experiment_json(one, shown) for one, shown in found])
        return
    for one, shown in found:
        until = f"until {one.ended_at:%Y-%m-%d %H:%M}" if one.ended_at else "running"
        share = f"{one.share_bp / 100:g} %"
        print(f"{one.candidate} ({share}) against {one.control}")
        print(f"from {one.started_at:%Y-%m-%d %H:%M} UTC, {until}")
        _print_comparison(shown)
        print()


def _print_comparison(shown: Comparison) -> None:
    print_table(
        ["variant", "members", "buyers", "purchase rate", "sales per member (minor units)"],
        [
            [name, f"{arm.members:,}", f"{arm.buyers:,}", f"{arm.rate:.4f}", f"{arm.mean:.2f}"]
            for name, arm in (("control", shown.control), ("candidate", shown.candidate))
        ],
    )
    for name, difference in (
        ("purchase rate", shown.purchase_rate),
        ("sales per member", shown.sales_per_member),
    ):
        print(f"{name}: {_told(difference)}")
    if not shown.is_traffic_as_declared:
        print("the candidate did not get its share of members: no difference counts")


def _told(difference: Difference) -> str:
    if difference.value is None:
        return "nobody was shown anything by one of the two yet"
    said = difference.verdict.lower().replace("_", " ")
    return (
        f"{difference.value:+.4f}, 95 % between {difference.low:+.4f} and {difference.high:+.4f}: "
        f"{said}"
    )


def _state(model: PublishedModel) -> str:
    states = [("in service", model.is_in_service), ("on trial", model.is_on_trial)]
    return ", ".join(name for name, is_so in states if is_so)


def _json(model: PublishedModel) -> dict[str, Any]:
    return {
        "id": model.id,
        "inService": model.is_in_service,
        "onTrial": model.is_on_trial,
        "problem": model.problem,
    }


def _experiment_json(one: Experiment, shown: Comparison) -> dict[str, Any]:
    def arm(of: Arm) -> dict[str, Any]:
        return {"members": of.members, "buyers": of.buyers, "salesMinor": of.spent}

    def difference(of: Difference) -> dict[str, Any]:
        return {"difference": of.value, "low": of.low, "high": of.high, "verdict": of.verdict}

    return {
        "control": {"model": one.control, **arm(shown.control)},
        "candidate": {"model": one.candidate, **arm(shown.candidate)},
        "shareBp": one.share_bp,
        "running": one.is_running,
        "startedAt": one.started_at.isoformat(),
        "endedAt": None if one.ended_at is None else one.ended_at.isoformat(),
        "currency": shown.currency,
        "purchaseRate": difference(shown.purchase_rate),
        "salesPerMember": difference(shown.sales_per_member),
        "trafficAsDeclared": shown.is_traffic_as_declared,
    }
