"""Each window answers what it promises, says who answered, and never what may not be answered."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_recommender.errors import BadRequest, UnknownWindow
from loyalty_recommender.serving import Recommendation, Recommender
from loyalty_recommender.windows import Window

from .conftest import Ask

TEAS = {"honey", "tea-black", "tea-green", "tea-white"}
COFFEES = {"coffee-beans", "coffee-decaf", "coffee-ground", "sugar"}
OWN = {"tea-1": TEAS - {"tea-green"}, "coffee-0": COFFEES - {"coffee-beans"}}


def ids(found: Recommendation) -> list[str]:
    return found.products


@pytest.mark.parametrize(
    ("member", "missing"), [("tea-1", "tea-green"), ("coffee-2", "coffee-ground")]
)
def test_for_you_is_the_one_of_their_taste_they_never_bought(
    ask: Ask, member: str, missing: str
) -> None:
    found = ask(member, "FOR_YOU", 1)

    assert (ids(found), found.strategy) == ([missing], "novel")


@pytest.mark.parametrize("member", ["tea-1", "coffee-0"])
def test_for_you_is_all_new_and_buy_again_all_old(
    recommender: Recommender, ask: Ask, member: str
) -> None:
    new = ask(member, "FOR_YOU", 100)
    old = ask(member, "BUY_AGAIN", 100)

    had = OWN[member] | {"milk"} | ({"wafers"} if member == "coffee-0" else set())
    assert (set(ids(old)), old.strategy) == (had, "repeat")
    assert (set(ids(new)), new.strategy) == (set(recommender.products) - had, "novel")


def test_a_past_by_instants_is_told_in_the_shops_days(recommender: Recommender) -> None:
    found = recommender.history_at(["milk", "no such product", "milk"], [0, 5, 3 * 86_400 + 86_399])

    assert found.day.tolist() == [recommender.day_of(0), recommender.day_of(3 * 86_400 + 86_399)]
    assert found.bought.tolist() == [recommender.products.index("milk")]


def test_a_past_needs_a_day_for_each_product(recommender: Recommender) -> None:
    with pytest.raises(BadRequest, match="found 2 and 1"):
        recommender.history(["milk", "no such product"], [3])


@pytest.mark.parametrize(
    ("case", "member"), [("guest", None), ("unknown", "nobody"), ("one visit", "rare")]
)
def test_who_is_hardly_known_gets_what_is_popular(ask: Ask, case: str, member: str | None) -> None:
    answers = [ask(member, window, 3) for window in ("FOR_YOU", "BUY_AGAIN")]

    assert [each.strategy for each in answers] == ["popularity", "popularity"]
    assert ids(answers[1])[0] == "milk"
    assert ("milk" in ids(answers[0])) == (member != "rare")


@pytest.mark.parametrize("window", ["SIMILAR", "BOUGHT_TOGETHER"])
def test_what_goes_with_a_product(ask: Ask, window: str) -> None:
    found = ask(None, window, 3, product="tea-white", exclude=["milk"])

    assert (set(ids(found)), found.strategy) == (TEAS - {"tea-white"}, "item-item")


def test_what_goes_with_a_cart(ask: Ask) -> None:
    cart = ["tea-white", "honey", "not in the shop"]

    found = ask(None, "CART", 2, cart=cart, exclude=["milk"])

    assert (set(ids(found)), found.strategy) == ({"tea-black", "tea-green"}, "completion")


@pytest.mark.parametrize("cart", [(), ("a stranger",)])
def test_a_cart_that_says_nothing_is_filled_as_a_members_visits_were(
    ask: Ask, cart: tuple[str, ...]
) -> None:
    found, visit = ask("tea-1", "CART", 3, cart=cart), ask("tea-1", "NEXT_VISIT", 3)

    assert (found.products, found.strategy) == (visit.products, "next-visit")
    for unknown in (None, "rare"):
        popular = ask(unknown, "CART", 3, cart=cart)
        assert (ids(popular)[0], popular.strategy) == ("milk", "popularity")


@pytest.mark.parametrize(
    ("case", "window", "given"),
    [
        ("unknown product", "SIMILAR", {"product": "x"}),
        ("bought alone only", "BOUGHT_TOGETHER", {"product": "wafers"}),
    ],
)
def test_without_a_known_product_the_popular_ones_are_answered(
    ask: Ask, case: str, window: str, given: dict[str, object]
) -> None:
    found = ask("tea-1", window, 4, **given)

    assert found.strategy == "popularity"
    assert ids(found)[0] == "milk"
    assert len(found.items) == 4


def test_trending_and_new(ask: Ask) -> None:
    trending = ask("tea-1", "TRENDING", 2)
    new = ask("tea-1", "NEW_ARRIVALS", 5)

    assert (ids(trending)[0], trending.strategy) == ("milk", "popularity")
    assert (ids(new), new.strategy) == (["wafers"], "arrivals")


def test_a_known_member_whose_products_are_all_shut_out_gets_none(
    recommender: Recommender, ask: Ask
) -> None:
    nothing = recommender.mask([])

    for window in Window:
        found = ask("tea-1", window, 5, product="honey", cart=["honey"], allowed=nothing)
        assert found.items == []
    personal = ask("tea-1", "BUY_AGAIN", 5, allowed=recommender.mask(["sugar"]))
    assert personal == Recommendation([], "repeat")


@given(st.data())
def test_never_what_may_not_be_answered_never_padded(
    recommender: Recommender, ask: Ask, data: st.DataObject
) -> None:
    some = st.lists(st.sampled_from([*recommender.products, "stranger"]), max_size=6)
    window = data.draw(st.sampled_from(list(Window)))
    member = data.draw(st.sampled_from([None, "nobody", "rare", "tea-1", "coffee-0"]))
    product = data.draw(st.sampled_from([*recommender.products, "stranger"]))
    allowed, exclude, cart = data.draw(some), data.draw(some), data.draw(some)
    first = data.draw(st.integers(1, 12))

    def asked(first: int, allowed: list[str] | None, exclude: list[str]) -> Recommendation:
        return ask(
            member,
            window,
            first,
            product=product,
            cart=cart,
            allowed=None if allowed is None else recommender.mask(allowed),
            exclude=exclude,
        )

    everything, found = asked(1000, None, []), asked(first, allowed, exclude)

    shut_out = {*exclude, *cart} | (
        {product} if window in ("SIMILAR", "BOUGHT_TOGETHER") else set()
    )
    assert found.strategy == everything.strategy
    assert (
        found.items
        == [
            item
            for item in everything.items
            if item.product in allowed and item.product not in shut_out
        ][:first]
    )
    assert len(set(ids(everything))) == len(everything.items)
    assert all(np.isfinite(score) for score in [item.score for item in everything.items])


def test_a_filter_may_be_a_function_of_positions(recommender: Recommender, ask: Ask) -> None:
    teas = recommender.mask(TEAS)

    one = ask("coffee-0", "FOR_YOU", 9, allowed=teas)
    two = ask("coffee-0", "FOR_YOU", 9, allowed=lambda positions: teas[positions])

    assert one == two
    assert set(ids(one)) == TEAS


def test_a_filter_can_be_shared_by_requests(recommender: Recommender, ask: Ask) -> None:
    shared = recommender.mask(recommender.products)

    ask("tea-1", "CART", 3, cart=["honey"], allowed=shared, exclude=["milk"])

    assert shared.all()


@pytest.mark.parametrize(
    ("case", "window", "first", "given", "error", "says"),
    [
        ("window", "HOME", 1, {}, UnknownWindow, "one of FOR_YOU, BUY_AGAIN, .* found 'HOME'"),
        ("none wanted", "CART", 0, {}, BadRequest, "first must be at least 1, found 0"),
        ("no product", "SIMILAR", 1, {}, BadRequest, "SIMILAR needs a product"),
        (
            "filter of another model",
            "CART",
            1,
            {"allowed": np.ones(3, dtype=np.bool_)},
            BadRequest,
            r"must hold 10 truth values, found bool \(3,\)",
        ),
        (
            "positions for a filter",
            "CART",
            1,
            {"allowed": np.arange(10)},
            BadRequest,
            "must hold 10 truth values, found int64",
        ),
    ],
)
def test_questions_that_make_no_sense_are_refused(
    ask: Ask,
    case: str,
    window: str,
    first: int,
    given: dict[str, object],
    error: type[BadRequest],
    says: str,
) -> None:
    with pytest.raises(error, match=says):
        ask("tea-1", window, first, **given)


def test_threads_may_share_a_recommender(ask: Ask) -> None:
    members = [f"{'tea' if at % 2 else 'coffee'}-{at}" for at in range(16)] * 20

    def asked(member: str) -> Recommendation:
        return ask(member, "FOR_YOU", 5, exclude=["milk"])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(asked, members)) == [asked(each) for each in members]


def test_serving_imports_neither_implicit_nor_scipy(published) -> None:
    answer = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\n"
            "from pathlib import Path\n"
            "from loyalty_recommender.serving import Recommender\n"
            "from loyalty_recommender.windows import Window\n"
            "serving = Recommender.load(Path(sys.argv[1]))\n"
            "for window in Window:\n"
            "    past = serving.history(['tea-green', 'honey', 'milk'], [1, 2, 3])\n"
            "    given = dict(history=past, day=9, product='honey', cart=['sugar'])\n"
            "    serving.recommend(window, 3, **given)\n"
            "heavy = {'implicit', 'loyalty', 'pandas', 'pyarrow', 'scipy', 'threadpoolctl'}\n"
            "print(sorted(heavy & set(sys.modules)))\n",
            str(published),
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert answer.stdout == "[]\n"
