"""Laws of versioned keys, on every implementation, against a model of a few lines."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule, run_state_machine_as_test

from loyalty.cache import Cache, keys
from loyalty.cache.memory import MemoryCache
from loyalty.cache.redis import RedisCache

KEYS = [keys.summary(1, 5), keys.summary(2, 5)]
VERSIONS = st.one_of(st.integers(0, 6), st.sampled_from([2**53, 2**53 + 1, 2**63 - 1]))


def machine_for(opened: Callable[[], list[Cache]]) -> type[RuleBasedStateMachine]:
    """Writers and readers that use several clients of one store, in any order.

    The model says it in other words than the code: a floor per key below which nothing is
    accepted, and the newest value accepted since.
    """

    class Machine(RuleBasedStateMachine):
        reads = Bundle("reads")

        def __init__(self) -> None:
            super().__init__()
            self.runner = asyncio.Runner()
            self.clients = opened()
            self.floors: dict[str, int] = {}
            self.values: dict[str, tuple[int, bytes]] = {}
            for key in KEYS:
                self.do(0, "drop", key)

        def do(self, client: int, verb: str, *words: object) -> object:
            cache = self.clients[client % len(self.clients)]
            return self.runner.run(getattr(cache, verb)(*words))

        @rule(target=reads, key=st.sampled_from(KEYS), version=VERSIONS)
        def read_the_database(self, key: str, version: int) -> tuple[str, int]:
            """What a slow reader holds while others go on."""
            return key, version

        @rule(read=reads, client=st.integers(0, 1), value=st.binary(max_size=3))
        def store_what_was_read(self, read: tuple[str, int], client: int, value: bytes) -> None:
            key, version = read
            held = self.values.get(key)
            is_welcome = version >= self.floors.get(key, 0) and (held is None or version > held[0])
            if is_welcome:
                self.values[key] = (version, value)

            assert self.do(client, "put_versioned", key, version, value, 60) is is_welcome

        @rule(key=st.sampled_from(KEYS), version=VERSIONS, client=st.integers(0, 1))
        def book(self, key: str, version: int, client: int) -> None:
            held = self.values.get(key)
            if held is None or held[0] < version:
                self.values.pop(key, None)
                self.floors[key] = max(version, self.floors.get(key, 0))

            assert self.do(client, "invalidate", key, version, 60) is True

        @rule(key=st.sampled_from(KEYS), client=st.integers(0, 1))
        def erase(self, key: str, client: int) -> None:
            self.values.pop(key, None)
            self.floors.pop(key, None)

            assert self.do(client, "drop", key) is True

        @rule(key=st.sampled_from(KEYS), client=st.integers(0, 1))
        def look(self, key: str, client: int) -> None:
            assert self.do(client, "get_versioned", key) == self.values.get(key)

        def teardown(self) -> None:
            for cache in self.clients:
                self.runner.run(cache.close())
            self.runner.close()

    return Machine


@pytest.mark.parametrize(("kind", "examples"), [("memory", 200), ("redis", 40)])
def test_no_write_brings_back_what_was_replaced(kind: str, examples: int, valkey_url: str):
    def opened() -> list[Cache]:
        if kind == "memory":
            return [MemoryCache(lambda: 0.0)]
        return [RedisCache(valkey_url, deadline_s=10), RedisCache(valkey_url, deadline_s=10)]

    run_state_machine_as_test(
        machine_for(opened),
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
