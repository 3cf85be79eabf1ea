"""A hold that is made again, late, over, or longer: lots that expire first are drawn first.

What a refund gives back then goes to those drawn last, as if less had been spent.
"""

from datetime import datetime, timedelta

import pytest

from loyalty.domain.books.ledger import instant
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.quotes.quote import quote
from loyalty.domain.quotes.quote_terms import Choice, exactly
from loyalty.domain.refunds.refund_asks import LineAsk
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.storage.statements import Sql

from .conftest import PROGRAM, Shop

pytestmark = pytest.mark.anyio
TENDER = (
    PROGRAM.replace("pending_days = 14", "pending_days = 0").split("[[rewards]]")[0]
    + """[tender]
point_type = "points"
points = 1
minor = 1
"""
)
LOTS = Sql(
    """SELECT earned_at, remaining FROM lot WHERE tenant_id = $1 AND unit = 'points'
          AND amount > reversed ORDER BY ends_at, id"""
)


async def earn(shop: Shop, days_ago: int, points: int) -> datetime:
    """A lot of its own; the older, the sooner it ends."""
    at = shop.clock.now() - timedelta(days=days_ago)
    await shop.paid(f"{points} of {days_ago} days ago", "ann", points * 100, at)
    return at


async def reserved(shop: Shop, points: int, pieces: int = 3) -> int:
    """A cart that as many points pay for."""
    facts = (await shop.member("ann")).facts()
    ruleset = await shop.rulesets.current(shop.tenant_id)
    basket = Cart("cart", "EUR", (CartLine("1", "tea", pieces, points // pieces),))
    promise = quote(ruleset, facts, basket, Choice(exactly(points)), shop.clock.now())
    assert promise.tender is not None
    assert (promise.tender.points, promise.payable_minor) == (points, 0)
    verdict = await shop.reserve(promise)
    assert verdict.outcome is not None
    return int(verdict.outcome["reservation"])


async def back(shop: Shop, pieces: int, *, may_wait: bool = False) -> None:
    asks = (LineAsk("1", quantity=pieces),)
    command = RefundOrder(
        shop.tenant_id, "o-1", f"r-{pieces}", None, None, may_wait=may_wait, lines=asks
    )
    assert (await shop.door.submit(command)).refusal is None


async def left(shop: Shop) -> dict[datetime, int]:
    """What the lots that count have left, by when they were earned."""
    assert await shop.problems() == []
    return {instant(at): left for at, left in await shop.database.read(LOTS(shop.tenant_id))}


@pytest.fixture
async def ann(shop: Shop) -> Shop:
    await shop.rulesets.publish(shop.tenant_id, TENDER, "test")
    await shop.enrol("ann")
    return shop


async def test_a_late_commit_draws_what_expires_first_by_then(ann: Shop) -> None:
    later = await earn(ann, 20, 500)
    held = await reserved(ann, 300)
    sooner = await earn(ann, 40, 100)
    ann.clock.advance(timedelta(hours=1))

    assert (await ann.commit(held, "o-1", 0)).refusal is None
    assert await left(ann) == {sooner: 0, later: 300}

    await back(ann, 1)
    assert await left(ann) == {sooner: 0, later: 400}
    await back(ann, 2)
    assert await left(ann) == {sooner: 100, later: 500}


async def test_a_refund_that_waited_goes_to_what_a_late_commit_drew(ann: Shop) -> None:
    later = await earn(ann, 20, 300)
    held = await reserved(ann, 300)
    sooner = await earn(ann, 40, 300)
    await back(ann, 2, may_wait=True)
    ann.clock.advance(timedelta(hours=1))

    assert (await ann.commit(held, "o-1", 0)).refusal is None

    assert await left(ann) == {sooner: 200, later: 300}


async def test_a_hold_that_replaces_another_draws_anew(ann: Shop) -> None:
    later = await earn(ann, 20, 500)
    await reserved(ann, 300)
    sooner = await earn(ann, 40, 100)

    held = await reserved(ann, 300)
    assert await left(ann) == {sooner: 0, later: 300}
    assert (await ann.commit(held, "o-1", 0)).refusal is None
    await back(ann, 2)

    assert await left(ann) == {sooner: 0, later: 500}


async def test_an_extended_hold_keeps_what_expires_meanwhile(ann: Shop) -> None:
    tonight, later = await earn(ann, 365, 100), await earn(ann, 20, 500)
    held = await reserved(ann, 300)
    assert (await ann.extend(held, 86_400)).refusal is None
    ann.clock.advance(timedelta(hours=20))

    assert (await ann.commit(held, "o-1", 0)).refusal is None
    await back(ann, 1)

    assert await left(ann) == {tonight: 0, later: 400}
