"""``loyalty serve``: one server process, from its settings to a clean stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

    from loyalty.settings import Settings

STOP_S: Final = 8
"""How long a stop waits for requests under way before it cuts them off, in seconds."""
KEEP_ALIVE_S: Final = 75
"""How long an idle connection is kept, in seconds: longer than the usual proxy keeps its own, so
that it never sends a request into a connection being closed."""
WS_BYTES_MAX: Final = 1_048_576
"""Longest WebSocket message the server reads; the GraphQL endpoint allows far less."""

Ready = Callable[[str], None]


class CannotListen(Exception):
    """The address is taken or not ours; the message says what to change."""


def serve(settings: Settings, *, app: Starlette | None = None, ready: Ready | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code.

    On a stop no connection is accepted any more, requests under way are finished within
    ``STOP_S``, what waits for the ledger is booked, and database and cache are closed.

    Args:
        app: made from the settings unless told otherwise.
        ready: called once, with the address, when requests are answered.
    """
    from loyalty.app import create_app
    from loyalty.errors import LoyaltyError
    from loyalty.web.logs import configure_logging

    configure_logging(settings)
    try:
        with _listening(settings.host, settings.port) as listener:
            made = app if app is not None else create_app(settings)
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                return runner.run(_served(made, listener, ready))
    except (LoyaltyError, CannotListen) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1


async def _served(app: Starlette, listener: socket.socket, ready: Ready | None) -> int:
    import structlog

    from loyalty.collector import spare_what_stays

    log = structlog.get_logger("loyalty.serve")

    def started() -> None:
        spare_what_stays()
        url = _url(listener)
        log.info("listening", url=url)
        if ready is not None:
            ready(url)

    # Not uvicorn's own lifespan: what cannot start says so in a sentence, and what was opened is
    # closed after the last request whatever ended the server.
    async with app.router.lifespan_context(app):
        server = _server(app, started)
        with _stopped_by_signals(server):
            await server.serve(sockets=[listener])
        log.info("stopping")
    log.info("stopped")
    return 0


def _server(app: Starlette, started: Callable[[], None]) -> uvicorn.Server:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Leave the signals alone: uvicorn's way ends the process before our lifespan does."""
            yield

    config = uvicorn.Config(
        app,
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=WS_BYTES_MAX,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=STOP_S,
    )
    return Server(config)


@contextlib.contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """The first signal stops in good order, a second one without waiting for requests."""

    def stop() -> None:
        server.force_exit = server.should_exit
        server.should_exit = True

    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for each in signals:
        loop.add_signal_handler(each, stop)
    try:
        yield
    finally:
        for each in signals:
            loop.remove_signal_handler(each)


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """A bound socket; connections are refused until the server listens on it.

    Raises:
        CannotListen: the port is taken, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        message = f"cannot listen on {host!r} ({error.strerror}); set LOYALTY_HOST"
        raise CannotListen(message) from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise CannotListen(
                f"port {port} of {host} is taken or not ours ({error.strerror}); "
                "set LOYALTY_PORT to another, or 0 for any free one"
            ) from error
        listener.setblocking(False)
        yield listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop

    return uvloop.new_event_loop
