"""What is asked of a small shop, by hand."""

import numpy as np
import pytest

from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.errors import BadInteractions
from loyalty_recommender.evaluation.protocol import (
    FIRST_DAY,
    FOLDS,
    AskedWindow,
    Case,
    Split,
    fold_of,
)
from loyalty_recommender.interactions import Interactions

CUT = 100
STAPLES = ("bread", "butter", "eggs", "milk", "salt", "tea")


def year(*later: tuple[str, str, int], earlier: tuple[tuple[str, str, int], ...] = ()):
    """Ann bought bread on five days before the cut; a crowd bought every staple often."""
    lines = [("ann", "bread", day) for day in (1, 2, 3, 4, 99)]
    lines += [(f"crowd-{at}", each, 50 + at) for at in range(5) for each in STAPLES]
    lines += [("crowd-0", "rare", day) for day in (1, 2, 3, 4)]
    lines += [*earlier, *later]
    member, product, day = zip(*lines, strict=True)
    times = (np.array(day) + FIRST_DAY) * DAY_S + 3600
    return Interactions.from_columns(np.array(member), np.array(product), times)


def split(purchases: Interactions, **options) -> Split:
    return Split.of(purchases, Attributes.unknown(len(purchases.products)), CUT, **options)


def of_ann(found: Split, window: AskedWindow, purchases: Interactions) -> list[Case]:
    ann = purchases.members.find("ann")
    return [case for case in found.cases[window] if case.household == ann]


def names(found: Split, products: np.ndarray) -> list[str]:
    texts = found.train.products.texts()
    return [texts[each] for each in products]


def test_next_visit_is_the_first_in_the_test_part_repeats_included() -> None:
    purchases = year(("ann", "bread", 105), ("ann", "tea", 105), ("ann", "milk", 106))
    found = split(purchases)

    (case,) = of_ann(found, "NEXT_VISIT", purchases)

    assert names(found, case.truth) == ["bread", "tea"]
    assert names(found, case.history.product) == ["bread"] * 5
    assert case.history.day.tolist() == [FIRST_DAY + day for day in (1, 2, 3, 4, 99)]
    assert case.history.visits == 5
    assert case.day == FIRST_DAY + CUT


def test_the_day_of_the_visit_is_told_only_if_asked_for() -> None:
    purchases = year(("ann", "bread", 105))

    (case,) = of_ann(split(purchases, ask_on="visit"), "NEXT_VISIT", purchases)

    assert case.day == FIRST_DAY + 105


def test_buy_again_is_the_part_of_the_first_visit_bought_before() -> None:
    purchases = year(("ann", "bread", 105), ("ann", "tea", 105))
    found = split(purchases)

    (case,) = of_ann(found, "BUY_AGAIN", purchases)

    assert names(found, case.truth) == ["bread"]
    assert names(found, np.flatnonzero(case.allowed(len(found.train.products)))) == ["bread"]


def test_for_you_is_everything_new_of_four_weeks() -> None:
    purchases = year(("ann", "bread", 100), ("ann", "tea", 127), ("ann", "milk", 128))
    found = split(purchases)

    (case,) = of_ann(found, "FOR_YOU", purchases)

    assert names(found, case.truth) == ["tea"]
    assert "bread" not in names(found, np.flatnonzero(case.allowed(len(found.train.products))))


def test_half_of_the_first_large_visit_is_given() -> None:
    small = [("ann", each, 101) for each in ("bread", "butter", "eggs")]
    large = [("ann", each, 102) for each in ("bread", "butter", "eggs", "milk", "salt")]
    purchases = year(*small, *large)
    found = split(purchases)

    (case,) = of_ann(found, "CART", purchases)

    assert (len(case.cart), len(case.truth)) == (2, 3)
    assert sorted(names(found, np.concatenate((case.cart, case.truth)))) == [
        "bread",
        "butter",
        "eggs",
        "milk",
        "salt",
    ]
    assert not case.allowed(len(found.train.products))[case.cart].any()


def test_the_halves_do_not_depend_on_who_else_is_in_the_data() -> None:
    visit = [("ann", each, 102) for each in STAPLES]
    alone = year(*visit)
    others = year(*visit, ("aaron", "apples", 1), *[("zoe", "aaa", day) for day in range(9)])

    given = [
        names(found, case.cart)
        for purchases in (alone, others)
        for found in [split(purchases)]
        for case in of_ann(found, "CART", purchases)
    ]

    assert given[0] == given[1]


def test_products_of_too_few_visits_are_neither_known_nor_wanted() -> None:
    purchases = year(("ann", "rare", 105), ("ann", "bread", 105))
    found = split(purchases)

    assert found.train.products.texts() == list(STAPLES)
    assert names(found, of_ann(found, "NEXT_VISIT", purchases)[0].truth) == ["bread"]


def test_a_first_visit_without_anything_known_is_not_replaced_by_a_later_one() -> None:
    purchases = year(("ann", "rare", 105), ("ann", "bread", 106))

    assert of_ann(split(purchases), "NEXT_VISIT", purchases) == []


def test_households_of_too_few_visits_are_not_asked_but_teach() -> None:
    found = split(year(("crowd-1", "tea", 105)))

    assert all(not cases for cases in found.cases.values())
    assert "crowd-1" in found.train.members.texts()


def test_the_cut_itself_is_no_part_of_training() -> None:
    purchases = year(("ann", "tea", 100))
    found = split(purchases)

    assert found.train.day.max() < FIRST_DAY + CUT
    assert names(found, of_ann(found, "NEXT_VISIT", purchases)[0].truth) == ["tea"]


def test_households_left_out_are_asked_the_same_and_taught_nothing_of() -> None:
    purchases = year(("ann", "bread", 105))
    found = split(purchases)
    ann = purchases.members.find("ann")
    fold = int(fold_of(purchases)[ann])

    left_out = found.without(fold)

    assert ann not in left_out.train.member
    assert len(left_out.train.products) == len(found.train.products)
    (case,) = of_ann(left_out, "NEXT_VISIT", purchases)
    assert case.member is None
    assert case.history.visits == 5
    assert of_ann(found.without((fold + 1) % FOLDS), "NEXT_VISIT", purchases) == []


def test_a_cut_before_anything_was_bought_is_refused() -> None:
    purchases = year()

    with pytest.raises(BadInteractions, match="no product was bought in 5 visits before day 0"):
        Split.of(purchases, Attributes.unknown(len(purchases.products)), 0)
