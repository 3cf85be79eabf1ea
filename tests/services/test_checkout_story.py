"""What a shop is promised: points pend, can be spent once, and come back on a refund."""

import asyncio
from datetime import timedelta

import pytest

from loyalty.errors import (
    AlreadyExists,
    Conflict,
    HoldExpired,
    InsufficientPoints,
    KeyReused,
    MemberNotActive,
    QuoteExpired,
    TotalMismatch,
)
from loyalty.services.members.members import SetState

from .conftest import PROGRAM, Shop

pytestmark = pytest.mark.anyio


async def test_points_pend_become_active_are_spent_and_come_back(shop: Shop) -> None:
    await shop.enrol("ann")
    await shop.paid("o-1", "ann", 30_000)
    assert await shop.points("ann") == (0, 300, 0)

    shop.clock.advance(timedelta(days=15))
    assert await shop.points("ann") == (300, 0, 0)
    before = await shop.member("ann")

    offered = await shop.quote("ann", "cart-1", 2_000)
    assert offered.payable_minor == 1_500
    held = (await shop.reserve(offered)).outcome
    assert held is not None
    assert await shop.points("ann") == (200, 0, 100)

    await shop.commit(held["reservation"], "o-2", 1_500)
    assert await shop.points("ann") == (200, 15, 0)

    await shop.refund("o-2", "r-1")
    after = await shop.member("ann")
    assert after.balances == before.balances
    assert after.tier == before.tier
    assert await shop.problems() == []


async def test_redelivered_order_earns_once(shop: Shop) -> None:
    first = await shop.paid("o-1", "ann", 30_000)
    again = await shop.paid("o-1", "ann", 30_000)

    assert first.outcome is not None
    assert again.outcome == {"order": first.outcome["order"], "booked": False}
    assert await shop.points("ann") == (0, 300, 0)


async def test_a_refund_that_overtakes_its_order_ends_the_same(
    shops: tuple[Shop, Shop],
) -> None:
    usual, overtaken = shops
    await usual.paid("o-1", "ann", 30_000)
    await usual.refund("o-1", "r-1")
    await overtaken.refund("o-1", "r-1", may_wait=True)
    await overtaken.paid("o-1", "ann", 30_000)

    assert await usual.points("ann") == await overtaken.points("ann") == (0, 0, 0)
    assert (await usual.member("ann")).tier == (await overtaken.member("ann")).tier


async def test_a_refund_is_booked_once(shop: Shop) -> None:
    await shop.paid("o-1", "ann", 30_000)

    await shop.refund("o-1", "r-1")
    again = await shop.refund("o-1", "r-1")
    another = await shop.refund("o-1", "r-2")

    assert again.outcome is not None
    assert again.outcome["booked"] is False
    assert isinstance(another.refusal, Conflict)
    assert await shop.points("ann") == (0, 0, 0)


async def test_points_already_spent_are_owed_after_a_refund(shop: Shop) -> None:
    await shop.rich_member("ann", 100)
    offered = await shop.quote("ann", "c", 2_000)
    held = (await shop.reserve(offered)).outcome
    assert held is not None
    await shop.commit(held["reservation"], "o-2", 1_500)

    await shop.refund("seed-ann", "r-1")

    # The 15 points that o-2 earned pay a part of the 100 that are taken back.
    assert (await shop.member("ann")).balance("points").deficit == 85
    assert await shop.problems() == []


@pytest.mark.parametrize("clients", [64])
async def test_one_affordable_redemption_succeeds_once(shop: Shop, clients: int) -> None:
    await shop.rich_member("ann", 100)
    offers = [await shop.quote("ann", f"cart-{n}", 2_000) for n in range(clients)]

    verdicts = await asyncio.gather(*(shop.reserve(offer) for offer in offers))

    won = [verdict for verdict in verdicts if verdict.refusal is None]
    lost = [verdict.refusal for verdict in verdicts if verdict.refusal is not None]
    assert len(won) == 1
    assert all(isinstance(refusal, InsufficientPoints) for refusal in lost)
    assert await shop.points("ann") == (0, 0, 100)
    assert await shop.problems() == []


async def test_same_key_hammered_has_one_effect_and_equal_answers(shop: Shop) -> None:
    await shop.rich_member("ann", 300)
    offered = await shop.quote("ann", "cart", 2_000)
    key = shop.key("reserve", "one")

    verdicts = await asyncio.gather(*(shop.reserve(offered, key) for _ in range(64)))

    assert len({str(verdict.outcome) for verdict in verdicts}) == 1
    assert sum(not verdict.replayed for verdict in verdicts) == 1
    assert await shop.points("ann") == (200, 0, 100)


async def test_same_key_with_another_body_does_nothing(shop: Shop) -> None:
    await shop.rich_member("ann", 300)
    offered = await shop.quote("ann", "cart", 2_000)
    await shop.reserve(offered, shop.key("reserve", "one", "a"))

    other = await shop.reserve(offered, shop.key("reserve", "one", "b"))

    assert isinstance(other.refusal, KeyReused)
    assert await shop.points("ann") == (200, 0, 100)


async def test_a_refusal_is_the_first_outcome_too(shop: Shop) -> None:
    await shop.rich_member("ann", 100)
    first, second = [await shop.quote("ann", cart, 2_000) for cart in ("a", "b")]
    await shop.reserve(first)
    key = shop.key("reserve", "late")

    refused = await shop.reserve(second, key)
    await shop.paid("more", "ann", 20_000, shop.clock.now() - timedelta(days=30))
    again = await shop.reserve(second, key)

    assert refused.refusal is not None
    assert again.refusal is not None
    assert again.replayed
    assert (again.refusal.code, again.refusal.data) == ("INSUFFICIENT_POINTS", refused.refusal.data)


async def test_a_second_reserve_of_the_cart_replaces_the_first(shop: Shop) -> None:
    await shop.rich_member("ann", 100)
    offered = await shop.quote("ann", "cart", 2_000)
    first = (await shop.reserve(offered)).outcome
    second = (await shop.reserve(offered)).outcome
    assert first is not None
    assert second is not None

    late = await shop.commit(first["reservation"], "o-1", 1_500)

    assert isinstance(late.refusal, Conflict)
    assert await shop.points("ann") == (0, 0, 100)
    assert (await shop.commit(second["reservation"], "o-1", 1_500)).refusal is None


async def test_a_hold_times_out_by_the_clock_and_a_late_commit_holds_again(shop: Shop) -> None:
    await shop.rich_member("ann", 100)
    held = (await shop.reserve(await shop.quote("ann", "cart", 2_000))).outcome
    assert held is not None

    shop.clock.advance(timedelta(minutes=16))
    assert await shop.points("ann") == (100, 0, 0)
    late = await shop.commit(held["reservation"], "o-1", 1_500)

    assert late.refusal is None
    assert await shop.points("ann") == (0, 15, 0)
    assert await shop.problems() == []
    await shop.refund("o-1", "r-1")
    assert await shop.points("ann") == (100, 0, 0)
    assert await shop.problems() == []


async def test_a_late_commit_that_cannot_hold_again_fails_and_moves_nothing(shop: Shop) -> None:
    await shop.rich_member("ann", 100)
    held = (await shop.reserve(await shop.quote("ann", "cart", 2_000))).outcome
    assert held is not None
    shop.clock.advance(timedelta(minutes=16))
    await shop.reserve(await shop.quote("ann", "other", 2_000))

    late = await shop.commit(held["reservation"], "o-1", 1_500)

    assert isinstance(late.refusal, HoldExpired)
    assert await shop.points("ann") == (0, 0, 100)
    assert await shop.problems() == []


async def test_amounts_that_differ_from_the_quote_are_refused(shop: Shop) -> None:
    await shop.rich_member("ann", 100)
    held = (await shop.reserve(await shop.quote("ann", "cart", 2_000))).outcome
    assert held is not None

    wrong = await shop.commit(held["reservation"], "o-1", 1_499)

    assert isinstance(wrong.refusal, TotalMismatch)
    assert wrong.refusal.data == {"expected": "15.00 EUR", "found": "14.99 EUR"}
    assert await shop.points("ann") == (0, 0, 100)


async def test_commit_twice_books_once_and_a_used_order_id_is_refused(shop: Shop) -> None:
    await shop.rich_member("ann", 200)
    one = (await shop.reserve(await shop.quote("ann", "a", 2_000))).outcome
    two = (await shop.reserve(await shop.quote("ann", "b", 2_000))).outcome
    assert one is not None
    assert two is not None

    first = await shop.commit(one["reservation"], "o-1", 1_500)
    again = await shop.commit(one["reservation"], "o-1", 1_500)
    stolen = await shop.commit(two["reservation"], "o-1", 1_500)

    assert first.outcome is not None
    assert again.outcome == {"order": first.outcome["order"], "booked": False}
    assert isinstance(stolen.refusal, AlreadyExists)
    assert await shop.points("ann") == (0, 15, 100)


async def test_release_gives_back_and_an_old_quote_is_refused(shop: Shop) -> None:
    await shop.rich_member("ann", 100)
    offered = await shop.quote("ann", "cart", 2_000)
    held = (await shop.reserve(offered)).outcome
    assert held is not None

    released = await shop.release(held["reservation"])
    shop.clock.advance(timedelta(minutes=15))
    late = await shop.reserve(offered)

    assert released.outcome is not None
    assert released.outcome["state"] == "RELEASED"
    assert isinstance(late.refusal, QuoteExpired)
    assert await shop.points("ann") == (100, 0, 0)


async def test_a_suspended_member_holds_nothing(shop: Shop) -> None:
    await shop.rich_member("ann", 100)
    offered = await shop.quote("ann", "cart", 2_000)
    held = (await shop.reserve(offered)).outcome
    assert held is not None

    await shop.door.submit(SetState(shop.tenant_id, None, "ann", "SUSPENDED"))
    refused = await shop.reserve(offered)

    assert isinstance(refused.refusal, MemberNotActive)
    assert await shop.points("ann") == (100, 0, 0)
    assert await shop.problems() == []


async def test_two_tenants_with_the_same_names_do_not_meet(shops: tuple[Shop, Shop]) -> None:
    for number, shop in enumerate(shops, start=1):
        await shop.rich_member("ann", 100 * number)
        key = shop.key("reserve", "same")
        held = (await shop.reserve(await shop.quote("ann", "cart", 2_000), key)).outcome
        assert held is not None
        done = await shop.commit(held["reservation"], "o-1", 1_500, shop.key("commit", "same"))
        assert done.refusal is None
        assert not done.replayed

    assert [await shop.points("ann") for shop in shops] == [(0, 15, 0), (100, 15, 0)]
    assert [await shop.problems() for shop in shops] == [[], []]


async def test_another_tenants_reservation_does_not_exist(shops: tuple[Shop, Shop]) -> None:
    mine, other = shops
    await mine.rich_member("ann", 100)
    held = (await mine.reserve(await mine.quote("ann", "cart", 2_000))).outcome
    assert held is not None

    stolen = await other.release(held["reservation"])
    missing = await other.release(12_345)

    assert stolen.refusal is not None
    assert missing.refusal is not None
    assert stolen.refusal.code == missing.refusal.code == "NOT_FOUND"
    assert await mine.points("ann") == (0, 0, 100)


async def test_a_refund_runs_the_rules_of_its_order(shop: Shop) -> None:
    await shop.rich_member("ann", 100)
    held = (await shop.reserve(await shop.quote("ann", "cart", 2_000))).outcome
    assert held is not None
    await shop.commit(held["reservation"], "o-2", 1_500)
    clamped = PROGRAM + '[refunds]\nclawback = "clamp"\n'
    await shop.rulesets.publish(shop.tenant_id, clamped, "test")

    await shop.refund("seed-ann", "r-1")

    # The order of the day of "allow_deficit" leaves a deficit, whatever is published since.
    assert (await shop.member("ann")).balance("points").deficit == 85


async def test_spending_twelve_months_of_points_moves_the_tier(shop: Shop) -> None:
    await shop.enrol("ann")
    await shop.paid("o-1", "ann", 60_000)
    assert (await shop.member("ann")).tier.current.code == "gold"

    shop.clock.advance(timedelta(days=380))
    assert (await shop.member("ann")).tier.state == "IN_GRACE"
    shop.clock.advance(timedelta(days=40))

    assert (await shop.member("ann")).tier.current.code == "base"
