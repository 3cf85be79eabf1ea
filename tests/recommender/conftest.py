"""A small shop whose habits are known: tea drinkers, coffee drinkers, and milk for everybody."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.serving import Recommendation, Recommender
from loyalty_recommender.training import Settings, train

OPENED_S = 1_700_000_000 // DAY_S * DAY_S
TASTES = {
    "tea": ("tea-green", "tea-black", "tea-white", "honey"),
    "coffee": ("coffee-beans", "coffee-ground", "coffee-decaf", "sugar"),
}


@pytest.fixture(scope="session")
def purchases() -> list[tuple[str, str, int]]:
    """(member, product, epoch seconds): 16 members, each with three of their taste's four
    products, on 12 days of a year; a rare visitor; a novelty near the end."""
    found = []
    for number in range(16):
        taste = "tea" if number % 2 else "coffee"
        own = [each for at, each in enumerate(TASTES[taste]) if at != number // 2 % 4]
        for visit in range(12):
            at = OPENED_S + (visit * 30 + number) * DAY_S + 3600
            basket = ["milk", own[visit % 3], own[(visit + 1) % 3]]
            found += [(f"{taste}-{number}", product, at) for product in basket]
    last = max(at for _, _, at in found)
    found += [("rare", "milk", last), ("rare", "tea-green", last)]
    found += [(f"coffee-{number}", "wafers", last - number * DAY_S) for number in (0, 2, 4, 6, 8)]
    return found


@pytest.fixture(scope="session")
def shop(purchases: list[tuple[str, str, int]]) -> Interactions:
    """The purchases as interactions."""
    member, product, at = zip(*purchases, strict=True)
    return Interactions.from_columns(
        np.array(member), np.array(product), np.array(at, dtype=np.int64)
    )


@pytest.fixture(scope="session")
def asked_on(purchases: list[tuple[str, str, int]]) -> int:
    """The day after the last purchase."""
    return max(at for _, _, at in purchases) // DAY_S + 1


@pytest.fixture(scope="session")
def past_of(
    recommender: Recommender, purchases: list[tuple[str, str, int]]
) -> Callable[[str | None], History | None]:
    """What a member bought, as the model sees it; None for a guest."""

    def past(member: str | None) -> History | None:
        if member is None:
            return None
        own = [(product, at // DAY_S) for who, product, at in purchases if who == member]
        return recommender.history([product for product, _ in own], [day for _, day in own])

    return past


Ask = Callable[..., Recommendation]


@pytest.fixture(scope="session")
def ask(
    recommender: Recommender, past_of: Callable[[str | None], History | None], asked_on: int
) -> Ask:
    """Ask for a window of a member, with all it bought."""

    def asked(member: str | None, window: str, first: int, **given: Any) -> Recommendation:
        return recommender.recommend(window, first, history=past_of(member), day=asked_on, **given)

    return asked


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Few factors: the shop has two tastes."""
    return Settings(for_you=Novel(als=Als(factors=2)))


@pytest.fixture(scope="session")
def trained_at() -> datetime:
    return datetime(2024, 12, 1, 8, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def published(
    shop: Interactions,
    settings: Settings,
    trained_at: datetime,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Folder with one model in service; not to be changed by tests."""
    root = tmp_path_factory.mktemp("published")
    train(shop, settings, root, lambda doing, share: None, trained_at=trained_at)
    return root


@pytest.fixture(scope="session")
def recommender(published: Path) -> Recommender:
    return Recommender.load(published)
