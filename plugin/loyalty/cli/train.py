"""``loyalty train``: learn a tenant's recommendations from its orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from loyalty_recommender.card import Card


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

    async def work() -> Card:
        async with wired(settings_of(folder)) as services:
            found = await tenant_of(services.database, tenant)
            with Console(stderr=True).status(f"training for {found.code}") as status:
                return await services.trainer.train(
                    found.id,
                    departments=only,
                    progress=lambda doing, share: status.update(f"{doing} ({share:.0%})"),
                )

    card = run(work())
    counts = {name: int(count) for name, count in card.counts.items()}
    if as_json:
        print_json({"model": card.model_id, "counts": counts})
    else:
        seen = ", ".join(f"{count:,} {name}" for name, count in counts.items())
        print(f"model {card.model_id} is in service, learned from {seen}")
