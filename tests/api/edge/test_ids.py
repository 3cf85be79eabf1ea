"""Opaque ids and cursors: they read back, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.errors import BadInput
from loyalty_graphql.ids import decode_id, encode_id
from loyalty_graphql.pagination import decode_cursor, encode_cursor


@given(st.integers(0, 2**63 - 1))
def test_an_id_reads_back(row_id):
    assert decode_id(encode_id("Member", row_id), "Member") == row_id


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (encode_id("Order", 5), "found the id of a Order, wanted the id of a Member"),
        (encode_id("Member", 2**63), "wanted an id of a Member"),
        (encode_id("Member", 5) + "==", "wanted an id of a Member"),
        ("", "found id '', wanted an id of a Member"),
        ("5", "wanted an id of a Member"),
        ("TWVtYmVyOi01", "wanted an id of a Member"),
        ("é\x00\ud800", "wanted an id of a Member"),
        ("x" * 10_000, "wanted an id of a Member"),
    ],
)
def test_another_text_is_not_an_id(text, said):
    with pytest.raises(BadInput) as caught:
        decode_id(text, "Member")

    assert said in str(caught.value)
    assert len(str(caught.value)) < 200


@given(st.text(max_size=60))
def test_no_text_breaks_the_decoder(text):
    with pytest.raises(BadInput):
        decode_id(text, "Member")
    with pytest.raises(BadInput):
        decode_cursor(text, "history", (int,))


@given(st.integers(-(2**63), 2**63 - 1), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_cursor_reads_back(number, text):
    if len(text) > 40:
        text = text[:40]
    cursor = encode_cursor("history", (number, text))

    assert decode_cursor(cursor, "history", (int, str)) == (number, text)


@pytest.mark.parametrize(
    ("cursor", "shape"),
    [
        (encode_cursor("other", (1,)), (int,)),
        (encode_cursor("history", (1, 2)), (int,)),
        (encode_cursor("history", ("1",)), (int,)),
        ("bnVsbA", (int,)),
        ("W10", (int,)),
    ],
)
def test_a_cursor_of_another_list_is_refused(cursor, shape):
    with pytest.raises(BadInput) as caught:
        decode_cursor(cursor, "history", shape)

    assert caught.value.field == ("after",)
    assert "wanted one that this list answered before" in str(caught.value)
