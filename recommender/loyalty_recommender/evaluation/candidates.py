"""Who is measured: what is served, and the published alternatives."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from loyalty_recommender.arrays import AnyArray, Mask
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.errors import BadRequest
from loyalty_recommender.evaluation.protocol import DEPTH, WINDOWS, AskedWindow, Case
from loyalty_recommender.evaluation.run import Candidate, OfModel
from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.baselines.bm25 import Bm25
from loyalty_recommender.models.baselines.bpr import Bpr
from loyalty_recommender.models.baselines.ease import Ease
from loyalty_recommender.models.baselines.tifu_knn import TifuKnn
from loyalty_recommender.models.boosted import Boosted
from loyalty_recommender.models.item_item import ItemItem
from loyalty_recommender.models.personal import Personal
from loyalty_recommender.models.popularity import Popularity
from loyalty_recommender.serving import Recommendation, Recommender
from loyalty_recommender.training import Settings, train


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table."""

    name: str
    candidate: Candidate
    says: str
    """What it is, in a line."""
    windows: tuple[AskedWindow, ...] = WINDOWS
    """Which windows it has an answer to at all."""
    folds_in: bool = True
    """Whether a household that was not there in training can be answered."""
    needs: str = ""
    """A module of an extra, without which it cannot learn."""


@dataclass(frozen=True, slots=True)
class Served:
    """The whole model as it is trained, published, loaded and asked in service."""

    settings: Settings = field(default_factory=Settings)

    def fit(self, interactions: Interactions, attributes: Attributes) -> ServedModel:
        """Train, publish into a folder of its own and load."""
        with tempfile.TemporaryDirectory(prefix="loyalty-evaluate-") as folder:
            trained_at = datetime.fromtimestamp(interactions.span[1], UTC)
            known = replace(interactions, attributes=attributes)
            train(known, self.settings, Path(folder), lambda *told: None, trained_at=trained_at)
            return ServedModel(Recommender.load(Path(folder)), interactions)


class ServedModel:
    """A loaded model, asked in the positions of the evaluation."""

    def __init__(self, recommender: Recommender, interactions: Interactions) -> None:
        """Look up the model's products among those of the evaluation."""
        self.recommender = recommender
        self.products = interactions.products.texts()
        self._ours = {product: at for at, product in enumerate(self.products)}
        served = {product: at for at, product in enumerate(recommender.products)}
        self._served = np.array([served.get(each, -1) for each in self.products], dtype=np.int64)
        self._kept = self._served >= 0

    def answer(self, case: Case) -> AnyArray:
        """Ask as a storefront does, and give positions back."""
        found = self.recommendation(case, DEPTH)
        return np.array([self._ours[each] for each in found.products], dtype=np.int32)

    def recommendation(self, case: Case, first: int) -> Recommendation:
        """The answer with its reasons."""
        return self.recommender.recommend(
            case.window,
            first,
            history=self._past(case.history),
            day=case.day,
            cart=[self.products[each] for each in case.cart.tolist()],
            allowed=self._bought(case) if case.window == "BUY_AGAIN" else None,
        )

    def _past(self, history: History) -> History:
        position = self._served[history.product]
        known = position >= 0
        if known.all():
            return History.sorted(position.astype(np.int32), history.day)
        return History.of(position[known], history.day[known])

    def _bought(self, case: Case) -> Mask:
        """A window that has nothing to repeat shows what is popular; the truth is repeats only."""
        mask = np.zeros(len(self.recommender.products), dtype=np.bool_)
        mask[self._served[self._kept]] = case.allowed(len(self.products))[self._kept]
        return mask


ENTRIES = (
    Entry("served", Served(), "the model that is trained and served"),
    Entry(
        "boosted",
        Served(Settings(buy_again=Boosted())),
        "the same, habits put in order by boosted trees; an extra",
        windows=("NEXT_VISIT", "BUY_AGAIN"),
        needs="lightgbm",
    ),
    Entry(
        "popularity",
        OfModel(Popularity(recent_days=28.0)),
        "visits with the product in the last 28 days",
    ),
    Entry(
        "personal",
        OfModel(Personal()),
        "the household's own visits, halved every 90 days",
        windows=("NEXT_VISIT", "CART", "BUY_AGAIN"),
    ),
    Entry("tifu-knn", OfModel(TifuKnn()), "own and nearest households' visits, decayed"),
    Entry("als", OfModel(Als()), "matrix factorisation by implicit, folded in"),
    Entry("ease", OfModel(Ease()), "linear map between the 6,000 most bought products"),
    Entry("bm25", OfModel(Bm25()), "neighbours of what was bought, by implicit"),
    Entry("bpr", OfModel(Bpr()), "pairwise ranking by implicit", folds_in=False),
    Entry(
        "item-item",
        OfModel(ItemItem()),
        "neighbours of the cart over visits, TF-IDF by implicit",
        windows=("CART",),
    ),
)
"""In the sequence of the table."""


def installed() -> list[str]:
    """Names of the entries that can learn here."""
    return [each.name for each in ENTRIES if not each.needs or find_spec(each.needs)]


def entries(names: list[str]) -> list[Entry]:
    """The entries of some names, in the sequence of the table.

    Raises:
        BadRequest: there is no entry of a name.
    """
    known = {each.name for each in ENTRIES}
    strange = [each for each in names if each not in known]
    if strange:
        raise BadRequest(
            f"models are {', '.join(each.name for each in ENTRIES)}; found {', '.join(strange)}"
        )
    return [each for each in ENTRIES if each.name in names]
