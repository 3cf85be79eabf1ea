"""Boosted trees: walked by numpy as the library that grew them walks them."""

import sys

import numpy as np
import pytest

from loyalty_recommender import boosting
from loyalty_recommender.errors import FitFailed
from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models import Query
from loyalty_recommender.models.boosted import Boosted
from loyalty_recommender.models.repeat import Repeat
from loyalty_recommender.trees import Trees

LISTS, LENGTH = 80, 20


def lists(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What is bought has its second number in a band, which no weighted sum can say."""
    features = np.random.default_rng(seed).normal(size=(LISTS * LENGTH, 3)).astype(np.float32)
    return features, (np.abs(features[:, 1]) < 0.3) & (features[:, 0] > 0)


def grown(trees: int = 30) -> Trees:
    features, bought = lists(1)
    return boosting.boosted_trees(
        features,
        bought,
        np.full(LISTS, LENGTH),
        trees=trees,
        leaves=7,
        depth=4,
        learning_rate=0.1,
        rows_min=10,
        seed=3,
        progress=lambda share: None,
    )


def test_by_hand() -> None:
    tree = {
        "split_feature": 1,
        "threshold": 0.5,
        "left_child": {"leaf_value": 2.0},
        "right_child": {
            "split_feature": 0,
            "threshold": -1.0,
            "left_child": {"leaf_value": 3.0},
            "right_child": {"leaf_value": 4.0},
        },
    }
    alone = {"leaf_value": 10.0}

    found = Trees.of([tree, alone]).scores(
        np.array([[0.0, 0.5], [-1.0, 0.6], [0.0, 0.6]], dtype=np.float32)
    )

    assert found.tolist() == [12.0, 13.0, 14.0]


def test_no_trees_say_nothing() -> None:
    assert Trees.of([]).scores(np.ones((2, 3), dtype=np.float32)).tolist() == [0.0, 0.0]


def test_they_are_walked_as_the_library_walks_them(monkeypatch: pytest.MonkeyPatch) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    kept = []
    train = lightgbm.train

    def watched(*given, **more):
        kept.append(train(*given, **more))
        return kept[0]

    monkeypatch.setattr(lightgbm, "train", watched)
    trees = grown()
    features, _ = lists(2)

    np.testing.assert_allclose(
        trees.scores(features), kept[0].predict(features, raw_score=True), rtol=1e-4, atol=1e-5
    )


def test_they_learn_what_no_weighted_sum_can_say() -> None:
    features, bought = lists(2)

    scores = grown().scores(features).reshape(LISTS, LENGTH)

    bought = bought.reshape(LISTS, LENGTH)
    first = np.take_along_axis(bought, scores.argmax(axis=1)[:, None], axis=1)[:, 0]
    assert first[bought.any(axis=1)].mean() > 0.9


def test_without_the_extra_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)

    with pytest.raises(FitFailed, match=r"wanted storefront-loyalty\[boosted\] installed"):
        grown()


def test_answers_need_no_library(shop: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = Boosted(trees=5, rows_min=3).fit(shop)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    own = shop.member == 0
    query = Query(History.of(shop.product[own], shop.day[own]), day=int(shop.day.max()) + 1)

    again = type(fitted).from_arrays(fitted.arrays())

    assert len(again.recommend(query, 5, np.ones(len(shop.products), dtype=np.bool_))) > 0


def test_habits_behind_the_first_keep_their_place(shop: Interactions) -> None:
    """The trees put the first two in order; whatever they say, the rest comes after."""
    few = Boosted(first=2, trees=10, rows_min=3).fit(shop)
    linear = Repeat().fit(shop)
    everything = np.ones(len(shop.products), dtype=np.bool_)
    for member in range(len(shop.members)):
        own = shop.member == member
        day = int(shop.day.max()) + 1
        query = Query(History.of(shop.product[own], shop.day[own]), day=day)

        found = few.recommend(query, 50, everything).products.tolist()
        plain = linear.recommend(query, 50, everything).products.tolist()

        assert sorted(found[:2]) == sorted(plain[:2])
        assert found[2:] == plain[2:]
