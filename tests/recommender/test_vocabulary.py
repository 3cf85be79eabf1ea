"""Ids keep their text, their order and their position."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_recommender.errors import BadInteractions
from loyalty_recommender.vocabulary import Vocabulary

IDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6
)


@given(st.lists(IDS, max_size=20), IDS)
def test_every_id_is_found_where_it_stands_and_no_other(ids: list[str], other: str) -> None:
    vocabulary = Vocabulary.of(ids)

    assert vocabulary.texts() == sorted(set(ids))
    assert [vocabulary.find(each) for each in vocabulary.texts()] == list(range(len(vocabulary)))
    assert (vocabulary.find(other) is not None) == (other in ids)


@given(st.lists(st.integers(-(2**62), 2**62), max_size=20))
def test_numbers_are_their_decimal_text(numbers: list[int]) -> None:
    vocabulary, position = Vocabulary.encode(np.array(numbers, dtype=np.int64))

    assert [vocabulary.texts()[each] for each in position] == [str(each) for each in numbers]


@given(st.lists(IDS, max_size=20))
def test_text_rows_point_at_their_id(ids: list[str]) -> None:
    vocabulary, position = Vocabulary.encode(np.array(ids, dtype=object))

    assert [vocabulary.texts()[each] for each in position] == ids


@pytest.mark.parametrize(
    ("case", "asked"),
    [
        ("a longer id with the same beginning", "milk-2%"),
        ("a shorter id", "mil"),
        ("nothing", ""),
        ("a trailing NUL, which numpy would drop", "milk\0"),
        ("half a character", "\ud800"),
    ],
)
def test_a_stranger_is_not_its_neighbour(case: str, asked: str) -> None:
    assert Vocabulary.of(["milk", "tea"]).find(asked) is None


@pytest.mark.parametrize(
    ("column", "says"),
    [
        (np.array(["a", ""], dtype=object), "must have characters"),
        (np.array(["a", "b\0c"], dtype=object), "no NUL"),
        (np.array(["a", None], dtype=object), "found None"),
        (np.array(["a", "\ud800"], dtype=object), "not valid text"),
        (np.array([1.5, 2.0]), "found float64"),
        (np.array([[1, 2]]), "one dimension"),
        (np.array([{}, "a"], dtype=object), "unhashable"),
    ],
)
def test_what_is_no_id_is_refused(column: np.ndarray, says: str) -> None:
    with pytest.raises(BadInteractions, match=says):
        Vocabulary.encode(column)


def test_unsorted_ids_are_refused() -> None:
    with pytest.raises(BadInteractions, match="rise strictly"):
        Vocabulary(np.array([b"b", b"a"]))
