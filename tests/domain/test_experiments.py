"""Who is in which variant, and when a difference is one."""

from __future__ import annotations

from random import Random

import pytest

from loyalty.domain.recommendations.experiments import (
    BUYERS_MIN,
    MEMBERS_MIN,
    Arm,
    Variant,
    Verdict,
    is_traffic_as_declared,
    mean_difference,
    rate_difference,
    variant_of,
)


@pytest.mark.parametrize("share_bp", [1, 500, 2_000, 5_000, 9_999])
def test_the_candidate_gets_its_share(share_bp: int) -> None:
    subjects = 20_000
    got = sum(
        variant_of(7, f"m{number}", share_bp) is Variant.CANDIDATE for number in range(subjects)
    )

    expected = subjects * share_bp / 10_000
    assert abs(got - expected) <= 4 * (expected * (1 - share_bp / 10_000)) ** 0.5 + 1


def test_a_subject_keeps_its_variant_and_gets_another_in_the_next_experiment() -> None:
    first, again, other = (
        [variant_of(trial, f"m{number}", 5_000) for number in range(2_000)] for trial in (7, 7, 8)
    )

    assert first == again
    same = sum(one is two for one, two in zip(first, other, strict=True))
    assert 900 < same < 1_100


def test_a_larger_share_takes_nobody_out_of_the_candidate() -> None:
    """So that an experiment may be widened without anybody changing sides twice."""
    for number in range(500):
        if variant_of(7, f"m{number}", 1_000) is Variant.CANDIDATE:
            assert variant_of(7, f"m{number}", 3_000) is Variant.CANDIDATE


@pytest.mark.parametrize(
    ("candidate", "control", "low", "high"),
    [
        # Newcombe 1998, table II, method 10: cases (a), (b), (c), (e) and (h).
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_rates_is_the_published_one(
    candidate: tuple[int, int], control: tuple[int, int], low: float, high: float
) -> None:
    arms = [Arm(members=members, buyers=buyers) for buyers, members in (control, candidate)]

    found = rate_difference(*arms)

    assert (found.low, found.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))
    assert found.verdict is Verdict.TOO_FEW


def arm_of(spent: list[int]) -> Arm:
    return Arm(
        members=len(spent),
        buyers=sum(each > 0 for each in spent),
        spent=sum(spent),
        squares=sum(each * each for each in spent),
    )


def test_the_interval_of_means_is_welchs() -> None:
    control, candidate = arm_of([0, 0, 300, 700]), arm_of([0, 1_000, 2_000])

    found = mean_difference(control, candidate)

    half = 1.959964 * (1_000_000 / 3 + 110_000 / 4) ** 0.5
    assert found.value == pytest.approx(750)
    assert (found.low, found.high) == (pytest.approx(750 - half), pytest.approx(750 + half))


def test_amounts_of_any_size_keep_their_digits() -> None:
    """Of two nearly equal sums of squares nothing would be left in a float."""
    large = 9 * 10**12
    arm = arm_of([large, large + 1, large - 1])

    assert arm.variance_of_mean == pytest.approx(1 / 3)


def test_nothing_is_said_of_few() -> None:
    enough = Arm(MEMBERS_MIN, BUYERS_MIN, 20_000, 10**8)
    most = Arm(MEMBERS_MIN, MEMBERS_MIN - 1, 10**7, 10**12)

    for few in (Arm(MEMBERS_MIN - 1, MEMBERS_MIN - 1, 10**7, 10**12), Arm(10**6, BUYERS_MIN - 1)):
        assert rate_difference(enough, few).verdict is Verdict.TOO_FEW
        assert mean_difference(few, enough).verdict is Verdict.TOO_FEW
    assert rate_difference(Arm(), enough).value is None
    assert mean_difference(enough, Arm()).value is None
    assert rate_difference(enough, most).verdict is Verdict.CANDIDATE_HIGHER
    assert rate_difference(most, enough).verdict is Verdict.CONTROL_HIGHER


@pytest.mark.parametrize("shares", [(300, 1_200), (750, 750)])
def test_between_two_models_alike_a_difference_is_seen_once_in_twenty(
    shares: tuple[int, int],
) -> None:
    """Unequal groups, a rate of one in ten, and baskets of which a few are very large."""
    random, rounds = Random(20), 600
    seen = {"rate": 0, "mean": 0}
    for _ in range(rounds):
        control, candidate = (
            arm_of([int(random.lognormvariate(7, 1)) if random.random() < 0.1 else 0
                    for _ in range(members)])
            for members in shares
        )  # fmt: skip
        for name, difference in (("rate", rate_difference), ("mean", mean_difference)):
            found = difference(control, candidate)
            assert found.low is not None
            assert found.high is not None
            seen[name] += not found.low <= 0 <= found.high

    assert all(0.02 <= count / rounds <= 0.08 for count in seen.values()), seen


@pytest.mark.parametrize(
    ("control", "candidate", "is_declared"),
    [(0, 0, True), (800, 200, True), (770, 230, True), (700, 300, False), (900, 100, False)],
)
def test_a_share_that_is_off_is_told(control: int, candidate: int, is_declared: bool) -> None:
    assert is_traffic_as_declared(Arm(control), Arm(candidate), 2_000) is is_declared
