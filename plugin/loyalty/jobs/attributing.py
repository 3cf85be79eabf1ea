"""Find what orders owe to recommendations, for all tenants."""

import structlog

from loyalty.errors import LoyaltyError
from loyalty.services.recommendations.attribution import Attribution
from loyalty.services.tenants import Tenants

log = structlog.get_logger(__name__)


async def attribute_due(tenants: Tenants, attribution: Attribution) -> dict[str, int]:
    """Look at what came since the last run, once.

    Returns:
        Sales that are new or changed, by tenant code. A tenant whose turn failed (a busy
        database) is logged and left out; the next run looks at the same again.
    """
    attributed = {}
    for tenant in await tenants.all():
        try:
            attributed[tenant.code] = await attribution.due(tenant.id)
        except LoyaltyError as problem:
            log.warning("attribution_skipped", tenant=tenant.id, problem=problem.message)
    return attributed
