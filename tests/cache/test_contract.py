"""What every implementation of the cache does alike."""

import asyncio

import pytest

from loyalty.cache import Cache, Lagged, Message, keys
from loyalty.cache.recents import Bounds
from loyalty.cache.sightings import ITEMS_MAX
from loyalty.cache.versions import VERSION_MAX

pytestmark = pytest.mark.anyio

# A family that each process may copy, and one that it may not: the rules are the same.
LISTING, RANKING = keys.catalogue(1, 3, "a9f0"), keys.recommendations(1, 5, "for_you", "als-7")
PLAIN = [LISTING, RANKING]
VERSIONED = keys.summary(1, 5)


@pytest.mark.parametrize("key", PLAIN)
async def test_a_value_is_there_until_it_is_dropped(cache: Cache, key: str):
    assert await cache.get(key) is None

    assert await cache.put(key, b"one", 60)
    assert [await cache.get(key), await cache.get(key)] == [b"one", b"one"]

    assert await cache.put(key, b"two", 60)
    assert [await cache.get(key), await cache.get(key)] == [b"two", b"two"]

    assert await cache.drop(key)
    assert [await cache.get(key), await cache.get(key)] == [None, None]


@pytest.mark.parametrize(
    "value", [b"", b"\x00\xff\r\n", b"V" + b"9" * 40, "né".encode(), b"x" * 200_000]
)
async def test_bytes_come_back_as_they_were(cache: Cache, value: bytes):
    plain, versioned = LISTING, VERSIONED

    await cache.put(plain, value, 60)
    await cache.put_versioned(versioned, 7, value, 60)

    assert [await cache.get(plain) for _ in range(3)] == [value] * 3
    assert [await cache.get_versioned(versioned) for _ in range(3)] == [(7, value)] * 3


async def test_many_answer_in_the_order_asked(cache: Cache):
    first, second = PLAIN
    await cache.put(first, b"1", 60)
    await cache.put(second, b"2", 60)
    asked = [second, keys.catalogue(2, 3, "a9f0"), first, second]

    answers = [await cache.get_many(asked) for _ in range(2)]

    assert answers == [[b"2", None, b"1", b"2"]] * 2
    assert await cache.get_many([]) == []


async def test_dropping_takes_any_number(cache: Cache):
    asked = [LISTING, keys.catalogue(2, 3, "a9f0"), RANKING]
    for key in asked:
        await cache.put(key, b"x", 60)

    assert await cache.drop()
    assert await cache.get_many(asked) == [b"x"] * 3
    assert await cache.drop(*asked, keys.catalogue(3, 3, "a9f0"))
    assert await cache.get_many(asked) == [None] * 3


@pytest.mark.parametrize("case", ["older first", "newer first", "same again"])
async def test_a_value_replaces_only_an_older_one(cache: Cache, case: str):
    key = VERSIONED
    first, second = {"older first": (3, 4), "newer first": (4, 3), "same again": (4, 4)}[case]

    stored = [
        await cache.put_versioned(key, first, b"first", 60),
        await cache.put_versioned(key, second, b"second", 60),
    ]

    expected = (4, b"second") if case == "older first" else (4, b"first")
    assert stored == [True, case == "older first"]
    assert [await cache.get_versioned(key) for _ in range(2)] == [expected] * 2


@pytest.mark.parametrize(
    ("version", "is_welcome"), [(0, False), (6, False), (7, True), (8, True), (VERSION_MAX, True)]
)
async def test_a_tombstone_refuses_what_is_older(cache: Cache, version: int, is_welcome: bool):
    key = VERSIONED
    await cache.put_versioned(key, 6, b"read before", 60)
    assert await cache.invalidate(key, 7, 60)
    assert await cache.get_versioned(key) is None

    assert await cache.put_versioned(key, version, b"new", 60) is is_welcome

    assert await cache.get_versioned(key) == ((version, b"new") if is_welcome else None)


@pytest.mark.parametrize(("tombstone", "left"), [(7, (8, b"new")), (8, (8, b"new")), (9, None)])
async def test_a_tombstone_leaves_what_is_as_new(
    cache: Cache, tombstone: int, left: tuple[int, bytes] | None
):
    key = VERSIONED
    await cache.put_versioned(key, 8, b"new", 60)

    await cache.invalidate(key, tombstone, 60)

    assert await cache.get_versioned(key) == left


async def test_an_older_tombstone_does_not_weaken_a_newer_one(cache: Cache):
    key = VERSIONED
    await cache.invalidate(key, 9, 60)
    await cache.invalidate(key, 3, 60)

    assert not await cache.put_versioned(key, 8, b"old", 60)
    assert await cache.put_versioned(key, 9, b"new", 60)


async def test_versions_beyond_what_a_double_holds_are_told_apart(cache: Cache):
    key = VERSIONED
    await cache.put_versioned(key, 2**53, b"old", 60)

    assert await cache.put_versioned(key, 2**53 + 1, b"new", 60)
    assert not await cache.put_versioned(key, 2**53, b"old", 60)
    assert await cache.get_versioned(key) == (2**53 + 1, b"new")


@pytest.mark.parametrize("version", [-1, VERSION_MAX + 1])
async def test_a_version_out_of_range_is_refused(cache: Cache, version: int):
    key = VERSIONED

    with pytest.raises(ValueError, match=f"version {version} found, 0 to"):
        await cache.put_versioned(key, version, b"x", 60)
    with pytest.raises(ValueError, match=f"version {version} found, 0 to"):
        await cache.invalidate(key, version, 60)
    assert await cache.get_versioned(key) is None


@pytest.mark.parametrize("plain", PLAIN)
async def test_a_key_asked_for_the_other_way_is_not_there(cache: Cache, plain: str):
    versioned = VERSIONED
    await cache.put(plain, b"x", 60)
    await cache.put_versioned(versioned, 1, b"y", 60)

    for _ in range(2):
        assert await cache.get_versioned(plain) is None
        assert await cache.get(versioned) is None
        assert await cache.get_many([versioned, plain]) == [None, b"x"]
        assert await cache.get_versioned(versioned) == (1, b"y")


async def test_dropping_forgets_a_tombstone_too(cache: Cache):
    key = VERSIONED
    await cache.invalidate(key, 9, 60)

    await cache.drop(key)

    assert await cache.put_versioned(key, 1, b"x", 60)


MISSES = keys.misses(1, "c4")


async def test_what_was_seen_is_counted_once_from_its_first_moment(cache: Cache):
    assert await cache.note(MISSES, [], 1_000, 600) == []

    assert await cache.note(MISSES, ["b", "a"], 1_000, 600) == [1_000, 1_000]
    assert await cache.note(MISSES, ["a", "c"], 1_100, 600) == [1_000, 1_000, 1_100]
    assert await cache.note(keys.misses(2, "c4"), [], 1_100, 600) == []
    assert await cache.note(MISSES, [], 1_599, 600) == [1_000, 1_000, 1_100]
    assert await cache.note(MISSES, [], 1_600, 600) == [1_100]
    assert await cache.note(MISSES, ["a"], 1_600, 600) == [1_100, 1_600]


async def test_what_was_seen_far_ahead_is_forgotten(cache: Cache):
    """A clock stepped back by an hour must not lock anybody out for an hour."""
    await cache.note(MISSES, ["a"], 5_000, 600)

    assert await cache.note(MISSES, ["b"], 4_500, 600) == [4_500, 5_000]
    assert await cache.note(MISSES, ["b"], 4_399, 600) == [4_500]


async def test_only_the_latest_sightings_are_kept(cache: Cache):
    for at_s in range(1_000, 1_020):
        await cache.note(MISSES, [f"{at_s}-{number}" for number in range(20)], at_s, 600)

    seen = await cache.note(MISSES, [], 1_020, 600)

    assert seen == [at_s for at_s in range(1_000, 1_020) for _ in range(20)][-ITEMS_MAX:]


async def test_sightings_noted_at_once_are_all_counted(cache: Cache):
    answers = await asyncio.gather(
        *(cache.note(MISSES, [str(number)], 1_000, 600) for number in range(50))
    )

    assert sorted(len(seen or ()) for seen in answers) == list(range(1, 51))


async def test_dropping_forgets_what_was_seen(cache: Cache):
    await cache.note(MISSES, ["a"], 1_000, 600)

    assert await cache.drop(MISSES)

    assert await cache.note(MISSES, [], 1_000, 600) == []


VIEWS, BEGUN = keys.views(1, "s9"), keys.views_begun(1)
BOUNDS = Bounds(window_s=600, items_max=3, begun_max=4, slice_s=600)
SECOND = 1_000_000
AT = 1_800_000_000 * SECOND


async def seen(cache: Cache, *items: str, at_us: int = AT, key: str = VIEWS) -> list[str] | None:
    return await cache.recent(key, BEGUN, items, at_us, BOUNDS)


async def test_what_was_seen_last_comes_first_and_once(cache: Cache):
    assert await seen(cache) == []

    assert await seen(cache, "b", "a") == ["b", "a"]
    assert await seen(cache, "é c") == ["é c", "b", "a"]
    assert await seen(cache, "a", at_us=AT + 3) == ["a", "é c", "b"]
    assert await seen(cache, at_us=AT + 3) == ["a", "é c", "b"]
    assert await seen(cache, key=keys.views(2, "s9")) == []


async def test_only_so_many_of_the_last_are_kept(cache: Cache):
    assert await seen(cache, "d", "c", "b", "a") == ["d", "c", "b"]
    assert await seen(cache, "e", at_us=AT + 1) == ["e", "d", "c"]
    assert await seen(cache, at_us=AT + 1) == ["e", "d", "c"]


async def test_each_is_forgotten_by_itself(cache: Cache):
    """A look at one does not keep another, and a clock stepped back keeps none for long."""
    await seen(cache, "a")
    await seen(cache, "b", at_us=AT + 300 * SECOND)

    assert await seen(cache, at_us=AT + 599 * SECOND) == ["b", "a"]
    assert await seen(cache, at_us=AT + 600 * SECOND) == ["b"]
    assert await seen(cache, at_us=AT - 301 * SECOND) == []


async def test_what_is_looked_up_is_not_begun(cache: Cache):
    for number in range(9):
        await seen(cache, key=keys.views(1, f"{number}"))

    assert await seen(cache, "a") == ["a"]


async def test_only_so_many_lists_are_begun(cache: Cache):
    many = [keys.views(1, f"{number}") for number in range(6)]

    begun = [await seen(cache, "a", key=key) for key in many]
    later = [await seen(cache, "b", at_us=AT + 1, key=key) for key in many]

    assert begun == [["a"]] * 4 + [[]] * 2
    assert later == [["b", "a"]] * 4 + [[]] * 2
    other = await cache.recent(keys.views(2, "s9"), keys.views_begun(2), ["a"], AT, BOUNDS)
    assert other == ["a"]


async def test_what_is_seen_at_once_is_all_kept(cache: Cache):
    wide = Bounds(window_s=600, items_max=50, begun_max=1, slice_s=600)
    names = [str(number) for number in range(50)]

    await asyncio.gather(*(cache.recent(VIEWS, BEGUN, [name], AT, wide) for name in names))

    assert sorted(await cache.recent(VIEWS, BEGUN, [], AT, wide) or ()) == sorted(names)


async def test_dropping_forgets_what_was_seen_last(cache: Cache):
    await seen(cache, "a")

    assert await cache.drop(VIEWS)

    assert await seen(cache) == []


async def test_every_subscriber_of_a_channel_hears_it_in_order(cache: Cache):
    mine, other = keys.changes(1, 5), keys.changes(2, 5)

    async with cache.subscribe(mine) as one, cache.subscribe(mine, other) as two:
        for channel, payload in [(mine, b"1"), (other, b"2"), (mine, b"3")]:
            assert await cache.publish(channel, payload)
        async with asyncio.timeout(10):
            heard_one = [await anext(one) for _ in range(2)]
            heard_two = [await anext(two) for _ in range(3)]

    assert heard_one == [Message(mine, b"1"), Message(mine, b"3")]
    assert heard_two == [Message(mine, b"1"), Message(other, b"2"), Message(mine, b"3")]


async def test_a_channel_can_be_left_and_entered_again(cache: Cache):
    channel = keys.changes(1, 5)
    for payload in (b"1", b"2", b"3"):
        async with cache.subscribe(channel) as events:
            await cache.publish(channel, payload)
            async with asyncio.timeout(10):
                assert await anext(events) == Message(channel, payload)
        await cache.publish(channel, b"unheard")


async def test_a_subscriber_too_slow_is_told_that_it_missed_something(cache: Cache):
    channel = keys.changes(1, 5)

    async with cache.subscribe(channel) as slow, cache.subscribe(channel) as quick:
        heard = []
        for number in range(100):
            await cache.publish(channel, b"%d" % number)
            async with asyncio.timeout(10):
                heard.append(await anext(quick))
        left = [await anext(slow) for _ in range(65)]

    assert heard == [Message(channel, b"%d" % number) for number in range(100)]
    assert left == [Lagged(), *heard[36:]]


async def test_closing_ends_subscriptions_and_can_be_done_twice(cache: Cache):
    async with cache.subscribe(keys.changes(1, 5)) as events:
        await cache.close()
        assert [event async for event in events] == []

    await cache.close()


async def test_a_store_that_answers_is_up(cache: Cache):
    assert await cache.check()
    assert cache.is_up
