"""The demo from start to stop: Valkey, data, model, server, and nothing left running."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from loyalty.cli.demo.folder import DemoFolder
from loyalty.cli.embedded import ValkeyServer
from loyalty.errors import Conflict

if TYPE_CHECKING:
    from loyalty.cli.demo.prepare import Prepared
    from loyalty.settings import Settings

HOST = "127.0.0.1"
COLD_MIB = 800
"""Disk that a first start needs, in MiB: the database, its log, and the models."""
PATIENCE_S = 3
"""How long a Ctrl-C during the preparation waits for work in progress, in seconds."""


class PortTaken(Conflict):
    """Another program listens there."""


class NoRoom(Conflict):
    """Too little free disk."""


def run_demo(path: Path, port: int, households: int | None) -> int:
    """Prepare what is missing, then serve until SIGTERM or Ctrl-C; gives the exit code."""
    started = time.monotonic()
    folder = DemoFolder(path)
    folder.make()
    folder.claim()
    try:
        if not folder.read("shop.json"):
            _need_room(folder.path)
        with _reserved(port) as (taken, release), ValkeyServer(folder.path / "valkey") as valkey:
            folder.announce(taken, valkey.url)
            settings = folder.settings(
                host=HOST, port=taken, redis_url=valkey.url, **_quiet_unless_asked()
            )
            prepared = _prepared(folder, settings, households, valkey)
            release()
            return _served(settings, prepared, folder, started)
    finally:
        folder.give_up()


def _need_room(folder: Path) -> None:
    free_mib = shutil.disk_usage(folder).free // 2**20
    if free_mib < COLD_MIB:
        raise NoRoom(
            f"{COLD_MIB:,} MiB of free disk are wanted for the demo shop in {folder}, "
            f"found {free_mib:,} MiB; make room, or choose another --dir"
        )


def _quiet_unless_asked() -> dict[str, str]:
    """A terminal with links in it is no place for a line per request."""
    return {} if "LOYALTY_LOG_LEVEL" in os.environ else {"log_level": "warning"}


@contextmanager
def _reserved(port: int) -> Iterator[tuple[int, Callable[[], None]]]:
    """Find out now whether the port is free, not after a minute of loading, and keep it so.

    Yields:
        The port, and what gives it free for the server.

    Raises:
        PortTaken: it is not.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(
                f"port {port} is taken or not ours ({error.strerror}); choose another, as in: "
                f"PORT={port + 1 if port < 65_535 else 8_322} scripts/demo"
            ) from error
        yield int(probe.getsockname()[1]), probe.close


def _prepared(
    folder: DemoFolder, settings: Settings, households: int | None, valkey: ValkeyServer
) -> Prepared:
    """Run the preparation so that Ctrl-C ends it soon, whatever it is at."""
    from loyalty.cli.demo.prepare import prepared
    from loyalty.cli.demo.steps import Steps

    stop = _Stop(valkey)

    async def work() -> Prepared:
        task = asyncio.current_task()
        assert task is not None
        stop.watch(asyncio.get_running_loop(), task)
        return await prepared(folder, settings, households, Steps())

    try:
        return asyncio.run(work())
    except asyncio.CancelledError:
        raise SystemExit(stop.status) from None


class _Stop:
    """Ctrl-C or SIGTERM during the preparation: in good order if that is quick, else at once.

    Every step is booked whole or not at all, so what is cut off is only done again.
    """

    def __init__(self, valkey: ValkeyServer) -> None:
        self._valkey = valkey
        self.status = 0

    def watch(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Prepared]) -> None:
        """From now on; ends with the loop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, task, 128 + number)

    def _stop(self, task: asyncio.Task[Prepared], status: int) -> None:
        if self.status:
            self._at_once()
        self.status = status
        print("stopping; the next start goes on from here", file=sys.stderr, flush=True)
        # A model being trained, in a thread, cannot be cancelled.
        timer = threading.Timer(PATIENCE_S, self._at_once)
        timer.daemon = True
        timer.start()
        task.cancel()

    def _at_once(self) -> None:
        self._valkey.kill()
        os._exit(self.status)


def _served(settings: Settings, prepared: Prepared, folder: DemoFolder, started: float) -> int:
    """Serve until stopped; the links are shown when they work."""
    from starlette.requests import Request
    from starlette.responses import RedirectResponse, Response
    from starlette.routing import Route

    from loyalty.app import create_app, services_of
    from loyalty.cli.demo.banner import banner
    from loyalty.cli.demo.session import ServedShop
    from loyalty.cli.demo.tabs import DemoTabs
    from loyalty.cli.serve import serve
    from loyalty.web.demo_shop import demo_shop_routes
    from loyalty.web.pages import storefront_routes

    async def to_shop(request: Request) -> Response:
        return RedirectResponse("shop/")

    shop = ServedShop(
        lambda: services_of(app),
        lambda: app,
        tenant=prepared.tenant,
        key=prepared.checkout_key,
        members=prepared.members,
        codes=prepared.codes,
    )
    tabs = DemoTabs(lambda: services_of(app), prepared)
    app = create_app(
        settings,
        extra_routes=[
            Route("/", to_shop, methods=["GET"]),
            *storefront_routes(),
            *demo_shop_routes(shop),
        ],
        tabs=tabs.storefront,
        admin_tabs=tabs.admin,
    )

    def ready(url: str) -> None:
        print(banner(url, folder, prepared, time.monotonic() - started), flush=True)

    status = serve(settings, app=app, ready=ready)
    print("stopped", flush=True)
    return status
