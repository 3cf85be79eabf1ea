"""A page says of a product what a quote of that product alone says."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quote_cases import AT, CATEGORIES, Case, cases

from loyalty.domain.books.lots import Expiring
from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.offers.offers import OfferTarget, PoolOffer
from loyalty.domain.quotes.quote_brief import Brief, Briefing, within_reach
from loyalty.domain.quotes.quote_holdings import OfferFacts
from loyalty.domain.quotes.quote_terms import (
    ALL_POINTS,
    NO_CREDIT,
    Choice,
    MemberFacts,
    Quote,
)
from loyalty.domain.recommendations.window_facts import Covered, Shopper, WindowFacts, WindowFactsOf
from loyalty.domain.rewards import FreeProduct
from loyalty.domain.rulesets.ruleset import (
    EarningBase,
    EarningRule,
    PointsTender,
    PointType,
    Reward,
    Ruleset,
    Tier,
    TierPolicy,
)
from loyalty.domain.tiers import TierState, TierStatus
from loyalty.services.checkout.shopper_quote import quote_for_shopper

no_deadline = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def brief(case: Case, ruleset: Ruleset, choice: Choice) -> Brief:
    briefing = Briefing(ruleset, case.member, case.cart, choice, AT, case.holdings)
    # Whatever was asked of it before changes nothing.
    briefing.paid_with(ALL_POINTS)
    return briefing.paid_with(choice.points)


def quoted(case: Case, cart: Cart, choice: Choice) -> Quote:
    return quote_for_shopper(case.ruleset, case.member, cart, choice, AT, case.holdings)


def offered(case: Case) -> Case:
    """The case with its first reward as an offer of the member's own."""
    if not case.ruleset.rewards:
        return case
    first, *others = case.ruleset.rewards
    plain = replace(
        first, needs_coupon=False, stocked=False, uses_per_member_max=None, needs_offer=True
    )
    target = OfferTarget("some", "some", categories=CATEGORIES)
    pool = PoolOffer(first.code, "Offer", first.code, (target,), bonus_points=3)
    coupons = tuple(x for x in case.holdings.coupons if x.reward != first.code)
    mine = OfferFacts(5, first.code, "some", AT + timedelta(days=3))
    return case._replace(
        ruleset=replace(case.ruleset, rewards=(plain, *others), offers=(pool,)),
        choice=replace(case.choice, pinned=(), excluded=(), codes=()),
        holdings=replace(case.holdings, coupons=coupons, offers=(mine,)),
    )


ANY = st.one_of(cases(), cases().map(offered))


@no_deadline
@given(ANY)
def test_a_brief_is_what_a_shoppers_quote_says(case: Case) -> None:
    holdings = replace(case.holdings, gift_cards=())
    case = case._replace(holdings=holdings, choice=replace(case.choice, credit=NO_CREDIT))

    found = brief(case, case.ruleset, case.choice)

    said = quoted(case, case.cart, case.choice)
    assert (found.total_minor, found.payable_minor) == (said.total_minor, said.payable_minor)
    assert [reward.code for reward in found.applied] == [each.code for each in said.applied]
    assert found.points_needed == said.points_needed
    assert found.earnings == said.earnings


@no_deadline
@given(ANY)
def test_what_is_out_of_reach_changes_no_quote(case: Case) -> None:
    case = case._replace(holdings=replace(case.holdings, gift_cards=()))
    choice = Choice(points=case.choice.points)
    near = within_reach(case.ruleset, case.member, AT, case.holdings)

    found = brief(case, near, choice)

    assert found == brief(case, case.ruleset, choice)


def status(ruleset: Ruleset, tier: str | None, qualifying: int) -> TierStatus:
    policy = ruleset.tier_policy
    current = policy.named(tier) if tier else policy.tiers[0]
    return TierStatus(current, AT, TierState.QUALIFIED, None, qualifying, None)


def one_piece(line: CartLine) -> CartLine:
    return line._replace(quantity=1, amount_minor=None, tax_bp=0)


@no_deadline
@given(ANY)
def test_figures_of_a_product_are_those_of_its_own_quote(case: Case) -> None:
    if case.member is None:
        return
    case = case._replace(holdings=replace(case.holdings, gift_cards=()))
    expiring = {kind: [Expiring(points, AT + timedelta(days=9))]
                for kind, points in case.member.expiring.items() if points}  # fmt: skip
    shopper = Shopper(
        case.member, status(case.ruleset, case.member.tier, 40), expiring, case.holdings
    )
    of = WindowFactsOf(case.ruleset, shopper, AT)
    policy = case.ruleset.tier_policy
    for line in map(one_piece, case.cart.lines):
        cart = Cart("one", case.ruleset.currency, (line,))

        found = of.product(line)

        said = quoted(case, cart, Choice())
        points = {each.point_type: each.points for each in said.earnings}
        assert found.price_minor == said.total_minor == said.payable_minor
        assert [each.code for each in found.rewards] == [each.code for each in said.applied]
        assert found.points_earned == points.get("points", 0)
        lifted = policy.reached(40 + points.get(policy.point_type, 0))
        is_up = policy.tiers.index(lifted) > policy.tiers.index(shopper.tier.current)
        assert found.lifts_to == (lifted if is_up else None)
        paid = quoted(case, cart, Choice(points=ALL_POINTS))
        needed = paid.points_needed
        is_covered = line.unit_minor > 0 and not paid.payable_minor and len(needed) == 1
        if found.covered is not None:
            assert is_covered
            assert needed == {found.covered.point_type: found.covered.points}
        elif is_covered:
            ((kind, points_needed),) = needed.items()
            assert points_needed > case.member.expiring.get(kind, 0)


TEA = CartLine("1", "tea", 1, 1_000)
PROGRAM = Ruleset(
    code="club",
    name="Club",
    currency="EUR",
    time_zone="Europe/Budapest",
    point_types=(PointType("points", "Points"),),
    earning_base=EarningBase(),
    earning_rules=(EarningRule("one", "points", 1, 100),),
    tier_policy=TierPolicy("points", (Tier("basic", "B", 0), Tier("gold", "G", 100))),
    tender=PointsTender("points", 1, 10),
)


def day(number: int) -> datetime:
    return AT + timedelta(days=number)


def facts_of(
    ruleset: Ruleset, points: int, *expiring: Expiring, qualifying: int = 0, state: str = "ACTIVE"
) -> WindowFacts:
    soon = sum(each.points for each in expiring)
    member = MemberFacts(
        "ann", state == "ACTIVE", state, "basic", {"points": points}, {"points": soon}
    )
    shopper = Shopper(member, status(ruleset, "basic", qualifying), {"points": expiring})
    return WindowFactsOf(ruleset, shopper, AT).product(TEA)


@pytest.mark.parametrize(
    ("case", "expiring", "expected"),
    [
        ("none expires", (), None),
        ("too few", (Expiring(99, day(3)),), None),
        ("one date", (Expiring(100, day(3)),), Covered("points", 100, day(3))),
        ("the soonest dates that suffice", (Expiring(60, day(3)), Expiring(39, day(5)),
          Expiring(1, day(8)), Expiring(500, day(9))), Covered("points", 100, day(8))),
    ],
)  # fmt: skip
def test_points_that_expire_cover_it_by_the_date_at_which_enough_of_them_do(
    case: str, expiring: tuple[Expiring, ...], expected: Covered | None
) -> None:
    assert facts_of(PROGRAM, 900, *expiring).covered == expected


def test_what_may_be_paid_in_part_only_is_not_covered() -> None:
    half = replace(PROGRAM, tender=PointsTender("points", 1, 10, share_bp_max=5_000))
    none = replace(PROGRAM, tender=None)
    soon = Expiring(900, day(3))

    assert [facts_of(each, 900, soon).covered for each in (half, none)] == [None, None]


def test_a_reward_bought_with_points_that_expire_covers_it_too() -> None:
    gift = Reward("gift", "Tea", FreeProduct(("tea",)), 70, "points")
    program = replace(PROGRAM, tender=None, rewards=(gift,))

    found = facts_of(program, 900, Expiring(70, day(3)))

    assert found.covered == Covered("points", 70, day(3))
    assert (found.price_minor, found.rewards, found.points_earned) == (0, (gift,), 0)


@pytest.mark.parametrize(("qualifying", "lifts"), [(89, False), (90, True), (99, True)])
def test_it_lifts_to_the_tier_whose_missing_points_it_earns(qualifying: int, lifts: bool) -> None:
    found = facts_of(PROGRAM, 0, qualifying=qualifying)

    assert found.points_earned == 10
    assert found.lifts_to == (PROGRAM.tier_policy.named("gold") if lifts else None)


def test_a_guest_and_who_is_suspended_get_the_price_alone() -> None:
    guest = WindowFactsOf(PROGRAM, None, AT).product(TEA)

    suspended = facts_of(PROGRAM, 900, Expiring(900, day(3)), qualifying=99, state="SUSPENDED")

    assert guest == suspended == WindowFacts(1_000)
