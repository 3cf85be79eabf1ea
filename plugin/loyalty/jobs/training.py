"""Train every tenant's recommender."""

from collections.abc import Mapping, Sequence

import structlog

from loyalty.errors import LoyaltyError
from loyalty.services.recommendations.training import Trainer
from loyalty.services.tenants import Tenants

log = structlog.get_logger(__name__)


async def train_all(
    tenants: Tenants,
    trainer: Trainer,
    departments: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, str]:
    """Train once, one tenant after the other.

    A tenant's own settings stay. The others follow the defaults of this version, which the gate
    judges once they have changed; the log says where it refused them.

    Args:
        departments: by tenant code, what to learn only from; see ``Trainer.train``.

    Returns:
        The new model's id by tenant code. A tenant without enough to learn from, or whose turn
        failed otherwise (a busy database), is logged and left out, and its older model goes on
        serving.
    """
    trained = {}
    for tenant in await tenants.all():
        try:
            only = (departments or {}).get(tenant.code)
            card = await trainer.train(tenant.id, departments=only)
            trained[tenant.code] = card.model_id
        except LoyaltyError as problem:
            log.warning("training_skipped", tenant=tenant.id, problem=problem.message)
    return trained
