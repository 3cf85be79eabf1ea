"""The model in service for each tenant: loaded beside the requests, exchanged while they go on."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from loyalty.storage import catalogue as sql
from loyalty.storage.database import Database
from loyalty_recommender import artifact
from loyalty_recommender.arrays import Mask
from loyalty_recommender.errors import ArtifactError
from loyalty_recommender.serving import Recommender

POLL_S = 3
"""How often the pointer to the model in service is looked at, in seconds."""
MASK_REST_S = 30
"""A mask is made again at most this often, in seconds, however fast the catalogue changes.
What it lets through by mistake the answer's own query stops."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _TierMask:
    """Which products of a model a tier may see, as of a revision of the catalogue."""

    mask: Mask
    revision: int
    rests_until_s: int


@dataclass(eq=False, slots=True)
class ServedModel:
    """A loaded model with its masks."""

    tenant_id: int
    recommender: Recommender
    _database: Database
    _masks: dict[str | None, _TierMask] = field(default_factory=dict)
    _making: dict[str | None, asyncio.Task[_TierMask]] = field(default_factory=dict)

    async def mask(self, tier: str | None) -> Mask:
        """Products that a tier may see; only the first asker of a tier waits for it."""
        made = self._masks.get(tier)
        if made is None:
            made = await asyncio.shield(self._make(tier))
        return made.mask

    def noticed(self, tier: str | None, revision: int) -> None:
        """An answer saw the catalogue at ``revision``: a mask that is older is made again."""
        made = self._masks.get(tier)
        if made is not None and made.revision != revision and _now_s() >= made.rests_until_s:
            # Nobody waits for this one, so that its failure is told here or nowhere.
            self._make(tier).add_done_callback(_report)

    def _make(self, tier: str | None) -> asyncio.Task[_TierMask]:
        task = self._making.get(tier)
        if task is None:
            task = self._making[tier] = asyncio.create_task(self._made(tier))
            task.add_done_callback(lambda _: self._making.pop(tier, None))
        return task

    async def _made(self, tier: str | None) -> _TierMask:
        # The revision first: what changes in between makes the mask newer than it says.
        revision = (await self._database.read(sql.REVISION(self.tenant_id)))[0][0]
        rows = await self._database.read(sql.HIDDEN(self.tenant_id, tier or ""))

        def computed() -> Mask:
            return ~self.recommender.mask(row[0] for row in rows)

        mask = await asyncio.to_thread(computed)
        made = self._masks[tier] = _TierMask(mask, revision, _now_s() + MASK_REST_S)
        return made


@dataclass(slots=True)
class _Place:
    """What is known of one tenant's model."""

    served: ServedModel | None = None
    look_at_s: int = -1
    looking: asyncio.Task[None] | None = None
    broken_id: str | None = None


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
        place = self._places.setdefault(tenant_id, _Place())
        if place.looking is None and _now_s() >= place.look_at_s:
            place.looking = asyncio.create_task(self._look(tenant_id, place))
        if place.look_at_s < 0 and place.looking is not None:
            await asyncio.shield(place.looking)
        return place.served

    async def _look(self, tenant_id: int, place: _Place) -> None:
        folder = self._root / f"{tenant_id}"
        held = place.served.recommender.model_id if place.served else None
        published: str | None = None
        try:
            published = await asyncio.to_thread(artifact.current_id, folder)
            if published is None:
                place.served = None
            elif published not in (held, place.broken_id):
                recommender = await asyncio.to_thread(Recommender.load, folder)
                place.served = ServedModel(tenant_id, recommender, self._database)
                log.info("model_loaded", tenant=tenant_id, model=recommender.model_id)
        except (ArtifactError, OSError) as problem:
            # The one held goes on; a broken one is not read again and again.
            place.broken_id = published
            log.error("model_broken", tenant=tenant_id, problem=str(problem), held=held)
        finally:
            place.look_at_s = _now_s() + POLL_S
            place.looking = None


def _now_s() -> int:
    """Seconds of a clock that only moves forward."""
    return int(asyncio.get_running_loop().time())


def _report(task: "asyncio.Task[_TierMask]") -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.warning("mask_failed", problem=str(problem))
