"""Guests and duplicates become part of a member, with all that is theirs, and are parted again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from loyalty.errors import Conflict, MemberNotActive, NotFound
from loyalty.services.books.desk import Command, Verdict
from loyalty.services.members.members import Enrol, Profile, SetState
from loyalty.services.members.merging import Merge, Unmerge
from loyalty.services.members.summary import Member
from loyalty.storage.statements import Sql

from .conftest import Shop

pytestmark = pytest.mark.anyio

LOTS = Sql(
    """SELECT l.unit, l.amount, l.remaining, l.reversed, l.expired, l.earned_at, l.available_at,
              l.ends_at, l.order_id
         FROM lot l JOIN member m ON m.tenant_id = l.tenant_id AND m.id = l.member_id
        WHERE l.tenant_id = $1 AND m.external_id = $2 AND l.reversed < l.amount
        ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9"""
)
OWNERS = Sql(
    """SELECT o.external_id, m.external_id FROM shop_order o
         JOIN member m ON m.tenant_id = o.tenant_id AND m.id = o.member_id
        WHERE o.tenant_id = $1 ORDER BY 1"""
)
ROWS = Sql("SELECT COUNT(*) FROM ledger_transaction WHERE tenant_id = $1")


async def alone(shop: Shop, command: Command) -> Verdict:
    (verdict,) = (await shop.door.execute(shop.tenant_id, [command])).verdicts
    return verdict


async def merged(shop: Shop, source: str, target: str) -> dict[str, Any]:
    verdict = await alone(shop, Merge(shop.tenant_id, None, source, target, "test"))
    assert verdict.refusal is None, verdict.refusal
    return dict(verdict.outcome or {})


async def parted(shop: Shop, source: str) -> dict[str, Any]:
    verdict = await alone(shop, Unmerge(shop.tenant_id, None, source, "test"))
    assert verdict.refusal is None, verdict.refusal
    return dict(verdict.outcome or {})


async def owners(shop: Shop) -> dict[str, str]:
    return dict(await shop.database.read(OWNERS(shop.tenant_id)))


async def facts(shop: Shop, name: str) -> object:
    member: Member = await shop.member(name)
    balances = [(b.unit, b.available, b.pending, b.held, b.deficit) for b in member.balances]
    lots = await shop.database.read(LOTS(shop.tenant_id, name))
    tier = member.tier
    return (
        member.external_id,
        member.state,
        balances,
        lots,
        tier.current.code,
        tier.since,
        tier.until,
    )


async def spent(shop: Shop, name: str, cart: str, order: str, minor: int) -> None:
    offered = await shop.quote(name, cart, minor)
    held = await shop.reserve(offered)
    assert held.outcome is not None, held.refusal
    done = await shop.commit(held.outcome["reservation"], order, offered.payable_minor)
    assert done.refusal is None, done.refusal


async def test_a_guest_brings_its_points_orders_and_later_orders(shop: Shop) -> None:
    await shop.paid("g-1", "guest", 30_000)
    await shop.enrol("ann")
    await shop.paid("a-1", "ann", 10_000)

    assert (await merged(shop, "guest", "ann"))["moved"]
    await shop.paid("g-2", "guest", 5_000)

    assert await shop.points("ann") == (0, 450, 0)
    assert (await shop.member("guest")).external_id == "ann"
    assert await owners(shop) == {"a-1": "ann", "g-1": "ann", "g-2": "ann"}
    assert (await merged(shop, "guest", "ann"))["moved"] is False
    assert await shop.problems() == []


async def test_a_merged_guests_order_is_refunded_from_the_member(shop: Shop) -> None:
    await shop.paid("g-1", "guest", 30_000)
    await shop.enrol("ann")
    await merged(shop, "guest", "ann")

    done = await shop.refund("g-1", "r-1")

    assert done.refusal is None
    assert await shop.points("ann") == (0, 0, 0)
    assert await shop.problems() == []


async def test_an_order_refunded_before_the_merge_stays_refunded(shop: Shop) -> None:
    await shop.paid("g-1", "guest", 30_000)
    await shop.paid("g-2", "guest", 1_000)
    await shop.refund("g-1", "r-1")
    await shop.enrol("ann")
    await merged(shop, "guest", "ann")

    await shop.refund("g-2", "r-2")

    assert await shop.points("ann") == (0, 0, 0)
    assert await shop.problems() == []


async def test_a_duplicate_that_spent_is_refunded_to_the_lots_it_spent_from(shop: Shop) -> None:
    await shop.rich_member("dup", 300)
    await spent(shop, "dup", "cart", "d-1", 2_000)
    available = (await shop.points("dup"))[0]
    await shop.enrol("ann")
    await merged(shop, "dup", "ann")

    assert (await shop.points("ann"))[0] == available
    done = await shop.refund("d-1", "r-1")

    assert done.refusal is None
    assert (await shop.points("ann"))[0] == 300
    assert await shop.problems() == []


@pytest.mark.parametrize("refunded", [None, "d-1", "seed-dup"])
async def test_parting_restores_both(shop: Shop, refunded: str | None) -> None:
    await shop.rich_member("dup", 700)
    await spent(shop, "dup", "cart", "d-1", 2_000)
    await shop.rich_member("ann", 50)
    before = await facts(shop, "dup"), await facts(shop, "ann")

    await merged(shop, "dup", "ann")
    assert (await shop.member("ann")).tier.current.code == "gold"
    if refunded is not None:
        await shop.refund(refunded, "r-1")
        assert await shop.problems() == []
    assert (await parted(shop, "dup"))["moved"]

    assert await shop.problems() == []
    # A refund that took from the member's own points made both orders the member's.
    whose = "ann" if refunded == "seed-dup" else "dup"
    assert await owners(shop) == {"d-1": whose, "seed-dup": whose, "seed-ann": "ann"}
    assert (await parted(shop, "dup"))["moved"] is False
    if refunded is None:
        assert (await facts(shop, "dup"), await facts(shop, "ann")) == before
        await shop.refund("d-1", "r-2")
        await shop.refund("seed-dup", "r-3")
        assert await shop.problems() == []
    if refunded != "seed-dup":
        # Else the member paid back what the duplicate had spent of it.
        assert (await facts(shop, "ann")) == before[1]


async def test_what_was_spent_since_is_gone_for_both(shop: Shop) -> None:
    await shop.paid("g-1", "guest", 30_000, shop.clock.now() - timedelta(days=30))
    await shop.enrol("ann")
    await merged(shop, "guest", "ann")
    await spent(shop, "ann", "cart", "a-1", 2_000)
    left = (await shop.points("ann"))[0]

    await parted(shop, "guest")

    assert (await shop.points("guest"))[0] == left
    assert (await shop.points("ann"))[0] == 0
    assert (await owners(shop))["a-1"] == "ann"
    await shop.refund("a-1", "r-1")
    assert await shop.problems() == []
    assert (await shop.points("ann"))[0] + (await shop.points("guest"))[0] == 300


async def test_an_open_checkout_times_out_and_is_committed_late_from_the_member(
    shop: Shop,
) -> None:
    await shop.rich_member("dup", 300)
    offered = await shop.quote("dup", "cart", 2_000)
    held = await shop.reserve(offered)
    assert held.outcome is not None
    await shop.enrol("ann")

    await merged(shop, "dup", "ann")

    assert await shop.points("ann") == (300, 0, 0)
    done = await shop.commit(held.outcome["reservation"], "d-1", offered.payable_minor)
    assert done.refusal is None, done.refusal
    assert (await owners(shop))["d-1"] == "ann"
    assert await shop.problems() == []


async def test_a_chain_of_merges_is_parted_from_its_end(shop: Shop) -> None:
    for name, minor in (("guest", 10_000), ("dup", 20_000)):
        await shop.paid(f"{name}-1", name, minor)
    for name in ("dup", "ann"):
        await shop.enrol(name)
    await merged(shop, "guest", "dup")
    await merged(shop, "dup", "ann")
    assert await shop.points("guest") == await shop.points("ann") == (0, 300, 0)

    first = await alone(shop, Unmerge(shop.tenant_id, None, "guest", "test"))
    assert isinstance(first.refusal, Conflict)

    await parted(shop, "dup")
    assert await shop.points("ann") == (0, 0, 0)
    assert await shop.points("guest") == await shop.points("dup") == (0, 300, 0)
    await parted(shop, "guest")
    assert (await shop.points("guest"), await shop.points("dup")) == ((0, 100, 0), (0, 200, 0))
    assert await shop.problems() == []


async def test_refusals_move_nothing(shop: Shop) -> None:
    await shop.paid("g-1", "guest", 30_000)
    await shop.paid("p-1", "other-guest", 30_000)
    for name in ("ann", "bob", "cat"):
        await shop.enrol(name)
    await alone(shop, SetState(shop.tenant_id, None, "bob", "SUSPENDED"))
    await merged(shop, "guest", "ann")
    before = await shop.database.read(ROWS(shop.tenant_id))

    for source, target, refusal in (
        ("nobody", "ann", NotFound),
        ("ann", "nobody", NotFound),
        ("ann", "ann", Conflict),
        ("ann", "guest", Conflict),
        ("guest", "cat", Conflict),
        ("bob", "ann", Conflict),
        ("ann", "bob", MemberNotActive),
        ("ann", "other-guest", MemberNotActive),
    ):
        found = await alone(shop, Merge(shop.tenant_id, None, source, target, "test"))
        assert isinstance(found.refusal, refusal), (source, target, found)
    found = await alone(shop, Unmerge(shop.tenant_id, None, "nobody", "test"))
    assert isinstance(found.refusal, NotFound)

    assert await shop.database.read(ROWS(shop.tenant_id)) == before
    assert await shop.problems() == []


async def test_the_same_key_merges_once(shop: Shop) -> None:
    await shop.paid("g-1", "guest", 30_000)
    await shop.enrol("ann")
    once = shop.key("memberMerge", "k")

    first = await alone(shop, Merge(shop.tenant_id, once, "guest", "ann", "test"))
    await parted(shop, "guest")
    again = await alone(shop, Merge(shop.tenant_id, once, "guest", "ann", "test"))

    assert (first.outcome, first.replayed) == (again.outcome, False)
    assert again.replayed
    assert await shop.points("ann") == (0, 0, 0)


async def test_a_merged_customers_events_are_the_members(shop: Shop) -> None:
    await shop.paid("g-1", "guest", 30_000)
    await shop.enrol("ann")
    await merged(shop, "guest", "ann")

    changed = Enrol(
        shop.tenant_id, None, "guest", Profile({"name": "Ann"}), or_update=True,
        said_at=shop.clock.now(),
    )  # fmt: skip
    verdict = await shop.door.submit(changed)

    assert verdict.refusal is None
    assert (await shop.member("ann")).name == "Ann"
