"""A small shop with campaigns: every member has a favourite brand, and uses offers for it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from loyalty_recommender.arrays import DAY_S
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.offers.campaigns import NEVER, Campaign
from loyalty_recommender.offers.targets import Shelves

FIRST_DAY = 19_000
DAYS = 160
MEMBERS = 60
BRANDS = 6
PER_BRAND = 4
"""Products of each brand, of two types; all types of two brands share a category."""
STARTS = (60, 80, 100, 120)
LENGTH = 30
"""Longer than from one start to the next: an earlier campaign still runs when a later starts."""


@dataclass(frozen=True, eq=False)
class Shop:
    """Purchases, what is on the shelves, and campaigns."""

    purchases: Interactions
    shelves: Shelves
    campaigns: list[Campaign]


def _purchases(random: np.random.Generator) -> Interactions:
    rows = []
    for member in range(MEMBERS):
        favourite = member % BRANDS
        for day in range(member % 5, DAYS, 5):
            own = random.choice(PER_BRAND, 2, replace=False) + favourite * PER_BRAND
            other = random.integers(0, BRANDS * PER_BRAND, 1)
            rows += [(member, product, day) for product in {*own.tolist(), *other.tolist()}]
    member, product, day = np.array(rows).T
    return Interactions.from_columns(
        member + 1000, product + 2000, (day + FIRST_DAY) * DAY_S + 3600
    )


def _campaign(number: int, starts: int, random: np.random.Generator) -> Campaign:
    members = np.arange(number % 2, MEMBERS, 2 if number else 1, dtype=np.int32)
    sets = tuple(
        np.arange(brand * PER_BRAND, brand * PER_BRAND + PER_BRAND // 2, dtype=np.int32)
        for brand in range(BRANDS)
    )
    redeemed = np.full((len(members), BRANDS), NEVER, dtype=np.int32)
    for row, member in enumerate(members.tolist()):
        # Every third member is a keen user of offers.
        if random.random() < (0.9 if member % 3 == 0 else 0.3):
            redeemed[row, member % BRANDS] = FIRST_DAY + starts + int(random.integers(0, LENGTH))
    return Campaign(
        id=f"c{number}",
        kind="leaflet" if number % 2 else "letter",
        starts=FIRST_DAY + starts,
        ends=FIRST_DAY + starts + LENGTH,
        members=members,
        offers=tuple(f"o{brand}" for brand in range(BRANDS)),
        sets=sets,
        redeemed=redeemed,
    )


@pytest.fixture(scope="session")
def shop() -> Shop:
    random = np.random.default_rng(7)
    products = BRANDS * PER_BRAND
    brand = np.arange(products) // PER_BRAND
    kind = brand * 2 + np.arange(products) % PER_BRAND // 2
    attributes = replace(
        Attributes.unknown(products),
        brand=brand.astype(np.int32),
        type=kind.astype(np.int32),
        category=(brand // 2).astype(np.int32),
    )
    return Shop(
        _purchases(random),
        Shelves.of(attributes),
        [_campaign(number, starts, random) for number, starts in enumerate(STARTS)],
    )
