"""Expire lots, release holds and end tiers that are due, for all tenants."""

import structlog

from loyalty.errors import LoyaltyError
from loyalty.services.books.settling import Settling
from loyalty.services.tenants import Tenants

log = structlog.get_logger(__name__)


async def settle_due(tenants: Tenants, settling: Settling) -> dict[str, int]:
    """Settle what is due now, once.

    Returns:
        Members settled, by tenant code. A tenant that could not be settled now (no program, a
        busy database) is logged and left out; the next run tries again.
    """
    settled = {}
    for tenant in await tenants.all():
        try:
            settled[tenant.code] = await settling.due(tenant.id)
        except LoyaltyError as problem:
            log.warning("settling_skipped", tenant=tenant.id, problem=problem.message)
    return settled
