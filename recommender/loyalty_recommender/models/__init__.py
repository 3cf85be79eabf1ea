"""Equal-shaped models: a frozen dataclass of settings with ``fit``, and what it learned.

One contract suite (tests/recommender/test_models.py) runs on every entry of ``FITTED``. A new
model is one file here, one entry below and one line in that suite.
"""

from loyalty_recommender.models.als import FittedAls
from loyalty_recommender.models.arrivals import FittedArrivals
from loyalty_recommender.models.base import Fitted, Model, Progress, Query
from loyalty_recommender.models.boosted import FittedBoosted
from loyalty_recommender.models.completion import FittedCompletion
from loyalty_recommender.models.item_item import FittedItemItem
from loyalty_recommender.models.next_visit import FittedNextVisit
from loyalty_recommender.models.novel import FittedNovel
from loyalty_recommender.models.personal import FittedPersonal
from loyalty_recommender.models.popularity import FittedPopularity
from loyalty_recommender.models.repeat import FittedRepeat

FITTED: dict[str, type[Fitted]] = {
    "als": FittedAls,
    "arrivals": FittedArrivals,
    "boosted": FittedBoosted,
    "completion": FittedCompletion,
    "item-item": FittedItemItem,
    "next-visit": FittedNextVisit,
    "novel": FittedNovel,
    "personal": FittedPersonal,
    "popularity": FittedPopularity,
    "repeat": FittedRepeat,
}
"""How to read each kind of model back from its arrays; the key is its ``strategy``."""

__all__ = ["FITTED", "Fitted", "Model", "Progress", "Query"]
