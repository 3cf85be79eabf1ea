"""Published models: what there is, what it says of itself, and the way back to an earlier one."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from loyalty.clock import Clock
from loyalty.errors import Conflict, NotFound
from loyalty.services.audit import COMMAND_LINE, Action, Subject, added, deed
from loyalty.storage import experiments as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Unit
from loyalty_recommender import artifact
from loyalty_recommender.card import Card
from loyalty_recommender.errors import ArtifactError

ModelCard: TypeAlias = Card
"""What a model says of itself; see ``loyalty_recommender.card``."""


@dataclass(frozen=True, slots=True)
class PublishedModel:
    """A model on disk.

    ``card`` is None for one that cannot be read, and ``problem`` says why.
    """

    id: str
    card: Card | None
    is_in_service: bool
    is_on_trial: bool
    problem: str | None = None


class Models:
    """The published models of all tenants.

    Args:
        root: folder with a folder of models per tenant, named by the tenant's id.
    """

    def __init__(self, database: Database, clock: Clock, root: Path) -> None:
        self._database = database
        self._clock = clock
        self._root = root

    def folder(self, tenant_id: int) -> Path:
        return self._root / f"{tenant_id}"

    async def listed(self, tenant_id: int) -> list[PublishedModel]:
        """Every published model, the latest training first."""
        running = await self._database.read(sql.RUNNING(tenant_id))
        trial = {running[0][1], running[0][2]} if running else set()

        def read() -> list[PublishedModel]:
            folder = self.folder(tenant_id)
            in_service = _in_service(folder)
            return [
                _published(folder, id, is_in_service=id == in_service, is_on_trial=id in trial)
                for id in reversed(artifact.model_ids(folder))
            ]

        return await asyncio.to_thread(read)

    async def named(self, tenant_id: int, id: str) -> PublishedModel:
        """One of them. Raises NotFound."""
        for model in await self.listed(tenant_id):
            if model.id == id:
                return model
        raise NotFound("model", id, field=("input", "model"))

    async def rollback(
        self, tenant_id: int, id: str | None = None, by: str = COMMAND_LINE
    ) -> PublishedModel:
        """Put an earlier model into service; running servers take it up within seconds.

        Args:
            id: which; None for the one trained before the one in service.

        Raises:
            NotFound: no such model, or none before. Conflict: it is in service already, it is
                broken, or an experiment decides who is answered by what.
        """
        models = await self.listed(tenant_id)
        wanted = _wanted(models, id)
        if wanted.is_in_service:
            raise Conflict(f"model {wanted.id} is in service already", field=("input", "model"))
        if any(model.is_on_trial for model in models):
            raise Conflict("an experiment runs: stop it first")
        folder = self.folder(tenant_id)

        def point() -> None:
            # Every byte is looked at now: what is pointed at is loaded by all servers.
            place = artifact.folder_named(folder, wanted.id)
            artifact.read_arrays(place, artifact.read_card(place))
            artifact.point_to(folder, wanted.id)

        try:
            await asyncio.to_thread(point)
        except ArtifactError as problem:
            raise Conflict(f"model {wanted.id} is broken: {problem}") from problem
        before = next((model.id for model in models if model.is_in_service), None)
        done = deed(by, Action.MODEL_ROLLBACK, Subject.MODEL, wanted.id, before=before)
        event_id, now = self._database.ids.next(), self._clock.now()

        def unit() -> Unit[None]:
            effects = Effects()
            added(effects, event_id, tenant_id, now, done)
            yield effects

        await self._database.write(unit)
        return await self.named(tenant_id, wanted.id)


def _wanted(models: list[PublishedModel], id: str | None) -> PublishedModel:
    if id is not None:
        for model in models:
            if model.id == id:
                return model
        raise NotFound("model", id, field=("input", "model"))
    ids = [model.id for model in models]
    in_service = next((model.id for model in models if model.is_in_service), None)
    before = models[ids.index(in_service) + 1 :] if in_service is not None else models
    if not before:
        raise NotFound("model before the one in service")
    return before[0]


def _in_service(folder: Path) -> str | None:
    try:
        return artifact.current_id(folder)
    except ArtifactError:
        return None


def _published(folder: Path, id: str, *, is_in_service: bool, is_on_trial: bool) -> PublishedModel:
    try:
        card = artifact.read_card(artifact.folder_named(folder, id))
    except ArtifactError as problem:
        return PublishedModel(id, None, is_in_service, is_on_trial, str(problem))
    return PublishedModel(id, card, is_in_service, is_on_trial)
