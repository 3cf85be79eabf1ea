"""Product sets at five levels."""

from dataclasses import replace

import numpy as np
import pytest

from loyalty_recommender.attributes import Attributes
from loyalty_recommender.errors import BadRequest
from loyalty_recommender.offers.targets import Shelves, Targets

#            0   1   2   3  4: of type  a a b b ?, brand  x y x x ?
SHELVES = Shelves.of(
    replace(
        Attributes.unknown(5),
        type=np.array([0, 0, 1, 1, -1], dtype=np.int32),
        brand=np.array([0, 1, 0, 0, -1], dtype=np.int32),
    )
)


def test_a_line_is_one_brands_products_of_one_type() -> None:
    line = SHELVES.codes["line"].tolist()

    assert line[2] == line[3]
    assert len({line[0], line[1], line[2]}) == 3
    assert line[4] == -1
    assert SHELVES.sizes["line"] == 3


def test_breadth_counts_what_a_target_spans_and_unknown_is_nothing() -> None:
    targets = Targets.of([np.array([0, 1, 1]), np.array([2, 3, 4]), np.array([], int)], SHELVES)

    assert targets.sizes.tolist() == [2, 3, 0]
    assert {level: each.tolist() for level, each in targets.breadth.items()} == {
        "product": [2, 3, 0],
        "line": [2, 1, 0],
        "type": [1, 1, 0],
        "category": [0, 0, 0],
        "brand": [2, 1, 0],
    }


def test_hit_names_targets_that_hold_any_of_the_products() -> None:
    targets = Targets.of([np.array([0, 1]), np.array([1, 2]), np.array([4])], SHELVES)

    assert targets.hit(np.array([1, 3], dtype=np.int32)).tolist() == [True, True, False]
    assert targets.hit(np.array([], dtype=np.int32)).tolist() == [False, False, False]


@pytest.mark.parametrize("product", [-1, 5])
def test_a_product_that_the_shelves_do_not_know_is_refused(product: int) -> None:
    with pytest.raises(BadRequest, match=r"0\.\.4"):
        Targets.of([np.array([product])], SHELVES)
