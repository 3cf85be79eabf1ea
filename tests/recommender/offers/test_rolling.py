"""Campaigns asked of what was known at their start, and of nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from loyalty_recommender.errors import BadRequest
from loyalty_recommender.offers.baselines import (
    BoughtBefore,
    BoughtBeforeThenPopularity,
    Known,
    OnRedemptions,
    Popularity,
    WithoutCeiling,
)
from loyalty_recommender.offers.campaigns import NEVER, describe, redemption_days
from loyalty_recommender.offers.ceiling import Ceiling
from loyalty_recommender.offers.measures import auc
from loyalty_recommender.offers.purchases import Settings, fit_on_purchases
from loyalty_recommender.offers.redemptions import Settings as Redemptions
from loyalty_recommender.offers.redemptions import fit_on_redemptions
from loyalty_recommender.offers.rolling import roll, roll_made_up

SETTINGS = Settings(members=30)


@pytest.fixture(scope="module")
def last(shop) -> int:
    return max(each.starts for each in shop.campaigns)


@pytest.fixture(scope="module")
def rolled(shop, last):
    return roll(shop.campaigns, shop.purchases, shop.shelves, last, NEVER, settings=SETTINGS)


def test_redemptions_teach_who_uses_offers(rolled) -> None:
    areas = {name: auc(each[0].outcome, each[0].scores) for name, each in rolled.measured.items()}

    assert areas[OnRedemptions.name] > areas["learned on purchases"]
    assert areas[OnRedemptions.name] > areas[BoughtBefore.name] > areas[Popularity.name]


def test_so_many_are_expected_as_redeem(rolled) -> None:
    (measured,) = rolled.measured[OnRedemptions.name]

    assert measured.scores.sum() == pytest.approx(measured.outcome.sum(), rel=0.35)


def test_nothing_after_the_start_changes_a_score(shop, last, rolled) -> None:
    """Purchases, redemptions and campaigns from the start on are all changed."""
    purchases = replace(
        shop.purchases,
        product=np.where(shop.purchases.day >= last, 0, shop.purchases.product).astype(np.int32),
    )
    campaigns = [
        replace(
            each,
            redeemed=np.where(each.redeemed >= last, NEVER, each.redeemed).astype(np.int32),
        )
        for each in shop.campaigns
    ]
    later = replace(
        shop.campaigns[1], id="later", starts=last + 1, ends=last + 9, redeemed=np.full_like(
            shop.campaigns[1].redeemed, last + 2
        )
    )  # fmt: skip

    again = roll([*campaigns, later], purchases, shop.shelves, last, last + 1, settings=SETTINGS)

    assert list(again.measured) == list(rolled.measured)
    for name, (measured,) in rolled.measured.items():
        assert np.array_equal(again.measured[name][0].scores, measured.scores), name
    assert not again.measured[OnRedemptions.name][0].outcome.any()
    assert rolled.measured[OnRedemptions.name][0].outcome.any()


def test_what_came_before_the_start_does_change_scores(shop, last, rolled) -> None:
    """Else the law above could not fail."""
    campaigns = [
        replace(each, redeemed=np.roll(each.redeemed, 1, axis=0)) for each in shop.campaigns
    ]

    again = roll(campaigns, shop.purchases, shop.shelves, last, NEVER, settings=SETTINGS)

    ours, theirs = (each.measured[OnRedemptions.name][0].scores for each in (rolled, again))
    assert not np.array_equal(ours, theirs)


def test_a_redemption_after_what_is_known_counts_as_none(shop, last) -> None:
    found = roll(
        shop.campaigns, shop.purchases, shop.shelves, last, NEVER, known_until=last + 5,
        settings=SETTINGS, rankers=(Popularity(),),
    )  # fmt: skip

    (measured,) = found.measured[Popularity.name]
    assert measured.outcome.sum() == (shop.campaigns[-1].redeemed < last + 5).sum()
    assert measured.seen == pytest.approx(5 / 30)


def test_without_redemptions_purchases_answer_alone(shop, last) -> None:
    described = describe(shop.campaigns, shop.purchases, shop.shelves)
    prior = fit_on_purchases(shop.purchases, shop.shelves, last, SETTINGS)
    none = [
        replace(each, campaign=replace(
            each.campaign, redeemed=np.full_like(each.campaign.redeemed, NEVER)
        ))
        for each in described
    ]  # fmt: skip

    assert fit_on_redemptions(prior, none, last).scorer is prior
    assert fit_on_redemptions(prior, [], last).scorer is prior


def test_a_keen_member_is_told_from_an_unwilling_one(shop, last) -> None:
    described = describe(shop.campaigns, shop.purchases, shop.shelves)
    prior = fit_on_purchases(shop.purchases, shop.shelves, last, SETTINGS)

    learned = fit_on_redemptions(prior, described, last)

    keen = [past.lift for member, past in learned.pasts.items() if member % 3 == 0]
    others = [past.lift for member, past in learned.pasts.items() if member % 3]
    assert np.mean(keen) > 1.2 > 1 > np.mean(others)
    expected = sum(past.expected for past in learned.pasts.values())
    assert expected == pytest.approx(sum(past.used for past in learned.pasts.values()), rel=0.1)


def test_visits_come_before_popularity(shop, last) -> None:
    described = describe(shop.campaigns, shop.purchases, shop.shelves)[-1]
    known = Known(last, [], fit_on_purchases(shop.purchases, shop.shelves, last, SETTINGS))

    visits = BoughtBefore().scores(known, described)
    both = BoughtBeforeThenPopularity().scores(known, described)

    order = np.argsort(both, kind="stable")
    assert (np.diff(visits[order]) >= -1e-6).all()
    assert len(np.unique(both)) > len(np.unique(visits))


def test_made_up_offers_are_asked_after_what_was_learned(shop) -> None:
    end = int(shop.purchases.day.max()) + 1

    found = roll_made_up(shop.purchases, shop.shelves, end, SETTINGS)

    assert found.days == tuple(end - 28 * each for each in (1, 2, 3, 4))
    assert auc(found.bought, found.chances) > 0.7
    assert found.chances.sum() == pytest.approx(found.bought.sum(), rel=0.25)


def test_no_campaign_in_the_days_is_refused(shop, last) -> None:
    with pytest.raises(BadRequest, match="no campaign"):
        roll(shop.campaigns, shop.purchases, shop.shelves, last + 1, NEVER, settings=SETTINGS)


def test_a_campaign_before_all_purchases_is_left_out(shop) -> None:
    first = int(shop.purchases.day.min())
    early = replace(shop.campaigns[0], starts=first)

    assert describe([early], shop.purchases, shop.shelves) == []


def test_the_first_redemption_of_a_pair_counts() -> None:
    found = redemption_days(
        np.array([0, 0, 1]), np.array([1, 1, 0]), np.array([9, 7, 8]), members=2, offers=2
    )

    assert found.tolist() == [[NEVER, 7], [8, NEVER]]


def test_a_ceiling_takes_no_order_and_is_learned_from_other_campaigns(shop, last, rolled) -> None:
    described = describe(shop.campaigns, shop.purchases, shop.shelves)
    prior = fit_on_purchases(shop.purchases, shop.shelves, last, SETTINGS)
    learned = fit_on_redemptions(prior, described, last)
    plain = fit_on_redemptions(prior, described, last, Redemptions(parts=0))

    asked = described[-1]

    assert plain.scorer.ceiling == Ceiling()
    assert np.array_equal(learned.log_odds(asked), plain.log_odds(asked))
    assert np.array_equal(
        learned.chances(asked), learned.scorer.ceiling.below(plain.chances(asked))
    )
    ours, without = (rolled.measured[each][0] for each in (OnRedemptions.name, WithoutCeiling.name))
    assert np.array_equal(np.argsort(ours.scores), np.argsort(without.scores))


def test_campaigns_that_disappoint_bring_high_chances_down(shop, last) -> None:
    """In the last of three campaigns nobody of those who seemed sure redeemed anything."""
    described = describe(shop.campaigns, shop.purchases, shop.shelves)[:3]
    prior = fit_on_purchases(shop.purchases, shop.shelves, last, SETTINGS)
    campaign = described[-1].campaign
    none = replace(campaign, redeemed=np.full_like(campaign.redeemed, NEVER))

    as_it_was, disappointed = (
        fit_on_redemptions(prior, [*described[:2], replace(described[2], campaign=each)], last)
        for each in (campaign, none)
    )

    assert disappointed.scorer.ceiling.strength > as_it_was.scorer.ceiling.strength
