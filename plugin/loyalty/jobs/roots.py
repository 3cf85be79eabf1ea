"""Make the roots of days that have ended, for all tenants."""

import structlog

from loyalty.errors import LoyaltyError
from loyalty.services.proof.roots import Roots
from loyalty.services.tenants import Tenants

log = structlog.get_logger(__name__)


async def make_roots(tenants: Tenants, roots: Roots) -> dict[str, int]:
    """Make what is due now, once.

    Returns:
        How many roots were made, by tenant code. A tenant whose day could not be closed now is
        logged and left out; the next run tries again.
    """
    made = {}
    for tenant in await tenants.all():
        try:
            made[tenant.code] = len(await roots.make(tenant.id))
        except LoyaltyError as problem:
            log.warning("roots_skipped", tenant=tenant.id, problem=problem.message)
    return made
