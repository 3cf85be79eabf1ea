"""EASE cut short: as the whole map where all is kept, and no other of its size comes nearer."""

import numpy as np
import pytest

from loyalty_recommender.errors import BadSettings
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models.autoencoder import Autoencoder, FittedAutoencoder
from loyalty_recommender.models.gram import largest_directions, zero_diagonal_map

PRODUCTS = 30


@pytest.fixture(scope="module")
def shop() -> Interactions:
    """Sixty members; the products of a hundred are bought less the higher their number."""
    random = np.random.default_rng(5)
    product = np.minimum(random.geometric(0.12, 4000), PRODUCTS) - 1
    return Interactions.from_columns(
        random.integers(0, 60, 4000), product + 100, random.integers(0, 300, 4000) * 86_400
    )


def whole_map(shop: Interactions, regularization: float) -> np.ndarray:
    """By a general inverse in double precision."""
    bought = shop.by_member().toarray().astype(np.float64)
    bought /= np.sqrt(np.linalg.norm(bought, axis=1))[:, None]
    inverse = np.linalg.inv(bought.T @ bought + regularization * np.eye(bought.shape[1]))
    found = -inverse / np.diag(inverse)
    np.fill_diagonal(found, 0.0)
    return found


def test_with_every_direction_it_is_the_whole_map(shop: Interactions) -> None:
    fitted = Autoencoder(regularization=2.0, directions=PRODUCTS).fit(shop)
    bought = np.array([0, 4, 17], dtype=np.int32)
    weight = np.array([0.7, 1.1, 2.0], dtype=np.float32)

    vector = fitted.vector(bought, weight)
    found = fitted.rows_of(np.arange(PRODUCTS, dtype=np.int32)) @ vector

    expected = weight / np.sqrt(np.linalg.norm(weight)) @ whole_map(shop, 2.0)[bought]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(expected).max() > 0.1


def test_each_product_is_scored_by_the_others_only(shop: Interactions) -> None:
    gram = (shop.by_member().T @ shop.by_member()).toarray().astype(np.float32)

    found = zero_diagonal_map(gram, 3.0)

    assert not np.diag(found).any()
    assert (np.abs(found) > 1e-3).mean() > 0.5


def test_no_map_of_its_size_comes_nearer(shop: Interactions) -> None:
    matrix = whole_map(shop, 2.0).astype(np.float32)

    for count in (1, 5, 12):  # by the search for a few, and by all at once
        sources, targets = largest_directions(matrix, count)

        assert sources.shape == targets.shape == (PRODUCTS, count)
        away = np.linalg.norm(matrix - sources @ targets.T)
        sizes = np.linalg.svd(matrix, compute_uv=False)
        assert away == pytest.approx(np.sqrt((sizes[count:] ** 2).sum()), rel=1e-3)


def test_what_is_bought_least_takes_no_part(shop: Interactions) -> None:
    fitted = Autoencoder(products_max=10, directions=4).fit(shop)
    most = np.argsort(-shop.household_days(), kind="stable")[:10]
    others = np.setdiff1d(np.arange(PRODUCTS), most).astype(np.int32)

    assert np.abs(fitted.rows_of(np.sort(most).astype(np.int32))).sum(axis=1).min() > 0.0
    assert not fitted.rows_of(others).any()
    assert not fitted.vector(others, np.ones(len(others), np.float32)).any()
    # Nor does it change what the others say.
    both = fitted.vector(
        np.array([most[0], others[0]], np.int32), np.array([1.5, 2.5], dtype=np.float32)
    )
    alone = fitted.vector(np.array([most[0]], np.int32), np.array([1.5], dtype=np.float32))
    np.testing.assert_array_equal(both, alone)
    nothing = fitted.vector(np.empty(0, np.int32), np.empty(0, np.float32))
    assert not nothing.any()


def test_a_shop_with_fewer_products_than_directions(shop: Interactions) -> None:
    few = shop.only_products(np.arange(PRODUCTS) < 2)

    fitted = Autoencoder().fit(few)

    assert np.isfinite(fitted.rows_of(np.arange(2, dtype=np.int32))).all()
    one = few.only_products(np.arange(2) < 1)
    vector = Autoencoder().fit(one).vector(np.zeros(1, np.int32), np.ones(1, np.float32))
    assert not vector.any()  # nothing else explains it


def test_the_same_purchases_give_the_same_map_and_it_is_read_back(shop: Interactions) -> None:
    first, second = Autoencoder(directions=8).fit(shop), Autoencoder(directions=8).fit(shop)

    for name, array in first.arrays().items():
        np.testing.assert_array_equal(array, second.arrays()[name])
    again = FittedAutoencoder.from_arrays(first.arrays())
    np.testing.assert_array_equal(again.targets, first.targets)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"products_max": 0}, "products_max must be 1 to 20000, found 0"),
        ({"regularization": 0.0}, "regularization must be above 0, found 0.0"),
        ({"directions": 2000}, "directions must be 1 to 1024, found 2000"),
    ],
)
def test_settings_out_of_range(settings: dict[str, int], problem: str) -> None:
    with pytest.raises(BadSettings, match=problem):
        Autoencoder(**settings)
