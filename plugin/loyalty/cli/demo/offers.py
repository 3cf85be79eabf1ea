"""The demo's personal offers: planned from the pool of its program and published, once."""

from __future__ import annotations

from loyalty.services.offer_plan_file import read, written
from loyalty.services.services import Services
from loyalty.services.tenants import Tenant

BY = "demo"


async def offered(services: Services, tenant: Tenant) -> int:
    """Give members their offers; how many are new. Where a plan is there, it is left as it is."""
    if await services.offer_reports.plans(tenant.id, 1):
        return 0
    plan = await services.offer_planner.plan(tenant.id)
    filed = read(written(plan, tenant.code))
    return (await services.offer_publisher.publish(tenant.id, tenant.code, filed, BY)).offers
