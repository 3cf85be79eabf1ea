"""Candidates are asked fairly, and one that breaks the rules is told."""

import numpy as np
import pytest

from loyalty_recommender.attributes import Attributes
from loyalty_recommender.errors import BadAnswer
from loyalty_recommender.evaluation.protocol import Case, Split
from loyalty_recommender.evaluation.run import OfModel, run
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models.personal import Personal


class Answers:
    """A candidate that knows nothing but what to say."""

    def __init__(self, say) -> None:
        self.answer = say

    def fit(self, interactions: Interactions, attributes: Attributes) -> "Answers":
        return self


@pytest.fixture(scope="module")
def splits(shop: Interactions) -> list[Split]:
    attributes = Attributes.unknown(len(shop.products))
    first_day = int(shop.day.min())
    return [Split.of(shop, attributes, cut, first_day=first_day) for cut in (250, 300)]


def test_who_knows_the_truth_has_full_marks_and_who_is_silent_none(splits: list[Split]) -> None:
    perfect = run(Answers(lambda case: case.truth), splits, ("NEXT_VISIT", "BUY_AGAIN"))
    silent = run(Answers(lambda case: []), splits, ("NEXT_VISIT", "BUY_AGAIN"))

    for window in ("NEXT_VISIT", "BUY_AGAIN"):
        recall, ndcg = perfect[window].summary()
        assert (recall.mean, ndcg.mean) == (1.0, pytest.approx(1.0))
        assert silent[window].summary()[0].mean == 0.0


def test_cuts_are_pooled_and_can_be_looked_at_apart(splits: list[Split]) -> None:
    found = run(OfModel(Personal()), splits, ("NEXT_VISIT",))["NEXT_VISIT"]

    apart = [found.of_cut(cut) for cut in (250, 300)]

    assert [len(each.wanted) for each in apart] == [
        len(each.cases["NEXT_VISIT"]) for each in splits
    ]
    assert np.concatenate([each.recall() for each in apart]).tolist() == found.recall().tolist()
    assert found.recall().mean() > 0.5


def test_the_same_questions_are_found_in_another_sequence(splits: list[Split]) -> None:
    found = run(OfModel(Personal()), splits, ("NEXT_VISIT",))["NEXT_VISIT"]
    some = found.rows(np.arange(len(found.wanted))[::-3])

    again = found.same_questions(some)

    assert again.household.tolist() == some.household.tolist()
    assert again.cut.tolist() == some.cut.tolist()
    assert again.recall().tolist() == some.recall().tolist()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda case: [1, 1], "answered twice"),
        (lambda case: [10_000], "products lie in 0.."),
        (lambda case: np.flatnonzero(~case.allowed(9)), "may not be answered"),
    ],
)
def test_an_answer_against_the_rules_is_told(splits: list[Split], answer, says: str) -> None:
    with pytest.raises(BadAnswer, match=says):
        run(Answers(answer), splits, ("BUY_AGAIN",))


def test_nothing_of_the_test_part_is_told(splits: list[Split]) -> None:
    told: list[Case] = []

    run(Answers(lambda case: told.append(case) or []), splits[:1], ("NEXT_VISIT",))

    assert {case.day for case in told} == {splits[0].cut + int(splits[0].train.day.min())}
    assert all(case.history.day.max() < case.day for case in told)
