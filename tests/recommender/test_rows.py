"""Rows read side by side are the rows read one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loyalty_recommender.rows import Rows

ROWS = 7

cells = st.sets(st.tuples(st.integers(0, ROWS - 1), st.integers(0, ROWS - 1)))


@given(cells, st.lists(st.integers(0, ROWS - 1), max_size=5))
def test_beside_each_other_as_one_by_one(held: set[tuple[int, int]], asked: list[int]) -> None:
    row, product = np.array(sorted(held), dtype=np.int64).reshape(-1, 2).T
    rows = Rows.of(row, product, 1.0 + 10 * row + product, ROWS)

    products, values = rows.beside(np.array(asked, dtype=np.int32))

    assert products.shape == values.shape
    for at, each in enumerate(asked):
        there = values[at] > 0
        expected = rows.row(each)
        assert products[at][there].tolist() == expected[0].tolist()
        assert values[at][there].tolist() == expected[1].tolist()
