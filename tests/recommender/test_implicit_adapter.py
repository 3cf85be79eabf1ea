"""What implicit 0.7.3 does to the unwary, and that it does not reach us."""

import threading

import numpy as np
import pytest
from implicit import __version__ as implicit_version
from scipy import sparse
from threadpoolctl import threadpool_info

from loyalty_recommender import implicit_adapter
from loyalty_recommender.errors import FitFailed
from loyalty_recommender.implicit_adapter import als_factors, tfidf_neighbours


def factors(weights: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    return als_factors(
        weights,
        factors=4,
        alpha=1.0,
        regularization=0.01,
        iterations=5,
        seed=7,
        progress=lambda share: None,
    )


def two_tastes(members: int) -> sparse.csr_matrix:
    weights = np.zeros((members, 6), dtype=np.float32)
    weights[::2, :3] = weights[1::2, 3:] = 1.0
    return sparse.csr_matrix(weights)


def test_the_guards_were_written_for_this_version() -> None:
    assert implicit_version == implicit_adapter.VERSION


def test_more_members_than_last_time_stay_finite() -> None:
    factors(two_tastes(4))

    members, products = factors(two_tastes(40))

    assert (members.shape, products.shape) == ((40, 4), (6, 4))
    assert np.isfinite(members).all()
    assert np.isfinite(products).all()


def test_who_bought_nothing_has_a_zero_vector() -> None:
    weights = two_tastes(10).toarray()
    weights[4] = 0.0
    weights[:, 5] = 0.0

    members, products = factors(sparse.csr_matrix(weights))

    assert np.flatnonzero(~members.any(axis=1)).tolist() == [4]
    assert np.flatnonzero(~products.any(axis=1)).tolist() == [5]


def test_blas_keeps_its_threads_after_a_fit() -> None:
    before = [(each["filepath"], each["num_threads"]) for each in threadpool_info()]

    factors(two_tastes(10))
    tfidf_neighbours(two_tastes(10), 3)

    assert [(each["filepath"], each["num_threads"]) for each in threadpool_info()] == before


def test_fits_in_threads_do_not_disturb_each_other() -> None:
    expected = factors(two_tastes(30))[1]
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(factors(two_tastes(30))[1])) for _ in range(3)
    ]

    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert [each.tobytes() for each in found] == [expected.tobytes()] * 3


def test_neighbours_leave_the_product_itself_out() -> None:
    rows = tfidf_neighbours(two_tastes(10), 5)

    assert [rows.row(at)[0].tolist() for at in range(6)] == [
        [1, 2],
        [0, 2],
        [0, 1],
        [4, 5],
        [3, 5],
        [3, 4],
    ]
    np.testing.assert_allclose(rows.values, 1.0, rtol=1e-6)


@pytest.mark.parametrize("bought", [3, 2], ids=["everything", "all but one"])
def test_a_member_who_tells_nothing_apart_does_no_harm(bought: int) -> None:
    weights = np.zeros((3, 3), dtype=np.float32)
    weights[0, :bought] = 1.0
    weights[1:, 0] = 1.0

    rows = tfidf_neighbours(sparse.csr_matrix(weights), 3)

    assert np.isfinite(rows.values).all()
    assert (rows.values > 0).all()


def test_products_without_visits_have_no_neighbours_and_break_no_others() -> None:
    weights = np.zeros((4, 8), dtype=np.float32)
    weights[:, :2] = 1.0

    rows = tfidf_neighbours(sparse.csr_matrix(weights), 50)

    assert [rows.row(at)[0].tolist() for at in range(8)] == [[1], [0], [], [], [], [], [], []]


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (np.zeros((2, 3)), "no purchases to learn from"),
        (np.array([[1.0, np.nan]]), "finite and not negative"),
        (np.array([[1.0, -1.0]]), "finite and not negative"),
    ],
)
def test_nothing_to_learn_from_is_said(weights: np.ndarray, says: str) -> None:
    for fit in (factors, lambda each: tfidf_neighbours(each, 3)):
        with pytest.raises(FitFailed, match=says):
            fit(sparse.csr_matrix(weights))
