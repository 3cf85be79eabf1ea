"""A shop of many rich members, each with one checkout that waits to be committed."""

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from loyalty.cache import open_cache
from loyalty.clock import SystemClock
from loyalty.collector import spare_what_stays
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.money import Money
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.quotes.quote_terms import Choice, PointsMode, PointsWanted, Quote
from loyalty.domain.registry import built_in
from loyalty.secrets import SecretKey
from loyalty.services.access import Scope, Viewer, ViewerKind
from loyalty.services.books.desk import Idempotent
from loyalty.services.checkout.reservations import Reserve
from loyalty.services.members.members import Enrol, Profile
from loyalty.services.orders.orders import BookOrder
from loyalty.services.services import Services, wire
from loyalty.settings import Settings
from loyalty.storage.database import open_database

PROGRAM = Path(__file__).parents[2] / "examples" / "grocery.toml"
SECRET = "a key for measurements, of more than 32 characters"
IN_ONE_UNIT = 500
POINTS = 1_000
"""Points that pay a part of every order."""
LINES = tuple(CartLine(str(n), f"p-{n}", 1 + n, 1_250, 800, "TEA") for n in range(3))

_carts = itertools.count()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reservation to be committed, under names of its own."""

    reservation: int
    cart: str
    paid: Money


@dataclass(slots=True)
class BenchShop:
    """One tenant of an open database."""

    services: Services
    tenant_id: int
    viewer: Viewer
    members: list[str] = field(default_factory=list)

    async def filled(self, members: int, orders: int = 1) -> None:
        """Members with points that can be spent: those of so many large orders each."""
        names = [f"m-{number}" for number in range(members)]
        door, past = self.services.door, self.services.clock.now() - timedelta(days=30)
        joining = [Enrol(self.tenant_id, None, name, Profile(), past) for name in names]
        lines = (OrderLine("tea", 1, 900_000),)
        buying = [
            [
                BookOrder(
                    self.tenant_id,
                    PaidOrder(f"seed-{number}-{name}", name, "USD", lines, past),
                    "bench",
                )
                for name in names
            ]
            for number in range(orders)
        ]
        for commands in (joining, *buying):
            for some in _portions(commands):
                await door.execute(self.tenant_id, some)
        self.members = names

    async def twin_filled(self, members: int) -> int:
        """The id of another tenant that is the same."""
        tenant = await self.services.tenants.create("twin", "Twin")
        program = PROGRAM.read_text(encoding="utf-8")
        await self.services.rulesets.publish(tenant.id, program, "benchmark")
        viewer = replace(self.viewer, tenant_id=tenant.id)
        await BenchShop(self.services, tenant.id, viewer).filled(members)
        return tenant.id

    async def reserved(self, count: int) -> list[Waiting]:
        """``count`` reservations, one for each of so many members."""
        offered = await self._quote()
        paid = Money(offered.payable_minor, offered.cart.currency)
        quotes = [self._for(name, offered) for name in self.members[:count]]
        waiting: list[Waiting] = []
        for some in _portions(quotes):
            commands = [self._reserve(quote) for quote in some]
            booked = await self.services.door.execute(self.tenant_id, commands)
            for quote, verdict in zip(some, booked.verdicts, strict=True):
                assert verdict.outcome is not None, verdict.refusal
                id = int(verdict.outcome["reservation"])
                waiting.append(Waiting(id, quote.cart.id, paid))
        return waiting

    async def commit(self, one: Waiting) -> None:
        """What ``checkoutCommit`` does."""
        done = await self.services.checkout.commit(
            self.viewer, f"k-{one.cart}", one.reservation, f"o-{one.cart}", one.paid, None
        )
        assert done.outcome["booked"]

    def _reserve(self, quote: Quote) -> Reserve:
        once = Idempotent("bench", "checkoutReserve", quote.cart.id, "0" * 64)
        return Reserve(self.tenant_id, once, quote, 1_800)

    async def _quote(self) -> Quote:
        cart = Cart("any", "USD", LINES, 500)
        choice = Choice(PointsWanted(PointsMode.EXACT, POINTS))
        quoted = await self.services.checkout.quote(self.viewer, cart, self.members[0], choice)
        assert quoted.quote.tender is not None
        return quoted.quote

    def _for(self, name: str, offered: Quote) -> Quote:
        cart = replace(offered.cart, id=f"b-{next(_carts)}")
        return replace(offered, member=name, cart=cart)


@asynccontextmanager
async def opened_shop(url: str, folder: Path) -> AsyncIterator[BenchShop]:
    """A tenant of its own on a migrated database, with the services of a server process."""
    clock = SystemClock()
    settings = Settings(data_dir=folder, secret_key=SecretStr(SECRET), environment="development")
    async with await open_database(url, clock, migrate=True) as database:
        cache = open_cache(None)
        services = wire(
            settings, clock=clock, database=database, cache=cache, registry=built_in(),
            secret=SecretKey(SECRET),
        )  # fmt: skip
        tenant = await services.tenants.create("bench", "Bench")
        program = PROGRAM.read_text(encoding="utf-8")
        await services.rulesets.publish(tenant.id, program, "benchmark")
        scopes = frozenset({Scope.CHECKOUT_WRITE, Scope.CHECKOUT_QUOTE})
        viewer = Viewer(tenant.id, ViewerKind.SERVICE, None, scopes, "bench")
        spare_what_stays()
        yield BenchShop(services, tenant.id, viewer)
        await services.door.drained()
        await cache.close()


def _portions(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[first : first + IN_ONE_UNIT] for first in range(0, len(items), IN_ONE_UNIT)]
