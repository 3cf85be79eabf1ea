"""The page: whole, alone, and with the figures it was given."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from measured_figures import EXAMPLE, SAYS, measured, measured_figures

from loyalty_recommender.evaluation.examples import words
from loyalty_recommender.evaluation.figures import Figures
from loyalty_recommender.evaluation.report import page
from loyalty_recommender.reasons import Reason, ReasonCode

VOID = {"meta", "rect", "line", "polyline"}


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


@pytest.fixture(scope="module")
def figures() -> Figures:
    return measured_figures()


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
