"""The likest product is found for all of an answer at once, as one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from loyalty_recommender.explaining import nearest
from loyalty_recommender.rows import Rows

PRODUCTS = 9

products = st.lists(st.integers(0, PRODUCTS - 1), unique=True, min_size=1, max_size=6)
neighbours = st.dictionaries(
    st.tuples(st.integers(0, PRODUCTS - 1), st.integers(0, PRODUCTS - 1)),
    st.sampled_from([0.25, 0.5, 0.75]),
)


def one_by_one(likeness: dict[tuple[int, int], float], wanted: int, among: list[int]) -> int:
    """The largest likeness either way; of equal ones the product that comes first."""
    found = [
        (max(likeness.get((wanted, each), 0.0), likeness.get((each, wanted), 0.0)), -each)
        for each in among
    ]
    value, product = max(found)
    return -product if value > 0 else -1


@given(neighbours, products, products)
def test_as_one_by_one(
    likeness: dict[tuple[int, int], float], wanted: list[int], among: list[int]
) -> None:
    pairs = sorted(likeness)
    rows = Rows.of(
        np.array([each for each, _ in pairs], dtype=np.int64),
        np.array([each for _, each in pairs], dtype=np.int64),
        np.array([likeness[each] for each in pairs]),
        PRODUCTS,
    )

    found = nearest(
        rows,
        np.array(wanted, dtype=np.int32),
        np.array(sorted(among), dtype=np.int32),
        PRODUCTS,
    )

    assert found.tolist() == [one_by_one(likeness, each, among) for each in wanted]
