"""What is served is what was learned: the quick sums equal features times weights."""

import numpy as np
import pytest

from loyalty_recommender.attributes import Attributes
from loyalty_recommender.features import basket, novel, repeat
from loyalty_recommender.features.basket import BasketScorer, Neighbours, basket_features
from loyalty_recommender.features.novel import (
    Candidates,
    Leanings,
    NovelScorer,
    bought_weights,
    novel_features,
)
from loyalty_recommender.features.pairs import Pairs
from loyalty_recommender.features.repeat import RepeatScorer, repeat_features
from loyalty_recommender.features.statistics import ProductStatistics
from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models.item_item import ItemItem
from loyalty_recommender.rows import Rows

PRODUCTS = 40


@pytest.fixture(scope="module")
def shop() -> Interactions:
    """Thirty members that buy at random, and what the products are."""
    random = np.random.default_rng(5)
    lines = 3000
    made = Interactions.from_columns(
        random.integers(0, 30, lines),
        # Numbers of equal length sort as they count.
        random.integers(0, PRODUCTS, lines) + 100,
        random.integers(0, 300, lines) * 86_400,
    )
    names = [f"{at % 7}" if at % 5 else None for at in range(PRODUCTS)]
    attributes = Attributes.of_names(names, names[::-1], [f"{at % 11}" for at in range(40)], names)
    return Interactions(
        made.members, made.products, made.member, made.product, made.time, made.day, 0, attributes
    )


@pytest.fixture(scope="module")
def statistics(shop: Interactions) -> ProductStatistics:
    return ProductStatistics.of(shop, 300)


@pytest.fixture(scope="module")
def similar(shop: Interactions) -> Rows:
    return ItemItem(over="members", neighbours=9).fit(shop).neighbours


def pasts(shop: Interactions) -> list[History]:
    """Of every member what it bought of the first thirty products; of one a single purchase."""
    found = []
    for member in range(len(shop.members)):
        own = (shop.member == member) & (shop.product < 30)
        found.append(History.of(shop.product[own], shop.day[own]))
    return [*found, History.of(found[0].product[:1], found[0].day[:1])]


def weights(columns: int) -> np.ndarray:
    return np.random.default_rng(9).normal(size=columns).astype(np.float32)


def test_of_what_is_bought_again(shop: Interactions, statistics: ProductStatistics) -> None:
    chosen = weights(len(repeat.NAMES))
    scorer = RepeatScorer.of(chosen, statistics)
    for history in pasts(shop):
        pairs = Pairs.of(history, 301)

        found = scorer.scores(history, pairs)

        features = repeat_features(history, pairs, statistics)
        assert np.isfinite(features).all()
        np.testing.assert_allclose(found, features @ chosen, rtol=1e-4, atol=1e-4)


def test_of_what_is_new(shop: Interactions, statistics: ProductStatistics, similar: Rows) -> None:
    chosen = weights(len(novel.NAMES))
    scorer = NovelScorer.of(chosen, statistics)
    random = np.random.default_rng(2)
    fresh = np.arange(30, PRODUCTS, dtype=np.int32)

    def drawn(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    candidates = Candidates(fresh, drawn(len(fresh), 4), drawn(len(fresh), 3))
    for history in pasts(shop):
        pairs = Pairs.of(history, 301)
        leanings = Leanings.of(pairs, bought_weights(pairs), drawn(4), drawn(3), statistics)

        found = scorer.scores(candidates, leanings, similar)

        features = novel_features(candidates, leanings, similar, statistics)
        assert np.isfinite(features).all()
        np.testing.assert_allclose(found, features @ chosen, rtol=1e-3, atol=1e-3)


def test_of_what_completes_a_cart(
    shop: Interactions, statistics: ProductStatistics, similar: Rows
) -> None:
    chosen = weights(len(basket.NAMES))
    scorer = BasketScorer.of(chosen, statistics)
    guest = History.of(np.empty(0, np.int32), np.empty(0, np.int32))
    for history in [*pasts(shop), guest]:
        pairs = Pairs.of(history, 301)
        given = np.array([3, 8, 35], dtype=np.int32)
        neighbours = Neighbours.of(given, similar)
        fresh = neighbours.product[~np.isin(neighbours.product, pairs.product)]

        found = scorer.scores(history, pairs, given, neighbours, fresh)

        features = basket_features(history, pairs, given, neighbours, fresh, statistics)
        assert np.isfinite(features).all()
        np.testing.assert_allclose(found, features @ chosen, rtol=1e-3, atol=1e-3)


def test_pairs_against_a_plain_count() -> None:
    history = History.of(np.array([7, 7, 2, 7, 2]), np.array([90, 98, 99, 98, 40]))

    pairs = Pairs.of(history, 100)

    assert pairs.product.tolist() == [2, 7]
    assert pairs.times.tolist() == [2, 2]
    assert (pairs.last.tolist(), pairs.first.tolist()) == ([1, 2], [60, 10])
    assert history.visit_days.tolist() == [40, 90, 98, 99]
    expected = [2 ** (-1 / 30) + 2 ** (-60 / 30), 2 ** (-2 / 30) + 2 ** (-10 / 30)]
    np.testing.assert_allclose(pairs.decayed[2], expected, rtol=1e-5)
    np.testing.assert_allclose(pairs.log_gaps(), np.log([59, 8]), rtol=1e-5)
    visits_to = history.visits_to()
    assert [int(visits_to[day - 40]) for day in (40, 41, 90, 98, 99)] == [1, 1, 2, 3, 4]


def test_every_column_has_a_name_of_its_own() -> None:
    for names in (repeat.NAMES, novel.NAMES, basket.NAMES):
        assert len(set(names)) == len(names)
