"""High chances brought down, in the same order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_recommender.offers.ceiling import STRENGTH_MAX, USED_MIN, Ceiling

CHANCES = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=30)


@given(CHANCES, st.floats(0.0, STRENGTH_MAX))
def test_the_order_stays_and_nothing_rises(chances: list[float], strength: float) -> None:
    given_ = np.sort(np.array(chances))

    low = Ceiling(strength).below(given_)

    assert (np.diff(low) >= 0).all()
    assert ((low >= 0) & (low <= given_)).all()
    assert low.max() <= 1 / (1 + strength) + 1e-12


def test_it_finds_how_much_too_high_chances_are() -> None:
    random = np.random.default_rng(3)
    given_ = random.beta(0.2, 2.0, 60_000)
    true = given_ / (1 + 3.0 * given_)
    used = random.random(len(given_)) < true

    found = Ceiling.fit(given_, used, np.ones(len(given_)))

    assert found.strength == pytest.approx(3.0, rel=0.1)


def test_chances_that_are_right_or_too_low_stay() -> None:
    random = np.random.default_rng(3)
    given_ = random.beta(0.2, 2.0, 60_000)
    used = random.random(len(given_)) < np.minimum(1.3 * given_, 1.0)

    assert Ceiling.fit(given_, used, np.ones(len(given_))) == Ceiling()


def test_a_campaign_of_which_half_is_over_owes_half_its_uses() -> None:
    random = np.random.default_rng(3)
    given_ = random.beta(0.2, 2.0, 60_000)
    used = random.random(len(given_)) < given_ / 2

    found = Ceiling.fit(given_, used, np.full(len(given_), 0.5))

    assert found.strength < 0.1
    assert Ceiling.fit(given_, used, np.ones(len(given_))).strength > 1


def test_a_handful_of_uses_tells_nothing() -> None:
    used = np.arange(100) < USED_MIN - 1

    assert Ceiling.fit(np.full(100, 0.9), used, np.ones(100)) == Ceiling()
