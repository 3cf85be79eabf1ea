"""Copies in the process: never older than what was told."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from loyalty.cache import Counters, keys
from loyalty.cache.feed import Tracker
from loyalty.cache.layered import COPY_TTL_S, LayeredCache
from loyalty.cache.lru import LruStore
from loyalty.cache.memory import MemoryCache
from loyalty.cache.metrics import Layer, Outcome
from loyalty.cache.redis import RedisCache

KEYS = [keys.catalogue(1, 3, "a9f0"), keys.catalogue(2, 3, "a9f0")]
KEY = KEYS[0]


class SlowRemote(MemoryCache):
    """A shared cache whose reads take effect and are answered when the test says so.

    Changes are told late too, but in order, as on one connection.
    """

    def __init__(self) -> None:
        super().__init__(lambda: 0.0)
        self.untold: list[Sequence[str] | None] = []
        self.tracker: Tracker | None = None
        self.is_started = False
        self.gate: asyncio.Event | None = None
        self.before_put: Callable[[], Awaitable[None]] | None = None

    def track(self, prefixes: Sequence[str], tracker: Tracker) -> None:
        self.tracker = tracker

    def start(self) -> None:
        self.is_started = True

    async def get(self, key: str) -> bytes | None:
        seen = await super().get(key)
        if self.gate is not None:
            await self.gate.wait()
        return seen

    async def put(self, key: str, value: bytes, ttl_s: int) -> bool:
        if self.before_put is not None:
            await self.before_put()
        return await super().put(key, value, ttl_s)


class Race(RuleBasedStateMachine):
    """Readers, writers elsewhere, and a feed that breaks and comes back, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.remote = SlowRemote()
        self.copies = LruStore(lambda: 0.0, entries_max=10, bytes_max=10_000)
        self.layered = LayeredCache(self.remote, self.copies)
        self.reading: list[tuple[asyncio.Task[bytes | None], asyncio.Event]] = []
        self.count = 0

    @initialize()
    def begin_with_something_cached(self) -> None:
        self.layered.tracking_up()
        for key in KEYS:
            self.change_elsewhere(key)

    @rule(key=st.sampled_from(KEYS))
    def begin_to_read(self, key: str) -> None:
        async def begin() -> None:
            self.remote.gate = gate = asyncio.Event()
            task = asyncio.create_task(self.layered.get(key))
            await asyncio.sleep(0)
            self.reading.append((task, gate))

        self.runner.run(begin())

    @rule()
    def answer_the_first_reader(self) -> None:
        self.answer(0)

    @rule()
    def answer_the_last_reader(self) -> None:
        self.answer(-1)

    def answer(self, which: int) -> None:
        if not self.reading:
            return
        task, gate = self.reading.pop(which)

        async def answered() -> None:
            gate.set()
            await task

        self.runner.run(answered())

    @rule(key=st.sampled_from(KEYS))
    def change_elsewhere(self, key: str) -> None:
        self.runner.run(MemoryCache.put(self.remote, key, self.new_value(), 60))
        if self.layered.is_tracking:
            self.remote.untold.append((key,))

    @rule(key=st.sampled_from(KEYS), is_read_meanwhile=st.booleans())
    def change_here(self, key: str, is_read_meanwhile: bool) -> None:
        if is_read_meanwhile:
            self.remote.before_put = partial(self.read_now, key)
        self.runner.run(self.layered.put(key, self.new_value(), 60))
        self.remote.before_put = None
        if self.layered.is_tracking:
            self.remote.untold.append((key,))
        # Whoever asks here from now on sees what was written here.
        assert self.copies.get(key) is None

    async def read_now(self, key: str) -> None:
        self.remote.gate = None
        await self.layered.get(key)

    def new_value(self) -> bytes:
        self.count += 1
        return b"%d" % self.count

    @rule()
    def tell_the_changes(self) -> None:
        while self.remote.untold:
            self.layered.changed(self.remote.untold.pop(0))

    @rule(is_back_at_once=st.booleans())
    def lose_the_feed(self, is_back_at_once: bool) -> None:
        self.remote.untold.clear()
        self.layered.tracking_lost()
        if is_back_at_once:
            self.layered.tracking_up()

    @rule()
    def open_the_feed(self) -> None:
        self.layered.tracking_up()

    @invariant()
    def every_copy_is_current_or_about_to_go(self) -> None:
        told_later = {key for told in self.remote.untold for key in told or ()}
        for key in KEYS:
            copy = self.copies.get(key)
            if copy is not None:
                assert self.layered.is_tracking
                assert key in told_later or copy == self.remote._store.get(key)

    def teardown(self) -> None:
        for _, gate in self.reading:
            self.runner.run(_opened(gate))
        self.runner.run(_finished([task for task, _ in self.reading]))
        assert self.layered._marks == {}
        self.runner.close()


async def _opened(gate: asyncio.Event) -> None:
    gate.set()


async def _finished(tasks: list[asyncio.Task[bytes | None]]) -> None:
    await asyncio.gather(*tasks)


def test_no_race_leaves_an_old_copy_behind():
    run_state_machine_as_test(
        Race,
        settings=settings(
            max_examples=250,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.anyio
async def test_a_copy_answers_without_asking_and_dies_in_time(hand_clock):
    counters = Counters()
    remote = SlowRemote()
    copies = LruStore(hand_clock, entries_max=10, bytes_max=10_000)
    layered = LayeredCache(remote, copies, counters=counters)
    await remote.put(KEY, b"ids", 60)
    await layered.get(KEY)
    assert remote.is_started
    layered.tracking_up()

    answers = [await layered.get(KEY) for _ in range(3)]
    hits = counters.of(Layer.PROCESS, "catalogue", Outcome.HIT)
    hand_clock.now += COPY_TTL_S
    await layered.get(KEY)

    assert answers == [b"ids"] * 3
    assert (hits, counters.of(Layer.PROCESS, "catalogue", Outcome.HIT)) == (2, 2)


@pytest.mark.anyio
async def test_only_families_of_the_table_are_copied(hand_clock):
    remote = SlowRemote()
    copies = LruStore(hand_clock, entries_max=10, bytes_max=10_000)
    layered = LayeredCache(remote, copies)
    layered.tracking_up()
    names = [
        keys.recommendations(1, 5, "for_you", "m"),
        KEY,
        keys.ruleset(1, 3),
    ]
    for name in names:
        await remote.put(name, b"x", 60)
    await remote.put_versioned(keys.summary(1, 5), 1, b"x", 60)

    await layered.get_many(names)
    await layered.get_versioned(keys.summary(1, 5))

    assert [copies.get(name) is not None for name in names] == [False, True, False]
    assert copies.get(keys.summary(1, 5)) is None


@pytest.mark.anyio
async def test_a_change_by_one_process_reaches_the_copy_of_another(
    valkey_url: str,
    redis_cache: RedisCache,
    hand_clock: Callable[[], float],
    eventually,
):
    here = LayeredCache(
        RedisCache(valkey_url, deadline_s=10),
        LruStore(hand_clock, entries_max=10, bytes_max=10_000),
    )
    try:
        await here.get(KEYS[1])
        await eventually(lambda: here.is_tracking)
        await redis_cache.put(KEY, b"old", 60)

        async def is_copied(value: bytes) -> bool:
            assert await here.get(KEY) in (value, None)
            return here._copies.get(KEY) is not None

        await eventually(partial(is_copied, b"old"))
        await redis_cache.drop(KEY)
        await eventually(lambda: here._copies.get(KEY) is None)
        assert await here.get(KEY) is None

        await redis_cache.put(KEY, b"new", 60)
        await eventually(partial(is_copied, b"new"))
        await redis_cache.put(KEY, b"newer", 60)
        await eventually(lambda: here._copies.get(KEY) is None)
        await eventually(partial(is_copied, b"newer"))
        await redis_cache._command("FLUSHDB")
        await eventually(lambda: len(here._copies) == 0)
    finally:
        await here.close()
