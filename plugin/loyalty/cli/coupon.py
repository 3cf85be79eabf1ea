"""``loyalty coupon``: codes that bring a reward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from loyalty.cli.context import (
    AsJson,
    Folder,
    TenantCode,
    merchant,
    note,
    print_json,
    print_table,
    run,
)
from loyalty.cli.days import FirstDay, LastDay, begin_of, end_of

if TYPE_CHECKING:
    from loyalty.services.coupons.coupons import Coupon

app = typer.Typer(help="Coupons: issue, list, revoke.")

LISTED_MAX = 1_000
Code = Annotated[str, typer.Argument(metavar="CODE", help="In any case.")]


@app.command()
def issue(
    reward: Annotated[str, typer.Argument(help="Code of the reward that they bring.")],
    code: Annotated[
        list[str] | None, typer.Option(help="A code of your own; may be given again.")
    ] = None,
    count: Annotated[int, typer.Option(help="Or so many random codes.", min=0)] = 0,
    prefix: Annotated[str, typer.Option(help='What these begin with, such as "SPRING-".')] = "",
    uses: Annotated[
        int | None, typer.Option(help="Uses of each in total; default: no limit.")
    ] = None,
    per_member: Annotated[
        int | None, typer.Option(help="Uses of each by one member; default: no limit.")
    ] = None,
    member: Annotated[
        str | None, typer.Option(help="External id of whose they are; default: anybody's.")
    ] = None,
    first_day: FirstDay = None,
    last_day: LastDay = None,
    tenant: TenantCode = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make coupons and print their codes, one a line."""
    from loyalty.services.coupons.coupon_commands import CouponTerms

    async def work() -> tuple[str, ...]:
        async with merchant(folder, tenant) as (services, viewer):
            zone = (await services.rulesets.current(viewer.tenant_id)).time_zone
            terms = CouponTerms(
                reward,
                uses,
                per_member,
                member,
                begin_of(first_day, zone),
                end_of(last_day, zone),
            )
            issued = await services.coupons.issue(
                viewer.tenant_id,
                None,
                terms,
                viewer.client,
                codes=code or (),
                count=count,
                prefix=prefix,
            )
            return issued.codes

    codes = run(work())
    if as_json:
        print_json({"codes": list(codes)})
    else:
        print(*codes, sep="\n")
        note(f"{len(codes):,} coupons for {reward}")


@app.command("list")
def listed(tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the coupons and their uses, at most 1,000."""

    async def work() -> list[Coupon]:
        async with merchant(folder, tenant) as (services, viewer):
            return await services.coupons.listed(viewer.tenant_id, LISTED_MAX)

    found = run(work())
    if as_json:
        print_json([_fields(one) for one in found])
        return
    rows = [
        [one.code, one.reward, one.state, _of(one.used, one.uses_max), str(one.held),
         one.member or "", f"{one.ends_at:%Y-%m-%d %H:%M}" if one.ends_at else ""]
        for one in found
    ]  # fmt: skip
    print_table(["code", "reward", "state", "used", "held", "member", "ends (UTC)"], rows)


@app.command()
def revoke(code: Code, tenant: TenantCode = None, folder: Folder = None) -> None:
    """Let a coupon be used no more; what was used stays."""

    async def work() -> Coupon:
        async with merchant(folder, tenant) as (services, viewer):
            return await services.coupons.revoke(viewer.tenant_id, None, code, viewer.client)

    print(f"revoked {run(work()).code}")


def _of(used: int, most: int | None) -> str:
    return f"{used:,}" if most is None else f"{used:,} of {most:,}"


def _fields(one: Coupon) -> dict[str, Any]:
    return {
        "code": one.code,
        "reward": one.reward,
        "state": one.state,
        "member": one.member,
        "usesMax": one.uses_max,
        "usesPerMemberMax": one.uses_per_member_max,
        "used": one.used,
        "held": one.held,
        "startsAt": one.starts_at and one.starts_at.isoformat(),
        "endsAt": one.ends_at and one.ends_at.isoformat(),
    }
