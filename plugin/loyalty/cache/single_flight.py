"""One question at a time: callers that ask the same while it is being answered share the answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Flight(Generic[T]):
    def __init__(self, task: asyncio.Task[T]) -> None:
        self.task = task
        self.waiters = 0


class SingleFlight(Generic[T]):
    """Work in progress by key, in this process.

    The work runs in a task of its own with the first caller's context: it has to open its own
    transaction, since the caller's may end first.
    """

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def run(self, key: str, work: Callable[[], Awaitable[T]]) -> T:
        """The outcome of ``work``, begun now or already under way for this key.

        An error reaches every waiter. A waiter that is cancelled leaves alone; when the last one
        leaves, the work is cancelled too.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(_awaited(work)))
            flight.task.add_done_callback(lambda _: self._landed(key, flight))
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if flight.waiters == 0 and not flight.task.done():
                self._landed(key, flight)
                flight.task.cancel()

    def _landed(self, key: str, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _awaited(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
