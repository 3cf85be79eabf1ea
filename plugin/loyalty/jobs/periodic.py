"""Running a job again and again."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)


async def repeated(name: str, job: Callable[[], Awaitable[object]], every_s: int) -> None:
    """Run a job, wait, and run it again, until cancelled. A failure is logged, not the end.

    Args:
        every_s: seconds from one run's end to the next one's beginning.
    """
    while True:
        try:
            await job()
        except Exception:
            log.exception("job_failed", job=name)
        await asyncio.sleep(every_s)
