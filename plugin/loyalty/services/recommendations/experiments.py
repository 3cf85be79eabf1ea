"""Two models that share traffic, by a hash of the member.

An experiment is a row that every process looks at together with the pointer to the model in
service: it answers with both models or with none of them. Both stay what they are while it runs,
whatever is trained meanwhile, so that what is compared at its end is what was served from its
start.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant
from loyalty.domain.recommendations.experiments import (
    SHARE_WHOLE,
    Arm,
    Difference,
    Variant,
    is_traffic_as_declared,
    mean_difference,
    rate_difference,
)
from loyalty.errors import BadInput, Conflict, NotFound
from loyalty.services.audit import COMMAND_LINE, Action, Subject, added, deed
from loyalty.services.recommendations.models import Models
from loyalty.services.rulesets import Rulesets
from loyalty.storage import experiments as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.problems import DuplicateKey
from loyalty.storage.statements import Row, Unit, together
from loyalty_recommender import artifact

LAST: Final = 2**63 - 1
"""After every id."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment; ``ended_at`` None while it runs."""

    id: int
    control: str
    candidate: str
    share_bp: int
    is_running: bool
    started_at: datetime
    ended_at: datetime | None
    started_by: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an experiment shows up to now; amounts in ``currency``, None without a program."""

    control: Arm
    candidate: Arm
    purchase_rate: Difference
    sales_per_member: Difference
    currency: str | None
    is_traffic_as_declared: bool


class Experiments:
    """Starts, stops and compares."""

    def __init__(
        self, database: Database, clock: Clock, rulesets: Rulesets, models: Models
    ) -> None:
        self._database = database
        self._clock = clock
        self._rulesets = rulesets
        self._models = models

    async def start(
        self, tenant_id: int, candidate: str, share_bp: int, by: str = COMMAND_LINE
    ) -> Experiment:
        """Let a model answer a part of the members, beside the one in service.

        Args:
            candidate: id of a published model.
            share_bp: its part of all members, in basis points.

        Raises:
            BadInput: a share that is none. NotFound: no such model.
            Conflict: it is the one in service, it is broken, there is none in service, or an
                experiment runs already.
        """
        if not 1 <= share_bp < SHARE_WHOLE:
            raise BadInput(
                f"found a share of {share_bp} basis points, wanted 1 to {SHARE_WHOLE - 1}",
                field=("input", "shareBp"),
            )
        published = await self._models.listed(tenant_id)
        control = next((model for model in published if model.is_in_service), None)
        wanted = next((model for model in published if model.id == candidate), None)
        where = ("input", "candidate")
        if wanted is None:
            raise NotFound("model", candidate[:80], field=where)
        if control is None:
            raise Conflict("no model is in service, wanted one to compare with", field=where)
        if wanted.is_in_service:
            raise Conflict(f"model {candidate} is the one in service", field=where)
        if wanted.card is None:
            raise Conflict(f"model {candidate} is broken: {wanted.problem}", field=where)
        if await self._database.read(sql.RUNNING(tenant_id)):
            raise Conflict("an experiment runs already: stop it first")
        folder = self._models.folder(tenant_id)
        # First: trainings remove old models.
        await asyncio.to_thread(artifact.pin, folder, [control.id, candidate])
        row = {
            "control": control.id, "candidate": candidate, "share_bp": share_bp, "running": 1,
            "started_by": by,
        }  # fmt: skip
        id = await self._started(tenant_id, row, by)
        return await self.named(tenant_id, id)

    async def _started(self, tenant_id: int, row: dict[str, Any], by: str) -> int:
        now, (id, event_id) = self._clock.now(), self._database.ids.take(2)
        told = {name: row[name] for name in ("control", "candidate", "share_bp")}
        done = deed(by, Action.EXPERIMENT_START, Subject.EXPERIMENT, id, **told)

        def unit() -> Unit[None]:
            effects = Effects()
            started = {"id": id, "tenant_id": tenant_id, "started_at": now, **row}
            effects.insert("experiment", started)
            added(effects, event_id, tenant_id, now, done)
            yield effects

        try:
            await self._database.write(unit)
        except DuplicateKey:
            await self._pin_running(tenant_id)
            raise Conflict("an experiment runs already: stop it first") from None
        return id

    async def _pin_running(self, tenant_id: int) -> None:
        """Keep the models of the experiment that runs, and no others."""
        rows = await self._database.read(sql.RUNNING(tenant_id))
        ids = [rows[0][1], rows[0][2]] if rows else []
        await asyncio.to_thread(artifact.pin, self._models.folder(tenant_id), ids)

    async def stop(self, tenant_id: int, by: str = COMMAND_LINE) -> Experiment:
        """End the experiment that runs: the model in service answers everybody again.

        Raises:
            NotFound: none runs.
        """
        now, event_id = self._clock.now(), self._database.ids.next()

        def unit() -> Unit[int]:
            stopped = yield sql.STOP(tenant_id, now)
            if not stopped:
                raise NotFound("running experiment")
            id: int = stopped[0][0]
            effects = Effects()
            done = deed(by, Action.EXPERIMENT_STOP, Subject.EXPERIMENT, id)
            added(effects, event_id, tenant_id, now, done)
            yield effects
            return id

        id = await self._database.write(unit)
        await self._pin_running(tenant_id)
        return await self.named(tenant_id, id)

    async def named(self, tenant_id: int, id: int) -> Experiment:
        """One experiment. Raises NotFound."""
        rows = await self._database.read(sql.NAMED(tenant_id, id))
        if not rows:
            raise NotFound("experiment")
        return _experiment(rows[0])

    async def listed(self, tenant_id: int, first: int, before_id: int = LAST) -> list[Experiment]:
        """The newest first."""
        rows = await self._database.read(sql.LISTED(tenant_id, before_id, first))
        return [_experiment(row) for row in rows]

    async def comparison(self, tenant_id: int, experiment: Experiment) -> Comparison:
        """What it shows now, from the sales that were found up to now."""
        (found,) = await self.comparisons(tenant_id, [experiment])
        return found

    async def comparisons(
        self, tenant_id: int, experiments: Sequence[Experiment]
    ) -> list[Comparison]:
        """What each shows now, read in so many statements whatever their number."""
        try:
            currency = (await self._rulesets.current(tenant_id)).currency
        except NotFound:
            currency = None
        ids = [each.id for each in experiments]

        def unit() -> Unit[Sequence[list[Row]]]:
            return (
                yield from together(
                    sql.MEMBERS(tenant_id, ids), sql.SPENT(tenant_id, ids, currency)
                )
            )

        members, spent = await self._database.read_unit(unit)
        return await asyncio.to_thread(
            lambda: [_comparison(each, members, spent, currency) for each in experiments]
        )


def _comparison(
    experiment: Experiment, members: Sequence[Row], spent: Sequence[Row], currency: str | None
) -> Comparison:
    control, candidate = (
        _arm(
            variant,
            [of for id, *of in members if id == experiment.id],
            [of for id, *of in spent if id == experiment.id],
        )
        for variant in Variant
    )
    return Comparison(
        control,
        candidate,
        rate_difference(control, candidate),
        mean_difference(control, candidate),
        currency,
        is_traffic_as_declared(control, candidate, experiment.share_bp),
    )


def _arm(variant: Variant, members: Sequence[list[Any]], spent: Sequence[list[Any]]) -> Arm:
    amounts = [minor for of, _, minor in spent if of == variant]
    return Arm(
        # Who was merged while the experiment ran may have bought in both.
        members=max([len(amounts), *(count for of, count in members if of == variant)]),
        buyers=len(amounts),
        spent=sum(amounts),
        squares=sum(minor * minor for minor in amounts),
    )


def _experiment(row: Row) -> Experiment:
    id, control, candidate, share_bp, running, started_at, ended_at, started_by = row
    return Experiment(
        id,
        control,
        candidate,
        share_bp,
        running == 1,
        instant(started_at),
        None if ended_at is None else instant(ended_at),
        started_by,
    )
