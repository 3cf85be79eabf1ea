"""``loyalty audit``: who changed what."""

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
    from loyalty.services.audit import AuditEvent


def command(
    action: Annotated[
        str | None, typer.Option(help='Only these, such as "rulesetPublish".')
    ] = None,
    actor: Annotated[
        str | None, typer.Option(help='Only this one\'s, such as "key:merchant".')
    ] = None,
    first: Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=10_000)] = 50,
    tenant: TenantCode = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Print the trail of who changed what, the newest first."""
    from loyalty.services.audit import Wanted

    async def work() -> list[AuditEvent]:
        async with merchant(folder, tenant) as (services, viewer):
            wanted = Wanted(actor=actor, action=action)
            return await services.audit.events(viewer.tenant_id, wanted, first)

    events = run(work())
    if as_json:
        print_json(
            [
                {
                    "at": one.at.isoformat(),
                    "actor": one.actor,
                    "action": one.action,
                    "subjectKind": one.kind,
                    "subjectId": one.subject,
                    "detail": dict(one.detail),
                }
                for one in events
            ]
        )
        return
    rows = [
        [f"{one.at:%Y-%m-%d %H:%M:%S}", one.actor, one.action, f"{one.kind} {one.subject}",
         ", ".join(f"{name}: {told}" for name, told in one.detail.items() if told is not None)]
        for one in events
    ]  # fmt: skip
    print_table(["at (UTC)", "who", "did", "to", "more"], rows)
