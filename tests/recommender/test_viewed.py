"""What somebody looked at counts where nothing else is known, and nowhere else."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models import Query
from loyalty_recommender.models.completion import Completion
from loyalty_recommender.models.popularity import Popularity
from loyalty_recommender.models.viewed import FittedViewed
from loyalty_recommender.reasons import Reason, ReasonCode
from loyalty_recommender.serving import Recommendation, Recommender
from loyalty_recommender.windows import FROM_VIEWS, Window

from .conftest import Ask

TEAS = {"honey", "tea-black", "tea-green", "tea-white"}
ASKED: dict[str, dict[str, Any]] = {
    "FOR_YOU": {},
    "NEXT_VISIT": {},
    "CART": {"cart": ["a stranger"]},
    "SIMILAR": {"product": "a stranger"},
    "BOUGHT_TOGETHER": {"product": "wafers"},
}
"""Questions that say nothing by themselves."""


@pytest.mark.parametrize("window", sorted(ASKED))
def test_a_guest_is_shown_what_goes_with_what_it_looked_at(ask: Ask, window: str) -> None:
    found = ask(None, window, 3, viewed=["tea-white"], exclude=["milk"], **ASKED[window])

    assert (set(found.products), found.strategy) == (TEAS - {"tea-white"}, "viewed")
    because = Reason(ReasonCode.BECAUSE_YOU_VIEWED, about="tea-white")
    assert [item.reason for item in found.items] == [because] * 3


def test_every_window_that_starts_from_views_is_asked_here() -> None:
    assert set(ASKED) == FROM_VIEWS


def test_a_reason_names_that_which_it_goes_with(ask: Ask) -> None:
    found = ask(None, "FOR_YOU", 8, viewed=["sugar", "honey"], exclude=["milk"])

    named = {item.product: item.reason.about for item in found.items}
    assert {name: named[name] for name in TEAS - {"honey"}} == dict.fromkeys(
        TEAS - {"honey"}, "honey"
    )
    assert named["coffee-beans"] == "sugar"


def test_what_is_popular_fills_what_is_left_and_says_so(ask: Ask) -> None:
    found = ask(None, "FOR_YOU", 100, viewed=["tea-white"])
    popular = ask(None, "FOR_YOU", 100)

    codes = [item.reason.code for item in found.items]
    filled = codes.index(ReasonCode.POPULAR)
    assert set(codes[:filled]) == {ReasonCode.BECAUSE_YOU_VIEWED}
    assert set(codes[filled:]) == {ReasonCode.POPULAR}
    rest = found.products[filled:]
    assert rest == [each for each in popular.products if each in rest]
    assert sorted(found.products) == sorted(set(popular.products) - {"tea-white"})
    scores = [item.score for item in found.items]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("case", "member", "window", "asked"),
    [
        ("a known member", "tea-1", "FOR_YOU", {}),
        ("a known member", "tea-1", "NEXT_VISIT", {}),
        ("a known cart", None, "CART", {"cart": ["honey"]}),
        ("a known page", None, "SIMILAR", {"product": "honey"}),
        ("what is popular is asked", None, "TRENDING", {}),
        ("what is new is asked", None, "NEW_ARRIVALS", {}),
        ("what was bought is asked", None, "BUY_AGAIN", {}),
    ],
)
def test_where_something_is_known_it_changes_nothing(
    ask: Ask, case: str, member: str | None, window: str, asked: dict[str, Any]
) -> None:
    assert ask(member, window, 9, viewed=["sugar"], **asked) == ask(member, window, 9, **asked)


@pytest.mark.parametrize("viewed", [["a stranger"], ["wafers"]], ids=["unknown", "bought alone"])
def test_what_nothing_goes_with_is_answered_as_if_it_was_not_there(
    ask: Ask, viewed: list[str]
) -> None:
    assert ask(None, "FOR_YOU", 9, viewed=viewed) == ask(None, "FOR_YOU", 9)


def test_a_newcomer_is_answered_from_both(ask: Ask) -> None:
    """The rare visitor bought milk and green tea once."""
    new = ask("rare", "FOR_YOU", 3, viewed=["coffee-decaf"])
    next_ = ask("rare", "NEXT_VISIT", 9, viewed=["coffee-decaf"])

    assert (new.strategy, next_.strategy) == ("viewed", "viewed")
    assert not {"milk", "tea-green", "coffee-decaf"} & set(new.products)
    reasons = {item.product: item.reason for item in next_.items}
    assert reasons["milk"] == Reason(ReasonCode.BOUGHT_BEFORE, times=1, last_days=1)
    assert reasons["sugar"] == Reason(ReasonCode.BECAUSE_YOU_VIEWED, about="coffee-decaf")


@pytest.mark.parametrize("looks", [1, 2, 4])
def test_the_fewer_looks_the_more_counts_what_is_popular(shop: Interactions, looks: int) -> None:
    completion, popular = Completion().fit(shop), Popularity().fit(shop)
    everything = np.ones(len(shop.products), dtype=np.bool_)
    viewed = np.arange(looks, dtype=np.int32)
    day = int(shop.day.max()) + 1

    found = FittedViewed(completion, popular).recommend(
        Query(day=day, viewed=viewed), 9, everything
    )

    near = completion.recommend(Query(day=day, basket=viewed), 9, everything)
    last = completion.scorer.statistics.popular[near.products, 1]
    order = np.argsort(-(near.scores + 0.5 / looks * last), kind="stable")
    assert found.products[: len(near)].tolist() == near.products[order].tolist()
    assert len(found) == len(everything) - looks


def test_a_list_begins_with_what_was_looked_at_and_its_like(
    recommender: Recommender, asked_on: int
) -> None:
    names = ["sugar", "milk", "tea-black", "honey", "a stranger", "tea-white"]
    viewed = ["honey", "tea-white", "wafers"]

    found = recommender.rank(names, history=None, day=asked_on, viewed=viewed)
    without = recommender.rank(names, history=None, day=asked_on)

    assert (found.strategy, without.strategy) == ("viewed", "popularity")
    assert found.products[:2] == ["honey", "tea-white"]
    assert [item.reason.code for item in found.items[:2]] == [ReasonCode.VIEWED_BEFORE] * 2
    assert found.products.index("tea-black") < found.products.index("sugar")
    assert sorted(found.products) == sorted(without.products)


def test_a_list_for_a_known_member_is_the_members(
    recommender: Recommender, past_of: Callable[[str | None], History | None], asked_on: int
) -> None:
    given: dict[str, Any] = {"history": past_of("tea-1"), "day": asked_on}

    found = recommender.rank(["sugar", "milk", "honey"], viewed=["sugar"], **given)

    assert found == recommender.rank(["sugar", "milk", "honey"], **given)


@given(st.data())
def test_never_what_was_looked_at_nor_what_may_not_be_answered(
    recommender: Recommender, ask: Ask, data: st.DataObject
) -> None:
    some = st.lists(st.sampled_from([*recommender.products, "stranger"]), max_size=6)
    window = data.draw(st.sampled_from([window for window in Window if window in FROM_VIEWS]))
    member = data.draw(st.sampled_from([None, "nobody", "rare"]))
    viewed = data.draw(some.filter(bool))
    allowed, exclude = data.draw(some), data.draw(some)
    first = data.draw(st.integers(1, 12))

    def asked(first: int, allowed: list[str] | None, exclude: list[str]) -> Recommendation:
        return ask(
            member,
            window,
            first,
            viewed=viewed,
            allowed=None if allowed is None else recommender.mask(allowed),
            exclude=exclude,
            **ASKED[window],
        )

    everything, found = asked(1000, None, []), asked(first, allowed, exclude)

    assert found.strategy == everything.strategy
    left = [
        item for item in everything.items if item.product in allowed and item.product not in exclude
    ]
    assert [(item.product, item.reason) for item in found.items] == [
        (item.product, item.reason) for item in left[:first]
    ]
    if everything.strategy == "viewed":
        assert not set(viewed) & set(everything.products)
    assert len(set(everything.products)) == len(everything.items)
