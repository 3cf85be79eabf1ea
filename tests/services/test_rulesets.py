"""Rules come through the cache, and whatever it holds, they are those that were published."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from loyalty.cache import Cache, Counters, keys, open_cache
from loyalty.domain.registry import built_in
from loyalty.errors import NotFound
from loyalty.services.books.door import Door
from loyalty.services.members.summary import Summaries
from loyalty.services.rulesets import Rulesets
from loyalty.storage import rulesets as sql
from loyalty.storage.statements import Sql, Statement

from .conftest import PROGRAM, NoCache, Shop

pytestmark = pytest.mark.anyio

GENEROUS = PROGRAM.replace("per_minor = 100", "per_minor = 1").replace("500 }", "1_900 }")
NOBODY_THERE = "redis://127.0.0.1:1/0"


def another_process(shop: Shop, cache: Cache) -> Rulesets:
    """Rulesets with nothing in memory yet."""
    return Rulesets(shop.database, cache, built_in(), shop.clock)


@asynccontextmanager
async def opened(url: str | None, counters: Counters | None = None) -> AsyncIterator[Cache]:
    cache = open_cache(url, counters=counters, deadline_s=10)
    yield cache
    await cache.close()


@pytest.fixture
def read(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> list[Sql]:
    """What is read from the database, in order."""
    noted: list[Sql] = []
    answer = shop.database.read

    async def note(statement: Statement) -> list[tuple[object, ...]]:
        noted.append(statement.sql)
        return await answer(statement)

    monkeypatch.setattr(shop.database, "read", note)
    return noted


@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_the_text_is_read_once_for_all_processes(
    shop: Shop, read: list[Sql], kind: str, valkey_url: str
) -> None:
    counters = Counters()
    published = await shop.rulesets.current(shop.tenant_id)
    async with opened(valkey_url if kind == "redis" else None, counters) as cache:
        # Other tests have tenants of the same number.
        await cache.drop(keys.ruleset(shop.tenant_id, 1))
        for expected in ([sql.HASH, sql.SOURCE], [sql.HASH], [sql.HASH]):
            rules = another_process(shop, cache)
            read.clear()

            assert await rules.current(shop.tenant_id) == published
            assert await rules.current(shop.tenant_id) == published
            # Which version is in force is asked each time, all else once per process.
            assert read == [sql.CURRENT_VERSION, *expected, sql.CURRENT_VERSION]

    layer = "redis" if kind == "redis" else "process"
    assert counters.rows() == [
        (layer, "ruleset", "hit", 2),
        (layer, "ruleset", "miss", 1),
        (layer, "ruleset", "stored", 1),
    ]


@pytest.mark.parametrize("url", ["off", NOBODY_THERE])
async def test_without_a_cache_every_process_reads_the_text(
    shop: Shop, read: list[Sql], url: str
) -> None:
    published = await shop.rulesets.current(shop.tenant_id)
    async with opened(url) as cache:
        for _ in range(2):
            read.clear()
            assert await another_process(shop, cache).version(shop.tenant_id, 1) == published
            assert read == [sql.HASH, sql.SOURCE]


async def test_a_new_version_is_in_force_at_once_though_the_old_one_is_cached(shop: Shop) -> None:
    async with opened(None) as cache:
        here, there = another_process(shop, cache), another_process(shop, cache)
        assert (await here.current(shop.tenant_id)).version == 1

        await there.publish(shop.tenant_id, GENEROUS, "me")

        assert (await here.current(shop.tenant_id)).earning_rules[0].per_minor == 1
        assert (await there.version(shop.tenant_id, 1)).earning_rules[0].per_minor == 100


async def test_a_version_that_was_never_published_is_not_found_in_the_cache(shop: Shop) -> None:
    async with opened(None) as cache:
        await cache.put(keys.ruleset(shop.tenant_id, 2), PROGRAM.encode(), 60)

        with pytest.raises(NotFound, match="ruleset version"):
            await another_process(shop, cache).version(shop.tenant_id, 2)


HELD: dict[str, Callable[[str], bytes]] = {
    "the text": lambda text: text.encode(),
    "other rules": lambda _: GENEROUS.encode(),
    "rules that do not hold together": lambda text: text.replace("EUR", "EURO").encode(),
    "half a text": lambda text: text.encode()[:-40],
    "one byte changed": lambda text: text.encode().replace(b"100", b"101", 1),
    "no text": lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("held", HELD)
async def test_what_the_cache_holds_moves_no_value(shop: Shop, held: str) -> None:
    """Quoted, held and booked by a process that has its rules from this cache."""
    await shop.enrol("ann")
    await shop.paid("o-1", "ann", 30_000)
    shop.clock.advance(timedelta(days=15))
    expected = await shop.quote("ann", "cart-1", 2_000)
    key = keys.ruleset(shop.tenant_id, 1)
    async with opened(None) as cache:
        await cache.put(key, HELD[held](PROGRAM), 60)
        shop.rulesets = another_process(shop, cache)
        shop.door = Door(shop.database, shop.clock, shop.rulesets.known, _tell_nobody)
        shop.summaries = Summaries(shop.database, shop.clock, shop.rulesets, NoCache())

        offered = await shop.quote("ann", "cart-1", 2_000)
        outcome = (await shop.reserve(offered)).outcome
        assert outcome is not None
        await shop.commit(outcome["reservation"], "o-2", 1_500)

        assert offered == expected
        assert await shop.points("ann") == (200, 15, 0)
        # And the next process finds what it should.
        assert await cache.get(key) == PROGRAM.encode()


async def test_a_key_of_another_kind_is_no_text(shop: Shop) -> None:
    published = await shop.rulesets.current(shop.tenant_id)
    async with opened(None) as cache:
        await cache.put_versioned(keys.ruleset(shop.tenant_id, 1), 9, GENEROUS.encode(), 60)

        assert await another_process(shop, cache).current(shop.tenant_id) == published


async def _tell_nobody(_: object) -> None: ...
