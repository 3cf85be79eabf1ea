"""The demo's personal offers: planned from the pool of its program and published, once."""

from __future__ import annotations

from collections.abc import Sequence

from loyalty.cli.demo.session import DemoMember
from loyalty.services.offers.offer_plan_file import read, written
from loyalty.services.services import Services
from loyalty.services.tenants import Tenant

BY = "demo"


async def offered(
    services: Services, tenant: Tenant, members: Sequence[DemoMember]
) -> list[DemoMember]:
    """Give members their offers, unless a plan is there already.

    Returns:
        The members that the page proposes, those with offers before those held out.
    """
    if not await services.offer_reports.plans(tenant.id, 1):
        plan = await services.offer_planner.plan(tenant.id)
        filed = read(written(plan, tenant.code))
        await services.offer_publisher.publish(tenant.id, tenant.code, filed, BY)
    ruleset = await services.rulesets.current(tenant.id)
    have: set[str] = set()
    for member in members:
        known = await services.summaries.shown(tenant.id, member.external_id, ruleset)
        if await services.offers.of_member(tenant.id, known.id, ruleset, first=1):
            have.add(member.external_id)
    return sorted(members, key=lambda member: member.external_id not in have)
