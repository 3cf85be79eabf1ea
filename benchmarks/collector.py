"""What Python's collector of cycles costs a checkout over HTTP, as it comes and as we set it.

    python benchmarks/collector.py [--rounds 6] [--commits 256]

Commits through the application, without a network, on SQLite, by 64 clients at once. The settings
take turns within each round. CPU of the event loop's thread: the booking thread has its own.
"""

import argparse
import asyncio
import gc
import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import structlog
import uvloop
from pydantic import SecretStr
from starlette.types import ASGIApp
from support.bench_shop import SECRET, Waiting, opened_shop
from support.http_clients import asked

from loyalty.app import create_app
from loyalty.collector import spare_what_stays
from loyalty.services.access import Scope
from loyalty.settings import Settings

CLIENTS = 64


def as_it_comes() -> None:
    gc.unfreeze()
    gc.set_threshold(700, 10, 10)
    gc.collect()


def as_we_set_it() -> None:
    gc.unfreeze()
    spare_what_stays()


def never() -> None:
    gc.unfreeze()
    gc.collect()
    gc.set_threshold(0)


SETTINGS: dict[str, Callable[[], None]] = {
    "as it comes": as_it_comes,
    "as we set it": as_we_set_it,
    "never": never,
}


async def commit_ms(app: ASGIApp, key: str, waiting: list[Waiting]) -> float:
    """CPU of the loop's thread for each commit of what waits."""
    left = list(waiting)

    async def client() -> None:
        while left:
            body = await asked(app, key, left.pop())
            assert b'"userErrors":[]' in body, body

    began = time.thread_time()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return (time.thread_time() - began) / len(waiting) * 1e3


async def main(rounds: int, commits: int) -> None:
    taken: dict[str, list[float]] = {name: [] for name in SETTINGS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with opened_shop(f"sqlite://{folder / 'bench.sqlite3'}", folder) as shop:
            await shop.filled(commits, orders=1 + rounds // 2)
            scopes = [Scope.CHECKOUT_WRITE, Scope.CHECKOUT_QUOTE, Scope.MEMBERS_READ]
            key = await shop.services.credentials.create_key(shop.tenant_id, "bench", scopes)
            settings = Settings(data_dir=folder, secret_key=SecretStr(SECRET))
            app = create_app(settings, services=shop.services)
            async with app.router.lifespan_context(app):
                for number in range(-1, rounds):
                    for setting, set_it in SETTINGS.items():
                        waiting = await shop.reserved(commits)
                        set_it()
                        spent = await commit_ms(app, key.text, waiting)
                        if number >= 0:
                            taken[setting].append(spent)
    plain = median(taken["as it comes"])
    print(f"{'collector':16} {'CPU ms':>8} {'least':>8} {'ratio':>7}")
    for setting, each in taken.items():
        print(f"{setting:16} {median(each):8.2f} {min(each):8.2f} {median(each) / plain:7.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--commits", type=int, default=256)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    uvloop.run(main(given.rounds, given.commits))
