"""From purchases to a published model."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

from loyalty_recommender import artifact
from loyalty_recommender.arrays import AnyArray
from loyalty_recommender.card import Card
from loyalty_recommender.errors import BadSettings, FitFailed
from loyalty_recommender.explaining import ProductFacts
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models import Fitted, Model
from loyalty_recommender.models.arrivals import Arrivals
from loyalty_recommender.models.boosted import Boosted
from loyalty_recommender.models.completion import Completion
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.models.popularity import Popularity
from loyalty_recommender.models.repeat import Repeat

Report: TypeAlias = Callable[[str, float], None]
"""Told what is being done, in a few words, and the share of the whole done, 0.0 to 1.0."""

LIBRARIES = ("implicit", "numpy", "scipy")

SHARES = {
    "for_you": 0.60,
    "cart": 0.22,
    "buy_again": 0.12,
    "popular": 0.01,
    "trending": 0.01,
    "arrivals": 0.01,
}
"""Each part's share of the time, measured on Complete Journey; the rest is writing to disk."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What to train, with defaults chosen on Complete Journey before day 225."""

    product_visits_min: int = 5
    """Products bought in fewer visits (one member on one day) than this are left out, >= 1."""
    member_visits_min: int = 3
    """Members with fewer visits than this are answered by popularity, >= 1."""
    for_you: Novel = field(default_factory=Novel)
    """Its likenesses over members answer SIMILAR, too."""
    cart: Completion = field(default_factory=Completion)
    """Its likenesses over visits answer BOUGHT_TOGETHER, too."""
    buy_again: Repeat | Boosted = field(default_factory=Repeat)
    """With what is new after it, it answers NEXT_VISIT, too. ``Boosted`` ranks better, and needs
    an extra library to learn."""
    popular: Popularity = field(default_factory=Popularity)
    trending: Popularity = field(default_factory=lambda: Popularity(recent_days=28.0))
    arrivals: Arrivals = field(default_factory=Arrivals)

    def __post_init__(self) -> None:
        if self.product_visits_min < 1 or self.member_visits_min < 1:
            raise BadSettings(
                "product_visits_min and member_visits_min must be at least 1, "
                f"found {self.product_visits_min} and {self.member_visits_min}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """A model that has learned and is not published: ``Recommender(card, arrays)`` asks it."""

    card: Card
    arrays: dict[str, AnyArray]
    parts: dict[str, Fitted]
    """By the names of ``SHARES``."""


def train(
    interactions: Interactions,
    settings: Settings,
    out_dir: Path,
    progress: Report,
    *,
    trained_at: datetime,
    keep: int = 3,
) -> Card:
    """Fit every part of the model, write one artifact and put it into service.

    Args:
        interactions: all purchases to learn from.
        out_dir: folder of all models, see ``artifact``.
        trained_at: now, aware; named in the card and in the id of the model.
        keep: how many models stay on disk, >= 1.

    Raises:
        BadSettings: ``trained_at`` without a time zone.
        FitFailed: too little data; the model in service stays.
        OSError: the disk is full or may not be written; the model in service stays.
    """
    learned = learn(interactions, settings, progress, trained_at=trained_at)
    progress("writing", sum(SHARES.values()))
    card = artifact.publish(out_dir, learned.card, learned.arrays, keep=keep)
    progress("done", 1.0)
    return card


def learn(
    interactions: Interactions,
    settings: Settings,
    progress: Report,
    *,
    trained_at: datetime,
    known: Mapping[str, Fitted] | None = None,
) -> Learned:
    """Fit every part of the model; nothing is written.

    Args:
        known: parts that have been fitted already, on the same products of the same purchases.

    Raises:
        BadSettings: ``trained_at`` without a time zone.
        FitFailed: too little data.
    """
    if trained_at.tzinfo is None:
        raise BadSettings(f"trained_at must have a time zone, found {trained_at}")
    kept = interactions.household_days() >= settings.product_visits_min
    if not kept.any():
        raise FitFailed(
            f"no product was bought in {settings.product_visits_min} visits or more, "
            f"among {len(interactions)} purchases of {len(interactions.products)} products"
        )
    learned = interactions.only_products(kept)
    fitted, seconds = _fit_all(learned, settings, known or {}, progress)
    arrays: dict[str, AnyArray] = {
        "ids.products": learned.products.encoded,
    }
    arrays |= {f"facts.{name}": array for name, array in ProductFacts.of(learned).arrays().items()}
    for part, model in fitted.items():
        arrays |= {f"{part}.{name}": array for name, array in model.arrays().items()}
    visits = learned.member_visits()
    card = Card(
        trained_at=trained_at.astimezone(UTC).replace(microsecond=0),
        data_from=datetime.fromtimestamp(learned.span[0], UTC),
        data_to=datetime.fromtimestamp(learned.span[1], UTC),
        counts={
            "members": int((visits > 0).sum()),
            "products": len(learned.products),
            "visits": int(visits.sum()),
            "interactions": len(learned),
            "productsLeftOut": len(interactions.products) - len(learned.products),
            "interactionsLeftOut": len(interactions) - len(learned),
        },
        settings=asdict(settings),
        parts={part: model.strategy for part, model in fitted.items()},
        seconds=seconds,
        versions={library: version(library) for library in LIBRARIES},
        utc_offset_s=learned.utc_offset_s,
        files={},
    )
    return Learned(card, arrays, fitted)


def _fit_all(
    interactions: Interactions,
    settings: Settings,
    known: Mapping[str, Fitted],
    progress: Report,
) -> tuple[dict[str, Fitted], dict[str, float]]:
    fitted: dict[str, Fitted] = {}
    seconds: dict[str, float] = {}
    done = 0.0
    for part, share in SHARES.items():
        model: Model = getattr(settings, part)

        progress(part, done)
        started = perf_counter()
        fitted[part] = known.get(part) or model.fit(
            interactions, partial(_report, progress, part, done, share)
        )
        seconds[part] = round(perf_counter() - started, 3)
        done += share
    return fitted, seconds


def _report(progress: Report, part: str, done: float, share: float, of_part: float) -> None:
    progress(part, done + share * of_part)
