"""The queue in front of the ledger's one door.

Requests that wait together share a transaction, and so a commit: each still gets its own
verdict. Units run in tasks of their own, so a caller that goes away cannot leave one
half-way.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from loyalty.clock import Clock
from loyalty.errors import LoyaltyError, Unavailable
from loyalty.services.books.desk import Booked, Command, MemberChanged, Verdict
from loyalty.services.books.loading import Known, Rulesets
from loyalty.services.books.unit import unit_of_work
from loyalty.storage.database import Database
from loyalty.storage.problems import DuplicateKey

Told = Callable[[Sequence[MemberChanged]], Awaitable[None]]

UNIT_MAX = 64
"""Commands that share one transaction at most."""
APART_UNAVAILABLE_MAX = 2
"""Commands of a unit that failed, tried one by one, after which the rest is not tried any more:
with the database away each of them would wait as long as the first."""
DUPLICATE_TRIES = 5
"""How often a unit is run again because another process booked the same natural key."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    command: Command
    answer: asyncio.Future[Verdict]


class Door:
    """Books commands; the only way to the ledger.

    Args:
        told: called with the members that changed, after the commit and before the answers.
        workers: units that may run at the same time; SQLite has one writer.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        rulesets: Rulesets,
        told: Told,
        *,
        workers: int = 4,
    ) -> None:
        self._database = database
        self._clock = clock
        self._rulesets = rulesets
        self._told = told
        self._workers = 1 if database.dialect == "sqlite" else workers
        self._queues: dict[int, deque[_Waiting]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def submit(self, command: Command) -> Verdict:
        """Book one command, together with whatever else is waiting.

        Raises:
            Unavailable: the database could not be reached or stayed busy. Whether anything
                was booked is known by asking again with the same key.
        """
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(command.tenant_id, deque()).append(_Waiting(command, answer))
        if len(self._running) < self._workers:
            task = asyncio.create_task(self._work())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await asyncio.shield(answer)

    async def execute(
        self, tenant_id: int, commands: Sequence[Command], known: Known | None = None
    ) -> Booked:
        """Book a list of commands of one tenant in one transaction. For imports."""
        for attempt in range(DUPLICATE_TRIES):
            try:
                return await self._database.write(
                    lambda: unit_of_work(
                        tenant_id,
                        commands,
                        now=self._clock.now(),
                        ids=self._database.ids,
                        rulesets=self._rulesets,
                        known=known,
                    )
                )
            except DuplicateKey as duplicate:
                # Another process booked the same order, key or member between our look and
                # our insert. The next run finds it.
                log.info("unit_again", constraint=duplicate.constraint, attempt=attempt)
                if known is not None:
                    known.clear()
        raise Unavailable("another process kept booking the same keys; try again")

    @property
    def waiting(self) -> int:
        """Commands that are not being booked yet."""
        return sum(map(len, self._queues.values()))

    @property
    def running(self) -> int:
        """Units of work under way."""
        return len(self._running)

    async def drained(self) -> None:
        """Wait until everything submitted has its answer."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _work(self) -> None:
        try:
            while taken := self._take():
                await self._book(taken)
        finally:
            # At once, not in the task's callback a turn of the loop later: a command submitted
            # in between would take this worker for a running one and wait for ever.
            task = asyncio.current_task()
            assert task is not None
            self._running.discard(task)

    def _take(self) -> list[_Waiting]:
        for tenant_id, queue in list(self._queues.items()):
            taken = [queue.popleft() for _ in range(min(len(queue), UNIT_MAX))]
            if not queue:
                del self._queues[tenant_id]
            if taken:
                return taken
        return []

    async def _book(self, taken: list[_Waiting]) -> Exception | None:
        """Book what was taken and answer each; returns why it could not be booked."""
        commands = [waiting.command for waiting in taken]
        try:
            booked = await self.execute(commands[0].tenant_id, commands)
        except Exception as problem:
            if len(taken) > 1:
                await self._book_apart(taken)
            elif not taken[0].answer.done():
                taken[0].answer.set_exception(problem)
            return problem
        try:
            await self._told(booked.changed)
        except Exception:
            # Booked is booked: a cache or a subscriber that fails must not say otherwise.
            log.exception("telling_failed")
        for waiting, verdict in zip(taken, booked.verdicts, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(verdict)
        return None

    async def _book_apart(self, taken: list[_Waiting]) -> None:
        """Book one by one: what is wrong with one command must not take the others with it.

        Where the unit was booked after all and only its answer was lost, the commands find
        that by their keys.
        """
        unavailable: list[Unavailable] = []
        for waiting in taken:
            if len(unavailable) < APART_UNAVAILABLE_MAX:
                problem = await self._book([waiting])
                if isinstance(problem, Unavailable):
                    unavailable.append(problem)
            elif not waiting.answer.done():
                waiting.answer.set_exception(unavailable[-1])


def outcome_of(verdict: Verdict) -> dict[str, object]:
    """The outcome, or the refusal raised."""
    if verdict.refusal is not None:
        assert isinstance(verdict.refusal, LoyaltyError)
        raise verdict.refusal
    assert verdict.outcome is not None
    return dict(verdict.outcome)
