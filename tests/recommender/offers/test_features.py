"""Known answers, and nothing of the day of the question or later."""

from dataclasses import replace

import numpy as np
import pytest

from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.history import NOTHING_BOUGHT, History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.offers.features import (
    FEATURES,
    HALF_LIVES_DAYS,
    MARKET_HALF_LIVES_DAYS,
    NEVER_DAYS,
    OF_MEMBER,
    OF_TARGET,
    RATE_MIN,
    Market,
    of_member,
)
from loyalty_recommender.offers.targets import Shelves, Targets

SHELVES = Shelves.of(
    replace(
        Attributes.unknown(4),
        type=np.array([0, 0, 1, -1], dtype=np.int32),
        brand=np.array([0, 1, 0, -1], dtype=np.int32),
    )
)
TARGETS = Targets.of([np.array([0, 1]), np.array([2]), np.array([3])], SHELVES)
DAY = 1000
# Product 0 and 1 on one day are one visit of the first target, and two of its products.
HISTORY = History.of(np.array([0, 1, 0, 2]), np.array([970, 970, 910, 990]))


def column(found: np.ndarray, name: str, names: tuple[str, ...] = OF_MEMBER) -> list[float]:
    return found[:, names.index(name)].tolist()


def test_visits_count_once_and_fade() -> None:
    found = of_member(HISTORY, DAY, TARGETS)

    for name, half_life in zip(("recent", "lasting", "long"), HALF_LIVES_DAYS, strict=True):
        first = 0.5 ** (30 / half_life) + 0.5 ** (90 / half_life)
        wanted = [np.log1p(first), np.log1p(0.5 ** (10 / half_life)), 0.0]
        assert column(found, f"product_{name}") == pytest.approx(wanted, rel=1e-5)
    assert column(found, "product_visits") == pytest.approx(np.log1p([2, 1, 0]), rel=1e-5)
    assert column(found, "products_bought") == pytest.approx(np.log1p([2, 1, 0]), rel=1e-5)
    assert column(found, "product_since") == pytest.approx(np.log1p([30, 10, NEVER_DAYS]), rel=1e-5)


def test_a_type_and_a_brand_are_seen_beyond_the_targets_own_products() -> None:
    targets = Targets.of([np.array([1])], SHELVES)

    found = of_member(History.of(np.array([0]), np.array([990])), DAY, targets)

    assert column(found, "product_recent") == [0.0]
    assert column(found, "line_recent") == [0.0]
    assert column(found, "type_recent")[0] > 0
    assert column(found, "brand_recent") == [0.0]


def test_a_members_own_columns_are_alike_for_all_targets() -> None:
    found = of_member(HISTORY, DAY, TARGETS)

    assert column(found, "visits") == pytest.approx([np.log1p(3)] * 3, rel=1e-5)
    assert column(found, "since_visit") == pytest.approx([np.log1p(10)] * 3, rel=1e-5)


def test_a_guest_has_bought_nothing_and_never_came() -> None:
    found = of_member(NOTHING_BOUGHT, DAY, TARGETS)

    never = np.log1p(NEVER_DAYS)
    wanted = [never if "since" in name else 0.0 for name in OF_MEMBER]
    assert found == pytest.approx(np.array([wanted] * 3), rel=1e-5)


def test_purchases_on_the_day_or_later_say_nothing() -> None:
    later = History.of(
        np.concatenate([HISTORY.product, [3, 3, 0]]), np.concatenate([HISTORY.day, [1000, 1001, 1]])
    )
    before = History.of(np.concatenate([HISTORY.product, [0]]), np.concatenate([HISTORY.day, [1]]))

    assert np.array_equal(of_member(later, DAY, TARGETS), of_member(before, DAY, TARGETS))


def test_the_market_counts_shares_of_visits_before_the_day() -> None:
    # Two visits on the day before, one of them with product 0; what is later is not looked at.
    member, product, day = np.array([[1, 0, 999], [2, 1, 999], [2, 2, 1000], [3, 0, 1001]]).T
    purchases = Interactions.from_columns(member, product, day * DAY_S)

    market = Market.before(purchases, DAY)

    assert market.rates == pytest.approx(np.array([[0.5, 0.5, 0.0]] * 2))


def test_an_old_visit_makes_its_products_less_popular() -> None:
    member, product, day = np.array([[1, 0, 999], [2, 1, 999 - 28]]).T
    market = Market.before(Interactions.from_columns(member, product, day * DAY_S), DAY)

    for rates, half_life in zip(market.rates, MARKET_HALF_LIVES_DAYS, strict=True):
        assert rates[1] / rates[0] == pytest.approx(0.5 ** (28 / half_life), rel=1e-5)


def test_a_target_is_as_popular_as_its_products_together() -> None:
    market = Market(np.array([[0.5, 0.25, 0.0, 0.0]] * 2, dtype=np.float32))

    found = market.of_target(TARGETS, 28)

    assert column(found, "popular_recent", OF_TARGET) == pytest.approx(
        np.log([0.75 + RATE_MIN, RATE_MIN, RATE_MIN]), rel=1e-5
    )
    assert column(found, "products", OF_TARGET) == pytest.approx(np.log([2, 1, 1]), rel=1e-5)
    assert column(found, "brands", OF_TARGET) == pytest.approx(np.log1p([2, 1, 0]), rel=1e-5)
    assert column(found, "valid_days", OF_TARGET) == pytest.approx([np.log(28)] * 3, rel=1e-5)


def test_every_feature_has_one_name() -> None:
    assert len(set(FEATURES)) == len(FEATURES)
