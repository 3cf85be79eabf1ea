"""Answers to a file of questions, from files alone: train before an instant, then answer."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from loyalty_recommender.arrays import AnyArray
from loyalty_recommender.errors import BadRequest, UnknownWindow
from loyalty_recommender.history import NOTHING_BOUGHT, History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.layout import columns_of, ids_are_numbers
from loyalty_recommender.reading import read_interactions, read_products
from loyalty_recommender.requests import Request, read_requests
from loyalty_recommender.serving import Recommender
from loyalty_recommender.training import Settings, train
from loyalty_recommender.windows import Window


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is asked for, in the words of the command line."""

    interactions: Path
    products: Path
    at_s: int
    """Nothing at or after this instant, in epoch seconds, is learned from."""
    window: str
    requests: Path
    first: int
    out: Path
    columns: Mapping[str, str]
    """Our name → the files' name, where they differ and are not recognised."""
    settings: Settings = field(default_factory=Settings)


def predict(asked: Prediction, progress: Callable[[str, float], None]) -> int:
    """Answer every request, in the sequence of the file; how many there were.

    The answers are written beside their place and put there when they are whole.

    Raises:
        RecommenderError: a file, a line or the window is not as wanted; nothing is written.
        OSError: a file cannot be read, or the answers cannot be written.
    """
    if asked.first < 1:
        raise BadRequest(f"--first must be at least 1, found {asked.first}")
    try:
        window = Window(asked.window)
    except ValueError:
        raise UnknownWindow(
            f"--window must be one of {', '.join(Window)}, found {asked.window!r}"
        ) from None
    if not asked.out.parent.is_dir():
        raise BadRequest(f"--out should be a file in a folder that is there, found {asked.out}")
    # The requests first: a bad line should not be found after a minute of training.
    requests = read_requests(asked.requests, window, asked.at_s)
    progress("reading", 0.0)
    columns = columns_of(asked.interactions, asked.columns)
    products = read_products(asked.products, columns=columns_of(asked.products, asked.columns))
    everything = read_interactions(asked.interactions, columns=columns, products=products.goods())
    # Members who come later are left out by name too: how many there are decides with which
    # random numbers a factorisation starts.
    known = everything.before(asked.at_s).only_known_members()
    known = replace(known, attributes=products.attributes_of(known.products))
    trained_at = datetime.fromtimestamp(asked.at_s, UTC)
    with tempfile.TemporaryDirectory(prefix="loyalty-predict-") as folder:
        train(known, asked.settings, Path(folder), progress, trained_at=trained_at)
        recommender = Recommender.load(Path(folder))
        number = ids_are_numbers(asked.interactions, columns.get("product", "product"))
        pasts = Pasts(everything, recommender)
        lines = (
            _answer(recommender, pasts, each, window, asked.first, int if number else str)
            for each in requests
        )
        _write_whole(asked.out, lines)
    return len(requests)


class Pasts:
    """What each member had bought before an instant, as a model sees it."""

    def __init__(self, purchases: Interactions, recommender: Recommender) -> None:
        """Look up where the model's products lie in those of the purchases."""
        self._purchases = purchases
        position = {product: at for at, product in enumerate(recommender.products)}
        self._position = np.array(
            [position.get(each, -1) for each in purchases.products.texts()], dtype=np.int64
        )
        members = np.arange(len(purchases.members) + 1)
        self._starts = np.searchsorted(purchases.member, members)

    def of(self, member: str, before_s: int) -> History:
        """Purchases of a member strictly before an instant; none of an unknown member.

        A product bought before and again after the instant, on the day of the instant, is left
        out of that day.
        """
        at = self._purchases.members.find(member)
        if at is None:
            return NOTHING_BOUGHT
        rows = slice(self._starts[at], self._starts[at + 1])
        product: AnyArray = self._position[self._purchases.product[rows]]
        kept = (self._purchases.time[rows] < before_s) & (product >= 0)
        return History.of(product[kept], self._purchases.day[rows][kept])


def _answer(
    recommender: Recommender,
    pasts: Pasts,
    request: Request,
    window: Window,
    first: int,
    as_written: type[int] | type[str],
) -> dict[str, Any]:
    past = None if request.member is None else pasts.of(str(request.member), request.at_s)
    found = recommender.recommend(
        window,
        first,
        history=past,
        day=recommender.day_of(request.at_s),
        product=request.product,
        cart=request.cart,
        viewed=request.viewed,
    )
    return {
        "member": request.member,
        "items": [as_written(each) for each in found.products],
        "strategy": found.strategy,
    }


def _write_whole(path: Path, lines: Iterator[dict[str, Any]]) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            for line in lines:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # mkstemp lets only the owner read; a file of answers is as open as the others here.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
