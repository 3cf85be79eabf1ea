"""``/health/live``: the process answers. ``/health/ready``: it can serve."""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from loyalty.errors import LoyaltyError
from loyalty.services.services import Services
from loyalty.web.answers import json_answer

DATABASE_WAIT_S: Final = 2
"""Longest wait for the database's answer, in seconds."""


def health_routes(services: Callable[[], Services | None]) -> list[Route]:
    """Routes of both questions.

    Args:
        services: None before the start and after the end.
    """

    async def live(request: Request) -> Response:
        return json_answer({"status": "live"})

    async def ready(request: Request) -> Response:
        running = services()
        if running is None:
            return json_answer({"status": "unready", "reason": "not started"}, 503)
        cache = await _cache(running)
        try:
            # The schema was compared with this version's when the database was opened.
            async with asyncio.timeout(DATABASE_WAIT_S):
                await running.database.ping()
        except (LoyaltyError, TimeoutError):
            body = {"status": "unready", "reason": "database away", "cache": cache}
            return json_answer(body, 503, {"retry-after": "1"})
        return json_answer({"status": "ready", "database": "up", "cache": cache})

    return [
        Route("/health/live", live, methods=["GET"], name="live"),
        Route("/health/ready", ready, methods=["GET"], name="ready"),
    ]


async def _cache(services: Services) -> str:
    """``off``, ``up`` or ``down``. Everything works without it, so it decides nothing."""
    if services.settings.redis_url == "off":
        return "off"
    return "up" if await services.cache.check() else "down"
