"""Published alternatives, kept to be measured against; none of them is served.

They have the shape of every model (``models.base``) and pass its contract suite. All but BPR answer
from a member's history alone, so that members unseen in training can be asked about too.
"""

from loyalty_recommender.models.base import Fitted
from loyalty_recommender.models.baselines.bm25 import FittedBm25
from loyalty_recommender.models.baselines.bpr import FittedBpr
from loyalty_recommender.models.baselines.ease import FittedEase
from loyalty_recommender.models.baselines.tifu_knn import FittedTifuKnn

BASELINES: dict[str, type[Fitted]] = {
    "bm25": FittedBm25,
    "bpr": FittedBpr,
    "ease": FittedEase,
    "tifu-knn": FittedTifuKnn,
}
"""How to read each kind of baseline back from its arrays; the key is its ``strategy``."""
