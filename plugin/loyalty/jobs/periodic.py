"""Running a job again and again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

log = structlog.get_logger(__name__)


async def repeated(name: str, job: Callable[[], Awaitable[object]], every_s: int) -> None:
    """Wait, run a job, and again, until cancelled. A failure is logged, not the end.

    Args:
        every_s: seconds before each run, counted from the end of the one before: a server that
            has just started has better things to do first.
    """
    while True:
        await asyncio.sleep(every_s)
        try:
            await job()
        except Exception:
            log.exception("job_failed", job=name)


@asynccontextmanager
async def running(
    name: str, job: Callable[[], Awaitable[object]], every_s: int
) -> AsyncIterator[None]:
    """Run a job again and again while the context is open; ``every_s`` 0: never.

    The end cancels a wait, and lets a run that is under way come to its next stop.
    """
    if not every_s:
        yield
        return
    task = asyncio.create_task(repeated(name, job, every_s))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
