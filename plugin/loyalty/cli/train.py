"""``loyalty train``: learn a tenant's recommendations from its orders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from loyalty.cli.context import (
    AsJson,
    Folder,
    TenantCode,
    print_json,
    run,
    settings_of,
    tenant_of,
    wired,
)


def command(
    tenant: TenantCode = None,
    departments: Annotated[
        str | None,
        typer.Option(help="Learn only products of these departments, comma between."),
    ] = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Train from all orders and put the model into service; running servers take it up."""
    from rich.console import Console

    only = [name.strip() for name in (departments or "").split(",") if name.strip()] or None

    async def work() -> tuple[str, Mapping[str, int], bool]:
        async with wired(settings_of(folder)) as services:
            found = await tenant_of(services.database, tenant)
            with Console(stderr=True).status(f"training for {found.code}") as status:
                card = await services.trainer.train(
                    found.id,
                    departments=only,
                    progress=lambda doing, share: status.update(f"{doing} ({share:.0%})"),
                )
            models = await services.feedback.models.listed(found.id)
            return card.model_id, card.counts, any(model.is_on_trial for model in models)

    model_id, counts, is_tried = run(work())
    if as_json:
        print_json({"model": model_id, "counts": dict(counts)})
    else:
        seen = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        print(f"model {model_id} is in service, learned from {seen}")
        if is_tried:
            print("an experiment runs: its two models answer until it is stopped")
