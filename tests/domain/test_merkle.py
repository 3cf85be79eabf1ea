"""Roots and paths of RFC 6962, known answers first."""

import hashlib
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.books.merkle import (
    EMPTY,
    ChainEnd,
    Tree,
    day_of,
    end_of,
    leaf_hash,
    leaf_text,
    node_hash,
    path,
    top_by_path,
)

# The eight leaves and the roots that the reference implementation of Certificate Transparency
# publishes for its trees of 1 to 8 leaves (merkletree tests).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word by word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


@pytest.mark.parametrize("count", range(1, 9))
def test_roots_are_those_that_are_published(count: int) -> None:
    assert Tree(map(leaf_hash, LEAVES[:count])).top.hex() == ROOTS[count - 1]


def test_nothing_has_a_root_too() -> None:
    assert Tree().top == EMPTY


sizes = st.integers(1, 70)


@given(sizes)
def test_a_growing_tree_is_the_one_of_the_definition(size: int) -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(size)]

    assert Tree(leaves).top == by_definition(leaves)


@given(sizes, st.data())
def test_every_leaf_has_a_path_to_the_root_and_no_other_place(
    size: int, data: st.DataObject
) -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    root = Tree(leaves).top

    siblings = path(leaves, index)

    assert top_by_path(leaves[index], index, size, siblings) == root
    other = data.draw(st.integers(-1, size))
    if other != index:
        assert top_by_path(leaves[index], other, size, siblings) != root
    assert top_by_path(leaves[index], index, size, (*siblings, EMPTY)) != root
    assert top_by_path(leaf_hash(b"other"), index, size, siblings) != root
    if siblings:
        assert top_by_path(leaves[index], index, size, siblings[:-1]) != root


def test_a_leaf_is_a_text_that_names_tenant_holder_and_place() -> None:
    end = ChainEnd(7, 3, bytes(32))

    assert leaf_text(2, end) == "loyalty-leaf-1\n2,7,3," + "00" * 32


def test_a_day_is_one_of_utc() -> None:
    assert end_of(date(2026, 12, 31)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert day_of(datetime(2026, 12, 31, 23, 59, 59, 999_999, UTC)) == date(2026, 12, 31)
    assert day_of(datetime.fromisoformat("2027-01-01T00:30+01:00")) == date(2026, 12, 31)
