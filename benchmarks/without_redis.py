"""What Redis being down adds to a checkout and to a member's card.

    python benchmarks/without_redis.py [--rounds 12] [--calls 40]

Three sets of services stand on one SQLite file's siblings: one whose Redis answers, one whose
Redis was killed, one whose Redis accepts and never answers. They take turns within each round
of one run. A checkout is quote, reserve and commit through the services, durable; a card is
the member's summary. The added time is p99 with Redis gone minus p99 with it there.
"""

import argparse
import asyncio
import logging
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from pydantic import SecretStr

from loyalty.app import opened
from loyalty.cli.embedded import ValkeyServer
from loyalty.clock import SystemClock
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import Money
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.quotes.quote_terms import ALL_POINTS, Choice
from loyalty.services.access import Scope, Viewer, ViewerKind
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.orders.orders import BookOrder
from loyalty.services.services import Services
from loyalty.settings import Settings
from loyalty.storage.database import open_database

PROGRAM = Path(__file__).parents[1] / "examples" / "grocery.toml"
MEMBER = "ann"


@asynccontextmanager
async def shop(folder: Path, redis_url: str) -> AsyncIterator[tuple[Services, Viewer]]:
    """Services on a database of their own with one rich member."""
    url = f"sqlite://{folder / 'loyalty.sqlite3'}"
    await (await open_database(url, SystemClock(), migrate=True)).close()
    settings = Settings(
        database_url=url,
        redis_url=redis_url,
        secret_key=SecretStr("for a benchmark only, never for a shop"),
        data_dir=folder,
        environment="development",
    )
    async with opened(settings) as services:
        tenant = await services.tenants.create("bench", "Bench")
        await services.rulesets.publish(tenant.id, PROGRAM.read_text(encoding="utf-8"), "bench")
        await services.door.submit(Enrol(tenant.id, None, MEMBER, Profile()))
        past = services.clock.now() - timedelta(days=30)
        order = PaidOrder("seed", MEMBER, "USD", (OrderLine("tea", 1, 90_000_000),), past)
        await services.door.submit(BookOrder(tenant.id, order, "bench"))
        scopes = frozenset({Scope.CHECKOUT_WRITE, Scope.CHECKOUT_QUOTE})
        yield services, Viewer(tenant.id, ViewerKind.SERVICE, None, scopes, "bench")


async def checkout(services: Services, viewer: Viewer, name: str) -> None:
    """Quote, reserve and commit one cart that is paid in part with points."""
    cart = Cart(name, "USD", (CartLine("1", "tea", 2, 1_250),))
    quoted = await services.checkout.quote(viewer, cart, MEMBER, Choice(ALL_POINTS))
    assert quoted.token is not None
    held = await services.checkout.reserve(viewer, f"r-{name}", quoted.token, None)
    paid = Money(quoted.quote.payable_minor, "USD")
    id = held.outcome["reservation"]
    await services.checkout.commit(viewer, f"c-{name}", id, name, paid, None)


async def card(services: Services, viewer: Viewer, name: str) -> None:
    await services.summaries.shown(viewer.tenant_id, MEMBER)


async def timed(rounds: int, calls: int, folder: Path) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    data = {name: Path(tempfile.mkdtemp(dir=folder)) for name in ("answers", "killed", "mute")}
    times: dict[tuple[str, str], list[float]] = {}
    with ValkeyServer(folder / "up") as up, ValkeyServer(folder / "down") as down:
        silent_url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        async with (
            shop(data["answers"], up.url) as answers,
            shop(data["killed"], down.url) as killed,
            shop(data["mute"], silent_url) as mute,
        ):
            down.kill()
            kinds = {"Redis answers": answers, "Redis killed": killed, "Redis silent": mute}
            for number in range(rounds):
                for kind, (services, viewer) in kinds.items():
                    for what, work in (("checkout", checkout), ("card", card)):
                        for call in range(calls):
                            began = perf_counter()
                            await work(services, viewer, f"{number}-{call}")
                            taken = (perf_counter() - began) * 1_000
                            times.setdefault((what, kind), []).append(taken)
    silent.close()
    report(times)


def report(times: dict[tuple[str, str], list[float]]) -> None:
    print(f"{'':22}{'p50 ms':>9}{'p99 ms':>9}{'added p99 ms':>14}{'p50 ratio':>11}")
    for (what, kind), taken in times.items():
        base = times[what, "Redis answers"]
        p99, base_p99 = quantiles(taken, n=100)[98], quantiles(base, n=100)[98]
        print(
            f"{what + ', ' + kind:22}{median(taken):9.2f}{p99:9.2f}{p99 - base_p99:14.2f}"
            f"{median(taken) / median(base):11.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--calls", type=int, default=40)
    chosen = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(timed(chosen.rounds, chosen.calls, Path(folder)))


if __name__ == "__main__":
    main()
