from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.conditions import CategoryIs, MinimumPurchase, ProductIs, TierAtLeast
from loyalty.domain.earning import Earning
from loyalty.domain.quotes.quote import (
    ALL_POINTS,
    NO_POINTS,
    TENDER,
    Candidate,
    Choice,
    MarginReport,
    MemberFacts,
    Objective,
    Outcome,
    Part,
    PointsWanted,
    QuoteLine,
    TenderUsed,
    exactly,
    quote,
)
from loyalty.domain.reasons import Gap, NearestChange, Reason
from loyalty.domain.rewards import MoneyOff, PercentageOff
from loyalty.domain.rulesets.ruleset import (
    EarningBase,
    EarningRule,
    HoldPolicy,
    MarginPolicy,
    PointsTender,
    PointType,
    Reward,
    Ruleset,
    Tier,
    TierPolicy,
    UnknownCost,
)

AT = datetime(2026, 3, 5, 12, tzinfo=UTC)
FIVE_OFF = Reward("five-off", "5.00 off", MoneyOff(500), 500, "points", priority=20)
GOLD_TENTH = Reward(
    "gold-tenth",
    "A tenth off",
    PercentageOff(1_000),
    conditions=(TierAtLeast("gold"),),
    priority=10,
)
PAY = PointsTender("points", points=1, minor=1)
PIN = NearestChange("PIN")


def program(
    *rewards: Reward, tender: PointsTender | None = None, margin: MarginPolicy | None = None
) -> Ruleset:
    return Ruleset(
        code="club",
        name="Club",
        currency="EUR",
        time_zone="Europe/Budapest",
        point_types=(PointType("points", "Points"),),
        earning_base=EarningBase(),
        earning_rules=(EarningRule("one", "points", 1, 100),),
        tier_policy=TierPolicy("points", (Tier("basic", "Basic", 0), Tier("gold", "Gold", 900))),
        rewards=rewards,
        tender=tender,
        margin=margin,
        holds=HoldPolicy(quote_ttl_s=600),
        version=7,
    )


def cart(*prices: int, shipping: int = 0, cost: int | None = None) -> Cart:
    lines = (
        CartLine(f"l{index}", f"p{index}", 1, price, cost) for index, price in enumerate(prices)
    )
    return Cart("c-1", "EUR", tuple(lines), shipping)


def member(points: int = 0, tier: str = "gold") -> MemberFacts:
    return MemberFacts("anna", True, "ACTIVE", tier, {"points": points})


def outcomes(
    ruleset: Ruleset,
    who: MemberFacts | None,
    what: Cart,
    choice: Choice = Choice(),  # noqa: B008  # frozen
) -> dict[str, tuple[Outcome, Reason | None, Gap | None, NearestChange | None, int, int]]:
    return {
        found.code: (
            found.outcome,
            found.reason,
            found.gap,
            found.nearest,
            found.points,
            found.discount_minor,
        )
        for found in quote(ruleset, who, what, choice, AT).candidates
    }


def applied(ruleset: Ruleset, who: MemberFacts, what: Cart, choice: Choice) -> list[str]:
    return [found.code for found in quote(ruleset, who, what, choice, AT).applied]


def test_a_whole_quote() -> None:
    rules = program(
        replace(FIVE_OFF, points=400), GOLD_TENTH, tender=PAY, margin=MarginPolicy(1_000)
    )
    basket = Cart(
        "c-1",
        "EUR",
        (CartLine("a", "tea", 2, 1_500, 500), CartLine("b", "cup", 1, 1_000, None)),
        300,
    )

    found = quote(rules, member(600), basket, Choice(ALL_POINTS), AT)

    assert found.lines == (
        QuoteLine(
            "a", "tea", 2, 3_000, 675, 2_325, 150, (Part("gold-tenth", 300), Part("five-off", 375))
        ),
        QuoteLine(
            "b", "cup", 1, 1_000, 225, 775, 50, (Part("gold-tenth", 100), Part("five-off", 125))
        ),
    )
    assert found.candidates == (
        Candidate(
            "gold-tenth", "A tenth off", "percentage_off", Outcome.APPLIED, None, None, None, None,
            0, 400,
        ),
        Candidate(
            "five-off", "5.00 off", "money_off", Outcome.APPLIED, None, None, None, "points", 400,
            500,
        ),
        Candidate(
            TENDER, "Points", "points_tender", Outcome.APPLIED, None, None, None, "points", 200,
            200,
        ),
    )  # fmt: skip
    assert found.tender == TenderUsed("points", 200, 200)
    assert found.points_needed == {"points": 600}
    assert [item.code for item in found.applied] == ["gold-tenth", "five-off"]
    assert found.earnings == (Earning("points", 29, (21, 8), AT, None),)
    assert found.margin == MarginReport(False, 1_000, 5_402, True)
    figures = (
        found.subtotal_minor,
        found.discount_minor,
        found.shipping_minor,
        found.total_minor,
        found.payable_minor,
    )
    assert figures == (4_000, 900, 300, 3_400, 3_200)
    assert (found.member, found.tier, found.proven) == ("anna", "gold", True)
    assert (found.ruleset_code, found.ruleset_version) == ("club", 7)
    assert found.valid_until == AT + timedelta(seconds=600)
    assert len(found.hash) == 64


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (None, Reason.NOT_A_MEMBER),
        (MemberFacts("b", False, "SUSPENDED", "gold", {"points": 900}), Reason.MEMBER_NOT_ACTIVE),
    ],
)
def test_who_is_no_active_member_gets_nothing(who: MemberFacts | None, reason: Reason) -> None:
    rules = program(FIVE_OFF, tender=PAY)

    found = quote(rules, who, cart(2_000), Choice(ALL_POINTS), AT)

    assert found.earnings == ()
    assert (found.discount_minor, found.payable_minor, found.tender) == (0, 2_000, None)
    assert outcomes(rules, who, cart(2_000), Choice(ALL_POINTS)) == {
        "five-off": (Outcome.REJECTED, reason, None, None, 500, 500),
        TENDER: (Outcome.REJECTED, reason, None, None, 0, 0),
    }


WINE = CategoryIs(("wine",))


@pytest.mark.parametrize(
    ("case", "reward", "who", "choice", "outcome", "reason", "gap", "nearest", "discount"),
    [
        ("applied", FIVE_OFF, member(500), Choice(), "APPLIED", None, None, None, 500),
        ("points short", FIVE_OFF, member(380), Choice(), "REJECTED", Reason.INSUFFICIENT_POINTS,
         Gap(points=120), None, 500),
        ("points short by a deficit, too", FIVE_OFF, member(-20), Choice(), "REJECTED",
         Reason.INSUFFICIENT_POINTS, Gap(points=520), None, 500),
        ("tier too low", GOLD_TENTH, member(0, "basic"), Choice(), "REJECTED",
         Reason.TIER_TOO_LOW, Gap(tier="gold"), None, 200),
        ("a tier the rules do not have", GOLD_TENTH, member(0, "platinum"), Choice(), "REJECTED",
         Reason.TIER_TOO_LOW, Gap(tier="gold"), None, 200),
        ("cart too small", replace(FIVE_OFF, conditions=(MinimumPurchase(2_420),)), member(500),
         Choice(), "REJECTED", Reason.MINIMUM_NOT_MET, Gap(money_minor=420),
         NearestChange("ADD_TO_CART", money_minor=420), 500),
        ("cart too small and points short", replace(FIVE_OFF, conditions=(
            MinimumPurchase(2_420),)), member(499), Choice(), "REJECTED", Reason.MINIMUM_NOT_MET,
         Gap(money_minor=420), None, 500),
        ("two minima, the larger is proposed", replace(FIVE_OFF, conditions=(
            MinimumPurchase(2_100), MinimumPurchase(2_500))), member(500), Choice(), "REJECTED",
         Reason.MINIMUM_NOT_MET, Gap(money_minor=100),
         NearestChange("ADD_TO_CART", money_minor=500), 500),
        ("nothing of the kind in the cart", replace(FIVE_OFF, conditions=(WINE,)), member(500),
         Choice(), "REJECTED", Reason.NO_MATCHING_LINES, None,
         NearestChange("ADD_MATCHING", money_minor=1), 0),
        ("nothing of the kind, and too small", replace(FIVE_OFF, conditions=(
            WINE, MinimumPurchase(2_420))), member(500), Choice(), "REJECTED",
         Reason.MINIMUM_NOT_MET, Gap(money_minor=420),
         NearestChange("ADD_MATCHING", money_minor=420), 0),
        ("a percentage needs enough to round to one", replace(
            GOLD_TENTH, conditions=(ProductIs(("jam",)),)), member(), Choice(), "REJECTED",
         Reason.NO_MATCHING_LINES, None, NearestChange("ADD_MATCHING", money_minor=10), 0),
        ("excluded", FIVE_OFF, member(500), Choice(excluded=("five-off",)), "REJECTED",
         Reason.EXCLUDED_BY_SHOPPER, None, NearestChange("ALLOW"), 500),
        ("excluded, but impossible anyway", FIVE_OFF, member(499), Choice(excluded=("five-off",)),
         "REJECTED", Reason.INSUFFICIENT_POINTS, Gap(points=1), None, 500),
        ("not pinned", FIVE_OFF, member(500), Choice(objective=Objective.PINNED), "REJECTED",
         Reason.NOT_PINNED, None, PIN, 500),
        ("pinned", FIVE_OFF, member(500), Choice(pinned=("five-off",),
                                                 objective=Objective.PINNED), "APPLIED",
         None, None, None, 500),
        ("pinned in vain", FIVE_OFF, member(400), Choice(pinned=("five-off",),
                                                         objective=Objective.PINNED), "REJECTED",
         Reason.INSUFFICIENT_POINTS, Gap(points=100), None, 500),
        ("worth it for no points only", FIVE_OFF, member(500),
         Choice(objective=Objective.FEWEST_POINTS), "DOMINATED", Reason.ANOTHER_CHOICE_IS_BETTER,
         None, PIN, 500),
    ],
)  # fmt: skip
def test_one_reward_on_a_cart_of_20(
    case: str,
    reward: Reward,
    who: MemberFacts,
    choice: Choice,
    outcome: str,
    reason: Reason | None,
    gap: Gap | None,
    nearest: NearestChange | None,
    discount: int,
) -> None:
    assert outcomes(program(reward), who, cart(1_200, 800), choice) == {
        reward.code: (Outcome(outcome), reason, gap, nearest, reward.points, discount)
    }


def test_a_pinned_code_that_is_no_more_is_named_as_such() -> None:
    found = quote(program(), member(), cart(1_000), Choice(pinned=("gone", "gone")), AT)

    assert found.candidates == (
        Candidate(
            "gone", "gone", "unknown", Outcome.REJECTED, Reason.NO_SUCH_REWARD, None, None, None,
            0, 0,
        ),
    )  # fmt: skip


def test_of_an_exclusive_group_the_better_applies_and_the_other_can_be_pinned() -> None:
    tenth = Reward("tenth", "10 %", PercentageOff(1_000), exclusive_group="one")
    fifth = Reward("fifth", "20 %", PercentageOff(2_000), exclusive_group="one")
    rules = program(tenth, fifth)

    assert outcomes(rules, member(), cart(1_000)) == {
        "fifth": (Outcome.APPLIED, None, None, None, 0, 200),
        "tenth": (Outcome.DOMINATED, Reason.EXCLUSIVE_WITH_ANOTHER, None, PIN, 0, 100),
    }
    assert applied(rules, member(), cart(1_000), Choice(pinned=("tenth",))) == ["tenth"]
    assert applied(rules, member(), cart(1_000), Choice(pinned=("tenth", "fifth"))) == ["tenth"]


@pytest.mark.parametrize(
    ("case", "points", "expected"),
    [
        ("two small beat one large", 600, ["a", "b"]),
        ("the large one is all that is affordable with most saved", 599, ["c"]),
        ("the small one with less points", 300, ["a"]),
    ],
)
def test_points_go_where_they_save_most(case: str, points: int, expected: list[str]) -> None:
    rules = program(
        Reward("a", "a", MoneyOff(300), 300, "points"),
        Reward("b", "b", MoneyOff(300), 300, "points"),
        Reward("c", "c", MoneyOff(500), 550, "points"),
    )

    assert applied(rules, member(points), cart(5_000), Choice()) == expected


def test_at_equal_savings_the_fewest_points_and_then_the_first_code_win() -> None:
    dear = Reward("a", "a", MoneyOff(300), 301, "points", exclusive_group="g")
    cheap = Reward("c", "c", MoneyOff(300), 300, "points", exclusive_group="g")
    same = Reward("b", "b", MoneyOff(300), 300, "points", exclusive_group="g")

    assert applied(program(dear, cheap, same), member(900), cart(5_000), Choice()) == ["b"]


def test_rewards_apply_in_the_order_of_priority_each_on_what_is_left() -> None:
    half = Reward("half", "half", PercentageOff(5_000), priority=2)
    five = Reward("five", "five", MoneyOff(500), priority=1)

    first_five = quote(program(half, five), member(), cart(2_000), Choice(), AT)
    first_half = quote(
        program(replace(half, priority=0), five), member(), cart(2_000), Choice(), AT
    )

    assert first_five.lines[0].parts == (Part("five", 500), Part("half", 750))
    assert first_half.lines[0].parts == (Part("half", 1_000), Part("five", 500))


HALF_SHARE = PointsTender("points", points=1, minor=1, points_min=100, share_bp_max=5_000)
COARSE = PointsTender("points", points=1, minor=300)
FINE = PointsTender("points", points=30, minor=1)
USE = "USE_POINTS"


@pytest.mark.parametrize(
    ("case", "tender", "points", "wanted", "expected"),
    [
        ("not asked for", HALF_SHARE, 900, NO_POINTS,
         ("REJECTED", Reason.NOT_ASKED_FOR, None, NearestChange(USE, points=900), 900, 900)),
        ("not asked for and not possible", HALF_SHARE, 90, NO_POINTS,
         ("REJECTED", Reason.INSUFFICIENT_POINTS, Gap(points=10), None, 0, 0)),
        ("all", HALF_SHARE, 900, ALL_POINTS, ("APPLIED", None, None, None, 900, 900)),
        ("all, up to the share of the total with shipping", HALF_SHARE, 5_000, ALL_POINTS,
         ("APPLIED", None, None, None, 1_250, 1_250)),
        ("all, but too few", HALF_SHARE, 99, ALL_POINTS,
         ("REJECTED", Reason.INSUFFICIENT_POINTS, Gap(points=1), None, 0, 0)),
        ("exact", HALF_SHARE, 900, exactly(123), ("APPLIED", None, None, None, 123, 123)),
        ("exact, more than there are", HALF_SHARE, 900, exactly(1_000),
         ("REJECTED", Reason.INSUFFICIENT_POINTS, Gap(points=100), NearestChange(USE, points=900),
          1_000, 1_000)),
        ("exact, past the share", HALF_SHARE, 5_000, exactly(1_251),
         ("REJECTED", Reason.TENDER_LIMIT, Gap(money_minor=1), NearestChange(USE, points=1_250),
          1_251, 1_251)),
        ("exact, less than the least", HALF_SHARE, 900, exactly(99),
         ("REJECTED", Reason.TOO_FEW_POINTS, Gap(points=1), NearestChange(USE, points=100),
          99, 99)),
        ("all, no change given on coarse points", COARSE, 50, ALL_POINTS,
         ("APPLIED", None, None, None, 8, 2_400)),
        ("all, no point wasted on fine ones", FINE, 100, ALL_POINTS,
         ("APPLIED", None, None, None, 90, 3)),
        ("exact as asked, waste included", FINE, 100, exactly(95),
         ("APPLIED", None, None, None, 95, 3)),
        ("exact and worth nothing", FINE, 100, exactly(29),
         ("REJECTED", Reason.TOO_FEW_POINTS, Gap(points=1), NearestChange(USE, points=30), 29, 0)),
    ],
)  # fmt: skip
def test_paying_with_points_a_cart_of_20_and_5_shipping(
    case: str,
    tender: PointsTender,
    points: int,
    wanted: PointsWanted,
    expected: tuple[object, ...],
) -> None:
    found = outcomes(
        program(tender=tender), member(points), cart(1_200, 800, shipping=500), Choice(wanted)
    )

    assert found == {TENDER: expected}


def test_an_exact_wish_for_points_comes_before_a_reward_and_after_a_pinned_one() -> None:
    rules = program(FIVE_OFF, tender=PAY)
    wish = exactly(300)

    first = quote(rules, member(700), cart(2_000), Choice(wish), AT)
    pinned = outcomes(rules, member(700), cart(2_000), Choice(wish, pinned=("five-off",)))
    both = quote(rules, member(700), cart(2_000), Choice(wish, pinned=(TENDER, "five-off")), AT)

    assert (first.applied, first.tender) == ((), TenderUsed("points", 300, 300))
    assert pinned == {
        "five-off": (Outcome.APPLIED, None, None, None, 500, 500),
        TENDER: (Outcome.DOMINATED, Reason.ANOTHER_CHOICE_IS_BETTER, None, PIN, 300, 300),
    }
    assert (both.applied, both.tender) == ((), TenderUsed("points", 300, 300))


@pytest.mark.parametrize(
    ("case", "reward", "margin", "basket", "discount", "reason", "actual_bp"),
    [
        ("a percentage is cut to the floor", PercentageOff(5_000), MarginPolicy(2_000),
         cart(1_000, cost=600), 250, Reason.MARGIN_LIMIT, 2_000),
        ("the floor is rounded the shop's way", PercentageOff(5_000), MarginPolicy(3_000),
         cart(1_000, cost=600), 142, Reason.MARGIN_LIMIT, 3_006),
        ("a voucher is not cut", MoneyOff(251), MarginPolicy(2_000), cart(1_000, cost=600), 0,
         Reason.MARGIN_LIMIT, 4_000),
        ("a voucher that just fits", MoneyOff(250), MarginPolicy(2_000), cart(1_000, cost=600),
         250, None, 2_000),
        ("a cart below the floor by its prices", PercentageOff(5_000), MarginPolicy(2_000),
         cart(1_000, cost=900), 0, Reason.MARGIN_LIMIT, 1_000),
        ("unknown cost allowed", PercentageOff(5_000), MarginPolicy(2_000), cart(1_000), 500,
         None, None),
        ("unknown cost denied", PercentageOff(5_000),
         MarginPolicy(2_000, UnknownCost.DENY), cart(1_000), 0, Reason.MARGIN_LIMIT, None),
        ("unknown cost capped", PercentageOff(5_000),
         MarginPolicy(2_000, UnknownCost.CAP, 1_500), cart(1_000), 150, Reason.MARGIN_LIMIT, None),
        ("things given away", PercentageOff(10_000), MarginPolicy(0), cart(1_000, cost=0), 1_000,
         None, None),
    ],
)  # fmt: skip
def test_the_margin_guard(
    case: str,
    reward: PercentageOff | MoneyOff,
    margin: MarginPolicy,
    basket: Cart,
    discount: int,
    reason: Reason | None,
    actual_bp: int | None,
) -> None:
    rules = program(Reward("r", "r", reward), margin=margin)

    found = quote(rules, member(), basket, Choice(), AT)

    [candidate] = found.candidates
    assert (found.discount_minor, candidate.reason) == (discount, reason)
    assert candidate.outcome is (Outcome.APPLIED if discount else Outcome.REJECTED)
    assert candidate.nearest is None
    assert found.margin is not None
    assert found.margin.actual_bp == actual_bp
    assert found.margin.limited == (reason is not None)


def test_what_the_guard_cut_is_in_the_answer() -> None:
    rules = program(Reward("r", "r", PercentageOff(5_000)), margin=MarginPolicy(2_000))

    [candidate] = quote(rules, member(), cart(1_000, cost=600), Choice(), AT).candidates

    assert (candidate.discount_minor, candidate.cut_minor) == (250, 250)


@pytest.mark.parametrize(
    ("case", "counts", "paid", "reason"),
    [
        ("points count as not charged", True, 250, Reason.MARGIN_LIMIT),
        ("points count as money", False, 1_000, None),
    ],
)
def test_the_guard_and_points(case: str, counts: bool, paid: int, reason: Reason | None) -> None:
    rules = program(tender=PAY, margin=MarginPolicy(2_000, counts_points_used=counts))

    found = quote(rules, member(5_000), cart(1_000, cost=600), Choice(ALL_POINTS), AT)

    assert found.tender == TenderUsed("points", paid, paid)
    assert found.candidates[0].reason is reason


@pytest.mark.parametrize("count", [40, 200])
def test_more_candidates_than_can_be_proven_still_get_a_good_choice(count: int) -> None:
    rewards = [
        Reward(
            f"r{index:03}",
            "r",
            PercentageOff(100 + 37 * index % 1_500)
            if index % 2
            else MoneyOff(97 + 53 * index % 700),
            80 + 53 * index % 300,
            "points",
            (CategoryIs((f"c{index % 5}", f"c{(2 * index + 1) % 5}")),),
        )
        for index in range(count)
    ]
    rules = program(*rewards, tender=PAY, margin=MarginPolicy(2_500))
    basket = Cart(
        "c",
        "EUR",
        tuple(
            CartLine(str(index), "p", 1, 399 + 37 * index, 250 + 20 * index, f"c{index % 5}")
            for index in range(20)
        ),
    )

    found = quote(rules, member(1_500), basket, Choice(ALL_POINTS), AT)
    pinned = quote(rules, member(1_500), basket, Choice(pinned=("r011",)), AT)
    best_alone = max(item.discount_minor for item in found.candidates)

    assert not found.proven
    assert found.discount_minor > best_alone
    assert sum(found.points_needed.values()) <= 1_500
    assert found == quote(rules, member(1_500), basket, Choice(ALL_POINTS), AT)
    assert "r011" in [item.code for item in pinned.applied]


def test_a_kind_that_breaks_its_promise_is_named() -> None:
    class Greedy(MoneyOff):
        def offer(self, lines: object) -> list[int]:
            return [10_000]

    with pytest.raises(ValueError, match="reward 'r' of kind 'money_off' offered"):
        quote(program(Reward("r", "r", Greedy(1))), member(), cart(100), Choice(), AT)
