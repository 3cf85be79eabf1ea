"""The store of one process: bounded and forgetful."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.cache import keys
from loyalty.cache.lru import LruStore
from loyalty.cache.memory import MemoryCache
from loyalty.cache.versions import Record


def plain(value: bytes) -> Record:
    return Record(None, value)


@pytest.mark.parametrize(("passed_s", "is_there"), [(0, True), (59.9, True), (60, False)])
def test_a_record_lives_as_long_as_it_may(hand_clock, passed_s: float, is_there: bool):
    store = LruStore(hand_clock, entries_max=9, bytes_max=9_999)
    store.put("k", plain(b"v"), 60)
    hand_clock.now += passed_s

    assert store.get("k") == (plain(b"v") if is_there else None)
    assert len(store) == is_there


def test_what_was_not_used_for_longest_gives_way(hand_clock):
    store = LruStore(hand_clock, entries_max=2, bytes_max=9_999)
    store.put("a", plain(b"1"), 60)
    store.put("b", plain(b"2"), 60)
    store.get("a")
    store.put("c", plain(b"3"), 60)

    assert [store.get(key) for key in "abc"] == [plain(b"1"), None, plain(b"3")]


def test_a_value_too_large_is_refused_and_takes_the_old_one_along(hand_clock):
    store = LruStore(hand_clock, entries_max=9, bytes_max=1_000)
    store.put("a", plain(b"old"), 60)

    assert not store.put("a", plain(b"x" * 1_000), 60)
    assert store.get("a") is None
    assert store.bytes_used == 0


@given(
    steps=st.lists(
        st.tuples(st.sampled_from("abcdef"), st.integers(0, 900), st.sampled_from(["put", "drop"]))
    )
)
def test_room_used_is_the_room_of_what_is_there(steps: list[tuple[str, int, str]]):
    store = LruStore(lambda: 0.0, entries_max=4, bytes_max=2_000)
    for key, size, verb in steps:
        if verb == "put":
            store.put(key, plain(b"x" * size), 60)
        else:
            store.drop(key)

        there = {key: store.get(key) for key in "abcdef"}
        sizes = [len(record.value or b"") for record in there.values() if record is not None]
        assert store.bytes_used == sum(sizes) + (1 + 400) * len(sizes)
        assert store.bytes_used <= 2_000
        assert len(store) == len(sizes) <= 4


@pytest.mark.anyio
async def test_a_tombstone_ends_too(hand_clock):
    cache = MemoryCache(hand_clock)
    key = keys.summary(1, 5)
    await cache.invalidate(key, 9, keys.TOMBSTONE_TTL_S)
    hand_clock.now += keys.TOMBSTONE_TTL_S

    assert await cache.put_versioned(key, 1, b"x", 60)
