"""``loyalty stock``: how often rewards may be taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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
    from loyalty.services.coupons.coupons import Stock

app = typer.Typer(help="Stock of rewards: set, list.")


@app.command("set")
def set_stock(
    reward: Annotated[str, typer.Argument(help="Code of a reward with stocked = true.")],
    total: Annotated[int, typer.Argument(help="How often in all, what was taken included.")],
    tenant: TenantCode = None,
    folder: Folder = None,
) -> None:
    """Say how often a reward may be taken in all."""

    async def work() -> Stock:
        async with merchant(folder, tenant) as (services, viewer):
            return await services.coupons.set_stock(
                viewer.tenant_id, None, reward, total, viewer.client
            )

    found = run(work())
    print(f"{found.reward}: {total:,} in all, {found.used:,} used, {found.held:,} held")


@app.command("list")
def listed(tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the stock of rewards."""

    async def work() -> list[Stock]:
        async with merchant(folder, tenant) as (services, viewer):
            return await services.coupons.stocks(viewer.tenant_id)

    found = run(work())
    if as_json:
        print_json(
            [
                {"reward": one.reward, "total": one.total, "used": one.used, "held": one.held}
                for one in found
            ]
        )
        return
    rows = [
        [one.reward, "" if one.total is None else f"{one.total:,}", f"{one.used:,}", str(one.held)]
        for one in found
    ]
    print_table(["reward", "total", "used", "held"], rows)
