"""The circuit breaker, step by step."""

import pytest

from loyalty.cache.breaker import Breaker, Circuit


@pytest.mark.parametrize(
    ("steps", "circuit"),
    [
        ("", Circuit.CLOSED),
        ("ff", Circuit.CLOSED),
        ("fff", Circuit.OPEN),
        ("ffsff", Circuit.CLOSED),
        ("ffsfff", Circuit.OPEN),
        ("t", Circuit.OPEN),
        ("ft", Circuit.OPEN),
        ("ts", Circuit.OPEN),
        ("tfff", Circuit.OPEN),
        ("tp", Circuit.HALF_OPEN),
        ("tps", Circuit.HALF_OPEN),
        ("tpf", Circuit.HALF_OPEN),
        ("tpN", Circuit.OPEN),
        ("tpY", Circuit.CLOSED),
        ("tpYff", Circuit.CLOSED),
        ("tpYfff", Circuit.OPEN),
        ("tpNpY", Circuit.CLOSED),
    ],
)
def test_circuit_after(steps: str, circuit: Circuit):
    breaker = Breaker(failures_max=3)
    for step in steps:
        match step:
            case "s":
                breaker.succeeded()
            case "f":
                breaker.failed(is_silent=False)
            case "t":
                breaker.failed(is_silent=True)
            case "p":
                assert breaker.take_probe()
            case "N":
                breaker.probe_failed()
            case "Y":
                breaker.probe_succeeded()

    assert breaker.circuit is circuit
    assert breaker.is_closed is (circuit is Circuit.CLOSED)


def test_only_one_may_probe():
    breaker = Breaker()
    assert not breaker.take_probe()
    breaker.failed(is_silent=True)

    assert [breaker.take_probe() for _ in range(3)] == [True, False, False]


def test_only_the_failure_that_opens_says_so():
    breaker = Breaker(failures_max=2)

    assert [breaker.failed(is_silent=False) for _ in range(4)] == [False, True, False, False]


def test_rests_grow_to_a_limit_and_begin_anew():
    breaker = Breaker(rest_first_s=1, rest_longest_s=3)
    rests = []
    for _ in range(2):
        breaker.failed(is_silent=True)
        for _ in range(3):
            rests.append(breaker.rest_s)
            breaker.take_probe()
            breaker.probe_failed()
        breaker.take_probe()
        breaker.probe_succeeded()

    assert rests == [1, 2, 3, 1, 2, 3]
