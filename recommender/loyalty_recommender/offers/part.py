"""The part of a published model that tells how likely members are to buy what an offer is for.

It stands in the artifact beside the windows' parts, as arrays ``offers.*`` and the card's
``offers``, and knows no member: it is asked with a member's own past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np

from loyalty_recommender import artifact
from loyalty_recommender.arrays import DAY_S, AnyArray, Mask
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.card import Card
from loyalty_recommender.errors import BadInteractions, BrokenArtifact, FitFailed, NoModel
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.offers.features import Market
from loyalty_recommender.offers.purchases import fit_on_purchases
from loyalty_recommender.offers.scorer import OfferScorer
from loyalty_recommender.offers.targets import Shelves
from loyalty_recommender.vocabulary import Vocabulary

PART = "offers"
PROBLEM = "problem"
"""In the card instead of all else, where there was too little to learn from."""


@dataclass(frozen=True, slots=True, eq=False)
class OfferPart:
    """What was learned, and of which products."""

    products: Vocabulary
    scorer: OfferScorer
    until: datetime
    """The last purchase that it may have learned from, aware."""
    model_id: str = ""
    """Of the model that it was read from."""

    @classmethod
    def learn(cls, interactions: Interactions, trained_at: datetime) -> Self:
        """Learn from purchases of whole days: the day of the training is not over.

        Raises:
            FitFailed: too few purchases, or over too few days.
        """
        if not len(interactions):
            raise FitFailed("no purchases to learn from")
        shelves = Shelves.of(
            interactions.attributes or Attributes.unknown(len(interactions.products))
        )
        now = (int(trained_at.timestamp()) + interactions.utc_offset_s) // DAY_S
        day = min(now, int(interactions.day.max()) + 1)
        scorer = fit_on_purchases(interactions, shelves, day)
        until = datetime.fromtimestamp(interactions.span[1], UTC)
        return cls(interactions.products, scorer, until)

    def card(self) -> dict[str, Any]:
        """What the model's card says of it."""
        return {"until": self.until.isoformat(), **self.scorer.card()}

    def arrays(self) -> dict[str, AnyArray]:
        """Its arrays, under the names that they have in the artifact."""
        own = {"products": self.products.encoded, **self.scorer.arrays()}
        return {f"{PART}.{name}": each for name, each in own.items()}

    @classmethod
    def load(cls, root: Path) -> Self:
        """Read it from the model in service below a root.

        Raises:
            NoModel: there is none, or it had too little to learn from.
            OlderFormat: the model in service is of an earlier version.
            BrokenArtifact: it is not what was published.
        """
        folder = artifact.folder_of(root)
        card = artifact.read_card(folder)
        return cls.from_model(card, artifact.read_arrays(folder, card, part=PART))

    @classmethod
    def from_model(cls, card: Card, arrays: Mapping[str, AnyArray]) -> Self:
        """Take it from a model. Raises as ``load`` does."""
        told = card.offers
        if not told or PROBLEM in told:
            why = told.get(PROBLEM, "nobody asked for it")
            raise NoModel(f"model {card.model_id} does not tell who uses offers: {why}")
        try:
            own = {
                name.removeprefix(f"{PART}."): each
                for name, each in arrays.items()
                if name.startswith(f"{PART}.")
            }
            products = Vocabulary(own["products"])
            if own["rates"].shape[-1] != len(products):
                raise BrokenArtifact(f"model {card.model_id} has rates of other products")
            scorer = OfferScorer.from_card(told, own)
            return cls(products, scorer, datetime.fromisoformat(told["until"]), card.model_id)
        except (KeyError, TypeError, ValueError, BadInteractions) as error:
            raise BrokenArtifact(f"model {card.model_id} lacks a part: {error!r}") from error

    def over(self, products: Vocabulary) -> tuple[OfferScorer, Mask]:
        """The scorer over a catalogue of today, and which of its products were known when it was
        learned; the others are bought by nobody yet, as far as it knows.
        """
        rates = np.zeros((self.scorer.market.rates.shape[0], len(products)), dtype=np.float32)
        own = self.products.encoded
        width = max(own.dtype.itemsize, products.encoded.dtype.itemsize)
        asked = products.encoded.astype(f"S{width}")
        place = np.minimum(np.searchsorted(own, asked), max(len(own) - 1, 0))
        known = own[place] == asked if len(own) else np.zeros(len(asked), dtype=np.bool_)
        rates[:, known] = self.scorer.market.rates[:, place[known]]
        return self.scorer.with_market(Market(rates)), known


def learned(
    interactions: Interactions, trained_at: datetime
) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    """Card and arrays of the part; too little to learn from is told in the card alone, since a
    model without it still answers every window.
    """
    try:
        part = OfferPart.learn(interactions, trained_at)
    except FitFailed as problem:
        return {PROBLEM: str(problem)}, {}
    return part.card(), part.arrays()
