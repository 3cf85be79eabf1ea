"""What a lookup costs: from a copy in the process, from Redis, and with Redis dead or silent.

    python benchmarks/cache.py [--rounds 40] [--calls 500]

All kinds take turns within each round of one run, so the ratios carry over from machine to machine;
the microseconds do not. Each round begins a new outage: its first calls, which find out, are in the
figures. Added time is over a lookup with the cache switched off.
"""

import argparse
import asyncio
import logging
import socket
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from statistics import quantiles
from time import perf_counter, process_time

from loyalty.cache import Cache, SingleFlight, keys, open_cache
from loyalty.cache.layered import LayeredCache
from loyalty.cli.embedded import embedded_valkey

VALUE = b"x" * 1_800
PLAIN = keys.recommendations(1, 5, "for_you", "als-1")
COPIED = keys.catalogue(1, 3, "a9f0")
SUMMARY = keys.summary(1, 5)
WAITERS = 200

Ask = Callable[[], Awaitable[object]]


class Timing:
    """Times of one kind of call."""

    def __init__(self) -> None:
        self.wall_us: list[float] = []
        self.first_us: list[float] = []
        self.cpu_us: list[float] = []

    async def round(self, ask: Ask, calls: int) -> None:
        began_cpu = process_time()
        taken = []
        for _ in range(calls):
            began = perf_counter()
            await ask()
            taken.append((perf_counter() - began) * 1e6)
        self.cpu_us.append((process_time() - began_cpu) / calls * 1e6)
        self.first_us.append(taken[0])
        self.wall_us += taken

    def at(self, percent: int) -> float:
        return quantiles(self.wall_us, n=100)[percent - 1]

    @property
    def cpu(self) -> float:
        return sorted(self.cpu_us)[len(self.cpu_us) // 2]


async def copies_ready(cache: Cache) -> None:
    """Wait until lookups of ``COPIED`` are answered in the process."""
    assert isinstance(cache, LayeredCache)
    await cache.get(COPIED)
    async with asyncio.timeout(5):
        while not cache.is_tracking:  # noqa: ASYNC110 - it cannot be waited for otherwise
            await asyncio.sleep(0.005)
    await cache.put(COPIED, VALUE, 300)
    # The change we made ourselves is told too; after that the first lookup is kept.
    await asyncio.sleep(0.05)
    await cache.get(COPIED)


async def measure(url: str, dead_url: str, silent_url: str, rounds: int, calls: int) -> None:
    names = ("off", "copy", "GET", "versioned GET", "MGET of 20", "dead", "silent")
    timings = {name: Timing() for name in names}
    up, off = open_cache(url), open_cache("off")
    await up.put(PLAIN, VALUE, 300)
    await up.put_versioned(SUMMARY, 1, VALUE, 300)
    many = [keys.recommendations(1, member, "for_you", "als-1") for member in range(20)]
    for key in many:
        await up.put(key, VALUE, 300)
    await copies_ready(up)
    for _ in range(rounds):
        dead, silent = open_cache(dead_url), open_cache(silent_url)
        asks: dict[str, Ask] = {
            "off": partial(off.get, PLAIN),
            "copy": partial(up.get, COPIED),
            "GET": partial(up.get, PLAIN),
            "versioned GET": partial(up.get_versioned, SUMMARY),
            "MGET of 20": partial(up.get_many, many),
            "dead": partial(dead.get, PLAIN),
            "silent": partial(silent.get, PLAIN),
        }
        for name, ask in asks.items():
            await timings[name].round(ask, calls)
        await dead.close()
        await silent.close()
    print_table(timings)
    await measure_single_flight(up)
    await up.close()
    await off.close()


def print_table(timings: dict[str, Timing]) -> None:
    base, off = timings["GET"], timings["off"]
    print(f"{'lookup, 1.8 kB':<16}{'p50 us':>9}{'p99 us':>9}{'worst ms':>10}{'CPU us':>8}", end="")
    print(f"{'CPU / GET':>11}{'p99 / GET':>11}{'added p99 us':>14}{'first ms':>10}")
    for name, timing in timings.items():
        first_ms = max(timing.first_us) / 1e3
        print(
            f"{name:<16}{timing.at(50):>9.1f}{timing.at(99):>9.1f}"
            f"{max(timing.wall_us) / 1e3:>10.2f}{timing.cpu:>8.1f}"
            f"{timing.cpu / base.cpu:>11.4f}{timing.at(99) / base.at(99):>11.3f}"
            f"{timing.at(99) - off.at(99):>14.1f}{first_ms:>10.2f}"
        )


async def measure_single_flight(up: Cache) -> None:
    flight = SingleFlight[bytes | None]()
    ask = partial(up.get, PLAIN)
    alone, together = [], []
    for _ in range(20):
        began = perf_counter()
        await asyncio.gather(*(up.get(PLAIN) for _ in range(WAITERS)))
        alone.append(perf_counter() - began)
        began = perf_counter()
        await asyncio.gather(*(flight.run(PLAIN, ask) for _ in range(WAITERS)))
        together.append(perf_counter() - began)
    alone_ms, together_ms = (sorted(times)[10] * 1e3 for times in (alone, together))
    print(
        f"{WAITERS} callers of one key: each alone {alone_ms:.1f} ms, in one flight "
        f"{together_ms:.1f} ms, ratio {together_ms / alone_ms:.3f}"
    )


def main() -> None:
    """Read the arguments and run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="outages of each kind")
    parser.add_argument("--calls", type=int, default=500, help="per kind and round")
    given = parser.parse_args()
    # Every outage is announced, and here each round is one.
    logging.getLogger("loyalty.cache").setLevel(logging.ERROR)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead_url = f"redis://127.0.0.1:{closed.getsockname()[1]}/0"
    with (
        tempfile.TemporaryDirectory(prefix="loyalty-") as folder,
        embedded_valkey(Path(folder)) as url,
        socket.create_server(("127.0.0.1", 0), backlog=1024) as hole,
    ):
        silent_url = f"redis://127.0.0.1:{hole.getsockname()[1]}/0"
        asyncio.run(measure(url, dead_url, silent_url, given.rounds, given.calls))


if __name__ == "__main__":
    main()
