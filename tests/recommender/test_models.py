"""One contract for every model."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from loyalty_recommender.errors import BadSettings
from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models import FITTED, Fitted, Model, Query
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.arrivals import Arrivals
from loyalty_recommender.models.base import Progress, silent
from loyalty_recommender.models.baselines import BASELINES
from loyalty_recommender.models.baselines.bm25 import Bm25
from loyalty_recommender.models.baselines.bpr import Bpr
from loyalty_recommender.models.baselines.ease import Ease
from loyalty_recommender.models.baselines.tifu_knn import TifuKnn
from loyalty_recommender.models.boosted import Boosted
from loyalty_recommender.models.completion import Completion
from loyalty_recommender.models.item_item import ItemItem
from loyalty_recommender.models.next_visit import FittedNextVisit
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.models.personal import Personal
from loyalty_recommender.models.popularity import Popularity
from loyalty_recommender.models.repeat import Repeat


@dataclass(frozen=True)
class Case:
    """A model, and what it is about."""

    name: str
    model: Model
    needs: frozenset[str] = field(default_factory=frozenset)


SMALL_NOVEL = Novel(als=Als(factors=4))


@dataclass(frozen=True)
class Both:
    """The next visit is made of two models, and has no settings of its own."""

    def fit(self, interactions: Interactions, progress: Progress = silent) -> Fitted:
        progress(0.5)
        repeat = Repeat().fit(interactions)
        progress(1.0)
        return FittedNextVisit(repeat, SMALL_NOVEL.fit(interactions))


CASES = [
    Case("als", Als(factors=4), frozenset({"member"})),
    Case("arrivals", Arrivals()),
    Case("item-item over visits", ItemItem(), frozenset({"basket"})),
    Case("item-item over members", ItemItem(over="members"), frozenset({"basket"})),
    Case("personal", Personal(), frozenset({"member"})),
    Case("popularity", Popularity()),
    Case("recent popularity", Popularity(recent_days=28.0)),
    Case("repeat", Repeat(), frozenset({"member"})),
    Case("boosted", Boosted(first=3, trees=10, rows_min=3), frozenset({"member"})),
    Case("novel", SMALL_NOVEL, frozenset({"member"})),
    Case("completion", Completion(), frozenset({"basket"})),
    Case("next visit", Both(), frozenset({"member"})),
    Case("bm25", Bm25(), frozenset({"member"})),
    Case("bpr", Bpr(factors=4), frozenset({"member"})),
    Case("ease", Ease(regularization=10.0), frozenset({"member"})),
    Case("ease of few products", Ease(products_max=8, regularization=10.0), frozenset({"member"})),
    Case("tifu-knn", TifuKnn(group=3, neighbours=4), frozenset({"member"})),
]


READERS = {**FITTED, **BASELINES}


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(scope="module")
def fitted(case: Case, shop: Interactions) -> Fitted:
    return case.model.fit(shop)


@pytest.fixture
def everything(shop: Interactions) -> np.ndarray:
    return np.ones(len(shop.products), dtype=np.bool_)


def queries(shop: Interactions) -> list[Query]:
    """Every member with one product in the basket, and a basket of two."""
    # Wafers, the last of the products, are always bought alone: no visit says what goes with them.
    baskets = [np.array([at], dtype=np.int32) for at in range(len(shop.products) - 1)]
    baskets.append(np.array([0, 3], dtype=np.int32))
    day = int(shop.day.max()) + 1
    found = []
    for member in range(len(shop.members)):
        own = shop.member == member
        past = History.of(shop.product[own], shop.day[own])
        basket = baskets[member % len(baskets)]
        found.append(Query(history=past, day=day, member=member, basket=basket))
    return found


def test_every_kind_of_model_is_in_this_suite(shop: Interactions) -> None:
    assert {case.model.fit(shop).strategy for case in CASES} == set(READERS)


def test_answers_are_ordered_distinct_finite_and_no_longer_than_asked(
    fitted: Fitted, shop: Interactions, everything: np.ndarray
) -> None:
    for query in queries(shop):
        for first in (1, 3, 1000):
            found = fitted.recommend(query, first, everything)

            pairs = list(zip(-found.scores, found.products, strict=True))
            assert pairs == sorted(pairs)
            assert len(found) <= first
            assert len(set(found.products.tolist())) == len(found)
            assert np.isfinite(found.scores).all()
            assert fitted.recommend(query, 1000, everything).products[:first].tolist() == (
                found.products.tolist()
            )


def test_only_allowed_products_and_never_padded(
    fitted: Fitted, shop: Interactions, everything: np.ndarray
) -> None:
    odd = np.arange(len(shop.products)) % 2 == 1
    for query in queries(shop):
        unfiltered = fitted.recommend(query, 1000, everything).products.tolist()

        assert fitted.recommend(query, 1000, odd).products.tolist() == [
            each for each in unfiltered if each % 2
        ]
        assert len(fitted.recommend(query, 1000, ~everything)) == 0


def test_the_filter_is_left_as_it_was(fitted: Fitted, shop: Interactions) -> None:
    allowed = np.arange(len(shop.products)) % 3 > 0

    fitted.recommend(queries(shop)[0], 5, allowed)

    assert allowed.tolist() == [at % 3 > 0 for at in range(len(shop.products))]


def test_an_unknown_subject_gets_nothing(
    case: Case, fitted: Fitted, everything: np.ndarray
) -> None:
    stranger = Query()

    assert fitted.knows(stranger) == (not case.needs)
    assert (len(fitted.recommend(stranger, 5, everything)) > 0) == (not case.needs)


def test_what_is_known_is_answered(
    fitted: Fitted, shop: Interactions, everything: np.ndarray
) -> None:
    for query in queries(shop):
        assert fitted.knows(query)
        assert len(fitted.recommend(query, 1, everything)) == 1


def test_the_basket_itself_is_not_answered_by_what_reads_it(
    case: Case, fitted: Fitted, shop: Interactions, everything: np.ndarray
) -> None:
    if "basket" not in case.needs:
        return
    for query in queries(shop):
        found = fitted.recommend(query, 1000, everything).products

        assert not np.isin(query.basket, found).any()


def test_arrays_are_everything_and_answer_the_same(
    fitted: Fitted, shop: Interactions, everything: np.ndarray
) -> None:
    arrays = fitted.arrays()

    again = READERS[fitted.strategy].from_arrays(arrays)

    assert all(each.dtype.kind in "fi" for each in arrays.values())
    for query in queries(shop):
        one, two = (model.recommend(query, 5, everything) for model in (fitted, again))
        assert one.products.tolist() == two.products.tolist()
        assert one.scores.tolist() == two.scores.tolist()


def test_the_same_purchases_teach_the_same(case: Case, fitted: Fitted, shop: Interactions) -> None:
    again = case.model.fit(shop).arrays()

    assert {name: each.tobytes() for name, each in fitted.arrays().items()} == {
        name: each.tobytes() for name, each in again.items()
    }


def test_settings_are_not_used_up_by_a_fit(case: Case, shop: Interactions) -> None:
    few = shop.rows(shop.member < 6)
    case.model.fit(few)

    arrays = case.model.fit(shop).arrays()

    assert all(np.isfinite(each).all() for each in arrays.values())


def test_progress_rises_to_one(case: Case, shop: Interactions) -> None:
    told: list[float] = []

    case.model.fit(shop, told.append)

    assert told == sorted(told)
    assert told[-1] == 1.0


def test_old_visits_count_less() -> None:
    day = 86_400
    shop = Interactions.from_columns(
        np.array(["ann"] * 5),
        np.array(["old", "old", "new", "new", "mid"]),
        np.array([0, day, 99 * day, 100 * day, 50 * day]),
    )
    allowed = np.ones(3, dtype=np.bool_)

    past = Query(History.of(shop.product, shop.day), day=100)

    ranking = Personal(half_life_days=50.0).fit(shop).recommend(past, 5, allowed)

    assert [shop.products.texts()[each] for each in ranking.products] == ["new", "old", "mid"]
    expected = [1 + 2 ** (-1 / 50), 2 ** (-100 / 50) + 2 ** (-99 / 50), 2 ** (-50 / 50)]
    np.testing.assert_allclose(ranking.scores, expected, rtol=1e-6)


def test_arrivals_are_not_what_the_first_weeks_saw_first() -> None:
    day = 86_400
    shop = Interactions.from_columns(
        np.array(["ann"] * 4),
        np.array(["staple", "staple", "early", "late"]),
        np.array([0, 100 * day, 10 * day, 90 * day]),
    )

    ranking = Arrivals(recent_days=28.0).fit(shop).ranking

    assert [shop.products.texts()[each] for each in ranking.products] == ["late"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (lambda: Als(factors=0), "factors must be 1 to 1024, found 0"),
        (lambda: Als(alpha=0.0), "alpha must be above 0"),
        (lambda: Als(iterations=0), "iterations must be at least 1"),
        (lambda: Arrivals(recent_days=0.0), "recent_days must be above 0"),
        (lambda: Boosted(first=1), "first, periods, trees, leaves, depth and rows_min must lie in"),
        (lambda: Boosted(weight=0.0), "weight must be above 0"),
        (lambda: Boosted(learning_rate=2.0), "learning_rate above 0 up to 1"),
        (lambda: Bm25(b=1.5), "k1 must be above 0 and b 0 to 1, found 1.2 and 1.5"),
        (lambda: Bm25(neighbours=0), "neighbours must be 1 to 1000"),
        (lambda: Bpr(factors=0), "factors must be 1 to 1024, found 0"),
        (lambda: Bpr(learning_rate=0.0), "learning_rate must be above 0"),
        (lambda: Bpr(iterations=0), "iterations must be at least 1"),
        (lambda: Ease(products_max=0), "products_max must be 1 to 20000"),
        (lambda: Ease(regularization=0.0), "regularization must be above 0"),
        (lambda: TifuKnn(group=0), "group and neighbours must be at least 1"),
        (lambda: TifuKnn(within=0.0), "within and between must be above 0"),
        (lambda: ItemItem(over="days"), "visits or members, found 'days'"),
        (lambda: ItemItem(neighbours=0), "neighbours must be 1 to 1000"),
        (lambda: Personal(half_life_days=0.0), "half_life_days must be above 0"),
        (lambda: Popularity(half_life_days=float("nan")), "half_life_days must be above 0"),
        (lambda: Popularity(recent_days=-1.0), "recent_days must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings, says: str) -> None:
    with pytest.raises(BadSettings, match=says):
        settings()
