"""Whoever shows a member hears of each change, in every process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count

import orjson
import pytest
from redis import Redis

from loyalty.cache import Cache, open_cache
from loyalty.cache import keys as key_table
from loyalty.cli.embedded import ValkeyServer
from loyalty.services.books.desk import MemberChanged
from loyalty.services.books.door import Door
from loyalty.services.changes import LAGGED, CachedSummaries, Changes
from loyalty.services.members.summary import Summaries

from .conftest import Shop

pytestmark = pytest.mark.anyio

_members = count(1)


@pytest.fixture(params=["memory", "redis"])
async def caches(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Cache, Cache]]:
    """What two parts of a program use; with Redis each has its own connections."""
    if request.param == "memory":
        here = open_cache(None)
        there = here
    else:
        url = request.getfixturevalue("valkey_url")
        # Fixed clocks give every test the same member ids.
        with Redis.from_url(url) as client:
            client.flushdb()
        here, there = open_cache(url), open_cache(url)
    yield here, there
    await here.close()
    await there.close()


def change(member: int, version: int, reason: str = "order") -> MemberChanged:
    return MemberChanged(1, member, "ann", version, reason)


class Listening:
    """A subscriber that notes what it hears."""

    def __init__(self, changes: Changes, member: int) -> None:
        self.heard: list[MemberChanged] = []
        self._more = asyncio.Event()
        self._task = asyncio.create_task(self._listen(changes, member))

    async def _listen(self, changes: Changes, member: int) -> None:
        async for each in changes.subscribe(1, member, "ann"):
            self.heard.append(each)
            self._more.set()

    async def until(self, is_enough: Callable[[list[MemberChanged]], bool]) -> list[MemberChanged]:
        async with asyncio.timeout(10):
            while not is_enough(self.heard):
                self._more.clear()
                await self._more.wait()
        return self.heard

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def standing(changes: Changes, listening: Listening, member: int) -> None:
    """Until the subscriber hears, which it does a moment after it was started."""
    async with asyncio.timeout(10):
        while not listening.heard:
            await changes.told([change(member, 1, "hello")])
            await asyncio.sleep(0.01)


async def test_a_subscriber_hears_of_its_member_and_no_other(caches: tuple[Cache, Cache]) -> None:
    here, there = Changes(caches[0]), Changes(caches[1])
    member, other = next(_members), next(_members)
    listening = Listening(there, member)
    await standing(here, listening, member)

    await here.told([change(other, 2), change(member, 2)])
    await here.told([change(member, 3, "refund")])
    heard = await listening.until(lambda heard: heard[-1].version == 3)

    assert heard == [change(member, 1, "hello"), change(member, 2), change(member, 3, "refund")]
    await listening.stop()


async def test_an_older_version_never_follows_a_newer(caches: tuple[Cache, Cache]) -> None:
    here, there = Changes(caches[0]), Changes(caches[1])
    member = next(_members)
    listening = Listening(there, member)
    await standing(here, listening, member)

    for version in (5, 4, 5, 6):
        await here.told([change(member, version)])
    heard = await listening.until(lambda heard: heard[-1].version == 6)

    assert [each.version for each in heard] == [1, 5, 6]
    await listening.stop()


async def test_a_subscriber_that_fell_behind_is_told_to_read_again() -> None:
    cache = open_cache(None)
    changes, member = Changes(cache), next(_members)
    subscription = changes.subscribe(1, member, "ann")
    first = asyncio.ensure_future(anext(subscription))
    await asyncio.sleep(0)
    for version in range(1, 200):
        await changes.told([change(member, version)])

    heard = [await first, *[await anext(subscription) for _ in range(2)]]

    assert change(member, 0, LAGGED) in heard
    assert heard[-1].version > 100
    await cache.close()
    assert [each.version async for each in subscription][-1] == 199


async def test_a_lost_connection_is_told(valkey_server: ValkeyServer) -> None:
    here = open_cache(valkey_server.url)
    changes, member = Changes(here), next(_members)
    listening = Listening(changes, member)
    await standing(changes, listening, member)

    await asyncio.to_thread(valkey_server.restart)
    heard = await listening.until(lambda heard: heard[-1].reason == LAGGED)

    assert heard[-1] == change(member, 0, LAGGED)
    await listening.stop()
    await here.close()


async def test_a_change_drops_the_cached_summary_everywhere(caches: tuple[Cache, Cache]) -> None:
    here, there = CachedSummaries(caches[0]), CachedSummaries(caches[1])
    member = next(_members)
    await here.put(1, member, 7, b"seven")
    assert await there.get(1, member) == b"seven"

    await Changes(caches[0]).told([change(member, 8)])
    late = await there.get(1, member)
    await there.put(1, member, 7, b"seven again")
    refused = await there.get(1, member)
    await there.put(1, member, 8, b"eight")

    assert (late, refused, await here.get(1, member)) == (None, None, b"eight")


async def test_what_is_published_names_nobody() -> None:
    cache = open_cache(None)
    async with cache.subscribe(key_table.changes(1, 5)) as events:
        await Changes(cache).told([MemberChanged(1, 5, "ann@example.com", 3, "order")])
        event = await anext(events)
    await cache.close()

    assert orjson.loads(getattr(event, "payload", b"")) == [3, "order"]


async def test_a_booking_is_heard_and_shown(shop: Shop, caches: tuple[Cache, Cache]) -> None:
    changes = Changes(caches[0])
    summaries = Summaries(shop.database, shop.clock, shop.rulesets, CachedSummaries(caches[1]))
    shop.door = Door(shop.database, shop.clock, shop.rulesets.known, changes.told)
    await shop.enrol("ann")
    before = await summaries.shown(shop.tenant_id, "ann")
    subscription = Changes(caches[1]).subscribe(shop.tenant_id, before.id, "ann")
    following = asyncio.ensure_future(anext(subscription))
    while not following.done():
        await changes.told([MemberChanged(shop.tenant_id, before.id, "ann", 1, "hello")])
        await asyncio.sleep(0.01)

    await shop.paid("o-1", "ann", 30_000)
    async with asyncio.timeout(10):
        heard = await anext(subscription)
    after = await summaries.shown(shop.tenant_id, "ann")

    assert (heard.reason, heard.version) == ("order", after.version)
    assert after.version > before.version
    assert after.balance("points").pending == 300
    await subscription.aclose()
