"""Running units of work: driven by rows, run again on a conflict, finished although cancelled."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from loyalty.errors import Unavailable
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Row, Statement, Together, Unit

T = TypeVar("T")

Request = Statement | Together | Effects
"""What a unit may yield."""

MakeUnit = Callable[[], Unit[T]]
"""Makes a fresh generator for every try."""


class Collision(Exception):
    """Nothing happened, and another try may fare better. The text says why."""


def driven(unit: Unit[T], execute: Callable[[Request], list[Row]]) -> T:
    """Run a unit on a blocking connection whose transaction is open."""
    with _closing(unit):
        try:
            request = next(unit)
            while True:
                request = unit.send(execute(request))
        except StopIteration as stop:
            outcome: T = stop.value
            return outcome


async def driven_async(unit: Unit[T], execute: Callable[[Request], Awaitable[list[Row]]]) -> T:
    """Run a unit on an asynchronous connection whose transaction is open."""
    with _closing(unit):
        try:
            request = next(unit)
            while True:
                request = unit.send(await execute(request))
        except StopIteration as stop:
            outcome: T = stop.value
            return outcome


class _closing:
    """Closes a generator that was left half-way."""

    def __init__(self, unit: Generator[Any, Any, Any]) -> None:
        self._unit = unit

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._unit.close()


async def retried(attempt: Callable[[], Awaitable[T]], tries: int) -> T:
    """Run ``attempt`` until it meets no ``Collision``, with growing, jittered pauses.

    Raises:
        Unavailable: every try collided.
    """
    pauses = _pauses(tries)
    while True:
        try:
            return await attempt()
        except Collision as collision:
            pause = _next(pauses, collision)
        await asyncio.sleep(pause.total_seconds())


def retried_blocking(attempt: Callable[[], T], tries: int) -> T:
    """As ``retried``, on a thread that may wait."""
    pauses = _pauses(tries)
    while True:
        try:
            return attempt()
        except Collision as collision:
            pause = _next(pauses, collision)
        time.sleep(pause.total_seconds())


def _pauses(tries: int) -> Iterator[timedelta]:
    """How long to wait before each try but the first."""
    pause_ms = 2
    for _ in range(tries - 1):
        yield timedelta(milliseconds=random.randint(pause_ms // 2, pause_ms))
        pause_ms = min(pause_ms * 2, 200)


def _next(pauses: Iterator[timedelta], collision: Collision) -> timedelta:
    for pause in pauses:
        return pause
    raise Unavailable(f"{collision}; nothing happened, try again") from collision


async def finished(work: Coroutine[Any, Any, T] | asyncio.Future[T]) -> T:
    """Run ``work`` to its end although the caller is cancelled meanwhile.

    A transaction left half-way by a cancelled request would keep its connection and its
    locks. So the work runs in a task of its own; a cancelled caller waits for it, then is
    cancelled.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                continue
        if not task.cancelled():
            # Looked at, so that a failure nobody waits for is not reported as forgotten.
            task.exception()
        raise
