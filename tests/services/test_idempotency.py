"""Outcomes of keys: one effect however often, kept for thirty days, natural keys for ever."""

import asyncio
from datetime import timedelta

import pytest

from loyalty.errors import Unavailable
from loyalty.jobs.purging import purge_due
from loyalty.services import purging as purging_module
from loyalty.services.books.desk import Desk, Idempotent, MemberChanged, Needs, Verdict
from loyalty.services.books.door import Door
from loyalty.services.checkout.reservations import Reserve
from loyalty.services.orders.refund_commands import RefundOrder
from loyalty.services.purging import KEPT, Purging
from loyalty.services.tenants import Tenants
from loyalty.storage.statements import Sql

from .conftest import Shop

pytestmark = pytest.mark.anyio

CLIENTS = 64
KEYS = Sql("SELECT operation, key FROM idempotency WHERE tenant_id = $1 ORDER BY id")
REFUNDS = Sql("SELECT COUNT(*) FROM order_refund WHERE tenant_id = $1")
KINDS = Sql(
    "SELECT kind, COUNT(*) FROM ledger_transaction WHERE tenant_id = $1 GROUP BY kind ORDER BY kind"
)


async def nobody(changed: list[MemberChanged]) -> None:
    return None


def same(verdicts: list[Verdict]) -> object:
    """The one outcome that all have; one of them is the first, the rest are repeats."""
    outcomes = [verdict.outcome for verdict in verdicts]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert sorted(verdict.replayed for verdict in verdicts) == [False] + [True] * (CLIENTS - 1)
    assert outcomes[0] is not None
    return outcomes[0]


async def test_a_key_hammered_at_two_doors_has_one_effect(shop: Shop) -> None:
    """Each door is a process: the other's memory is unknown to it."""
    doors = (shop.door, Door(shop.database, shop.clock, shop.rulesets.known, nobody))
    await shop.rich_member("ann", 300)
    offered = await shop.quote("ann", "cart", 2_000)
    key = shop.key("checkoutReserve", "once")

    async def hammered(command: object) -> object:
        answers = await asyncio.gather(
            *(doors[number % 2].submit(command) for number in range(CLIENTS))
        )
        return same(answers)

    held = await hammered(Reserve(shop.tenant_id, key, offered, None))
    assert isinstance(held, dict)
    key = shop.key("orderRefund", "refund")
    await hammered(RefundOrder(shop.tenant_id, "seed-ann", "r-1", None, None, idempotent=key))

    assert await shop.points("ann") == (-100, 0, 100)
    kinds = dict(await shop.database.read(KINDS(shop.tenant_id)))
    assert (kinds["EARN"], kinds["HOLD"]) == (1, 1)
    assert (await shop.database.read(REFUNDS(shop.tenant_id)))[0][0] == 1
    assert len(await shop.database.read(KEYS(shop.tenant_id))) == 2
    assert await shop.problems() == []


async def test_a_refusal_is_the_outcome_of_its_key(shop: Shop) -> None:
    await shop.rich_member("ann", 300)
    offered = await shop.quote("ann", "cart", 2_000)
    shop.clock.advance(timedelta(hours=1))
    key = shop.key("checkoutReserve", "late")
    command = Reserve(shop.tenant_id, key, offered, None)

    verdicts = await asyncio.gather(*(shop.door.submit(command) for _ in range(CLIENTS)))

    codes = {getattr(verdict.refusal, "code", None) for verdict in verdicts}
    assert codes == {"QUOTE_EXPIRED"}
    assert sum(verdict.replayed for verdict in verdicts) == CLIENTS - 1
    assert await shop.database.read(KEYS(shop.tenant_id)) == [("checkoutReserve", "late")]


class Busy:
    """A command that cannot be decided now, as when a store it needs is away."""

    def __init__(self, tenant_id: int, idempotent: Idempotent) -> None:
        self.tenant_id = tenant_id
        self.idempotent = idempotent
        self.at = None

    def needs(self) -> Needs:
        return Needs()

    def decide(self, desk: Desk) -> dict[str, object]:
        raise Unavailable("somebody is in the way; try again")


async def test_a_refusal_that_may_go_away_is_not_kept(shop: Shop) -> None:
    verdict = await shop.door.submit(Busy(shop.tenant_id, shop.key("busy", "again")))

    assert isinstance(verdict.refusal, Unavailable)
    assert verdict.refusal.retryable
    assert await shop.database.read(KEYS(shop.tenant_id)) == []


@pytest.fixture
def purging(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Purging:
    monkeypatch.setattr(purging_module, "BATCH", 3)
    return Purging(shop.database, shop.clock)


async def test_keys_are_forgotten_after_thirty_days(
    shops: tuple[Shop, Shop], purging: Purging
) -> None:
    shop, other = shops
    for each in (shop, other):
        await each.rich_member("ann", 300)
        for number in range(7):
            held = await each.reserve(await each.quote("ann", f"cart-{number}", 100))
            assert held.outcome is not None
            await each.release(held.outcome["reservation"])
    shop.clock.advance(timedelta(days=1))
    offered = await shop.quote("ann", "cart", 2_000)
    late = shop.key("checkoutReserve", "late")
    await shop.reserve(offered, late)

    shop.clock.advance(KEPT - timedelta(days=1))
    on_the_day = await purging.due(shop.tenant_id)
    shop.clock.advance(timedelta(microseconds=1))
    told = await purge_due(Tenants(shop.database, shop.clock), purging)
    again = await purging.due(shop.tenant_id)

    assert (on_the_day, told, again) == (0, {"corner": 14, "other": 14}, 0)
    assert await shop.database.read(KEYS(shop.tenant_id)) == [("checkoutReserve", "late")]
    assert (await shop.reserve(offered, late)).replayed
    assert await shop.problems() == []


async def test_natural_keys_stand_for_ever(shop: Shop, purging: Purging) -> None:
    await shop.rich_member("ann", 300)
    once = shop.key("orderRefund", "r")
    command = RefundOrder(shop.tenant_id, "seed-ann", "r-1", None, None, idempotent=once)
    first = await shop.door.submit(command)
    shop.clock.advance(KEPT + timedelta(days=1))
    await purging.due(shop.tenant_id)

    again = await shop.door.submit(command)

    assert first.outcome is not None
    assert again.outcome is not None
    assert again.outcome["refund"] == first.outcome["refund"]
    assert (await shop.database.read(REFUNDS(shop.tenant_id)))[0][0] == 1
    assert await shop.points("ann") == (0, 0, 0)
    assert await shop.problems() == []
