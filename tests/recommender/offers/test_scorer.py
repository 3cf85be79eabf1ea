"""What a planner asks, and what an artifact holds."""

import json

import numpy as np
import pytest

from loyalty_recommender.errors import BadRequest, BrokenArtifact
from loyalty_recommender.history import NOTHING_BOUGHT
from loyalty_recommender.offers.purchases import Pasts, Settings, fit_on_purchases
from loyalty_recommender.offers.scorer import OfferScorer, Past
from loyalty_recommender.offers.targets import Shelves, Targets


@pytest.fixture(scope="module")
def day(shop) -> int:
    return int(shop.purchases.day.max()) + 1


@pytest.fixture(scope="module")
def scorer(shop, day: int) -> OfferScorer:
    return fit_on_purchases(shop.purchases, shop.shelves, day, Settings(members=20))


@pytest.fixture(scope="module")
def targets(shop) -> Targets:
    return Targets.of(shop.campaigns[0].sets, shop.shelves)


def test_it_is_the_same_after_a_card_and_arrays(shop, day, scorer, targets) -> None:
    card, arrays = json.loads(json.dumps(scorer.card())), scorer.arrays()
    history = Pasts(shop.purchases).of(3)

    again = OfferScorer.from_card(card, arrays)

    assert np.array_equal(
        again.score(history, targets, day, valid_days=14),
        scorer.score(history, targets, day, valid_days=14),
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda card: card["weights"].pop("visits"),
        lambda card: card["weights"].update(moon=1.0),
        lambda card: card.pop("kinds"),
        lambda card: card.update(constant="much"),
    ],
)
def test_a_card_of_other_features_is_refused(scorer, spoil) -> None:
    card = json.loads(json.dumps(scorer.card()))
    spoil(card)

    with pytest.raises(BrokenArtifact):
        OfferScorer.from_card(card, scorer.arrays())


def test_a_longer_offer_is_likelier_to_be_used(shop, day, scorer, targets) -> None:
    history = Pasts(shop.purchases).of(3)

    short, long = (scorer.score(history, targets, day, valid_days=each) for each in (7, 28))

    assert (long > short).all()


def test_a_guest_gets_small_chances(day, scorer, targets) -> None:
    chances = scorer.score(NOTHING_BOUGHT, targets, day, valid_days=14)

    assert np.isfinite(chances).all()
    assert (chances < 0.5).all()


def test_a_keen_member_uses_more_and_an_unwilling_one_less(shop, day, scorer, targets) -> None:
    asked, history = scorer.ask(targets, 14), Pasts(shop.purchases).of(3)

    keen = asked.chances(history, day, Past(expected=2.0, used=5))
    unwilling = asked.chances(history, day, Past(expected=5.0, used=0))
    new = asked.chances(history, day)

    odds = [each / (1 - each) for each in (keen, new, unwilling)]
    assert odds[0] / odds[1] == pytest.approx(np.full(len(targets), 2.0))
    assert odds[2] / odds[1] == pytest.approx(np.full(len(targets), 1 / 6))


def test_what_cannot_be_asked_is_refused(scorer, targets) -> None:
    from loyalty_recommender.attributes import Attributes

    with pytest.raises(BadRequest, match="valid_days"):
        scorer.ask(targets, 0)
    with pytest.raises(BadRequest, match="over 24 products, found 3"):
        scorer.ask(Targets.of([np.array([1])], Shelves.of(Attributes.unknown(3))), 7)
