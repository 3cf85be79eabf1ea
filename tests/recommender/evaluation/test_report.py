"""The page: whole, alone, and with the figures it was given."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from loyalty_recommender.evaluation.examples import Example, Habit, Shown, words
from loyalty_recommender.evaluation.figures import Figures
from loyalty_recommender.evaluation.protocol import DEPTH
from loyalty_recommender.evaluation.report import page
from loyalty_recommender.evaluation.run import Measured
from loyalty_recommender.reasons import Reason, ReasonCode

VOID = {"meta", "rect", "line", "polyline"}
SAYS = {"served": "what is served", "other & more": "another <model>"}


class Tree(HTMLParser):
    """Checks that what is opened is closed, and keeps texts and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def measured(seed: int) -> Measured:
    random = np.random.default_rng(seed)
    hits = random.random((40, DEPTH)) < 0.1
    return Measured(hits, np.full(40, 60), np.arange(40) // 2, np.arange(40) % 2 * 28 + 100)


@pytest.fixture(scope="module")
def figures() -> Figures:
    about = {
        "dayZero": "2017-01-01",
        "cuts": [100, 128],
        "testDays": 28,
        "askedOn": "cut",
        "households": 20,
        "productsOfVisits": 4_000,
    }
    found = Figures(about=about, seconds={"served": 1.0, "other & more": 2.0})
    for seed, model in enumerate(SAYS):
        found.add(model, "NEXT_VISIT", measured(seed))
    found.compare("other & more", "NEXT_VISIT", measured(0), measured(1))
    found.add_left_out("served", "NEXT_VISIT", measured(2), measured(0))
    return found


EXAMPLE = Example(
    window="NEXT_VISIT",
    household="7",
    quantile=0.9,
    visits=12,
    habits=[Habit("Bread & butter", 9, 3)],
    cart=[],
    shown=[Shown("Milk", "bought 4 times", True), Shown("Tea", "goes with Milk", False)],
    missed=["Salt <coarse>"],
)


@pytest.fixture(scope="module")
def tree(figures: Figures) -> Tree:
    parsed = Tree()
    parsed.feed(page(figures, SAYS, [EXAMPLE]))
    parsed.close()
    return parsed


def test_the_page_is_whole_and_stands_alone(figures: Figures, tree: Tree) -> None:
    assert tree.open == []
    assert tree.addresses == []
    assert "<script" not in page(figures, SAYS, [EXAMPLE])
    assert not re.search(r"https?:|url\(", page(figures, SAYS, [EXAMPLE]))


def test_every_pooled_figure_is_on_it_with_its_interval(figures: Figures, tree: Tree) -> None:
    for row in figures.pooled("NEXT_VISIT"):
        for each in (row.recall, row.ndcg):
            assert f"{each.mean:.4f}" in tree.texts
            assert f"[{each.low:.4f}, {each.high:.4f}]" in tree.texts


def test_names_are_text_never_markup(tree: Tree) -> None:
    assert "other & more" in tree.texts
    assert "another <model>" in tree.texts
    assert "Salt <coarse>" in tree.texts


def test_what_was_bought_is_ticked(figures: Figures) -> None:
    text = page(figures, SAYS, [EXAMPLE])

    assert "<span class=hit>Milk</span>" in text
    assert "<span>Tea</span>" in text


def test_windows_that_nothing_was_asked_about_are_left_out(figures: Figures, tree: Tree) -> None:
    assert "FOR_YOU" not in tree.texts
    nobody = Figures(about=figures.about)
    nobody.add("served", "CART", measured(0).rows(np.zeros(40, dtype=np.bool_)))
    assert nobody.rows == []


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (
            Reason(ReasonCode.BOUGHT_BEFORE, times=6, every_days=12, last_days=11),
            "bought 6 times, about every 12 days, last 11 days ago",
        ),
        (Reason(ReasonCode.BOUGHT_BEFORE, times=1, last_days=4), "bought once, last 4 days ago"),
        (Reason(ReasonCode.BECAUSE_YOU_BUY, about="p"), "because you buy P"),
        (Reason(ReasonCode.GOES_WITH, about="p"), "goes with P"),
        (Reason(ReasonCode.SIMILAR_TO, about="p"), "bought by those who buy P"),
        (Reason(ReasonCode.NEW, last_days=3), "new, first bought 3 days ago"),
        (Reason(ReasonCode.POPULAR, times=8), "bought in 8 visits of the last four weeks"),
    ],
)
def test_reasons_in_words(reason: Reason, says: str) -> None:
    assert words(reason, str.upper) == says
