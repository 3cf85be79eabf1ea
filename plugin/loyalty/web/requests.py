"""Around every request: its id, one log line, its count, and an answer where a bug raised.

The log names the route's template, never the address itself, which may hold a member's id.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loyalty.web.answers import refusal
from loyalty.web.metrics import Metrics

REQUEST_ID: Final = b"x-request-id"
UNMATCHED: Final = "unmatched"
CLIENT_GONE: Final = 499
"""Counted where the caller closed the connection before its answer; nobody receives it."""

_SANE_ID: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")
# Asked every few seconds by machines: counted like the rest, logged only when debugging.
_ROUTINE: Final = frozenset({"/health/live", "/health/ready", "/metrics"})
# Strict-Transport-Security is the proxy's, which knows whether there is TLS.
_SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)

log = structlog.get_logger("loyalty.web")


def note_viewer(scope: Scope, kind: str) -> None:
    """Say which kind of caller this is, for the log line; never who."""
    scope.setdefault("state", {})["viewer"] = kind


class Requests:
    """ASGI middleware; the outermost of the application.

    Args:
        metrics: where requests are counted.
        is_started: whether the lifespan has run. Before, only ``/health`` is answered.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, is_started: Callable[[], bool]) -> None:
        self._app = app
        self._metrics = metrics
        self._is_started = is_started

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = _Seen(_request_id(scope), scope.get("route"))
        state = scope.setdefault("state", {})
        state["request_id"] = seen.request_id
        answer = _answering(seen, send)
        with structlog.contextvars.bound_contextvars(request_id=seen.request_id):
            try:
                if self._is_started() or scope["path"].endswith(("/health/live", "/health/ready")):
                    await self._app(scope, receive, answer)
                else:
                    log.error("not_started", hint=_NOT_STARTED)
                    await refusal(503, "NOT_STARTED", _NOT_STARTED)(scope, receive, answer)
            except ClientDisconnect:
                seen.status = seen.status or CLIENT_GONE
            except Exception:
                log.exception("request_failed", route=_route(scope, seen))
                if seen.status == 0:
                    await _internal_error(seen)(scope, receive, answer)
            finally:
                self._finished(scope, seen)

    def _finished(self, scope: Scope, seen: "_Seen") -> None:
        seconds = perf_counter() - seen.began
        route = _route(scope, seen)
        status = seen.status or CLIENT_GONE
        self._metrics.request(scope["method"], route, status, seconds)
        line = log.debug if route in _ROUTINE else log.info
        line(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1_000, 1),
            viewer=scope["state"].get("viewer", "none"),
        )

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen = _Seen(_request_id(scope), scope.get("route"))
        scope.setdefault("state", {})["request_id"] = seen.request_id

        async def answer(message: Message) -> None:
            if message["type"] == "websocket.close":
                seen.status = message.get("code", 1000)
            await send(message)

        self._metrics.socket_opened()
        with structlog.contextvars.bound_contextvars(request_id=seen.request_id):
            try:
                if self._is_started():
                    await self._app(scope, receive, answer)
                else:
                    log.error("not_started", hint=_NOT_STARTED)
                    await answer({"type": "websocket.close", "code": 1013})
            except Exception:
                log.exception("socket_failed", route=_route(scope, seen))
                if seen.status == 0:
                    await answer({"type": "websocket.close", "code": 1011})
            finally:
                self._metrics.socket_closed()
                log.info(
                    "socket",
                    route=_route(scope, seen),
                    close_code=seen.status or 1000,
                    ms=round((perf_counter() - seen.began) * 1_000, 1),
                    viewer=scope["state"].get("viewer", "none"),
                )


_NOT_STARTED: Final = (
    "the application was mounted but not started: wrap "
    "`async with app.router.lifespan_context(app)` in the host's own lifespan"
)


@dataclass(slots=True)
class _Seen:
    """What is known of a request so far. ``outer`` is the route of a host that mounts us."""

    request_id: str
    outer: object
    status: int = 0
    began: float = 0.0

    def __post_init__(self) -> None:
        self.began = perf_counter()


def _answering(seen: _Seen, send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = int(message["status"])
            # A new list: some answers are kept and sent again.
            headers = list(message.get("headers", ()))
            names = {name for name, _ in headers}
            headers += [pair for pair in _SECURITY if pair[0] not in names]
            headers.append((REQUEST_ID, seen.request_id.encode()))
            message = {**message, "headers": headers}
        await send(message)

    return answer


def _internal_error(seen: _Seen) -> ASGIApp:
    return refusal(
        500,
        "INTERNAL_ERROR",
        f"Something went wrong on our side; quote request {seen.request_id} when you report it.",
    )


def _route(scope: Scope, seen: _Seen) -> str:
    route = scope.get("route")
    return UNMATCHED if route is seen.outer else str(getattr(route, "path", UNMATCHED))


def _request_id(scope: Scope) -> str:
    """The caller's own id where it is one, else a new one."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and _SANE_ID.fullmatch(value):
            return bytes(value).decode()
    # Names a request in logs and is no secret, so it need not cost a call to the system.
    return f"{random.getrandbits(96):024x}"
