"""Each baseline does what its paper says, worked out the long way."""

import numpy as np
import pytest

from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models import Query
from loyalty_recommender.models.baselines.bm25 import Bm25
from loyalty_recommender.models.baselines.bpr import Bpr
from loyalty_recommender.models.baselines.ease import Ease
from loyalty_recommender.models.baselines.tifu_knn import TifuKnn

MEMBERS, PRODUCTS, DAYS = 30, 12, 40


@pytest.fixture(scope="module")
def year() -> Interactions:
    """Visits by chance, every product and member among them."""
    random = np.random.default_rng(11)
    member, product, day = (random.integers(0, top, 900) for top in (MEMBERS, PRODUCTS, DAYS))
    return Interactions.from_columns(member + 100, product + 100, day * DAY_S)


def asked(year: Interactions, member: int) -> Query:
    own = year.member == member
    return Query(history=History.of(year.product[own], year.day[own]), day=DAYS, member=member)


def scores(fitted, query: Query) -> np.ndarray:
    """The score of every product; zero where it was not answered."""
    ranking = fitted.recommend(query, PRODUCTS, np.ones(PRODUCTS, dtype=np.bool_))
    found = np.zeros(PRODUCTS)
    found[ranking.products] = ranking.scores
    return found


def test_ease_is_equation_8_of_steck(year: Interactions) -> None:
    bought = year.by_member().toarray().astype(np.float64)
    inverse = np.linalg.inv(bought.T @ bought + 10.0 * np.eye(PRODUCTS))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)

    fitted = Ease(regularization=10.0).fit(year)

    for member in range(5):
        np.testing.assert_allclose(
            scores(fitted, asked(year, member)), bought[member] @ weights, atol=1e-4
        )


def test_ease_of_few_products_leaves_the_least_bought_out(year: Interactions) -> None:
    few = year.rows((year.product != 3) | (year.day < 3))

    fitted = Ease(products_max=PRODUCTS - 1, regularization=10.0).fit(few)

    assert 3 not in fitted.kept
    assert scores(fitted, asked(few, 0))[3] == 0.0


def vector(settings: TifuKnn, year: Interactions, member: int) -> np.ndarray:
    """Groups from the last visit back, as the paper's figure 3 draws them."""
    own = year.rows(year.member == member)
    days = np.unique(own.day)[::-1]
    groups = [days[at : at + settings.group] for at in range(0, len(days), settings.group)]
    found = np.zeros(PRODUCTS)
    for group, visits in enumerate(groups):
        of_group = np.zeros(PRODUCTS)
        for place, day in enumerate(visits):
            basket = np.bincount(own.product[own.day == day], minlength=PRODUCTS)
            of_group += settings.within**place * basket
        found += settings.between**group * of_group / len(visits)
    return found / len(groups)


@pytest.mark.parametrize("group", [1, 3])
def test_tifu_knn_is_own_and_neighbours_decayed_frequency(year: Interactions, group: int) -> None:
    settings = TifuKnn(group=group, within=0.9, between=0.7, own=0.6, neighbours=4)
    vectors = [vector(settings, year, member) for member in range(MEMBERS)]

    fitted = settings.fit(year)

    for member in range(5):
        others = [each for each in range(MEMBERS) if each != member]
        others.sort(key=lambda each: np.sum((vectors[each] - vectors[member]) ** 2))
        near = np.mean([vectors[each] for each in others[:4]], axis=0)
        expected = 0.6 * vectors[member] + 0.4 * near
        np.testing.assert_allclose(scores(fitted, asked(year, member)), expected, atol=1e-5)


def test_tifu_knn_answers_a_household_that_was_not_there_from_its_history(
    year: Interactions,
) -> None:
    settings = TifuKnn(neighbours=4)
    left_out = year.rows(year.member != 0)

    expected = scores(settings.fit(year), asked(year, 0))
    query = asked(year, 0)
    found = scores(settings.fit(left_out), Query(history=query.history, day=DAYS))

    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_bm25_sums_what_is_near_to_all_that_was_bought(year: Interactions) -> None:
    weights = year.by_member().toarray().astype(np.float64).T
    # Members who bought everything, or all but one thing, tell products apart in no way.
    weights = weights[:, (weights > 0).sum(axis=0) + 1 < PRODUCTS]
    idf = np.log(PRODUCTS) - np.log1p((weights > 0).sum(axis=0))
    lengths = weights.sum(axis=1, keepdims=True)
    norm = 0.8 + 0.2 * lengths / lengths.mean()
    weighted = weights * 2.2 / (1.2 * norm + weights) * idf
    similar = weighted @ weighted.T

    fitted = Bm25(neighbours=PRODUCTS, k1=1.2, b=0.2).fit(year)

    np.testing.assert_allclose(
        scores(fitted, asked(year, 0)), year.by_member().toarray()[0] @ similar, rtol=1e-4
    )


def test_bpr_puts_what_was_bought_above_what_was_not(shop: Interactions) -> None:
    fitted = Bpr(factors=4, iterations=100, learning_rate=0.05).fit(shop)

    above = []
    for member in range(len(shop.members)):
        bought = shop.product[shop.member == member]
        ranking = fitted.recommend(Query(member=member), 100, np.ones(10, dtype=np.bool_))
        is_bought = np.isin(ranking.products, bought)
        above.append(ranking.scores[is_bought].mean() > ranking.scores[~is_bought].mean())

    assert np.mean(above) > 0.9
    assert len(fitted.recommend(Query(), 5, np.ones(10, dtype=np.bool_))) == 0
