"""Recommendation ids say to us what was answered, and to nobody else anything."""

from __future__ import annotations

import base64
from dataclasses import astuple
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.recommendations.experiments import Variant
from loyalty.errors import NotFound
from loyalty.secrets import SecretKey
from loyalty.services.recommendations.recommendation_id import (
    ANSWERED_IN,
    MARKED_MAX,
    TEXT_MAX,
    RecommendationIds,
)
from loyalty_recommender.serving import Window

IDS = RecommendationIds(SecretKey("a key for tests, of more than 32 characters"))
AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
MODEL = "20260301T021500Z-0123456789ab"
PRODUCTS = [f"p-{number}" for number in range(10)]


def made(tenant_id: int = 1) -> str:
    return IDS.make(
        tenant_id, "FOR_YOU", PRODUCTS, AT, model=MODEL, member_id=77, experiment_id=5,
        variant=Variant.CANDIDATE,
    )  # fmt: skip


def test_an_id_is_read_as_it_was_made() -> None:
    found = IDS.read(1, made())

    assert astuple(found)[1:8] == ("FOR_YOU", AT, MODEL, Variant.CANDIDATE, 5, 77, 10)
    assert [found.position(each) for each in PRODUCTS] == list(range(1, 11))
    assert found.position("p-10") is None


def test_an_id_without_a_model_or_member_says_so() -> None:
    found = IDS.read(1, IDS.make(1, "TRENDING", [], AT))

    assert astuple(found)[1:] == ("TRENDING", AT, None, None, None, None, 0, b"")


def test_every_window_has_its_place_in_an_id() -> None:
    assert set(Window) <= set(ANSWERED_IN)
    for window in ANSWERED_IN:
        assert IDS.read(1, IDS.make(1, window, [], AT)).window == window


def test_another_process_with_the_key_reads_it() -> None:
    other = RecommendationIds(SecretKey("a key for tests, of more than 32 characters"))

    assert other.read(1, made()).member_id == 77


def test_the_same_answer_twice_has_two_ids() -> None:
    assert IDS.read(1, made()).number != IDS.read(1, made()).number


def test_a_long_list_marks_its_head_and_knows_no_place_after_it() -> None:
    many = [f"p-{number}" for number in range(MARKED_MAX + 1)]

    text = IDS.make(1, "RANK_PRODUCTS", many, AT)

    found = IDS.read(1, text)
    assert (found.count, found.position("p-0"), found.position("unheard of")) == (101, 1, 0)
    assert len(text) <= TEXT_MAX


def test_an_id_shows_nothing_of_what_it_says() -> None:
    raw = base64.urlsafe_b64decode(made() + "==")

    assert (77).to_bytes(8) not in raw
    assert len(made()) <= 120


@pytest.mark.parametrize("key", ["another key, of more than 32 characters too", None])
def test_a_foreign_one_is_missing(key: str | None) -> None:
    reader = IDS if key is None else RecommendationIds(SecretKey(key))

    with pytest.raises(NotFound, match="no such recommendation"):
        reader.read(2, made(1)) if key is None else reader.read(1, made(1))


@pytest.mark.parametrize(
    "text", ["", "A", "=" * 90, "*" * 100, "A" * 100, "A" * 100_000, "ő" * 90, "\0" * 90]
)
def test_what_is_no_id_is_missing(text: str) -> None:
    with pytest.raises(NotFound):
        IDS.read(1, text)


@given(st.data())
def test_a_changed_byte_anywhere_makes_it_missing(data: st.DataObject) -> None:
    raw = bytearray(base64.urlsafe_b64decode(made() + "=="))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))

    with pytest.raises(NotFound):
        IDS.read(1, base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="))


@given(st.text(max_size=200))
def test_no_text_is_a_bug(text: str) -> None:
    with pytest.raises(NotFound):
        IDS.read(1, text)
