"""A shop with a pool of personal offers, and members who have some of them."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import Choice, Quote
from loyalty.secrets import SecretKey
from loyalty.services.checkout.holdings import HoldingsReader
from loyalty.services.coupons.gift_cards import GiftCards
from loyalty.services.offers.offers import MemberOffer, Offers
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Sql, Unit

POOL = """
[[rewards]]
code = "fifth"
name = "A fifth off"
needs_offer = true
does = { kind = "percentage_off", rate_bp = 2000 }

[[offers]]
code = "fresh"
name = "A fifth off {target}"
reward = "fifth"
budget_minor = 1000
targets = [
  { code = "tea", name = "tea", products = ["tea"] },
  { code = "jam", name = "jam", products = ["jam"] },
]

[[offers]]
code = "bonus"
name = "A fifth off {target}, and points"
reward = "fifth"
bonus_points = 30
budget_points = 100
targets = [{ code = "jam", name = "jam", products = ["jam"] }]
"""
_numbers = count(1)


def offers_of_program(program: Any) -> "OfferShop":
    """The same of a program behind the GraphQL endpoints."""
    services = program.shop.services

    async def member(name: str) -> Any:
        return await services.summaries.shown(program.tenant_id, name)

    shop = SimpleNamespace(
        tenant_id=program.tenant_id,
        clock=program.shop.clock,
        database=program.shop.database,
        door=services.door,
        rulesets=services.rulesets,
        summaries=services.summaries,
        member=member,
    )
    return OfferShop(shop)


@dataclass
class OfferShop:
    """``shop`` is a ``Shop`` of the services' tests, whose program has the pool."""

    shop: Any

    @property
    def offers(self) -> Offers:
        return Offers(self.shop.database, self.shop.door, self.shop.clock)

    async def plan(self, state: str = "PUBLISHED") -> int:
        """A plan without offers."""
        database, now = self.shop.database, self.shop.clock.now()
        ruleset = await self.shop.rulesets.current(self.shop.tenant_id)

        def unit() -> Unit[int]:
            effects, id = Effects(), database.ids.next()
            row = {
                "id": id, "tenant_id": self.shop.tenant_id, "key": f"key-{next(_numbers)}",
                "state": state, "ruleset_version": ruleset.version, "planned_at": now,
                "starts_at": now,
                "published_at": now if state == "PUBLISHED" else None, "figures": "{}",
                "published_by": "test",
            }  # fmt: skip
            effects.insert("offer_plan", row)
            yield effects
            return int(id)

        return int(await database.write(unit))

    async def give(
        self,
        member: str,
        *,
        offer: str = "fresh",
        target: str = "tea",
        days: int = 10,
        uses: int = 1,
        active: bool = True,
        plan: int | None = None,
        state: str = "OFFERED",
    ) -> int:
        """An offer of a member's own; its id."""
        database, now = self.shop.database, self.shop.clock.now()
        plan_id = await self.plan() if plan is None else plan
        member_id = (await self.shop.member(member)).id

        def unit() -> Unit[int]:
            effects, id = Effects(), database.ids.next()
            row = {
                "id": id, "tenant_id": self.shop.tenant_id, "plan_id": plan_id,
                "place": id, "member_id": member_id, "offer": offer, "target": target,
                "state": state, "starts_at": now, "ends_at": now + timedelta(days=days),
                "activated_at": now if active else None, "uses_max": uses, "use_ppm": 300_000,
                "cost_minor": 100, "reason": '{"code": "BOUGHT_BEFORE", "times": 2}',
            }  # fmt: skip
            effects.insert("member_offer", row)
            yield effects
            return int(id)

        return int(await database.write(unit))

    async def quoted(
        self,
        member: str,
        cart: str,
        minor: int,
        product: str = "tea",
        category: str | None = None,
        pieces: int = 1,
    ) -> Quote:
        """What a cart of one line would get."""
        shop = self.shop
        ruleset = await shop.rulesets.current(shop.tenant_id)
        known = await shop.member(member)
        key = SecretKey("a secret key of more than 32 characters")
        cards = GiftCards(shop.database, shop.door, shop.summaries, key)
        reader = HoldingsReader(shop.database, shop.clock, shop.summaries, cards)
        replaced = await reader.replaced(shop.tenant_id, cart)
        without = None if replaced is None else replaced[0]
        held, choice = await reader.read(shop.tenant_id, ruleset, known, Choice(), without)
        basket = Cart(cart, "EUR", (CartLine("1", product, pieces, minor, category=category),))
        return quote(ruleset, known.facts(), basket, choice, shop.clock.now(), held)

    async def states(self, member: str) -> list[str]:
        """States of the member's offers by their ids."""
        return [each.state.value for each in await self.of(member)]

    async def of(self, member: str) -> list[MemberOffer]:
        shop = self.shop
        ruleset = await shop.rulesets.current(shop.tenant_id)
        member_id = (await shop.member(member)).id
        found = await self.offers.of_member(shop.tenant_id, member_id, ruleset, first=50)
        return sorted(found, key=lambda each: each.id)

    async def spent(self, subject: str) -> tuple[int, int]:
        """Used and held of a budget, by the clock."""
        shop = self.shop
        rows = await shop.database.read(
            Sql(
                """SELECT q.used, COALESCE((SELECT SUM(u.quantity) FROM quota_use u
                           WHERE u.tenant_id = q.tenant_id AND u.quota_id = q.id
                             AND u.state = 'HELD' AND u.expires_at > $3), 0)
                     FROM quota q WHERE q.tenant_id = $1 AND q.kind = 'BUDGET'
                      AND q.subject = $2"""
            )(shop.tenant_id, subject, shop.clock.now())
        )
        return (int(rows[0][0]), int(rows[0][1])) if rows else (0, 0)

    async def set_state(self, table: str, id: int, state: str) -> None:
        database, tenant_id = self.shop.database, self.shop.tenant_id

        def unit() -> Unit[None]:
            effects = Effects()
            effects.update(table, tenant_id, id, state=state)
            yield effects

        await database.write(unit)
