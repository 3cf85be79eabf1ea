"""A tenant's services and, beside them, ``shop_model``: what is asked of one is asked of both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from driven_rules import PROGRAM, RULES
from shop_model import Shop, tried
from shop_tiers import qualifying

from loyalty.clock import FixedClock
from loyalty.domain.quotes.quote_terms import Quote
from loyalty.domain.tiers import TierState
from loyalty.errors import LoyaltyError
from loyalty.services.access import Viewer, ViewerKind
from loyalty.services.books.desk import Idempotent
from loyalty.services.proof.verify import verify
from loyalty.services.services import Services
from loyalty.storage.statements import Sql, Statement

UNITS = ("points", "status", "credit:EUR")
ORDERS = Sql(
    """SELECT external_id, state, mismatch, total_minor, points_earned, refunds FROM shop_order
        WHERE tenant_id = $1"""
)
REFUND = Sql(
    "SELECT money_minor, points_reversed FROM order_refund WHERE tenant_id = $1 AND id = $2"
)
MOVED = Sql("SELECT COUNT(*), COALESCE(MAX(id), 0) FROM ledger_transaction WHERE tenant_id = $1")


@dataclass
class Driven:
    """One tenant, really and in the model."""

    tenant_id: int
    services: Services
    clock: FixedClock
    model: Shop
    versions: dict[int, dict[str, Any]] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    quotes: list[Quote] = field(default_factory=list)
    done: list[tuple[Callable[[], Awaitable[Any]], Any]] = field(default_factory=list)
    number: int = 0

    @property
    def viewer(self) -> Viewer:
        return self.viewer_of("till")

    def viewer_of(self, client: str) -> Viewer:
        return Viewer(self.tenant_id, ViewerKind.MERCHANT, None, frozenset(), client)

    def key(self) -> str:
        """Counted by each tenant alone, so that both use the same ones."""
        self.number += 1
        return f"k-{self.number}"

    def once(self, operation: str, body: str) -> Idempotent:
        return Idempotent("till", operation, self.key(), body.ljust(64, "0"))

    async def publish(self, number: int) -> None:
        rules = RULES[number]
        text = PROGRAM.format(**rules)
        published = await self.services.rulesets.publish(self.tenant_id, text, "till")
        self.versions[published.version] = rules
        self.model.publish(self.clock.now(), rules)

    async def do(
        self, ask: Callable[[], Awaitable[Any]], model: Callable[[Shop, Any], Any]
    ) -> tuple[Any, Any]:
        """Ask both for the same; the answers of the two, or the code that both refuse with.

        ``model`` is given the shop and the real answer, for ids alone. When it is refused, nothing
        must have moved.
        """
        before = await self.moved()
        answer: Any = None
        found: str | None = None
        retryable = False
        try:
            answer = await ask()
        except LoyaltyError as refusal:
            found, retryable = refusal.code, refusal.retryable
        self.model, told, wanted = tried(self.model, lambda shop: model(shop, answer))
        assert found == wanted, f"refused with {found}, the model says {wanted}"
        if found is not None:
            assert await self.moved() == before
        if not retryable:
            self.done.append((ask, found or answer))
        return answer, told

    async def again(self, pick: int) -> None:
        """The same call with the same key: the same answer, and no effect."""
        ask, first = self.done[pick % len(self.done)]
        before = await self.moved()
        answer: Any
        try:
            answer = await ask()
        except LoyaltyError as refusal:
            answer = refusal.code
        assert _told(answer) == _told(first)
        assert getattr(answer, "replayed", True)
        assert await self.moved() == before

    async def moved(self) -> object:
        return await self.services.database.read(MOVED(self.tenant_id))

    def offer(self, quote: Quote) -> dict[str, Any]:
        """What a quote takes and promises, as the model wants to be told."""
        rewards: dict[str, dict[str, Any]] = {}
        for taken in quote.applied:
            found = rewards.setdefault(taken.code, {"code": taken.code, "points": 0, "uses": []})
            found["points"] += taken.points
            own = {taken.code, taken.coupon_code}
            found["uses"] += [(str(u.kind), u.subject) for u in quote.uses if u.subject in own]
        return {
            "cart": quote.cart.id,
            "member": quote.member,
            "tier": quote.tier,
            "valid_until": quote.valid_until,
            "payable": quote.payable_minor,
            "needs": {unit: n for unit, n in quote.points_needed.items() if n},
            "credit": quote.credit.minor if quote.credit else 0,
            "gifts": [(used.holder_id, used.minor) for used in quote.gift_cards],
            "uses": [(str(use.kind), use.subject, use.quantity) for use in quote.uses],
            "tender": quote.tender.points if quote.tender else None,
            "rewards": list(rewards.values()),
            "rules": self.versions[quote.ruleset_version],
            "earnings": [
                (e.point_type, e.points, e.by_line, e.available_at, e.expires_at)
                for e in quote.earnings
            ],
            "lines": [
                {
                    "id": line.id,
                    "quantity": line.quantity,
                    "gross": line.gross_minor,
                    "net": line.net_minor,
                    "points": line.tender_minor,
                    "credit": line.credit_minor,
                    "gift": line.gift_minor,
                    "money": line.net_minor
                    - line.tender_minor
                    - line.credit_minor
                    - line.gift_minor,
                    "parts": {part.code: part.minor for part in line.parts},
                }
                for line in quote.lines
            ],
        }

    def refund_row(self, id: int) -> Statement:
        return REFUND(self.tenant_id, id)

    # What both show

    async def shown(self) -> dict[str, Any]:
        services, tenant = self.services, self.tenant_id
        found: dict[str, Any] = {}
        for name in [*self.model.members, *self.model.merged]:
            member = await services.summaries.exact(tenant, name)
            figures: dict[str, Any] = {"state": member.state}
            for item in (*member.balances, *member.moneys):
                figures[item.unit] = (item.available, item.pending, item.held, item.deficit)
            figures["qualifying"] = member.tier.qualifying
            in_grace = member.tier.state == TierState.IN_GRACE
            until = member.tier.until if in_grace else None
            figures["tier"] = (member.tier.current.code, member.tier.since, until)
            found[name] = figures
        for card in await services.gift_cards.listed(tenant, 99):
            found[f"card {card.holder_id}"] = (card.available_minor, card.held_minor, card.state)
        for coupon in await services.coupons.listed(tenant, 99):
            found[f"coupon {coupon.code}"] = (coupon.used, coupon.held, coupon.state)
        for stock in await services.coupons.stocks(tenant):
            found[f"stock {stock.reward}"] = (stock.total, stock.used, stock.held)
        for correction in await services.adjustments.listed(tenant, 99):
            figures = (correction.state, correction.unit, correction.amount, correction.decided_by)
            found[f"correction {correction.id}"] = figures
        for name, state, flag, *figures, refunds in await services.database.read(ORDERS(tenant)):
            money = orjson.loads(refunds)["booked"].get("money_minor", 0) if refunds else 0
            found[f"order {name}"] = (state, bool(flag), *figures, money)
        return found

    def expected(self, now: datetime) -> dict[str, Any]:
        shop, _, _ = tried(self.model, lambda shop: shop.settle_all(now))
        found: dict[str, Any] = {}
        for name in [*shop.members, *shop.merged]:
            holder = shop.members[shop.merged.get(name, name)]
            at = holder.moment
            figures: dict[str, Any] = {"state": holder.state}
            known = {lot.unit for lot in holder.lots} | holder.owed.keys()
            for unit in UNITS:
                if unit != "credit:EUR" or unit in known:
                    figures[unit] = holder.shown(unit, at)
            figures["qualifying"] = qualifying(holder, at)
            standing = holder.standing
            figures["tier"] = (standing.tier, standing.since, standing.until)
            found[name] = figures
        for id, card in shop.cards.items():
            available, _, held, _ = card.shown("gift:EUR", card.moment)
            found[f"card {id}"] = (available, held, card.state)
        for (kind, subject), counter in shop.counters.items():
            used, held = counter.used, counter.held(now)
            if kind == "COUPON":
                state = "REVOKED" if counter.is_revoked else "ISSUED"
                found[f"coupon {subject}"] = (used, held, state)
            else:
                found[f"stock {subject}"] = (counter.total, used, held)
        for id, asked in shop.corrections.items():
            found[f"correction {id}"] = (asked.state, asked.unit, asked.amount, asked.decided_by)
        for name, order in shop.orders.items():
            figures = (order.state, order.is_flagged, order.total, order.points_earned, order.money)
            found[f"order {name}"] = figures
        return found

    async def agrees(self) -> None:
        """The model and the shop show the same, to the last point."""
        for name in self.model.members:
            # Whoever looks fills the cache.
            await self.services.summaries.shown(self.tenant_id, name)
        shown, expected = await self.shown(), self.expected(self.clock.now())
        differ = {key for key in shown | expected if shown.get(key) != expected.get(key)}
        said = {key: (shown.get(key), expected.get(key)) for key in differ}
        assert not differ, f"shown, and what the model says: {said}"

    async def problems(self) -> list[str]:
        return list((await verify(self.services.database, self.tenant_id)).problems)


def _told(answer: Any) -> Any:
    """What an answer says, whether it is the first or a repeated one."""
    return getattr(answer, "outcome", getattr(answer, "codes", answer))


SPANS = [
    timedelta(minutes=1), timedelta(minutes=16), timedelta(hours=20), timedelta(days=2),
    timedelta(days=15), timedelta(days=33), timedelta(hours=-1),
]  # fmt: skip
"""How the clock moves: past a hold, past midnight, past pending days and expiry, and back."""
