"""Personal offers at checkout: tables of single rules, and laws over random carts."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quote_cases import AT, CATEGORIES, Case, cases

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.conditions import CategoryIs, MinimumPurchase
from loyalty.domain.earning import Earning
from loyalty.domain.offers.offers import OfferTarget, PoolOffer
from loyalty.domain.quotes.quote import (
    BudgetFacts,
    Choice,
    Holdings,
    MemberFacts,
    Objective,
    OfferFacts,
    Outcome,
    QuotaKind,
    QuotaUse,
    Quote,
    quote,
)
from loyalty.domain.quotes.quote_codec import from_dict, to_dict
from loyalty.domain.reasons import NearestChange, Reason
from loyalty.domain.refunds.order_facts import UseTaken
from loyalty.domain.refunds.order_facts_of import quoted_facts
from loyalty.domain.rewards import MoneyOff, PercentageOff, RewardKind
from loyalty.domain.rulesets.ruleset import (
    EarningBase,
    MarginPolicy,
    PointType,
    Reward,
    Ruleset,
    Tier,
    TierPolicy,
)

SOON = AT + timedelta(days=3)
WINE = OfferTarget("wine", "wine", categories=("wine",))
BEER = OfferTarget("beer", "beer", categories=("beer",))
FRESH = PoolOffer("fresh", "A fifth off {target}", "fifth", (WINE, BEER))
FIFTH = Reward("fifth", "A fifth off", PercentageOff(2_000), needs_offer=True)
MINE = OfferFacts(71, "fresh", "wine", SOON)


def program(
    *offers: PoolOffer, does: RewardKind | None = None, margin: MarginPolicy | None = None
) -> Ruleset:
    return Ruleset(
        code="club",
        name="Club",
        currency="EUR",
        time_zone="Europe/Budapest",
        point_types=(PointType("points", "Points", pending_days=2),),
        earning_base=EarningBase(),
        earning_rules=(),
        tier_policy=TierPolicy("points", (Tier("basic", "B", 0),)),
        rewards=(FIFTH if does is None else replace(FIFTH, does=does),),
        margin=margin,
        offers=offers or (FRESH,),
    )


def cart(*lines: tuple[str, int], cost: int | None = None) -> Cart:
    return Cart(
        "c-1",
        "EUR",
        tuple(
            CartLine(str(at), f"p{at}", 1, price, cost, category=category)
            for at, (category, price) in enumerate(lines)
        ),
    )


def asked(
    rules: Ruleset, what: Cart, *offers: OfferFacts, choice: Choice | None = None, **budget: int
) -> Quote:
    member = MemberFacts("anna", True, "ACTIVE", "basic", {"points": 0})
    holdings = Holdings(offers=offers, budgets={"fresh": BudgetFacts(**budget)})
    return quote(rules, member, what, choice or Choice(), AT, holdings)


def told(found: Quote) -> list[tuple[str, str, Reason | None, int]]:
    return [
        (item.code, item.outcome.value, item.reason, item.discount_minor)
        for item in found.candidates
    ]


def test_an_active_offer_takes_off_what_its_reward_does_for_its_target():
    found = asked(program(), cart(("wine", 1_000), ("bread", 500)), MINE)

    assert told(found) == [("fresh.wine", "APPLIED", None, 200)]
    assert found.candidates[0].name == "A fifth off wine"
    assert found.candidates[0].offer_id == 71
    assert found.lines[0].discount_minor == 200
    assert found.lines[1].discount_minor == 0
    assert found.uses == (
        QuotaUse(QuotaKind.BUDGET, "offer:71", 71),
        QuotaUse(QuotaKind.BUDGET, "minor:fresh", None, 200),
    )


def test_without_an_offer_its_reward_is_nobodys_and_is_not_told_of():
    found = asked(program(), cart(("wine", 1_000)), choice=Choice(pinned=("fifth",)))

    assert told(found) == [("fifth", "REJECTED", Reason.NO_SUCH_REWARD, 0)]


@pytest.mark.parametrize(
    ("case", "facts", "reason", "nearest"),
    [
        ("ends now", replace(MINE, ends_at=AT), Reason.OFFER_EXPIRED, None),
        (
            "not made active",
            replace(MINE, is_active=False),
            Reason.OFFER_NOT_ACTIVE,
            NearestChange("ACTIVATE_OFFER"),
        ),
        ("used", replace(MINE, left=0), Reason.OFFER_USED, None),
        ("taken back", replace(MINE, is_withdrawn=True), Reason.OFFER_WITHDRAWN, None),
        ("of the pool no more", replace(MINE, offer="old"), Reason.OFFER_WITHDRAWN, None),
        ("target of the pool no more", replace(MINE, target="tea"), Reason.OFFER_WITHDRAWN, None),
        (
            "over and not made active",
            replace(MINE, is_active=False, ends_at=AT),
            Reason.OFFER_EXPIRED,
            None,
        ),
    ],
)
def test_an_offer_that_cannot_be_used_says_why(
    case: str, facts: OfferFacts, reason: Reason, nearest: NearestChange | None
):
    found = asked(program(), cart(("wine", 1_000)), facts)

    (candidate,) = found.candidates
    assert (candidate.outcome, candidate.reason) == (Outcome.REJECTED, reason)
    assert candidate.nearest == nearest
    assert (found.discount_minor, found.uses) == (0, ())


def test_an_offer_made_active_would_still_need_its_goods():
    found = asked(program(), cart(("bread", 1_000)), replace(MINE, is_active=False))

    (candidate,) = found.candidates
    assert (candidate.reason, candidate.nearest) == (Reason.OFFER_NOT_ACTIVE, None)


def test_an_offer_whose_budget_is_too_small_is_not_worth_making_active():
    found = asked(program(), cart(("wine", 1_000)), replace(MINE, is_active=False), minor=199)

    (candidate,) = found.candidates
    assert (candidate.reason, candidate.nearest) == (Reason.OFFER_NOT_ACTIVE, None)


def test_the_nearest_change_names_what_the_target_covers():
    found = asked(program(), cart(("bread", 1_000)), MINE)

    (candidate,) = found.candidates
    assert candidate.reason is Reason.NO_MATCHING_LINES
    assert candidate.nearest == NearestChange("ADD_MATCHING", None, 5)


def test_the_conditions_of_the_pool_hold_beside_those_of_the_reward():
    rules = program(replace(FRESH, conditions=(MinimumPurchase(2_000),)))

    short = asked(rules, cart(("wine", 1_999)), MINE)
    enough = asked(rules, cart(("wine", 2_000)), MINE)

    assert told(short) == [("fresh.wine", "REJECTED", Reason.MINIMUM_NOT_MET, 399)]
    assert told(enough) == [("fresh.wine", "APPLIED", None, 400)]


@pytest.mark.parametrize(
    ("left", "outcome", "reason"),
    [
        (200, "APPLIED", None),
        (199, "REJECTED", Reason.BUDGET_SPENT),
        (0, "REJECTED", Reason.BUDGET_SPENT),
    ],
)
def test_a_budget_is_never_taken_past_its_end(left: int, outcome: str, reason: Reason | None):
    found = asked(program(), cart(("wine", 1_000)), MINE, minor=left)

    (candidate,) = found.candidates
    assert (candidate.outcome.value, candidate.reason) == (outcome, reason)
    assert candidate.gap is None


def test_of_two_targets_of_one_offer_the_better_one_applies():
    both = (MINE, replace(MINE, offer_id=72, target="beer"))
    found = asked(program(), cart(("wine", 1_000), ("beer", 2_000)), *both)

    assert told(found) == [
        ("fresh.beer", "APPLIED", None, 400),
        ("fresh.wine", "DOMINATED", Reason.EXCLUSIVE_WITH_ANOTHER, 200),
    ]


def test_of_two_offers_of_one_name_the_later_one_counts():
    found = asked(
        program(), cart(("wine", 1_000)), replace(MINE, offer_id=72), replace(MINE, left=0)
    )

    assert [(item.offer_id, item.outcome.value) for item in found.candidates] == [(72, "APPLIED")]


def test_an_offer_can_be_excluded_and_pinned_by_its_name():
    out = asked(program(), cart(("wine", 1_000)), MINE, choice=Choice(excluded=("fresh.wine",)))
    only = Choice(pinned=("fresh.wine",), objective=Objective.PINNED)
    pinned = asked(program(), cart(("wine", 1_000)), MINE, choice=only)

    assert told(out) == [("fresh.wine", "REJECTED", Reason.EXCLUDED_BY_SHOPPER, 200)]
    assert told(pinned) == [("fresh.wine", "APPLIED", None, 200)]


def test_the_margin_floor_holds_for_an_offer():
    rules = program(margin=MarginPolicy(1_000))

    found = asked(rules, cart(("wine", 1_000), cost=800), MINE)

    (candidate,) = found.candidates
    assert (candidate.reason, candidate.discount_minor) == (Reason.MARGIN_LIMIT, 111)
    assert found.uses[1].quantity == 111


def test_bonus_points_come_with_the_lines_that_the_offer_is_for():
    rules = program(replace(FRESH, bonus_points=51))
    found = asked(rules, cart(("wine", 1_000), ("bread", 700), ("wine", 3_000)), MINE)

    (earning,) = found.earnings
    assert (earning.point_type, earning.points, earning.by_line) == ("points", 51, (12, 0, 39))
    assert earning.available_at > AT
    assert found.uses[-1] == QuotaUse(QuotaKind.BUDGET, "points:fresh", None, 51)


def test_no_bonus_is_left_once_its_points_are_spent():
    rules = program(replace(FRESH, bonus_points=50, budget_points=120))

    assert asked(rules, cart(("wine", 1_000)), MINE, points=50).discount_minor == 200
    spent = asked(rules, cart(("wine", 1_000)), MINE, points=49)
    assert told(spent) == [("fresh.wine", "REJECTED", Reason.BUDGET_SPENT, 200)]
    assert spent.earnings == ()


def test_what_comes_back_with_an_offer_is_its_use_and_its_budgets():
    rules = program(replace(FRESH, bonus_points=50, conditions=(MinimumPurchase(900),)))
    found = asked(rules, cart(("wine", 1_000)), MINE)

    (reward,) = quoted_facts(found, rules).rewards
    assert reward.code == "fresh.wine"
    assert reward.minimum_minor == 900
    assert reward.uses == (
        UseTaken("BUDGET", "offer:71", 1),
        UseTaken("BUDGET", "minor:fresh", 200),
        UseTaken("BUDGET", "points:fresh", 50),
    )


no_deadline = settings(deadline=None)
EVERYTHING = OfferTarget("some", "some", categories=CATEGORIES[:2])


def as_offer(case: Case) -> tuple[Ruleset, Ruleset]:
    """The case with its first reward as an offer, and as a reward for the same goods."""
    first, *others = case.ruleset.rewards
    plain = replace(first, needs_coupon=False, stocked=False, uses_per_member_max=None)
    covering = (*plain.conditions, CategoryIs(CATEGORIES[:2]))
    return (
        replace(
            case.ruleset,
            rewards=(replace(plain, needs_offer=True), *others),
            offers=(PoolOffer("r0", "Offer", "r0", (EVERYTHING,)),),
        ),
        replace(case.ruleset, rewards=(replace(plain, conditions=covering), *others)),
    )


def without_first(case: Case) -> tuple[Choice, Holdings]:
    """What else is wanted and held: nothing that names the first reward."""
    coupons = tuple(x for x in case.holdings.coupons if x.reward != "r0")
    codes = tuple(coupon.code for coupon in coupons)
    gone = {coupon.code for coupon in case.holdings.coupons} - set(codes) | {"r0"}
    choice = replace(
        case.choice,
        codes=codes,
        pinned=tuple(code for code in case.choice.pinned if code not in gone),
        excluded=tuple(code for code in case.choice.excluded if code not in gone),
        objective=Objective.MOST_SAVED,
    )
    return choice, replace(case.holdings, coupons=coupons)


@no_deadline
@given(cases().filter(lambda case: bool(case.ruleset.rewards)))
def test_an_open_offer_is_worth_what_a_reward_for_the_same_goods_is(case: Case) -> None:
    offered, plain = as_offer(case)
    choice, holdings = without_first(case)
    mine = replace(holdings, offers=(OfferFacts(5, "r0", "some", SOON),))

    by_offer = quote(offered, case.member, case.cart, choice, AT, mine)
    by_reward = quote(plain, case.member, case.cart, choice, AT, holdings)

    if by_offer.proven and by_reward.proven:
        assert by_offer.payable_minor == by_reward.payable_minor
    assert from_dict(json.loads(json.dumps(to_dict(by_offer)))) == by_offer


@no_deadline
@given(cases().filter(lambda case: bool(case.ruleset.rewards)), st.integers(0, 400), st.booleans())
def test_what_an_offer_takes_is_within_its_budget_and_told_to_the_cent(
    case: Case, left: int, is_active: bool
) -> None:
    rules, _ = as_offer(case)
    choice, holdings = without_first(case)
    facts = OfferFacts(5, "r0", "some", SOON, is_active)
    mine = replace(holdings, offers=(facts,), budgets={"r0": BudgetFacts(left)})

    found = quote(rules, case.member, case.cart, choice, AT, mine)

    taken = sum(
        part.minor
        for line in (*found.lines, found.shipping_line)
        for part in line.parts
        if part.code == "r0.some"
    )
    held = [use.quantity for use in found.uses if use.subject == "minor:r0"]
    assert taken <= left
    assert held == ([taken] if taken else [])
    assert is_active or not taken


def test_earnings_of_a_program_keep_their_dates_beside_a_bonus():
    rules = program(replace(FRESH, bonus_points=7), does=MoneyOff(100))
    found = asked(rules, cart(("wine", 1_000)), MINE)

    assert [type(item) for item in found.earnings] == [Earning]
    assert found.earnings[0].expires_at is None
