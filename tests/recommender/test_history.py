"""A member's past, from the lines of receipts."""

import numpy as np

from loyalty_recommender.history import History


def test_lines_of_one_day_are_one_row_by_product_then_day() -> None:
    found = History.of(np.array([3, 1, 3, 3]), np.array([20, 20, 10, 20]))

    assert found.product.tolist() == [1, 3, 3]
    assert found.day.tolist() == [20, 10, 20]
    assert found.visits == 2
    assert found.bought.tolist() == [1, 3]


def test_visits_count_days_without_a_known_product_where_the_caller_knows_them() -> None:
    nothing = np.empty(0, dtype=np.int64)

    assert History.of(np.array([1]), np.array([5]), visits=4).visits == 4
    assert History.of(nothing, nothing, visits=4).visits == 4
    assert len(History.none()) == 0
