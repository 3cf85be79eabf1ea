"""Receipt lines become visits: one member, one day."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.errors import BadInteractions
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.vocabulary import Vocabulary

LINES = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "eve"]),
        st.sampled_from(["milk", "tea", "rye", "jam"]),
        st.integers(-3 * DAY_S, 5 * DAY_S),
    ),
    max_size=40,
)


def built(lines: list[tuple[str, str, int]], utc_offset_s: int = 0) -> Interactions:
    return Interactions.from_columns(
        np.array([member for member, _, _ in lines], dtype=object),
        np.array([product for _, product, _ in lines], dtype=object),
        np.array([at for _, _, at in lines], dtype=np.int64),
        utc_offset_s=utc_offset_s,
    )


@given(LINES, st.sampled_from([0, 7200, -5 * 3600]))
def test_rows_are_what_a_dictionary_of_visits_holds(
    lines: list[tuple[str, str, int]], offset_s: int
) -> None:
    expected: dict[tuple[str, str, int], int] = {}
    for member, product, at in lines:
        visit = (member, product, (at + offset_s) // DAY_S)
        expected[visit] = max(at, expected.get(visit, at))

    found = built(lines, offset_s)

    members, products = found.members.texts(), found.products.texts()
    rows = zip(found.member, found.product, found.day, found.time, strict=True)
    assert [((members[m], products[p], d), t) for m, p, d, t in rows] == sorted(expected.items())


@given(LINES)
def test_matrices_and_counts_agree_with_counting_by_hand(lines: list[tuple[str, str, int]]) -> None:
    baskets: dict[tuple[str, int], set[str]] = defaultdict(set)
    for member, product, at in lines:
        baskets[member, at // DAY_S].add(product)
    found = built(lines)
    members, products = found.members.texts(), found.products.texts()

    visits = found.by_visit().toarray()
    by_member = np.expm1(found.by_member().toarray()).round().astype(int)

    by_hand = [
        [sum(p in basket for (who, _), basket in baskets.items() if who == m) for p in products]
        for m in members
    ]
    assert sorted(map(tuple, visits.tolist())) == sorted(
        tuple(float(p in basket) for p in products) for basket in baskets.values()
    )
    assert by_member.tolist() == by_hand
    assert found.household_days().tolist() == [sum(column) for column in zip(*by_hand, strict=True)]
    assert found.member_visits().tolist() == [sum(who == m for who, _ in baskets) for m in members]


def test_positions_from_a_database_give_the_same_as_ids() -> None:
    lines = [("ann", "tea", 5), ("bob", "milk", 7), ("ann", "tea", 9)]

    from_indices = Interactions.from_indices(
        Vocabulary.of(["ann", "bob"]),
        Vocabulary.of(["milk", "tea"]),
        np.array([0, 1, 0]),
        np.array([1, 0, 1]),
        np.array([5, 7, 9]),
    )

    from_ids = built(lines)
    for name in ("member", "product", "time", "day"):
        assert getattr(from_indices, name).tolist() == getattr(from_ids, name).tolist()


def test_leaving_products_out_takes_them_out_of_the_vocabulary() -> None:
    found = built([("ann", "tea", 5), ("bob", "milk", 7), ("ann", "jam", 9)])

    kept = found.only_products(np.array([each != "milk" for each in found.products.texts()]))

    assert kept.products.texts() == ["jam", "tea"]
    assert [kept.products.texts()[each] for each in kept.product] == ["jam", "tea"]
    assert kept.members.texts() == ["ann", "bob"]


def test_members_who_only_come_later_can_be_left_out_by_name() -> None:
    shop = Interactions.from_columns(
        np.array(["ann", "bob", "zoe"]), np.array(["tea"] * 3), np.array([1, 9, 2])
    )

    known = shop.before(5).only_known_members()

    assert known.members.texts() == ["ann", "zoe"]
    assert known.member.tolist() == [0, 1]


def test_before_is_strict() -> None:
    found = built([("ann", "tea", 5), ("bob", "milk", 7)])

    assert found.before(7).time.tolist() == [5]
    assert found.span == (5, 7)


@pytest.mark.parametrize(
    ("case", "columns", "says"),
    [
        ("unequal", ([1], [1, 2], [1]), "equally long, found 1 members, 2 products, 1 times"),
        ("times with fractions", ([1], [1], [1.5]), "times must be whole numbers, found float64"),
        ("nanoseconds", ([1], [1], [1_700_000_000 * 10**9]), "milliseconds were given perhaps"),
    ],
)
def test_bad_columns_are_refused(case: str, columns: tuple[list, list, list], says: str) -> None:
    with pytest.raises(BadInteractions, match=says):
        Interactions.from_columns(*(np.array(each) for each in columns))


def test_a_position_outside_its_vocabulary_is_refused() -> None:
    ids = Vocabulary.of(["a", "b"])

    with pytest.raises(BadInteractions, match=r"product must lie in 0\.\.1, found 0\.\.2"):
        Interactions.from_indices(ids, ids, np.array([0, 1]), np.array([0, 2]), np.array([5, 6]))


def test_no_purchases_span_no_time() -> None:
    with pytest.raises(BadInteractions, match="span no time"):
        _ = built([]).span


def test_days_beyond_one_sort_key_still_group() -> None:
    many = Vocabulary(np.array([f"{each:07d}".encode() for each in range(3_000_000)]))
    last = len(many) - 1
    far = 2**31 * DAY_S - 1

    found = Interactions.from_indices(
        many, many, np.array([last, 0, last]), np.array([0, last, 0]), np.array([far, 0, far])
    )

    assert list(zip(found.member, found.product, found.time, strict=True)) == [
        (0, last, 0),
        (last, 0, far),
    ]
