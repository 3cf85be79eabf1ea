"""One reservation of several holders: all of it is held, or none of it pays.

A member's value, gift cards, coupon uses and stock each have a clock or a count of their own. What
a paid order finds of them must never be a part.
"""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from loyalty.domain.order import OrderLine, PaidOrder
from loyalty.domain.quotes.quote_terms import GiftUsed, QuotaUse
from loyalty.errors import HoldExpired
from loyalty.secrets import SecretKey
from loyalty.services.books.desk import Verdict
from loyalty.services.books.settling import Settling
from loyalty.services.coupons.coupons import Coupons
from loyalty.services.coupons.gift_cards import GiftCard, GiftCards
from loyalty.services.orders.orders import BookOrder
from loyalty.storage.statements import Sql

from .conftest import Shop
from .test_shared_value import RULES, Desk, nobody, offered, paying, refusal, reservation

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
ORDER = Sql(
    """SELECT reservation_id IS NOT NULL, gift_minor, mismatch FROM shop_order
        WHERE tenant_id = $1 AND external_id = $2"""
)


@pytest.fixture
async def merchant(shop: Shop) -> Desk:
    await shop.rulesets.publish(shop.tenant_id, RULES, "test")
    key = SecretKey("a secret key of more than 32 characters")
    coupons = Coupons(shop.database, shop.door, shop.clock)
    return Desk(shop, coupons, GiftCards(shop.database, shop.door, shop.summaries, key))


async def reported(shop: Shop, order: str, reservation_id: int, paid_minor: int) -> Verdict:
    """The shop says that an order was paid which redeems a reservation."""
    lines = (OrderLine("tea", 1, 2_000),)
    paid = PaidOrder(
        order, None, "EUR", lines, shop.clock.now(), reservation_id=reservation_id,
        paid_minor=paid_minor,
    )  # fmt: skip
    return await shop.door.submit(BookOrder(shop.tenant_id, paid, "test"))


async def told(shop: Shop, order: str) -> tuple[bool, int, bool]:
    """Whether it redeemed a reservation, what gift cards paid of it, whether it is flagged."""
    ((redeemed, gift_minor, flagged),) = await shop.database.read(ORDER(shop.tenant_id, order))
    return bool(redeemed), gift_minor or 0, bool(flagged)


@dataclass
class Both:
    """A reservation of a gift card's money and a coupon's last use."""

    card: GiftCard
    use: QuotaUse
    reservation: int


async def held_both(merchant: Desk, *, member: str | None = None) -> Both:
    card, use = await merchant.card(1_000), await merchant.coupon("LAST", uses_max=1)
    if member is not None:
        await merchant.shop.enrol(member)
    quote = await offered(merchant.shop, "c-1", member=member, uses=(use,), **paying(card, 800))
    return Both(card, use, reservation(await merchant.shop.reserve(quote)))


async def test_a_paid_order_whose_coupon_was_revoked_takes_nothing_of_its_card(
    merchant: Desk,
) -> None:
    shop, both = merchant.shop, await held_both(merchant)
    await merchant.coupons.revoke(shop.tenant_id, shop.key("revoke"), "LAST")

    verdict = await reported(shop, "o-1", both.reservation, 1_200)

    assert verdict.refusal is None
    assert await told(shop, "o-1") == (False, 0, True)
    assert await merchant.left(both.card) == (200, 800)
    assert await merchant.uses("LAST") == (0, 1)
    await shop.release(both.reservation)
    assert await merchant.left(both.card) == (1_000, 0)
    assert await shop.problems() == []


async def test_a_paid_order_takes_nothing_of_one_card_when_the_other_is_blocked(
    merchant: Desk,
) -> None:
    shop = merchant.shop
    first, second = await merchant.card(1_000), await merchant.card(1_000)
    cards = tuple(GiftUsed(card.holder_id, card.label, 500) for card in (first, second))
    quote = await offered(shop, "c-1", gift_cards=cards, payable_minor=1_000)
    held = reservation(await shop.reserve(quote))
    await merchant.cards.set_state(shop.tenant_id, None, second.id, "BLOCKED")

    await reported(shop, "o-1", held, 1_000)

    assert await told(shop, "o-1") == (False, 0, True)
    assert [await merchant.left(card) for card in (first, second)] == [(500, 500), (500, 500)]
    assert await shop.problems() == []


async def test_a_late_paid_order_holds_nothing_again_when_it_cannot_hold_all(
    merchant: Desk,
) -> None:
    shop, both = merchant.shop, await held_both(merchant)
    shop.clock.advance(16 * MINUTE)
    other = reservation(await shop.reserve(await offered(shop, "c-2", uses=(both.use,))))
    await shop.commit(other, "o-2", 2_000)

    await reported(shop, "o-1", both.reservation, 1_200)

    assert await told(shop, "o-1") == (False, 0, True)
    assert await merchant.left(both.card) == (1_000, 0)
    assert await merchant.uses("LAST") == (1, 0)
    assert await shop.problems() == []


@pytest.mark.parametrize("member", [None, "ann"])
async def test_a_clock_stepped_back_gives_no_use_out_twice(
    merchant: Desk, member: str | None
) -> None:
    shop, both = merchant.shop, await held_both(merchant, member=member)
    shop.clock.advance(16 * MINUTE)
    other = reservation(await shop.reserve(await offered(shop, "c-2", uses=(both.use,))))
    shop.clock.advance(-3 * MINUTE)

    late = await shop.commit(both.reservation, "o-1", 1_200)
    done = await shop.commit(other, "o-2", 2_000)

    assert isinstance(refusal(late), HoldExpired)
    assert done.refusal is None
    assert await merchant.uses("LAST") == (1, 0)
    assert await merchant.left(both.card) == (200, 800)
    assert await shop.problems() == []


@pytest.mark.parametrize("member", [None, "ann"])
async def test_a_clock_stepped_back_after_tidying_still_counts_a_use(
    merchant: Desk, member: str | None
) -> None:
    shop, both = merchant.shop, await held_both(merchant, member=member)
    shop.clock.advance(16 * MINUTE)
    settling = Settling(shop.database, shop.door, shop.clock, told=nobody)
    await settling.tidied(shop.tenant_id)
    shop.clock.advance(-3 * MINUTE)

    assert (await shop.commit(both.reservation, "o-1", 1_200)).refusal is None

    assert await merchant.uses("LAST") == (1, 0)
    assert await merchant.left(both.card) == (200, 0)
    assert await shop.problems() == []


@pytest.mark.parametrize("member", [None, "ann"])
async def test_a_clock_stepped_back_lets_no_card_pay_what_it_gave_back(
    merchant: Desk, member: str | None
) -> None:
    shop, both = merchant.shop, await held_both(merchant, member=member)
    shop.clock.advance(16 * MINUTE)
    other = reservation(await shop.reserve(await offered(shop, "c-2", **paying(both.card, 100))))
    shop.clock.advance(-3 * MINUTE)

    assert (await shop.commit(both.reservation, "o-1", 1_200)).refusal is None

    assert await told(shop, "o-1") == (True, 800, False)
    assert await merchant.left(both.card) == (100, 100)
    await shop.release(other)
    assert await merchant.left(both.card) == (200, 0)
    assert await shop.problems() == []


@pytest.mark.parametrize("member", [None, "ann"])
async def test_a_card_that_gave_back_and_was_emptied_pays_no_order(
    merchant: Desk, member: str | None
) -> None:
    shop, both = merchant.shop, await held_both(merchant, member=member)
    shop.clock.advance(16 * MINUTE)
    await shop.reserve(await offered(shop, "c-2", **paying(both.card, 900)))
    shop.clock.advance(-3 * MINUTE)

    late = await shop.commit(both.reservation, "o-1", 1_200)

    assert isinstance(refusal(late), HoldExpired)
    assert await merchant.left(both.card) == (100, 900)
    assert await shop.problems() == []


@pytest.mark.parametrize("member", [None, "ann"])
async def test_a_card_whose_clock_was_ahead_holds_as_long_as_the_reservation(
    merchant: Desk, member: str | None
) -> None:
    shop, card = merchant.shop, await merchant.card(1_000)
    if member is not None:
        await shop.enrol(member)
    shop.clock.advance(60 * MINUTE)
    await shop.reserve(await offered(shop, "c-0", **paying(card, 1)))
    shop.clock.advance(-60 * MINUTE)

    quote = await offered(shop, "c-1", member=member, **paying(card, 800))
    held = reservation(await shop.reserve(quote))

    assert await merchant.left(card) == (199, 801)
    assert (await shop.extend(held, 900)).refusal is None
    assert await merchant.left(card) == (199, 801)
    assert (await shop.commit(held, "o-1", 1_200)).refusal is None
    assert await shop.problems() == []
