"""A member's past, from the lines of receipts."""

import numpy as np
import pytest

from loyalty_recommender.errors import BadRequest
from loyalty_recommender.history import NOTHING_BOUGHT, History


def test_lines_of_one_day_are_one_row_by_product_then_day() -> None:
    found = History.of(np.array([3, 1, 3, 3]), np.array([20, 20, 10, 20]))

    assert found.product.tolist() == [1, 3, 3]
    assert found.day.tolist() == [20, 10, 20]
    assert found.visits == 2
    assert found.bought.tolist() == [1, 3]


def test_days_before_1970_keep_their_sequence() -> None:
    assert History.of(np.array([1, 1]), np.array([5, -5])).day.tolist() == [-5, 5]


def test_what_came_before_a_day_is_a_past_of_its_own() -> None:
    found = History.of(np.array([1, 2, 1]), np.array([5, 6, 7])).before(6)

    assert (found.product.tolist(), found.day.tolist(), found.visits) == ([1], [5], 1)


def test_a_guest_has_bought_nothing() -> None:
    assert NOTHING_BOUGHT.visits == 0
    assert len(NOTHING_BOUGHT.bought) == 0


def test_a_product_without_its_day_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"found \(2,\) and \(1,\)"):
        History.of(np.array([1, 2]), np.array([5]))
