"""The choice is the best of all, by a search of every set written apart."""

import pytest
from quote_cases import AT, Case, case
from quote_oracle import Best, best_of_all, most_saved

from loyalty.domain.quotes import quote_choice
from loyalty.domain.quotes.quote import Choice, Objective, Quote, quote
from loyalty.domain.quotes.quote_terms import CreditMode

SHARDS = 5


def asked(case: Case) -> Quote:
    return quote(case.ruleset, case.member, case.cart, case.choice, AT, case.holdings)


def chosen(case: Case, found: Quote, saved: int) -> Best:
    tender = found.tender
    points, minor = (tender.points, tender.value_minor) if tender else (0, 0)
    is_exact = case.choice.credit.mode is CreditMode.EXACT
    return Best(
        tuple(item.code for item in found.applied),
        tuple(item.coupon_code for item in found.applied if item.coupon_code),
        points,
        minor,
        found.credit.minor if found.credit and is_exact else 0,
        saved,
    )


@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_choice_is_the_best_of_all(shard: int, is_soak: bool) -> None:
    count = 3_000 if is_soak else 150
    several = 0
    for number in range(shard, count, SHARDS):
        one = case(number, rewards_max=8)
        found = asked(one)

        best = best_of_all(one)

        assert chosen(one, found, best.saved) == best, number
        assert (found.proven, found.gap_minor) == (True, 0)
        several += len(best.codes) > 1
    # Cases in which nothing is to be chosen prove nothing.
    assert several >= count // SHARDS // 20


@pytest.mark.parametrize("number", range(4))
def test_beyond_what_can_be_proven_the_gap_is_true(
    number: int, is_soak: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fewer steps than it takes, so that the search ends before it knows."""
    # Every set of rewards is tried for comparison, so two more of them take four times as long.
    rewards, nodes = (14, 30) if is_soak else (12, 10)
    monkeypatch.setattr(quote_choice, "NODES_MAX", nodes)
    unproven = 0
    for seed in range(2 * number, 400 if is_soak else 24, 8):
        one = case(10_000 + seed, rewards_max=rewards, rewards_min=rewards - 1)
        one = one._replace(choice=Choice(one.choice.points))
        found = asked(one)

        best = best_of_all(one)

        paid = found.tender.value_minor if found.tender else 0
        saved = _total_without(one) - found.total_minor + paid
        assert saved <= best.saved <= saved + found.gap_minor, seed
        if found.proven:
            assert (saved, found.gap_minor) == (best.saved, 0)
        unproven += not found.proven
    assert unproven or number


def _total_without(one: Case) -> int:
    """What the cart costs when nothing is taken off."""
    nobody = one._replace(member=None)
    return asked(nobody).total_minor


def test_the_objectives_differ() -> None:
    """Each objective wins by its own figure over what the others choose."""
    for number in range(0, 60, 2):
        one = case(number, rewards_max=6)
        choice = Choice(one.choice.points)
        quotes = {
            objective: asked(
                one._replace(choice=choice.__class__(choice.points, (), (), objective))
            )
            for objective in (Objective.MOST_SAVED, Objective.FEWEST_POINTS)
        }

        most, fewest = quotes.values()

        assert most.payable_minor <= fewest.payable_minor
        assert price(fewest) <= price(most)
        total = asked(one._replace(member=None)).total_minor
        assert most.payable_minor == total - most_saved(one._replace(choice=choice)) - gifts(most)


def price(found: Quote) -> int:
    return sum(item.points for item in found.applied)


def gifts(found: Quote) -> int:
    return sum(gift.minor for gift in found.gift_cards)
