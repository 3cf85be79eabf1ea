"""What several may take: coupon uses, stock, gift cards. Held, used, never too often."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.codes import gift_code
from loyalty.domain.money import Money
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import Choice, GiftUsed, QuotaKind, QuotaUse, Quote
from loyalty.errors import (
    AlreadyExists,
    BadInput,
    HoldExpired,
    LoyaltyError,
    NotFound,
    OutOfStock,
    QuoteChanged,
)
from loyalty.secrets import SecretKey
from loyalty.services.books.desk import MemberChanged, Verdict
from loyalty.services.books.settling import Settling
from loyalty.services.coupons.coupon_commands import CouponTerms
from loyalty.services.coupons.coupons import Coupons
from loyalty.services.coupons.gift_cards import GiftCard, GiftCards
from loyalty.services.members.members import SetState
from loyalty.storage.statements import Sql

from .conftest import PROGRAM, Shop

pytestmark = pytest.mark.anyio

RULES = (
    PROGRAM.replace("[[rewards]]", "[[rewards]]\nstocked = true", 1)
    + """
[[rewards]]
code = "ten-off"
name = "10 % off"
needs_coupon = true
does = { kind = "percentage_off", rate_bp = 1000 }
"""
)
HOUR = timedelta(hours=1)


@dataclass
class Desk:
    """The merchant's side of a shop."""

    shop: Shop
    coupons: Coupons
    cards: GiftCards

    async def coupon(self, code: str, **limits: int) -> QuotaUse:
        terms = CouponTerms("ten-off", **limits)
        shop = self.shop
        await self.coupons.issue(shop.tenant_id, shop.key("issue"), terms, "till", codes=[code])
        found = await self.coupons.named(shop.tenant_id, code)
        return QuotaUse(QuotaKind.COUPON, code, found.id)

    async def card(self, minor: int, expires_at: datetime | None = None) -> GiftCard:
        shop = self.shop
        issued = await self.cards.issue(
            shop.tenant_id, shop.key("gift"), Money(minor, "EUR"), expires_at, "till"
        )
        return issued.card

    async def left(self, card: GiftCard) -> tuple[int, int]:
        """Available and held of a card."""
        found = await self.cards.by_id(self.shop.tenant_id, card.id)
        return found.available_minor, found.held_minor

    async def uses(self, code: str) -> tuple[int, int]:
        """Used and held of a coupon."""
        found = await self.coupons.named(self.shop.tenant_id, code)
        return found.used, found.held


@pytest.fixture
async def desk(shop: Shop) -> Desk:
    await shop.rulesets.publish(shop.tenant_id, RULES, "test")
    coupons = Coupons(shop.database, shop.door, shop.clock)
    key = SecretKey("a secret key of more than 32 characters")
    return Desk(shop, coupons, GiftCards(shop.database, shop.door, shop.summaries, key))


async def nobody(changed: Sequence[MemberChanged]) -> None:
    """Nobody is told."""


async def offered(shop: Shop, cart: str, *, member: str | None = None, **taken: object) -> Quote:
    """A quote for 20.00 in which the given things are taken."""
    ruleset = await shop.rulesets.current(shop.tenant_id)
    facts = None if member is None else (await shop.member(member)).facts()
    basket = Cart(cart, "EUR", (CartLine("1", "tea", 1, 2_000),))
    plain = quote(ruleset, facts, basket, Choice(), shop.clock.now())
    return replace(plain, **taken)  # type: ignore[arg-type]


def paying(card: GiftCard, minor: int) -> dict[str, object]:
    return {
        "gift_cards": (GiftUsed(card.holder_id, card.label, minor),),
        "payable_minor": 2_000 - minor,
    }


def reservation(verdict: Verdict) -> int:
    assert verdict.outcome is not None, verdict.refusal
    return int(verdict.outcome["reservation"])


def refusal(verdict: Verdict) -> Exception:
    assert verdict.refusal is not None
    return verdict.refusal


async def test_a_guest_pays_with_a_gift_card(desk: Desk) -> None:
    shop = desk.shop
    card = await desk.card(5_000)

    held = reservation(await shop.reserve(await offered(shop, "c-1", **paying(card, 1_500))))
    assert await desk.left(card) == (3_500, 1_500)

    done = await shop.commit(held, "o-1", 500)
    assert done.refusal is None
    assert await desk.left(card) == (3_500, 0)
    assert await shop.problems() == []


async def test_a_gift_card_pays_no_more_than_it_holds(desk: Desk) -> None:
    shop = desk.shop
    card = await desk.card(1_000)
    both = [await offered(shop, f"c-{n}", **paying(card, 800)) for n in range(2)]

    first, second = [await shop.reserve(each) for each in both]

    assert first.refusal is None
    assert isinstance(refusal(second), QuoteChanged)
    assert "8.00 EUR of the gift card" in str(second.refusal)
    assert "2.00 EUR left" in str(second.refusal)
    assert await desk.left(card) == (200, 800)
    assert await shop.problems() == []


async def test_what_a_gift_card_holds_comes_back_by_the_clock(desk: Desk) -> None:
    shop = desk.shop
    card = await desk.card(1_000)
    held = reservation(await shop.reserve(await offered(shop, "c-1", **paying(card, 800))))

    shop.clock.advance(HOUR)

    assert await desk.left(card) == (1_000, 0)
    other = reservation(await shop.reserve(await offered(shop, "c-2", **paying(card, 900))))
    late = await shop.commit(held, "o-1", 1_200)
    assert isinstance(refusal(late), HoldExpired)
    assert (await shop.commit(other, "o-2", 1_100)).refusal is None
    assert await desk.left(card) == (100, 0)
    assert await shop.problems() == []


async def test_a_late_commit_holds_a_gift_card_again(desk: Desk) -> None:
    shop = desk.shop
    card = await desk.card(1_000)
    held = reservation(await shop.reserve(await offered(shop, "c-1", **paying(card, 800))))
    shop.clock.advance(HOUR)

    assert (await shop.commit(held, "o-1", 1_200)).refusal is None

    assert await desk.left(card) == (200, 0)
    assert await shop.problems() == []


async def test_a_second_reserve_of_a_cart_replaces_what_its_cards_hold(desk: Desk) -> None:
    shop = desk.shop
    first, second = await desk.card(1_000), await desk.card(1_000)
    await shop.reserve(await offered(shop, "c-1", **paying(first, 800)))

    await shop.reserve(await offered(shop, "c-1", **paying(second, 700)))

    assert await desk.left(first) == (1_000, 0)
    assert await desk.left(second) == (300, 700)


async def test_a_blocked_card_pays_nothing_any_more(desk: Desk) -> None:
    shop = desk.shop
    card = await desk.card(1_000)
    held = reservation(await shop.reserve(await offered(shop, "c-1", **paying(card, 800))))
    await desk.cards.set_state(shop.tenant_id, None, card.id, "BLOCKED")

    late = await shop.commit(held, "o-1", 1_200)
    again = await shop.reserve(await offered(shop, "c-2", **paying(card, 100)))

    assert isinstance(refusal(late), QuoteChanged)
    assert isinstance(refusal(again), QuoteChanged)
    assert await desk.left(card) == (200, 800)
    await desk.cards.set_state(shop.tenant_id, None, card.id, "ACTIVE")
    assert (await shop.commit(held, "o-1", 1_200)).refusal is None


async def test_a_gift_card_expires_by_the_clock(desk: Desk) -> None:
    card = await desk.card(1_000, desk.shop.clock.now() + HOUR)

    desk.shop.clock.advance(HOUR)

    assert await desk.left(card) == (0, 0)


async def test_the_same_key_issues_one_card_and_tells_its_code_again(desk: Desk) -> None:
    shop = desk.shop
    key = shop.key("gift", "once")

    first, again = [
        await desk.cards.issue(shop.tenant_id, key, Money(500, "EUR"), None, "till")
        for _ in range(2)
    ]

    assert (first.code, first.card) == (again.code, again.card)
    assert (first.replayed, again.replayed) == (False, True)
    assert await desk.cards.by_code(shop.tenant_id, first.code.lower()) == first.card
    assert len(await desk.cards.listed(shop.tenant_id, 10)) == 1


async def test_holders_of_gift_cards_are_no_members(desk: Desk) -> None:
    shop = desk.shop
    await desk.card(500)
    await shop.enrol("ann")

    assert [m.external_id for m in await shop.summaries.listed(shop.tenant_id, 9, 0, None)] == [
        "ann"
    ]


@pytest.mark.parametrize("minor", [0, -5])
async def test_a_card_of_nothing_is_refused(desk: Desk, minor: int) -> None:
    with pytest.raises(BadInput, match="wanted more than 0"):
        await desk.card(minor)


async def test_a_coupon_is_held_used_and_released(desk: Desk) -> None:
    shop = desk.shop
    use = await desk.coupon("TEN", uses_max=2)
    first = reservation(await shop.reserve(await offered(shop, "c-1", uses=(use,))))
    second = reservation(await shop.reserve(await offered(shop, "c-2", uses=(use,))))
    assert await desk.uses("TEN") == (0, 2)

    third = await shop.reserve(await offered(shop, "c-3", uses=(use,)))
    assert "1 of the coupon TEN wanted, 0 left" in str(refusal(third))

    await shop.commit(first, "o-1", 2_000)
    await shop.release(second)
    assert await desk.uses("TEN") == (1, 0)
    assert (await shop.reserve(await offered(shop, "c-3", uses=(use,)))).refusal is None
    assert await desk.uses("TEN") == (1, 1)


async def test_uses_that_are_held_come_back_by_the_clock(desk: Desk) -> None:
    shop = desk.shop
    use = await desk.coupon("TEN", uses_max=1)
    held = reservation(await shop.reserve(await offered(shop, "c-1", uses=(use,))))
    shop.clock.advance(HOUR)

    assert await desk.uses("TEN") == (0, 0)
    other = reservation(await shop.reserve(await offered(shop, "c-2", uses=(use,))))
    assert isinstance(refusal(await shop.commit(held, "o-1", 2_000)), HoldExpired)
    await shop.release(other)
    assert (await shop.commit(held, "o-2", 2_000)).refusal is None
    assert await desk.uses("TEN") == (1, 0)


async def test_a_limit_for_each_member(desk: Desk) -> None:
    shop = desk.shop
    use = await desk.coupon("TEN", uses_per_member_max=1)
    for name in ("ann", "bob"):
        await shop.enrol(name)
    await shop.reserve(await offered(shop, "c-1", member="ann", uses=(use,)))

    again = await shop.reserve(await offered(shop, "c-2", member="ann", uses=(use,)))
    other = await shop.reserve(await offered(shop, "c-3", member="bob", uses=(use,)))

    assert "0 left for this member" in str(refusal(again))
    assert other.refusal is None


async def test_a_coupon_that_is_revoked_is_used_no_more(desk: Desk) -> None:
    shop = desk.shop
    use = await desk.coupon("TEN")
    held = reservation(await shop.reserve(await offered(shop, "c-1", uses=(use,))))
    await desk.coupons.revoke(shop.tenant_id, shop.key("revoke"), "ten")

    late = await shop.commit(held, "o-1", 2_000)
    again = await shop.reserve(await offered(shop, "c-2", uses=(use,)))

    assert isinstance(refusal(late), QuoteChanged)
    assert isinstance(refusal(again), QuoteChanged)
    assert await desk.uses("TEN") == (0, 1)


async def test_ten_uses_under_two_hundred_claims(desk: Desk) -> None:
    shop = desk.shop
    use = await desk.coupon("TEN", uses_max=10)
    quotes = [await offered(shop, f"c-{n}", uses=(use,)) for n in range(200)]

    verdicts = await asyncio.gather(*(shop.reserve(each) for each in quotes))

    assert sum(verdict.refusal is None for verdict in verdicts) == 10
    assert {type(v.refusal) for v in verdicts if v.refusal} == {QuoteChanged}
    assert await desk.uses("TEN") == (0, 10)


async def test_stock_runs_out(desk: Desk) -> None:
    shop = desk.shop
    use = QuotaUse(QuotaKind.STOCK, "five-off", None)
    none = await shop.reserve(await offered(shop, "c-0", uses=(use,)))
    assert isinstance(refusal(none), OutOfStock)

    await desk.coupons.set_stock(shop.tenant_id, shop.key("stock"), "five-off", 1)
    held = reservation(await shop.reserve(await offered(shop, "c-1", uses=(use,))))
    second = await shop.reserve(await offered(shop, "c-2", uses=(use,)))
    assert isinstance(refusal(second), OutOfStock)

    await shop.commit(held, "o-1", 2_000)
    (stock,) = await desk.coupons.stocks(shop.tenant_id)
    assert (stock.reward, stock.total, stock.used, stock.held) == ("five-off", 1, 1, 0)


async def test_a_member_who_is_suspended_gives_everything_back(desk: Desk) -> None:
    shop = desk.shop
    use, card = await desk.coupon("TEN"), await desk.card(1_000)
    await shop.enrol("ann")
    taken = paying(card, 800) | {"uses": (use,)}
    await shop.reserve(await offered(shop, "c-1", member="ann", **taken))

    await shop.door.submit(SetState(shop.tenant_id, None, "ann", "SUSPENDED"))

    assert await desk.left(card) == (1_000, 0)
    assert await desk.uses("TEN") == (0, 0)
    assert await shop.problems() == []


async def test_extending_keeps_uses_and_cards_held(desk: Desk) -> None:
    shop = desk.shop
    use, card = await desk.coupon("TEN", uses_max=1), await desk.card(1_000)
    taken = paying(card, 800) | {"uses": (use,)}
    held = reservation(await shop.reserve(await offered(shop, "c-1", **taken)))
    await shop.extend(held, 7_200)

    shop.clock.advance(HOUR)

    assert await desk.left(card) == (200, 800)
    assert await desk.uses("TEN") == (0, 1)
    assert (await shop.commit(held, "o-1", 1_200)).refusal is None
    assert await desk.uses("TEN") == (1, 0)


async def test_tidying_marks_what_ran_out_of_time(desk: Desk) -> None:
    shop = desk.shop
    use = await desk.coupon("TEN")
    await shop.reserve(await offered(shop, "c-1", uses=(use,)))

    settling = Settling(shop.database, shop.door, shop.clock, told=nobody)
    assert await settling.tidied(shop.tenant_id) == 0
    shop.clock.advance(HOUR)
    await settling.due(shop.tenant_id)
    assert await settling.tidied(shop.tenant_id) == 0
    assert (await shop.database.read(Sql("SELECT state FROM quota_use")())) == [("RELEASED",)]


async def test_coupons_of_random_codes(desk: Desk) -> None:
    shop, terms = desk.shop, CouponTerms("ten-off", uses_max=1)
    key = shop.key("issue", "batch")

    first, again = [
        await desk.coupons.issue(shop.tenant_id, key, terms, "till", count=3, prefix="spring-")
        for _ in range(2)
    ]

    assert len(set(first.codes)) == 3
    assert all(code.startswith("SPRING-") for code in first.codes)
    assert (first.codes, first.replayed, again.replayed) == (again.codes, False, True)
    assert [c.code for c in await desk.coupons.listed(shop.tenant_id, 10)] == list(first.codes)


@pytest.mark.parametrize(
    ("given", "problem", "words"),
    [
        ({"codes": ["TEN"]}, AlreadyExists, "a coupon TEN already"),
        ({"codes": ["no spaces"]}, BadInput, "wanted 3 to 64"),
        ({}, BadInput, "found 0 codes"),
        ({"count": 1_001}, BadInput, "found 1001 codes"),
        ({"count": 1, "codes": ["X-1"]}, BadInput, "wanted one of the two"),
    ],
)
async def test_coupons_that_cannot_be(
    desk: Desk, given: dict[str, object], problem: type[LoyaltyError], words: str
) -> None:
    await desk.coupon("TEN")
    terms = CouponTerms("ten-off")
    shop = desk.shop

    with pytest.raises(problem, match=words):
        await desk.coupons.issue(shop.tenant_id, None, terms, "till", **given)  # type: ignore[arg-type]

    assert [c.code for c in await desk.coupons.listed(shop.tenant_id, 10)] == ["TEN"]


async def test_a_coupon_of_a_reward_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no reward 'none'"):
        await desk.coupons.issue(
            desk.shop.tenant_id, None, CouponTerms("none"), "till", codes=["TEN"]
        )


def test_gift_codes_differ_in_every_character() -> None:
    assert gift_code(bytes(10)) == "2" * 16
    assert gift_code(b"\xff" * 10) == "Z" * 16
    assert len({gift_code(bytes([n]) * 10) for n in range(256)}) == 256
