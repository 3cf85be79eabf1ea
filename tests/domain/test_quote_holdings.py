"""Coupons, stock, benefits, gift cards and credit at checkout: tables of single rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loyalty.domain.cart import Cart, CartLine
from loyalty.domain.conditions import CategoryIs, MinimumPurchase
from loyalty.domain.quotes.quote import (
    ALL_CREDIT,
    ALL_POINTS,
    CREDIT,
    NO_CREDIT,
    Candidate,
    Choice,
    CouponFacts,
    CreditWanted,
    GiftCardFacts,
    GiftUsed,
    Holdings,
    MemberFacts,
    Objective,
    Outcome,
    QuotaFacts,
    QuotaKind,
    QuotaUse,
    Quote,
    exact_credit,
    quote,
)
from loyalty.domain.reasons import Gap, NearestChange, Reason
from loyalty.domain.rewards import FreeProduct, FreeShipping, MoneyOff, PercentageOff
from loyalty.domain.rulesets.ruleset import (
    Benefit,
    CreditPolicy,
    DiscountCaps,
    EarningBase,
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
DAY = timedelta(days=1)
SOON = AT + DAY
TEN = Reward("ten", "10 % off", PercentageOff(1_000), needs_coupon=True)
MUG = Reward("mug", "A mug", MoneyOff(300), stocked=True, uses_per_member_max=2)


def program(
    *rewards: Reward,
    benefits: tuple[tuple[Benefit, ...], tuple[Benefit, ...]] = ((), ()),
    caps: DiscountCaps | None = None,
    margin: MarginPolicy | None = None,
    tender: PointsTender | None = None,
) -> Ruleset:
    low, high = benefits
    return Ruleset(
        code="club",
        name="Club",
        currency="EUR",
        time_zone="Europe/Budapest",
        point_types=(PointType("points", "Points"),),
        earning_base=EarningBase(),
        earning_rules=(),
        tier_policy=TierPolicy(
            "points", (Tier("basic", "B", 0, 10_000, low), Tier("gold", "G", 9, 10_000, high))
        ),
        rewards=rewards,
        tender=tender,
        margin=margin,
        caps=caps or DiscountCaps(),
        credit=CreditPolicy(),
    )


def cart(*prices: int, shipping: int = 0, cost: int | None = None, tax_bp: int = 0) -> Cart:
    lines = (
        CartLine(f"l{index}", f"p{index}", 1, price, cost, tax_bp=tax_bp)
        for index, price in enumerate(prices)
    )
    return Cart("c-1", "EUR", tuple(lines), shipping)


def asked(
    rules: Ruleset,
    what: Cart,
    holdings: Holdings,
    choice: Choice | None = None,
    *,
    tier: str = "basic",
    points: int = 0,
) -> Quote:
    member = MemberFacts("anna", True, "ACTIVE", tier, {"points": points})
    codes = tuple(coupon.code for coupon in holdings.coupons)
    return quote(rules, member, what, replace(choice or Choice(), codes=codes), AT, holdings)


def told(found: Quote, code: str) -> list[tuple[object, ...]]:
    return [
        (item.coupon_code, item.outcome.value, item.reason, item.nearest)
        for item in found.candidates
        if item.code == code
    ]


COUPON = CouponFacts(7, "SPRING", "ten")


@pytest.mark.parametrize(
    ("case", "coupon", "reason"),
    [
        ("good", COUPON, None),
        ("starts now", replace(COUPON, starts_at=AT), None),
        ("starts later", replace(COUPON, starts_at=AT + DAY), Reason.COUPON_NOT_STARTED),
        ("ends now", replace(COUPON, ends_at=AT), Reason.COUPON_EXPIRED),
        ("revoked", replace(COUPON, is_revoked=True), Reason.COUPON_REVOKED),
        ("used up", replace(COUPON, left_total=0), Reason.COUPON_USED_UP),
        ("used by the member", replace(COUPON, left_member=0), Reason.COUPON_USED_BY_MEMBER),
    ],
)
def test_a_coupon_opens_its_reward(case: str, coupon: CouponFacts, reason: Reason | None) -> None:
    found = asked(program(TEN), cart(2_000), Holdings((coupon,)))

    outcome = "REJECTED" if reason else "APPLIED"
    assert told(found, "ten") == [("SPRING", outcome, reason, None)]
    assert found.discount_minor == (0 if reason else 200)
    assert found.uses == (() if reason else (QuotaUse(QuotaKind.COUPON, "SPRING", 7),))


def test_without_a_code_the_reward_says_so() -> None:
    found = asked(program(TEN), cart(2_000), Holdings())

    add = NearestChange("ADD_CODE")
    assert told(found, "ten") == [(None, "REJECTED", Reason.NEEDS_COUPON, add)]
    assert found.discount_minor == 0


def test_of_several_codes_for_one_reward_the_one_that_ends_first_is_used() -> None:
    late, soon = (
        replace(COUPON, ends_at=AT + 9 * DAY),
        CouponFacts(8, "SOON", "ten", None, AT + DAY),
    )
    spent = CouponFacts(9, "SPENT", "ten", left_total=0)
    holdings = Holdings((late, soon, spent))

    found = asked(program(TEN), cart(2_000), holdings)
    pinned = asked(program(TEN), cart(2_000), holdings, Choice(pinned=("SPRING",)))

    pin = NearestChange("PIN")
    assert told(found, "ten") == [
        ("SOON", "APPLIED", None, None),
        ("SPRING", "DOMINATED", Reason.EXCLUSIVE_WITH_ANOTHER, pin),
        ("SPENT", "REJECTED", Reason.COUPON_USED_UP, None),
    ]
    assert [use.subject for use in found.uses] == ["SOON"]
    assert [use.subject for use in pinned.uses] == ["SPRING"]
    assert found.discount_minor == pinned.discount_minor == 200


def test_a_code_that_nobody_knows_is_a_candidate() -> None:
    found = asked(program(), cart(2_000), Holdings(unknown_codes=("GUESS",)))

    assert told(found, "GUESS") == [("GUESS", "REJECTED", Reason.NO_SUCH_CODE, None)]


@pytest.mark.parametrize(
    ("case", "quotas", "reason"),
    [
        ("no stock was set", {}, Reason.OUT_OF_STOCK),
        ("nothing is left", {"mug": QuotaFacts(left_total=0)}, Reason.OUT_OF_STOCK),
        ("one is left", {"mug": QuotaFacts(left_total=1, left_member=2)}, None),
        ("taken too often", {"mug": QuotaFacts(3, 0)}, Reason.USED_UP_BY_MEMBER),
    ],
)
def test_stock_and_uses_are_counted(
    case: str, quotas: dict[str, QuotaFacts], reason: Reason | None
) -> None:
    found = asked(program(MUG), cart(2_000), Holdings(quotas=quotas))

    assert told(found, "mug") == [(None, "REJECTED" if reason else "APPLIED", reason, None)]
    assert found.uses == (() if reason else (QuotaUse(QuotaKind.STOCK, "mug", None),))


def test_a_benefit_applies_by_itself_to_its_own_tier() -> None:
    fifth = Benefit("off", "A fifth", PercentageOff(2_000))
    tenth = replace(fifth, does=PercentageOff(1_000))
    ship = Benefit("ship", "Free shipping", FreeShipping())
    rules = program(benefits=((tenth,), (fifth, ship)))
    what = cart(2_000, shipping=500)

    basic, gold = (asked(rules, what, Holdings(), tier=tier) for tier in ("basic", "gold"))

    assert [line.discount_minor for line in (*basic.lines, basic.shipping_line)] == [200, 0]
    assert told(basic, "ship") == [(None, "REJECTED", Reason.TIER_TOO_LOW, None)]
    assert [line.discount_minor for line in (*gold.lines, gold.shipping_line)] == [400, 500]
    assert (gold.discount_minor, gold.total_minor) == (900, 1_600)


def test_the_dearest_pieces_are_free() -> None:
    free = Reward("free", "Two free", FreeProduct(("p0", "p2"), 2))
    lines = (
        CartLine("a", "p0", 3, 100),
        CartLine("b", "p1", 1, 900),
        CartLine("c", "p2", 1, 250),
    )

    found = asked(program(free), Cart("c", "EUR", lines), Holdings())

    assert [line.discount_minor for line in found.lines] == [100, 0, 250]


@pytest.mark.parametrize(
    ("case", "does", "caps", "discounts", "reason"),
    [
        ("a line's cap cuts", PercentageOff(5_000), DiscountCaps(line_bp_max=3_000),
         [300, 150], Reason.DISCOUNT_CAP),
        ("the order's cap cuts", PercentageOff(5_000), DiscountCaps(order_bp_max=2_000),
         [200, 100], Reason.DISCOUNT_CAP),
        ("an amount for the order", PercentageOff(5_000), DiscountCaps(order_minor_max=150),
         [100, 50], Reason.DISCOUNT_CAP),
        ("a voucher is not cut", MoneyOff(301), DiscountCaps(order_bp_max=2_000),
         [0, 0], Reason.DISCOUNT_CAP),
        ("a voucher that just fits", MoneyOff(300), DiscountCaps(order_bp_max=2_000),
         [200, 100], None),
    ],
)  # fmt: skip
def test_caps(
    case: str,
    does: PercentageOff | MoneyOff,
    caps: DiscountCaps,
    discounts: list[int],
    reason: Reason | None,
) -> None:
    found = asked(program(Reward("r", "r", does), caps=caps), cart(1_000, 500), Holdings())

    [reward] = [item for item in found.candidates if item.code == "r"]
    assert [line.discount_minor for line in found.lines] == discounts
    assert (reward.reason, reward.cut_minor, reward.is_cost_shaped) == (reason, 0, False)
    if reward.outcome is Outcome.REJECTED:
        # 5 more make the order's cap 301.
        assert (reward.gap, reward.nearest) == (
            Gap(money_minor=1),
            NearestChange("ADD_TO_CART", money_minor=5),
        )


def test_a_voucher_comes_off_the_lines_that_can_bear_it() -> None:
    margin = MarginPolicy(0, UnknownCost.ALLOW, line_floor_bp=0)
    lines = (CartLine("a", "p", 1, 1_000, 1_000), CartLine("b", "q", 1, 1_000, 200))
    voucher = Reward("v", "v", MoneyOff(600))

    found = asked(program(voucher, margin=margin), Cart("c", "EUR", lines), Holdings())
    too_much = asked(
        program(replace(voucher, does=MoneyOff(801)), margin=margin),
        Cart("c", "EUR", lines),
        Holdings(),
    )

    assert [line.discount_minor for line in found.lines] == [0, 600]
    [taken] = found.applied
    assert (taken.reason, taken.is_cost_shaped) == (None, True)
    [refused] = [item for item in too_much.candidates if item.code == "v"]
    assert (refused.reason, refused.gap) == (Reason.MARGIN_LIMIT, Gap(money_minor=1))
    assert too_much.discount_minor == 0


@pytest.mark.parametrize(
    ("case", "included", "discount"),
    [
        # A price of 12.50 with a quarter of tax is 10.00 without; the cost is 8.00.
        ("tax in the price", True, 250),
        # 12.50 and tax on top: 4.50 may come off.
        ("tax added", False, 450),
    ],
)
def test_the_floor_is_reckoned_without_tax(case: str, included: bool, discount: int) -> None:
    what = replace(cart(1_250, cost=800, tax_bp=2_500), tax_included=included)
    rules = program(Reward("half", "half", PercentageOff(5_000)), margin=MarginPolicy(0))

    found = asked(rules, what, Holdings())

    assert found.discount_minor == discount
    assert found.margin is not None
    assert found.margin.actual_bp == 0


def test_tax_is_rounded_once_and_spread() -> None:
    added = replace(cart(33, 33, 34, shipping=1, tax_bp=2_700), tax_included=False)
    found = asked(program(), replace(added, shipping_tax_bp=500), Holdings())

    assert [line.tax_minor for line in found.lines] == [8, 9, 10]
    assert (found.shipping_line.tax_minor, found.tax_minor) == (0, 27)
    assert (found.subtotal_minor, found.total_minor) == (100, 128)


CARDS = (
    GiftCardFacts(1, "…0001", "EUR", 500, is_blocked=True),
    GiftCardFacts(2, "…0002", "EUR", 500, AT),
    GiftCardFacts(3, "…0003", "EUR", 0),
    GiftCardFacts(4, "…0004", "HUF", 500),
    GiftCardFacts(5, "…0005", "EUR", 700, AT + DAY),
    GiftCardFacts(6, "…0006", "EUR", 900),
    GiftCardFacts(7, "…0007", "EUR", 900),
)


def test_gift_cards_pay_in_their_sequence_for_guests_too() -> None:
    found = quote(
        program(), None, cart(1_000, shipping=100), Choice(), AT, Holdings(gift_cards=CARDS)
    )

    assert found.gift_cards == (GiftUsed(5, "…0005", 700), GiftUsed(6, "…0006", 400))
    assert (found.total_minor, found.payable_minor) == (1_100, 0)
    assert [line.gift_minor for line in (*found.lines, found.shipping_line)] == [1_000, 100]
    cards = [item for item in found.candidates if item.kind == "gift_card"]
    assert [(item.code, item.reason) for item in cards] == [
        ("GIFT_CARD:1", Reason.GIFT_CARD_BLOCKED),
        ("GIFT_CARD:2", Reason.GIFT_CARD_EXPIRED),
        ("GIFT_CARD:3", Reason.GIFT_CARD_EMPTY),
        ("GIFT_CARD:4", Reason.GIFT_CARD_EMPTY),
        ("GIFT_CARD:5", None),
        ("GIFT_CARD:6", None),
        ("GIFT_CARD:7", Reason.NOTHING_LEFT_TO_PAY),
    ]


def use(minor: int) -> NearestChange:
    return NearestChange("USE_CREDIT", money_minor=minor)


@pytest.mark.parametrize(
    ("case", "available", "wanted", "expected"),
    [
        ("not asked for", 300, NO_CREDIT, ("REJECTED", Reason.NOT_ASKED_FOR, None, use(300), 0)),
        ("none there", 0, NO_CREDIT,
         ("REJECTED", Reason.INSUFFICIENT_CREDIT, Gap(money_minor=1), None, 0)),
        ("all", 300, ALL_CREDIT, ("APPLIED", None, None, None, 300)),
        ("all of more than is to pay", 3_000, ALL_CREDIT, ("APPLIED", None, None, None, 1_000)),
        ("exact", 300, exact_credit(299), ("APPLIED", None, None, None, 299)),
        ("exact, more than there is", 300, exact_credit(301),
         ("REJECTED", Reason.INSUFFICIENT_CREDIT, Gap(money_minor=1), use(300), 0)),
        ("exact, more than is to pay", 3_000, exact_credit(1_001),
         ("REJECTED", Reason.TENDER_LIMIT, Gap(money_minor=1), use(1_000), 0)),
    ],
)  # fmt: skip
def test_credit_pays_what_is_left(
    case: str, available: int, wanted: CreditWanted, expected: tuple[object, ...]
) -> None:
    found = asked(program(), cart(1_000), Holdings(credit_minor=available), Choice(credit=wanted))

    [credit] = [item for item in found.candidates if item.code == CREDIT]
    used = found.credit.minor if found.credit else 0
    seen = (credit.outcome.value, credit.reason, credit.gap, credit.nearest, used)
    assert seen == expected
    assert found.payable_minor == 1_000 - used


def test_points_come_first_but_leave_an_exact_amount_of_credit() -> None:
    rules = program(tender=PointsTender("points", 1, 1))
    holdings = Holdings(gift_cards=CARDS[5:6], credit_minor=900)

    exact = asked(
        rules, cart(1_000), holdings, Choice(ALL_POINTS, credit=exact_credit(300)), points=600
    )
    rest = asked(rules, cart(1_000), holdings, Choice(ALL_POINTS, credit=ALL_CREDIT), points=600)

    def paid(found: Quote) -> tuple[int, int, int]:
        [line] = found.lines
        return line.tender_minor, line.gift_minor, line.credit_minor

    assert paid(exact) == (600, 100, 300)
    assert paid(rest) == (600, 400, 0)
    assert exact.payable_minor == rest.payable_minor == 0


def test_what_expires_soon_goes_first_when_asked() -> None:
    dear = Reward("dear", "Dear", MoneyOff(100), 500, "points", exclusive_group="g")
    good = Reward("good", "Good", MoneyOff(900), 100, "points", exclusive_group="g")
    member = MemberFacts("anna", True, "ACTIVE", "basic", {"points": 500}, {"points": 400})
    rules = program(dear, good)

    most, expiring = (
        quote(rules, member, cart(2_000), Choice(objective=objective), AT)
        for objective in (Objective.MOST_SAVED, Objective.EXPIRING_FIRST)
    )

    assert [item.code for item in most.applied] == ["good"]
    assert [item.code for item in expiring.applied] == ["dear"]


def test_a_coupon_that_ends_soon_goes_before_one_that_does_not() -> None:
    more = Reward("more", "20 %", PercentageOff(2_000), needs_coupon=True, exclusive_group="g")
    less = replace(TEN, exclusive_group="g")
    holdings = Holdings(
        (CouponFacts(1, "LATE", "more", ends_at=AT + 90 * DAY), replace(COUPON, ends_at=AT + DAY))
    )

    found = asked(
        program(more, less), cart(2_000), holdings, Choice(objective=Objective.EXPIRING_FIRST)
    )

    assert [item.code for item in found.applied] == ["ten"]


def test_percentages_leave_shipping_alone_and_conditions_of_goods_hold_for_it() -> None:
    wine = (CategoryIs(("wine",)), MinimumPurchase(500))
    ship = Reward("ship", "Free shipping", FreeShipping(300), conditions=wine)
    half = Reward("half", "Half", PercentageOff(5_000))
    what = cart(1_000, shipping=490)
    with_wine = replace(what, lines=(what.lines[0]._replace(category="wine"),))

    without, found = (asked(program(half, ship), each, Holdings()) for each in (what, with_wine))

    assert told(without, "ship")[0][2] is Reason.NO_MATCHING_LINES
    assert (without.shipping_line.discount_minor, without.total_minor) == (0, 990)
    assert (found.shipping_line.net_minor, found.total_minor) == (190, 690)


def test_a_candidate_is_pinned_by_the_name_it_came_with() -> None:
    plain = Candidate("r", "r", "k", Outcome.APPLIED, None, None, None, None, 0, 1)

    assert plain.wish == "r"
    assert replace(plain, coupon_code="CODE").wish == "CODE"
