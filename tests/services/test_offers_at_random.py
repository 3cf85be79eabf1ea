"""Offers asked for anything at random, beside a model that counts on its fingers."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random

import pytest
from offer_shop import POOL, OfferShop

from loyalty.errors import HoldExpired

from .conftest import PROGRAM, Shop

pytestmark = pytest.mark.anyio

BUDGET = 1_000
HOLD = timedelta(minutes=15)
MEMBERS = ("ann", "bob", "cid")
STEPS = 90


@dataclass
class Offer:
    """What the model knows of one offer."""

    id: int
    uses: int
    ends_at: datetime
    is_active: bool = False
    is_withdrawn: bool = False
    restored: int = 0


@dataclass
class Checkout:
    """A checkout that took something off: ``state`` HELD, USED, BACK or GONE."""

    member: str
    reservation: int
    off: int
    total: int
    expires_at: datetime
    state: str = "HELD"
    order: str = ""


@dataclass
class Model:
    """The budget and the offers, as they have to be."""

    now: datetime
    offers: dict[str, Offer] = field(default_factory=dict)
    checkouts: list[Checkout] = field(default_factory=list)

    def is_held(self, one: Checkout) -> bool:
        return one.state == "HELD" and one.expires_at > self.now

    def spent(self) -> tuple[int, int]:
        used = sum(each.off for each in self.checkouts if each.state == "USED")
        return used, sum(each.off for each in self.checkouts if self.is_held(each))

    def left(self, member: str) -> int:
        own = [each for each in self.checkouts if each.member == member]
        taken = sum(each.state == "USED" or self.is_held(each) for each in own)
        return self.offers[member].uses - taken

    def off(self, member: str, minor: int) -> int:
        """What the offer takes off a cart of that price now."""
        offer = self.offers[member]
        is_usable = offer.is_active and not offer.is_withdrawn and offer.ends_at > self.now
        wanted = minor * 2_000 // 10_000
        fits = wanted <= BUDGET - sum(self.spent())
        return wanted if is_usable and self.left(member) > 0 and fits else 0

    def state(self, member: str) -> str:
        offer = self.offers[member]
        own = [each for each in self.checkouts if each.member == member]
        if sum(each.state == "USED" for each in own) >= offer.uses:
            return "USED"
        if offer.is_withdrawn:
            return "WITHDRAWN"
        if any(map(self.is_held, own)):
            return "HELD"
        if offer.ends_at <= self.now:
            return "EXPIRED"
        if offer.restored:
            return "RESTORED"
        return "ACTIVE" if offer.is_active else "OFFERED"


class Play:
    """One run: the shop and its model, step by step."""

    def __init__(self, desk: OfferShop, rng: Random) -> None:
        self.desk, self.rng, self.shop = desk, rng, desk.shop
        self.model = Model(self.shop.clock.now())
        self.numbers = count()

    async def begin(self) -> None:
        for name in MEMBERS:
            await self.shop.enrol(name)
            uses = self.rng.randint(1, 3)
            # Only so long that it is told of to the end.
            id = await self.desk.give(name, active=False, uses=uses, days=2)
            ends_at = self.shop.clock.now() + timedelta(days=2)
            self.model.offers[name] = Offer(id, uses, ends_at)

    async def step(self) -> None:
        move = self.rng.choice(
            [
                *[self.activate] * 3,
                *[self.reserve] * 4,
                *[self.commit] * 3,
                self.release,
                self.refund,
            ]
            + [self.wait] * 2
        )
        await move()
        if self.rng.random() < 0.01:
            await self.withdraw()
        model = self.model
        assert sum(model.spent()) <= BUDGET
        assert await self.desk.spent("minor:fresh") == model.spent()
        for name in MEMBERS:
            assert await self.desk.states(name) == [model.state(name)], name

    async def activate(self) -> None:
        name = self.rng.choice(MEMBERS)
        offer = self.model.offers[name]
        if self.model.state(name) == "OFFERED":
            key = self.shop.key("activate")
            await self.desk.offers.activate(self.shop.tenant_id, key, name, offer.id)
            offer.is_active = True

    async def reserve(self) -> None:
        name, minor = self.rng.choice(MEMBERS), self.rng.randint(1, 25) * 100
        off = self.model.off(name, minor)
        quote = await self.desk.quoted(name, f"c-{next(self.numbers)}", minor)
        assert quote.total_minor == minor - off
        done = await self.shop.reserve(quote)
        assert done.outcome is not None, done.refusal
        if off:
            found = int(done.outcome["reservation"])
            expires_at = self.model.now + HOLD
            one = Checkout(name, found, off, quote.payable_minor, expires_at)
            self.model.checkouts.append(one)

    def some(self, *states: str) -> Checkout | None:
        found = [each for each in self.model.checkouts if each.state in states]
        return self.rng.choice(found) if found else None

    async def commit(self) -> None:
        one = self.some("HELD")
        if one is None:
            return
        order, model = f"o-{next(self.numbers)}", self.model
        is_late, withdrawn = not model.is_held(one), model.offers[one.member].is_withdrawn
        fits = one.off <= BUDGET - sum(model.spent()) and model.left(one.member) > 0
        done = await self.shop.commit(one.reservation, order, one.total)
        if withdrawn or (is_late and not fits):
            assert done.refusal is not None
            assert withdrawn or isinstance(done.refusal, HoldExpired)
            return
        assert done.refusal is None, done.refusal
        one.state, one.order = "USED", order

    async def release(self) -> None:
        one = self.some("HELD")
        if one is not None:
            await self.shop.release(one.reservation)
            if self.model.is_held(one):
                one.state = "GONE"

    async def refund(self) -> None:
        one = self.some("USED")
        if one is not None:
            done = await self.shop.refund(one.order, f"r-{next(self.numbers)}")
            assert done.refusal is None
            one.state = "BACK"
            self.model.offers[one.member].restored += 1

    async def wait(self) -> None:
        self.shop.clock.advance(timedelta(minutes=self.rng.choice([1, 5, 14, 16, 120])))
        self.model.now = self.shop.clock.now()

    async def withdraw(self) -> None:
        name = self.rng.choice(MEMBERS)
        offer = self.model.offers[name]
        await self.desk.set_state("member_offer", offer.id, "WITHDRAWN")
        offer.is_withdrawn = True


@pytest.mark.parametrize("seed", range(5))
async def test_states_and_budget_are_those_of_the_model(shop: Shop, seed: int) -> None:
    await shop.rulesets.publish(shop.tenant_id, PROGRAM + POOL, "test")
    play = Play(OfferShop(shop), Random(seed))
    await play.begin()

    for _ in range(STEPS):
        await play.step()

    assert play.model.checkouts, "nothing was taken off: this run says little"
    assert await shop.problems() == []
