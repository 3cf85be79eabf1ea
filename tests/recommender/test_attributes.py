"""Attributes of products, in the order of whatever vocabulary a model has."""

from pathlib import Path

import numpy as np
import pytest

from loyalty_recommender.attributes import Attributes
from loyalty_recommender.errors import BadInteractions
from loyalty_recommender.reading import read_products
from loyalty_recommender.vocabulary import Vocabulary

CSV = """\
product,department,category,type,brand
tea,GROCERY,HOT DRINKS,GREEN,Leaf
fuel,FUEL,,,
milk,DAIRY,MILK,,Cow
,GROCERY,LOST,,
tea,GROCERY,HOT DRINKS,BLACK,Leaf
"""


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "products.csv"
    path.write_text(CSV)
    return path


def test_attributes_follow_the_order_of_another_vocabulary(csv: Path) -> None:
    products = read_products(csv)

    found = products.attributes_of(Vocabulary.of(["milk", "new", "tea"]))

    assert products.ids.texts() == ["fuel", "milk", "tea"]
    assert found.department.tolist() == [0, -1, 2]
    assert found.category.tolist() == [1, -1, 0]
    assert found.type.tolist() == [-1, -1, 0]
    assert found.brand.tolist() == [0, -1, 1]


def test_a_subset_keeps_the_codes(csv: Path) -> None:
    attributes = read_products(csv).attributes

    assert attributes.only(np.array([False, False, True])).department.tolist() == [2]
    assert len(attributes.only(np.array([False, False, False]))) == 0


def test_goods_are_what_no_department_of_services_holds(csv: Path) -> None:
    assert read_products(csv).goods() == {"milk", "tea"}


def test_columns_but_product_and_department_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("product,department\n1,DAIRY\n")

    attributes = read_products(path).attributes

    assert (attributes.department.tolist(), attributes.brand.tolist()) == ([0], [-1])


def test_nothing_known_is_minus_one_everywhere() -> None:
    attributes = Attributes.unknown(2)

    assert attributes.type.tolist() == [-1, -1]
    assert attributes.only(np.array([True, False])).brand.tolist() == [-1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("product,brand\n1,x\n", "lacks department; its columns are product, brand"),
        ("product,department\n", "holds no products"),
    ],
)
def test_what_is_no_file_of_products_is_said(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "products.csv"
    path.write_text(text)

    with pytest.raises(BadInteractions, match=says):
        read_products(path)
