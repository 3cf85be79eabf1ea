"""Training a tenant's recommender from its booked orders."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import structlog

from loyalty.clock import Clock
from loyalty.domain.calendar import time_zone
from loyalty.errors import BadInput, LoyaltyError, NotFound
from loyalty.services.recommendations.purchases import Purchases, purchases
from loyalty.services.rulesets import Rulesets
from loyalty.storage.database import Database
from loyalty_recommender import artifact
from loyalty_recommender.card import Card
from loyalty_recommender.errors import ArtifactError, BadSettings, RecommenderError
from loyalty_recommender.gate import Verdict, train_gated
from loyalty_recommender.judging import Gate
from loyalty_recommender.room import Room
from loyalty_recommender.stating import read_settings
from loyalty_recommender.training import Report, Settings

READING_SHARE = 0.1
"""Of the time from the database to a published model, what reading takes."""

GATE = Gate()
"""How new settings are judged where nothing else is said."""

log = structlog.get_logger(__name__)


class TrainingFailed(LoyaltyError):
    """No new model came of it; the message says why and which model goes on serving."""

    code = "TRAINING_FAILED"


def settings_in(path: Path) -> Settings:
    """A shop's own settings of the recommender, from a TOML file.

    Raises:
        BadInput: the file cannot be read, or states something else than settings.
    """
    try:
        return read_settings(path)
    except (BadSettings, OSError) as problem:
        raise BadInput(f"{problem}") from problem


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
        gate: Gate | None = GATE,
        memory_max_mb: int | None = None,
        progress: Report = lambda doing, share: None,
    ) -> Card:
        """Learn from all orders and exchange the model; servers take it up within seconds.

        Args:
            departments: learn and answer only products of these departments, such as the shop's
                goods without fuel and coupons; None for all.
            settings: the shop's own; None for those it stated before, or the defaults.
            gate: how other settings than those in service are judged; None takes them unseen.
            memory_max_mb: of the process, in 10^6 bytes; the oldest visits that do not fit are
                left out, and counted in the card. None for all that there are.
            progress: told what is done and the share of the whole, from another thread.

        Raises:
            TrainingFailed: too little to learn from, too little memory, or the disk is full. The
                model that was in service still is.
        """
        # Before reading: what is booked meanwhile counts as bought since.
        now = self._clock.now()
        offset_s = await self._utc_offset_s(tenant_id, now)
        folder = self._models / f"{tenant_id}"
        try:
            room = None if memory_max_mb is None else Room(memory_max_mb)
            found = await purchases(
                self._database,
                tenant_id,
                utc_offset_s=offset_s,
                departments=departments,
                read=lambda lines, whole: progress(
                    f"reading {lines:,} lines", READING_SHARE * lines / max(whole, 1)
                ),
                lines_max=None if room is None else room.lines,
            )
            card = await asyncio.to_thread(
                train_gated,
                found.interactions,
                settings,
                folder,
                lambda doing, share: progress(doing, READING_SHARE + (1 - READING_SHARE) * share),
                trained_at=now,
                gate=gate,
                left_out=_left_out(found),
            )
        except (RecommenderError, OSError) as problem:
            kept = await asyncio.to_thread(_kept, folder)
            raise TrainingFailed(f"{problem}; {kept}") from problem
        self._tell(tenant_id, card)
        return card

    def _tell(self, tenant_id: int, card: Card) -> None:
        verdict = Verdict(card.gate["verdict"])
        kept_old = verdict in (Verdict.REFUSED, Verdict.TOO_LITTLE)
        tell = log.warning if kept_old else log.info
        tell(
            "settings_refused" if kept_old else "model_trained",
            tenant=tenant_id,
            model=card.model_id,
            verdict=verdict.value,
            **card.counts,
        )

    async def _utc_offset_s(self, tenant_id: int, at: datetime) -> int:
        """Where the program's days end, in seconds from UTC; UTC without a program."""
        try:
            ruleset = await self._rulesets.current(tenant_id)
        except NotFound:
            return 0
        offset = at.astimezone(time_zone(ruleset.time_zone)).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())


def _left_out(found: Purchases) -> dict[str, int]:
    if not found.lines_left_out:
        return {}
    return {"visitsTooOld": found.visits_left_out, "linesTooOld": found.lines_left_out}


def _kept(folder: Path) -> str:
    try:
        model_id = artifact.current_id(folder)
    except (ArtifactError, OSError):
        model_id = None
    if model_id is None:
        return "there is no model in service, popularity answers"
    return f"model {model_id} stays in service"
