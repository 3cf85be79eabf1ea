"""Caches of every kind, and servers that fail in every way."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from loyalty.cache import Cache
from loyalty.cache.layered import LayeredCache
from loyalty.cache.lru import LruStore
from loyalty.cache.memory import MemoryCache
from loyalty.cache.redis import RedisCache

# How long anything that happens "soon" may take on a busy machine.
PATIENCE_S = 10.0


class HandClock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Wire:
    """A way to a server that can start to swallow everything, as a broken network does."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.is_broken = False

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
            there = asyncio.create_task(self._pump(reader, far_writer))
            back = asyncio.create_task(self._pump(far_reader, writer))
            self._tasks |= {there, back}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while said := await reader.read(65536):
                if not self.is_broken:
                    writer.write(said)
                    await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
def hand_clock() -> HandClock:
    return HandClock()


@pytest.fixture
def eventually() -> Callable[[Callable[[], Awaitable[object] | object]], Awaitable[None]]:
    """Wait until something that another task or process does has happened."""

    async def wait(has_happened: Callable[[], Awaitable[object] | object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                outcome = has_happened()
                if isinstance(outcome, Awaitable):
                    outcome = await outcome
                if outcome:
                    return
                await asyncio.sleep(0.005)

    return wait


@pytest.fixture
def wire() -> Callable[[str], object]:
    """``async with wire(server_url) as w:`` a breakable way to a server."""

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Wire]:
        wire = Wire(int(url.rpartition(":")[2].partition("/")[0]))
        server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
        wire.port = server.sockets[0].getsockname()[1]
        try:
            yield wire
        finally:
            server.close()
            await wire.close()
            await server.wait_closed()

    return opened


@pytest.fixture
def black_hole_url() -> Iterator[str]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as hole:
        yield f"redis://127.0.0.1:{hole.getsockname()[1]}/0"


@pytest.fixture
def closed_port_url() -> str:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"redis://127.0.0.1:{server.getsockname()[1]}/0"


@pytest.fixture
async def redis_cache(valkey_url: str) -> AsyncIterator[RedisCache]:
    cache = RedisCache(valkey_url, deadline_s=PATIENCE_S)
    await cache._command("FLUSHDB")
    yield cache
    await cache.close()


@pytest.fixture(params=["memory", "redis", "layered"])
async def cache(
    request: pytest.FixtureRequest,
    valkey_url: str,
    hand_clock: HandClock,
    eventually: Callable[[Callable[[], object]], Awaitable[None]],
) -> AsyncIterator[Cache]:
    """Every implementation that stores, empty."""
    if request.param == "memory":
        made: Cache = MemoryCache(hand_clock)
    else:
        remote = RedisCache(valkey_url, deadline_s=PATIENCE_S)
        await remote._command("FLUSHDB")
        made = remote
        if request.param == "layered":
            copies = LruStore(hand_clock, entries_max=100, bytes_max=1_000_000)
            made = layered = LayeredCache(remote, copies)
            remote.start()
            await eventually(lambda: layered.is_tracking)
    yield made
    await made.close()
