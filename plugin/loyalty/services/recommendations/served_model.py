"""The models that serve each tenant: loaded beside the requests, exchanged while they go on."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from loyalty.domain.books.ledger import instant, micros
from loyalty.domain.recommendations.experiments import Variant, variant_of
from loyalty.errors import LoyaltyError
from loyalty.storage import catalogue as sql
from loyalty.storage import experiments as experiments_sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Row
from loyalty_recommender import artifact
from loyalty_recommender.arrays import Mask
from loyalty_recommender.errors import ArtifactError
from loyalty_recommender.serving import Recommender

POLL_S = 3
"""How often the pointer to the model in service is looked at, in seconds."""
MASK_REST_S = 30
"""A mask is made again at most this often, in seconds, however fast the catalogue changes.
What it lets through by mistake the answer's own query stops."""
BROKEN_REST_S = 60
"""When a model that could not be loaded is tried again, in seconds: on storage that processes share
its files may come after the pointer to it."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _TierMask:
    """Which products of a model a tier may see, as of a revision of the catalogue.

    ``opens_at``: when the first of the others becomes everybody's, by its own date.
    """

    mask: Mask
    revision: int
    rests_until_s: int
    opens_at: datetime | None


@dataclass(eq=False, slots=True)
class ServedModel:
    """A loaded model with its masks."""

    tenant_id: int
    recommender: Recommender
    _database: Database
    _masks: dict[str | None, _TierMask] = field(default_factory=dict)
    _making: dict[str | None, asyncio.Task[_TierMask]] = field(default_factory=dict)

    async def mask(self, tier: str | None, at: datetime) -> Mask:
        """Products that a tier may see at a moment; only the first asker of a tier waits for it,
        and the first once a product has become everybody's.
        """
        made = self._masks.get(tier)
        if made is None or (made.opens_at is not None and made.opens_at <= at):
            made = await asyncio.shield(self._make(tier, at))
        return made.mask

    def noticed(self, tier: str | None, revision: int, at: datetime) -> None:
        """An answer saw the catalogue at ``revision``: a mask that is older is made again."""
        made = self._masks.get(tier)
        if made is not None and made.revision != revision and _now_s() >= made.rests_until_s:
            # Nobody waits for this one, so that its failure is told here or nowhere.
            self._make(tier, at).add_done_callback(_report)

    def _make(self, tier: str | None, at: datetime) -> asyncio.Task[_TierMask]:
        task = self._making.get(tier)
        if task is None:
            task = self._making[tier] = asyncio.create_task(self._made(tier, at))
            task.add_done_callback(lambda _: self._making.pop(tier, None))
        return task

    async def _made(self, tier: str | None, at: datetime) -> _TierMask:
        # The revision first: what changes in between makes the mask newer than it says.
        revision = (await self._database.read(sql.REVISION(self.tenant_id, at)))[0][0]
        rows = await self._database.read(sql.HIDDEN(self.tenant_id, tier or "", at))

        def computed() -> Mask:
            return ~self.recommender.mask(row[0] for row in rows)

        mask = await asyncio.to_thread(computed)
        opens_at = min((row[1] for row in rows if row[1] and row[1] > micros(at)), default=None)
        made = self._masks[tier] = _TierMask(
            mask, revision, _now_s() + MASK_REST_S, None if opens_at is None else instant(opens_at)
        )
        return made


@dataclass(frozen=True, slots=True)
class Trial:
    """An experiment with both of its models."""

    experiment_id: int
    share_bp: int
    control: ServedModel
    candidate: ServedModel

    def chosen(self, subject: str | None) -> "Chosen":
        """Which of the two answers; who has no name is answered by the control, and counted in
        neither variant: nobody would have drawn lots."""
        if subject is None:
            return Chosen(self.control)
        variant = variant_of(self.experiment_id, subject, self.share_bp)
        served = self.candidate if variant is Variant.CANDIDATE else self.control
        return Chosen(served, self.experiment_id, variant)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model that answers a caller, and as which variant of which experiment."""

    served: ServedModel | None
    experiment_id: int | None = None
    variant: Variant | None = None


@dataclass(slots=True)
class _Place:
    """What is known of one tenant's models: that in service, and those on trial."""

    served: ServedModel | None = None
    trial: Trial | None = None
    look_at_s: int = -1
    looking: asyncio.Task[None] | None = None
    loaded: dict[str, ServedModel] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    """When to try again."""


class ServedModels:
    """The models of all tenants.

    Args:
        root: folder of a folder per tenant, named by the tenant's id.
    """

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._root = root
        self._places: dict[int, _Place] = {}

    async def current(self, tenant_id: int) -> ServedModel | None:
        """The model in service, None before the first.

        Waits for the first look only. A newer model is taken up within ``POLL_S`` and its
        loading time, while the older one goes on answering.
        """
        return (await self._place(tenant_id)).served

    async def chosen(self, tenant_id: int, subject: str | None) -> Chosen:
        """The model that answers a member or a session: that in service, or while an experiment
        runs one of its two, always the same for the same subject."""
        place = await self._place(tenant_id)
        return Chosen(place.served) if place.trial is None else place.trial.chosen(subject)

    async def loaded_ids(self, tenant_id: int) -> list[str]:
        """The models that may have answered lately."""
        return list((await self._place(tenant_id)).loaded)

    async def _place(self, tenant_id: int) -> _Place:
        place = self._places.setdefault(tenant_id, _Place())
        if place.looking is None and _now_s() >= place.look_at_s:
            place.looking = asyncio.create_task(self._look(tenant_id, place))
            # Nobody may wait for it, and the database may be closed before it is done.
            place.looking.add_done_callback(_report)
        if place.look_at_s < 0 and place.looking is not None:
            await asyncio.shield(place.looking)
        return place

    async def _look(self, tenant_id: int, place: _Place) -> None:
        folder = self._root / f"{tenant_id}"
        held = place.served.recommender.model_id if place.served else None
        try:
            published = await asyncio.to_thread(artifact.current_id, folder)
            running = await self._database.read(experiments_sql.RUNNING(tenant_id))
            trial = _running(running[0]) if running and published is not None else None
            wanted = {published, *(trial[2:] if trial else ())} - {None}
            # One that is broken is not read again and again.
            place.broken = {id: at_s for id, at_s in place.broken.items() if id in wanted}
            resting = {id for id, at_s in place.broken.items() if _now_s() < at_s}
            for id in sorted(wanted - place.loaded.keys() - resting):
                await self._load(tenant_id, place, folder, id, held)
            # The one held goes on where the next is broken.
            place.served = place.loaded.get(published, place.served) if published else None
            place.trial = _trial(trial, place.loaded) if trial else None
            place.loaded = {id: each for id, each in place.loaded.items() if id in wanted}
        except (ArtifactError, OSError, LoyaltyError) as problem:
            log.error("model_broken", tenant=tenant_id, problem=str(problem), held=held)
        finally:
            place.look_at_s = _now_s() + POLL_S
            place.looking = None

    async def _load(
        self, tenant_id: int, place: _Place, folder: Path, id: str, held: str | None
    ) -> None:
        try:
            place_of = artifact.folder_named(folder, id)
            recommender = await asyncio.to_thread(Recommender.load, place_of)
        except (ArtifactError, OSError) as problem:
            place.broken[id] = _now_s() + BROKEN_REST_S
            log.error("model_broken", tenant=tenant_id, problem=str(problem), held=held)
        else:
            place.broken.pop(id, None)
            place.loaded[id] = ServedModel(tenant_id, recommender, self._database)
            log.info("model_loaded", tenant=tenant_id, model=recommender.model_id)


def _running(row: Row) -> tuple[int, int, str, str]:
    """Id, share, control and candidate of the experiment that runs."""
    told = dict(zip(experiments_sql.EXPERIMENT_COLUMNS, row, strict=True))
    return told["id"], told["share_bp"], told["control"], told["candidate"]


def _trial(running: tuple[int, int, str, str], loaded: Mapping[str, ServedModel]) -> Trial | None:
    """With both models or not at all."""
    id, share_bp, control, candidate = running
    if control not in loaded or candidate not in loaded:
        return None
    return Trial(id, share_bp, loaded[control], loaded[candidate])


def _now_s() -> int:
    """Seconds of a clock that only moves forward."""
    return int(asyncio.get_running_loop().time())


def _report(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.warning("look_failed", problem=repr(problem))
