"""A model that knows tea and soap, learned from a made up year of another, larger shop."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.card import Card
from loyalty_recommender.gate import train_gated
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.models.als import Als
from loyalty_recommender.models.novel import Novel
from loyalty_recommender.training import Settings

PRODUCTS = {
    "bread": "BREAD",
    "jam": "BREAD",
    "milk": "MILK",
    "soap": "CARE",
    "sponge": "CARE",
    "tea": "TEA",
    "tea-green": "TEA",
}
"""Product → category, in code point order."""
MEMBERS = 60
DAYS = 240
SMALL = Settings(for_you=Novel(als=Als(factors=2)), product_visits_min=1)


def year_of(until: datetime) -> Interactions:
    """Everybody has a rhythm of its own for each category, and sometimes breaks off."""
    random = np.random.default_rng(11)
    last = int(until.timestamp()) // DAY_S
    rows = []
    for member in range(MEMBERS):
        for category in sorted(set(PRODUCTS.values())):
            own = [at for at, kind in enumerate(PRODUCTS.values()) if kind == category]
            every = random.choice([4, 9, 20, 60])
            stops = DAYS if random.random() < 0.7 else int(random.integers(60, DAYS))
            rows += [
                (member, random.choice(own), last - DAYS + day)
                for day in range(stops)
                if random.random() < 1 / every
            ]
    member, product, day = np.array(rows).T
    names = np.array(list(PRODUCTS), dtype=object)
    found = Interactions.from_columns(
        member + 1, names[product], day.astype(np.int64) * DAY_S + 3_600
    )
    kinds = [PRODUCTS[each] for each in found.products.texts()]
    nothing = [None] * len(kinds)
    return replace(found, attributes=Attributes.of_names(nothing, kinds, nothing, nothing))


def publish_model(folder: Path, until: datetime, *, days: int = DAYS) -> Card:
    """Train on what was bought in the last ``days`` before a moment, and put it into service."""
    whole = year_of(until.astimezone(UTC) - timedelta(days=1))
    known = whole.rows(whole.day >= int(whole.day.max()) - days)
    return train_gated(known, SMALL, folder, lambda doing, share: None, trained_at=until, gate=None)
