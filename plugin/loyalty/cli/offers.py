"""``loyalty offers``: choose personal offers from the program's pool, publish, withdraw them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
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

if TYPE_CHECKING:
    from loyalty.services.offers.offer_figures import PlanSummary
    from loyalty.services.offers.offer_planning import OfferPlan
    from loyalty.services.offers.offer_publishing import Published

app = typer.Typer(help="Personal offers: plan, publish, list, withdraw.")

LISTED_MAX = 100
_PPM = 1_000_000


@app.command()
def plan(
    at: Annotated[
        str | None,
        typer.Option(
            help="As if it were then, a moment such as 2026-03-01T12:00:00Z: no later purchases "
            "count. Default: now."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the plan is to be written, to publish it.")
    ] = None,
    tenant: TenantCode = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Choose offers for members and tell what they are expected to come to. Nobody gets any yet."""
    moment = None if at is None else _moment(at)

    async def work() -> tuple[OfferPlan, bytes]:
        from loyalty.collector import spare_what_stays
        from loyalty.services.offers.offer_plan_file import written

        async with merchant(folder, tenant) as (services, viewer):
            # Rows by the million pass through: a quarter of the time went into looking for cycles.
            spare_what_stays()
            found = await services.offer_planner.plan(viewer.tenant_id, moment)
            return found, written(found, await _code(services, viewer.tenant_id))

    found, raw = run(work())
    if out is not None:
        _write(out, raw)
    if as_json:
        print_json(_plan_fields(found))
        return
    currency = found.currency
    rows = [
        [each.offer, f"{each.members:,}", f"{each.held_out:,}", _uses(each.uses_ppm),
         _uptake(each.uses_ppm, each.members),
         _money(each.cost_minor, currency), f"{each.points:,}",
         _money(each.worth_ppm // _PPM, currency), _left(found, each.offer)]
        for each in found.figures
    ]  # fmt: skip
    print_table(
        ["offer", "members", "held out", "uses expected", "uptake", "cost expected",
         "points expected", "worth expected", "budget left before"],
        rows,
    )  # fmt: skip
    note(f"{found.considered:,} members considered, by {found.propensity}")
    if found.prior_for is not None:
        note(f"the prior answers: {found.prior_for}")
    if out is not None:
        note(f"publish it with: loyalty offers publish {out}")


@app.command()
def publish(
    file: Annotated[
        Path, typer.Argument(metavar="PLAN", help="The file that loyalty offers plan wrote.")
    ],
    tenant: TenantCode = None,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Give members the offers of a plan, all at once; again goes on where it was interrupted."""

    async def work() -> Published:
        from loyalty.services.offers.offer_plan_file import read

        raw = file.read_bytes()
        async with merchant(folder, tenant) as (services, viewer):
            code = await _code(services, viewer.tenant_id)
            return await services.offer_publisher.publish(
                viewer.tenant_id, code, read(raw), viewer.client
            )

    done = run(work())
    if as_json:
        print_json(
            {"plan": str(done.plan_id), "offers": done.offers, "heldOut": done.held_out,
             "skipped": done.skipped, "replayed": done.replayed}
        )  # fmt: skip
    elif done.replayed:
        print(f"plan {done.plan_id} is published already")
    else:
        print(
            f"plan {done.plan_id}: {done.offers:,} offers published, {done.held_out:,} held out, "
            f"{done.skipped:,} skipped"
        )


@app.command("list")
def listed(tenant: TenantCode = None, folder: Folder = None, as_json: AsJson = False) -> None:
    """List the plans and what came of their offers, at most 100."""

    async def work() -> tuple[list[PlanSummary], str]:
        async with merchant(folder, tenant) as (services, viewer):
            found = await services.offer_reports.plans(viewer.tenant_id, LISTED_MAX)
            ruleset = await services.rulesets.current(viewer.tenant_id)
            return found, ruleset.currency

    found, currency = run(work())
    if as_json:
        print_json([_summary_fields(each) for each in found])
        return
    rows = [
        [str(each.id), each.state.lower(), f"{each.starts_at:%Y-%m-%d %H:%M}", offer.offer,
         f"{offer.offered:,}", f"{offer.activated:,}", f"{offer.uses:,}",
         _uses(offer.expected_uses_ppm), _money(offer.cost_minor, currency),
         _money(offer.expected_minor, currency)]
        for each in found
        for offer in each.offers
    ]  # fmt: skip
    print_table(
        ["plan", "state", "since (UTC)", "offer", "offered", "activated", "used", "expected",
         "cost", "expected"],
        rows,
    )  # fmt: skip


@app.command()
def withdraw(
    plan: Annotated[int, typer.Argument(metavar="PLAN", help="Number of the plan, as listed.")],
    tenant: TenantCode = None,
    folder: Folder = None,
) -> None:
    """Let nobody use a plan's offers any more; what was used stays."""

    async def work() -> bool:
        async with merchant(folder, tenant) as (services, viewer):
            return await services.offer_publisher.withdraw(viewer.tenant_id, plan, viewer.client)

    is_new = run(work())
    print(f"withdrew plan {plan}" if is_new else f"plan {plan} is withdrawn already")


async def _code(services: Any, tenant_id: int) -> str:
    return next(str(x.code) for x in await services.tenants.all() if x.id == tenant_id)


def _moment(text: str) -> datetime:
    from loyalty.errors import BadInput

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadInput(f"--at: found {text!r}, wanted a moment such as 2026-03-01T12:00:00Z")
    return found


def _write(path: Path, raw: bytes) -> None:
    """For nobody else to read: it tells what members buy."""
    path.touch(mode=0o600)
    if path.is_file():
        # It may have been there before, for others to read.
        path.chmod(0o600)
    path.write_bytes(raw)


def _money(minor: int, currency: str) -> str:
    from loyalty.domain.money import Money

    return f"{Money(minor, currency).text()} {currency}"


def _uses(ppm: int) -> str:
    return f"{ppm // _PPM:,}.{ppm % _PPM * 10 // _PPM}"


def _uptake(ppm: int, members: int) -> str:
    """Uses for each hundred members, to the tenth."""
    tenths = ppm * 1_000 // (members * _PPM) if members else 0
    return f"{tenths // 10}.{tenths % 10} %"


def _left(found: OfferPlan, offer: str) -> str:
    budget = found.budgets.get(offer)
    if budget is None:
        return "no limit"
    money = [] if budget.minor is None else [_money(budget.minor, found.currency)]
    points = [] if budget.points is None else [f"{budget.points:,} points"]
    return ", ".join(money + points)


def _plan_fields(found: OfferPlan) -> dict[str, Any]:
    from loyalty.services.offers.offer_plan_file import figures_to_json

    return {
        "plannedAt": found.planned_at.isoformat(),
        "rulesetVersion": found.ruleset_version,
        "propensity": found.propensity,
        "priorFor": found.prior_for,
        "considered": found.considered,
        "figures": [figures_to_json(found, each) for each in found.figures],
    }


def _summary_fields(each: PlanSummary) -> dict[str, Any]:
    return {
        "plan": str(each.id),
        "state": each.state,
        "startsAt": each.starts_at.isoformat(),
        "endsAt": each.ends_at and each.ends_at.isoformat(),
        "offers": [
            {
                "offer": offer.offer,
                "offered": offer.offered,
                "heldOut": offer.held_out,
                "activated": offer.activated,
                "users": offer.users,
                "uses": offer.uses,
                "held": offer.held,
                "costMinor": offer.cost_minor,
                "expectedUsesPpm": offer.expected_uses_ppm,
                "expectedCostMinor": offer.expected_minor,
            }
            for offer in each.offers
        ],
    }
