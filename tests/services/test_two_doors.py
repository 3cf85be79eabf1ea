"""Two processes that move value of the same members, cards, coupons and stock at the same moment.

Each command concerns several of them, named in any order. None may wait for another in a circle,
be told of a conflict, or give out more than there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from loyalty.domain.money import Money
from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.quotes.quote_terms import GiftUsed, QuotaKind, QuotaUse
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.errors import LoyaltyError
from loyalty.secrets import SecretKey
from loyalty.services.books.desk import Command, MemberChanged, Verdict
from loyalty.services.books.door import Door
from loyalty.services.checkout.commit import Commit
from loyalty.services.checkout.reservations import Extend, Release, Reserve
from loyalty.services.coupons.coupons import Coupons
from loyalty.services.coupons.gift_cards import GiftCard, GiftCards
from loyalty.services.members.members import SetState
from loyalty.services.members.merging import Merge, Unmerge
from loyalty.services.orders.orders import BookOrder
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.storage.database import open_database
from loyalty.storage.statements import Sql

from .conftest import Shop
from .test_shared_value import RULES, Desk, offered

pytestmark = pytest.mark.anyio

MEMBERS = ("ann", "bob", "cid")
CARD_MINOR, USES, STOCK = 2_500, 6, 5
DEADLOCKS = Sql(
    "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    sqlite="SELECT 0",
)
EXPECTED = {
    *("ok", "CONFLICT", "ALREADY_EXISTS", "QUOTE_CHANGED", "OUT_OF_STOCK", "HOLD_EXPIRED"),
    *("INSUFFICIENT_POINTS", "MEMBER_NOT_ACTIVE", "NOT_FOUND", "TOTAL_MISMATCH"),
}
"""What may come of a command; anything else, an error among it, is wrong."""


async def nobody(changed: Sequence[MemberChanged]) -> None:
    return None


@dataclass
class Crowd:
    """Commands drawn at random from a seed, about few things."""

    desk: Desk
    random: Random
    doors: tuple[Door, Door]
    cards: list[GiftCard]
    use: QuotaUse
    reservations: list[tuple[int, int]] = field(default_factory=list)
    number: int = 0

    @property
    def shop(self) -> Shop:
        return self.desk.shop

    async def reserve(self) -> Command:
        random, shop = self.random, self.shop
        minor = random.choice((100, 300, 700))
        cards = random.sample(self.cards, random.randint(0, 2))
        gifts = tuple(GiftUsed(card.holder_id, card.label, minor) for card in cards)
        stock = QuotaUse(QuotaKind.STOCK, "five-off", None)
        uses = tuple(random.sample([self.use, stock], random.randint(0, 2)))
        name = random.choice((None, *MEMBERS))
        quote = await offered(
            shop, f"c-{random.randint(1, 6)}", member=name, uses=uses, gift_cards=gifts
        )
        return Reserve(shop.tenant_id, shop.key("reserve"), quote, None)

    def picked(self) -> tuple[int, int]:
        return self.random.choice(self.reservations[-8:])

    def order(self) -> str:
        return f"o-{self.random.randint(1, 12)}"

    async def command(self) -> Command:
        random, shop = self.random, self.shop
        tenant, now = shop.tenant_id, shop.clock.now()
        self.number += 1
        kind = random.choice(
            ("reserve", "reserve", "reserve", "commit", "commit", "report", "report", "refund",
             "refund", "release", "extend", "merge", "part", "suspend", "back")
        )  # fmt: skip
        if kind == "reserve" or not self.reservations:
            return await self.reserve()
        reservation, payable = self.picked()
        if kind == "commit":
            paid = Money(payable, "EUR")
            return Commit(tenant, shop.key("commit"), reservation, self.order(), paid, None)
        if kind == "report":
            named = random.choice((None, reservation))
            order = PaidOrder(
                self.order(), random.choice((None, *MEMBERS, "guest")), "EUR",
                (OrderLine("tea", 2, 2_000),), now, reservation_id=named, paid_minor=payable,
            )  # fmt: skip
            return BookOrder(tenant, order, "test")
        if kind == "refund":
            asks = random.choice((None, (LineAsk("1", 0, 300),)))
            return RefundOrder(
                tenant, self.order(), f"r-{self.number}", None, None, may_wait=True, lines=asks
            )
        if kind == "release":
            return Release(tenant, shop.key("release"), reservation)
        if kind == "extend":
            return Extend(tenant, shop.key("extend"), reservation, 900)
        if kind == "merge":
            return Merge(tenant, None, "guest", random.choice(MEMBERS), "till")
        if kind == "part":
            return Unmerge(tenant, None, "guest", "till")
        state = "SUSPENDED" if kind == "suspend" else "ACTIVE"
        return SetState(tenant, None, random.choice(MEMBERS), state)

    async def ask(self, command: Command) -> str:
        """What became of it; whatever is no refusal is raised."""
        door = self.random.choice(self.doors)
        verdict: Verdict
        if isinstance(command, (Merge, Unmerge)):
            (verdict,) = (await door.execute(command.tenant_id, [command])).verdicts
        else:
            verdict = await door.submit(command)
        if verdict.refusal is not None:
            assert isinstance(verdict.refusal, LoyaltyError), verdict.refusal
            return verdict.refusal.code
        if isinstance(command, Reserve) and verdict.outcome is not None:
            payable = command.quote.payable_minor
            self.reservations.append((int(verdict.outcome["reservation"]), payable))
        return "ok"


@pytest.fixture
async def merchant(shop: Shop) -> Desk:
    await shop.rulesets.publish(shop.tenant_id, RULES, "test")
    key = SecretKey("a secret key of more than 32 characters")
    coupons = Coupons(shop.database, shop.door, shop.clock)
    return Desk(shop, coupons, GiftCards(shop.database, shop.door, shop.summaries, key))


@pytest.mark.parametrize("seed", [1, 2])
async def test_nothing_is_given_out_twice_and_nobody_waits_in_a_circle(
    merchant: Desk, migrated_url: str, seed: int, is_soak: bool
) -> None:
    shop = merchant.shop
    for name in MEMBERS:
        await shop.rich_member(name, 400)
    await shop.paid("g-1", "guest", 3_000)
    use = await merchant.coupon("SIX", uses_max=USES)
    await merchant.coupons.set_stock(shop.tenant_id, shop.key("stock"), "five-off", STOCK)
    cards = [await merchant.card(CARD_MINOR) for _ in range(3)]
    doors = shop.door, Door(shop.database, shop.clock, shop.rulesets.known, nobody)
    crowd = Crowd(merchant, Random(seed), doors, cards, use)
    found: set[str] = set()

    for _ in range(200 if is_soak else 12):
        commands: list[Any] = [await crowd.command() for _ in range(16)]
        found |= set(await asyncio.gather(*(crowd.ask(command) for command in commands)))
        used, held = await merchant.uses("SIX")
        assert used + held <= USES
        (stock,) = await merchant.coupons.stocks(shop.tenant_id)
        assert stock.used + stock.held <= STOCK
        for card in cards:
            available, held_minor = await merchant.left(card)
            assert 0 <= available <= available + held_minor <= CARD_MINOR

    assert found <= EXPECTED
    assert await shop.problems() == []
    # What a connection counted is told when it ends.
    await shop.database.close()
    again = await open_database(migrated_url, shop.clock)
    ((deadlocks,),) = await again.read(DEADLOCKS())
    await again.close()
    assert deadlocks == 0
