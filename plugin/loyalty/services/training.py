"""Training a tenant's recommender from its booked orders."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import structlog

from loyalty.clock import Clock
from loyalty.domain.calendar import time_zone
from loyalty.errors import LoyaltyError, NotFound
from loyalty.services.purchases import purchases
from loyalty.services.rulesets import Rulesets
from loyalty.storage.database import Database
from loyalty_recommender import artifact
from loyalty_recommender.card import Card
from loyalty_recommender.errors import ArtifactError, RecommenderError
from loyalty_recommender.training import Report, Settings, train

log = structlog.get_logger(__name__)


class TrainingFailed(LoyaltyError):
    """No new model came of it; the message says why and which model goes on serving."""

    code = "TRAINING_FAILED"


class Trainer:
    """Trains models and puts them into service.

    Args:
        models: folder with a folder of models per tenant, named by the tenant's id. Processes
            that serve a tenant need to see it.
    """

    def __init__(self, database: Database, rulesets: Rulesets, clock: Clock, models: Path) -> None:
        self._database = database
        self._rulesets = rulesets
        self._clock = clock
        self._models = models

    async def train(
        self,
        tenant_id: int,
        *,
        departments: Collection[str] | None = None,
        settings: Settings | None = None,
        progress: Report = lambda doing, share: None,
    ) -> Card:
        """Learn from all orders and exchange the model; servers take it up within seconds.

        Args:
            departments: learn and answer only products of these departments, such as the shop's
                goods without fuel and coupons; None for all.
            settings: of the model.
            progress: told what is done and the share of the whole, from another thread.

        Raises:
            TrainingFailed: too little to learn from, or the disk is full. The model that was in
                service still is.
        """
        # Before reading: what is booked meanwhile counts as bought since.
        now = self._clock.now()
        offset_s = await self._utc_offset_s(tenant_id, now)
        folder = self._models / f"{tenant_id}"
        try:
            interactions = await purchases(
                self._database,
                tenant_id,
                utc_offset_s=offset_s,
                departments=departments,
                read=lambda lines: progress(f"reading {lines:,} lines", 0),
            )
            card = await asyncio.to_thread(
                train, interactions, settings or Settings(), folder, progress, trained_at=now
            )
        except (RecommenderError, OSError) as problem:
            kept = await asyncio.to_thread(_kept, folder)
            raise TrainingFailed(f"{problem}; {kept}") from problem
        log.info("model_trained", tenant=tenant_id, model=card.model_id, **card.counts)
        return card

    async def _utc_offset_s(self, tenant_id: int, at: datetime) -> int:
        """Where the program's days end, in seconds from UTC; UTC without a program."""
        try:
            ruleset = await self._rulesets.current(tenant_id)
        except NotFound:
            return 0
        offset = at.astimezone(time_zone(ruleset.time_zone)).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())


def _kept(folder: Path) -> str:
    try:
        model_id = artifact.current_id(folder)
    except (ArtifactError, OSError):
        model_id = None
    if model_id is None:
        return "there is no model in service, popularity answers"
    return f"model {model_id} stays in service"
