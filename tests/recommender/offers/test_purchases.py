"""Learning from purchases alone."""

from dataclasses import replace

import numpy as np
import pytest

from loyalty_recommender.errors import BadSettings, FitFailed
from loyalty_recommender.interactions import Interactions
from loyalty_recommender.offers.measures import auc
from loyalty_recommender.offers.purchases import Pasts, Settings, fit_on_purchases
from loyalty_recommender.offers.targets import Targets

SETTINGS = Settings(members=30)


def test_a_member_is_likelier_to_buy_the_favourite_brand(shop) -> None:
    day = int(shop.purchases.day.max()) - 20
    scorer = fit_on_purchases(shop.purchases, shop.shelves, day, SETTINGS)
    targets = Targets.of(shop.campaigns[0].sets, shop.shelves)
    pasts = Pasts(shop.purchases)

    asked = scorer.ask(targets, 7)
    chances = np.array([asked.chances(pasts.of(member), day) for member in range(60)])

    assert scorer.basis == "purchases"
    assert np.array_equal(chances.argmax(axis=1), np.arange(60) % 6)
    assert ((chances > 0) & (chances < 1)).all()


def test_chances_are_those_of_the_purchases_that_follow(shop) -> None:
    day = int(shop.purchases.day.max()) - 14
    scorer = fit_on_purchases(shop.purchases, shop.shelves, day, SETTINGS)
    targets = Targets.of(shop.campaigns[0].sets, shop.shelves)
    pasts = Pasts(shop.purchases)
    chances, bought = [], []
    for member in range(60):
        history = pasts.of(member)
        chances.append(scorer.score(history, targets, day, valid_days=7))
        within = (history.day >= day) & (history.day < day + 7)
        bought.append(targets.hit(np.unique(history.product[within])))

    assert np.sum(chances) == pytest.approx(np.sum(bought), rel=0.25)
    assert auc(np.concatenate(bought), np.concatenate(chances)) > 0.8


def test_nothing_on_the_day_or_later_is_learned_from(shop) -> None:
    day = int(shop.purchases.day.max()) - 30
    spoilt = replace(
        shop.purchases,
        product=np.where(shop.purchases.day >= day, 0, shop.purchases.product).astype(np.int32),
    )

    honest = fit_on_purchases(shop.purchases, shop.shelves, day, SETTINGS)
    told = fit_on_purchases(spoilt, shop.shelves, day, SETTINGS)

    assert honest.card() == told.card()
    assert np.array_equal(honest.market.rates, told.market.rates)


def test_the_same_purchases_teach_the_same(shop) -> None:
    day = int(shop.purchases.day.max())

    first, second = (
        fit_on_purchases(shop.purchases, shop.shelves, day, SETTINGS) for _ in range(2)
    )

    assert first.card() == second.card()


def test_a_few_days_teach_nothing(shop) -> None:
    first = int(shop.purchases.day.min())

    with pytest.raises(FitFailed, match="more than 7 days"):
        fit_on_purchases(shop.purchases, shop.shelves, first + 5, SETTINGS)
    with pytest.raises(FitFailed, match="no purchases"):
        fit_on_purchases(shop.purchases, shop.shelves, first, SETTINGS)


def test_a_member_beyond_the_known_ones_has_bought_nothing(shop) -> None:
    assert len(Pasts(shop.purchases).of(10_000).product) == 0


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(BadSettings):
        Settings(valid_days=())
    with pytest.raises(BadSettings):
        Settings(penalty=0.0)


def test_a_shop_without_attributes_learns_from_products(shop) -> None:
    from loyalty_recommender.attributes import Attributes
    from loyalty_recommender.offers.targets import Shelves

    bare = Shelves.of(Attributes.unknown(len(shop.purchases.products)))
    purchases: Interactions = shop.purchases

    scorer = fit_on_purchases(purchases, bare, int(purchases.day.max()), SETTINGS)

    assert scorer.card()["weights"]["type_recent"] == 0.0
    assert scorer.card()["weights"]["product_recent"] != 0.0
