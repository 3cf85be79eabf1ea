from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.order import TierAt, tier_at
from loyalty.domain.rulesets.ruleset import Tier, TierPolicy
from loyalty.domain.tiers import (
    NextTier,
    QualifyingLot,
    Standing,
    TierChange,
    TierChangeReason,
    TierState,
    TierStatus,
    advanced,
    initial,
    status,
)

ZONE = "Europe/Budapest"
BASIC, SILVER, GOLD = (
    Tier("basic", "Basic", 0),
    Tier("silver", "Silver", 500),
    Tier("gold", "G", 2_000),
)
POLICY = TierPolicy("status", (BASIC, SILVER, GOLD), grace_days=30)
STRICT = TierPolicy("status", (BASIC, SILVER, GOLD))

QUALIFIED, GRACE_STARTED, RENEWED, DOWNGRADED = TierChangeReason


def day(number: int, hour: int = 12) -> datetime:
    """Day ``number`` after 1 January 2026."""
    return datetime(2026, 1, 1, hour, tzinfo=UTC) + timedelta(days=number)


def lot(remaining: int, begins: int, ends: int | None = None) -> QualifyingLot:
    return QualifyingLot(remaining, day(begins), None if ends is None else day(ends))


GRACE_FROM_100 = datetime(2026, 5, 10, 22, tzinfo=UTC)
"""Start of the local day 30 days after day(100), 11 April."""


@pytest.mark.parametrize(
    ("case", "policy", "standing", "lots", "until", "after", "changes"),
    [
        ("nothing happens", POLICY, Standing("basic", day(0), None), [lot(499, 0)], 50,
         Standing("basic", day(0), None), []),
        ("promoted by what was just booked", POLICY, Standing("basic", day(0), None),
         [lot(500, 0)], 50, Standing("silver", day(50), None),
         [TierChange(day(50), "basic", "silver", QUALIFIED)]),
        ("promoted when pending points come in", POLICY, Standing("basic", day(0), None),
         [lot(500, 14)], 50, Standing("silver", day(14), None),
         [TierChange(day(14), "basic", "silver", QUALIFIED)]),
        ("two ranks at once", POLICY, Standing("basic", day(0), None),
         [lot(1_500, 14), lot(500, 14)], 50, Standing("gold", day(14), None),
         [TierChange(day(14), "basic", "gold", QUALIFIED)]),
        ("for a moment only, and lost after grace", POLICY, Standing("basic", day(0), None),
         [lot(500, 14, 100)], 200, Standing("basic", GRACE_FROM_100, None),
         [TierChange(day(14), "basic", "silver", QUALIFIED),
          TierChange(day(100), "silver", "silver", GRACE_STARTED),
          TierChange(GRACE_FROM_100, "silver", "basic", DOWNGRADED)]),
        ("in grace", POLICY, Standing("silver", day(0), None), [lot(500, 0, 100)], 101,
         Standing("silver", day(0), GRACE_FROM_100),
         [TierChange(day(100), "silver", "silver", GRACE_STARTED)]),
        ("renewed in grace", POLICY, Standing("silver", day(0), None),
         [lot(500, 0, 100), lot(500, 110)], 200, Standing("silver", day(0), None),
         [TierChange(day(100), "silver", "silver", GRACE_STARTED),
          TierChange(day(110), "silver", "silver", RENEWED)]),
        ("promoted out of grace", POLICY, Standing("silver", day(0), None),
         [lot(500, 0, 100), lot(2_000, 110)], 200, Standing("gold", day(110), None),
         [TierChange(day(100), "silver", "silver", GRACE_STARTED),
          TierChange(day(110), "silver", "gold", QUALIFIED)]),
        ("gold falls to what the sum reaches", POLICY, Standing("gold", day(0), None),
         [lot(1_500, 0, 100), lot(500, 0)], 200, Standing("silver", GRACE_FROM_100, None),
         [TierChange(day(100), "gold", "gold", GRACE_STARTED),
          TierChange(GRACE_FROM_100, "gold", "silver", DOWNGRADED)]),
        ("grace does not start again while it runs", POLICY, Standing("gold", day(0), None),
         [lot(1_500, 0, 100), lot(500, 0, 110)], 115, Standing("gold", day(0), GRACE_FROM_100),
         [TierChange(day(100), "gold", "gold", GRACE_STARTED)]),
        ("expiry and new points at one instant cancel", POLICY,
         Standing("silver", day(0), None), [lot(500, 0, 100), lot(500, 100)], 200,
         Standing("silver", day(0), None), []),
        ("without grace lost at once", STRICT, Standing("silver", day(0), None),
         [lot(500, 0, 100)], 200, Standing("basic", day(100), None),
         [TierChange(day(100), "silver", "basic", DOWNGRADED)]),
        ("the end of grace is not in grace", POLICY,
         Standing("silver", day(0), day(50)), [], 50, Standing("basic", day(50), None),
         [TierChange(day(50), "silver", "basic", DOWNGRADED)]),
        ("a lot that begins as it ends never counts", POLICY, Standing("basic", day(0), None),
         [lot(900, 20, 20), lot(900, 30, 20)], 50, Standing("basic", day(0), None), []),
        ("a tier the policy no longer has", POLICY, Standing("platinum", day(0), None),
         [lot(600, 0)], 50, Standing("silver", day(50), None),
         [TierChange(day(50), "platinum", "silver", QUALIFIED)]),
    ],
)  # fmt: skip
def test_advanced(
    case: str,
    policy: TierPolicy,
    standing: Standing,
    lots: list[QualifyingLot],
    until: int,
    after: Standing,
    changes: list[TierChange],
) -> None:
    assert advanced(policy, standing, lots, day(0), day(until), ZONE) == (after, tuple(changes))


def test_a_new_member_stands_lowest() -> None:
    assert initial(POLICY, day(3)) == Standing("basic", day(3), None)


@pytest.mark.parametrize(
    ("case", "standing", "lots", "expected"),
    [
        ("new", Standing("basic", day(0), None), [],
         TierStatus(BASIC, day(0), TierState.QUALIFIED, None, 0, NextTier(SILVER, 500, None))),
        ("on the way, with pending points not counted yet", Standing("basic", day(0), None),
         [lot(100, 0, 90), lot(50, 0, 80), lot(300, 20, 70), lot(99, 0, 5), lot(0, 0, 60)],
         TierStatus(BASIC, day(0), TierState.QUALIFIED, None, 150,
                    NextTier(SILVER, 350, day(80)))),
        ("qualified until the first lot ends", Standing("silver", day(0), None),
         [lot(450, 0, 90), lot(100, 0, 80)],
         TierStatus(SILVER, day(0), TierState.QUALIFIED, day(80), 550,
                    NextTier(GOLD, 1_450, day(80)))),
        ("pending points postpone the end", Standing("silver", day(0), None),
         [lot(450, 0, 90), lot(100, 0, 80), lot(50, 20)],
         TierStatus(SILVER, day(0), TierState.QUALIFIED, day(90), 550,
                    NextTier(GOLD, 1_450, day(80)))),
        ("in grace", Standing("silver", day(0), day(30)), [lot(450, 0, 90)],
         TierStatus(SILVER, day(0), TierState.IN_GRACE, day(30), 450,
                    NextTier(GOLD, 1_550, day(90)))),
        ("at the top", Standing("gold", day(0), None), [lot(2_000, 0)],
         TierStatus(GOLD, day(0), TierState.QUALIFIED, None, 2_000, None)),
    ],
)  # fmt: skip
def test_status(
    case: str, standing: Standing, lots: list[QualifyingLot], expected: TierStatus
) -> None:
    assert status(POLICY, standing, lots, day(10)) == expected


days = st.integers(0, 60)
lots = st.lists(
    st.builds(
        lambda remaining, begins, length: lot(
            remaining, begins, None if length is None else begins + length
        ),
        st.sampled_from([0, 100, 250, 500, 1_000, 2_000]),
        days,
        st.none() | st.integers(-2, 40),
    ),
    max_size=8,
)
policies = st.builds(
    TierPolicy, st.just("status"), st.just((BASIC, SILVER, GOLD)), st.integers(0, 20)
)


@given(policies, lots, days, st.lists(days, max_size=5), days)
def test_one_jump_equals_any_split_of_it(
    policy: TierPolicy, lots: list[QualifyingLot], start: int, stops: list[int], end: int
) -> None:
    first, last = day(min(start, end)), day(max(start, end), 20)
    settled, _ = advanced(policy, initial(policy, first), lots, first, first, ZONE)

    at_once = advanced(policy, settled, lots, first, last, ZONE)

    standing, now = settled, first
    changes: list[TierChange] = []
    for stop in [*sorted(day(stop, 7) for stop in stops if first < day(stop, 7) < last), last]:
        standing, more = advanced(policy, standing, lots, now, stop, ZONE)
        changes += more
        now = stop
    assert (standing, tuple(changes)) == at_once


@given(policies, lots, days)
def test_a_standing_follows_from_the_sum_alone(
    policy: TierPolicy, lots: list[QualifyingLot], end: int
) -> None:
    standing, changes = advanced(
        policy, initial(policy, day(0, 0)), lots, day(0, 0), day(end), ZONE
    )

    points = sum(
        lot.remaining
        for lot in lots
        if lot.available_at <= day(end) and (lot.expires_at is None or day(end) < lot.expires_at)
    )
    tier = policy.named(standing.tier)
    assert tier.threshold >= policy.reached(points).threshold
    assert (points < tier.threshold) == (standing.grace_until is not None)
    assert standing.grace_until is None or day(end) < standing.grace_until
    assert [change.at for change in changes] == sorted(change.at for change in changes)


@given(policies, lots, days)
def test_a_tier_is_qualified_until_its_status_says(
    policy: TierPolicy, lots: list[QualifyingLot], end: int
) -> None:
    standing, _ = advanced(policy, initial(policy, day(0, 0)), lots, day(0, 0), day(end), ZONE)
    shown = status(policy, standing, lots, day(end))
    if shown.state is TierState.IN_GRACE or shown.until is None:
        return

    _, before = advanced(
        policy, standing, lots, day(end), shown.until - timedelta(microseconds=1), ZONE
    )
    _, after = advanced(policy, standing, lots, day(end), shown.until, ZONE)

    lost = {GRACE_STARTED, DOWNGRADED}
    # A higher tier that pending points bring may come and go in between; this one stays.
    current = shown.current.code
    assert not [step for step in before if step.reason in lost and step.tier_from == current]
    assert any(change.at == shown.until and change.reason in lost for change in after) or any(
        change.reason is QUALIFIED for change in before
    )


def test_of_several_steps_at_one_instant_the_last_counts():
    at = datetime(2026, 3, 1, tzinfo=UTC)
    history = (TierAt(at, "silver"), TierAt(at, "gold"))

    found = [tier_at(history, at + timedelta(hours=hours), "basic") for hours in (-1, 0, 1)]

    assert found == ["basic", "gold", "gold"]
