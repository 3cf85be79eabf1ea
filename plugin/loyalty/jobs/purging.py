"""Forget idempotency keys and events of recommendations whose time is over, for all tenants."""

import structlog

from loyalty.errors import LoyaltyError
from loyalty.services.purging import Purging
from loyalty.services.tenants import Tenants

log = structlog.get_logger(__name__)


async def purge_due(tenants: Tenants, purging: Purging) -> dict[str, int]:
    """Forget what is old now, once.

    Returns:
        Keys forgotten, by tenant code. A tenant whose turn failed (a busy database) is logged
        and left out; the next run tries again.
    """
    forgotten = {}
    for tenant in await tenants.all():
        try:
            forgotten[tenant.code] = await purging.due(tenant.id)
            await purging.events_due(tenant.id)
        except LoyaltyError as problem:
            log.warning("purging_skipped", tenant=tenant.id, problem=problem.message)
    return forgotten
