"""Laws that hold for every quote, recomputed from nothing but the answer."""

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quote_cases import AT, Case, cases
from quote_oracle import facts

from loyalty.domain.earning import EarningLine, earned
from loyalty.domain.quotes.quote import CREDIT, TENDER, Outcome, Quote, QuoteLine, quote
from loyalty.domain.quotes.quote_codec import (
    canonical,
    from_dict,
    promised_from_dict,
    quote_hash,
    to_dict,
)
from loyalty.domain.quotes.quote_terms import GIFT_CARD
from loyalty.domain.reasons import Reason
from loyalty.domain.rulesets.ruleset import UnknownCost
from loyalty.errors import BadInput

no_deadline = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def asked(case: Case) -> Quote:
    return quote(case.ruleset, case.member, case.cart, case.choice, AT, case.holdings)


def everything(found: Quote) -> list[QuoteLine]:
    return [*found.lines, found.shipping_line]


@no_deadline
@given(cases())
def test_parts_add_up_and_no_line_goes_below_zero(case: Case) -> None:
    found = asked(case)

    prices = [own.unit_minor * own.quantity for own in case.cart.lines]
    assert [line.gross_minor for line in found.lines] == prices
    assert found.shipping_line.gross_minor == found.shipping_minor == case.cart.shipping_minor
    for line in everything(found):
        assert sum(part.minor for part in line.parts) == line.discount_minor
        assert all(part.minor > 0 for part in line.parts)
        assert 0 <= line.net_minor == line.gross_minor - line.discount_minor
    for candidate in found.applied:
        parts = [part.minor for line in everything(found) for part in line.parts
                 if part.code == candidate.code]  # fmt: skip
        assert sum(parts) == candidate.discount_minor > 0
    assert found.subtotal_minor == sum(prices)
    assert found.discount_minor == sum(line.discount_minor for line in everything(found))
    added = 0 if case.cart.tax_included else found.tax_minor
    net = found.subtotal_minor - found.discount_minor + found.shipping_minor
    assert found.total_minor == net + added


@no_deadline
@given(cases())
def test_what_pays_adds_up_over_the_lines(case: Case) -> None:
    found = asked(case)

    points = found.tender.value_minor if found.tender else 0
    credit = found.credit.minor if found.credit else 0
    gifts = sum(gift.minor for gift in found.gift_cards)
    assert sum(line.tender_minor for line in everything(found)) == points
    assert sum(line.credit_minor for line in everything(found)) == credit
    assert sum(line.gift_minor for line in everything(found)) == gifts
    for line in everything(found):
        shares = (line.tender_minor, line.gift_minor, line.credit_minor)
        assert min(shares) >= 0
        assert sum(shares) <= found.charged_minor(line)
    assert 0 <= found.payable_minor == found.total_minor - points - gifts - credit
    held = {card.holder_id: card for card in case.holdings.gift_cards}
    for gift in found.gift_cards:
        card = held[gift.holder_id]
        assert 0 < gift.minor <= card.available_minor
        assert (card.is_blocked, card.currency) == (False, "EUR")
        assert card.expires_at is None or card.expires_at > AT
    if credit:
        assert case.ruleset.credit is not None
        assert credit <= case.holdings.credit_minor
        assert credit * 10_000 <= found.total_minor * case.ruleset.credit.share_bp_max
        if case.choice.credit.minor:
            assert credit == case.choice.credit.minor


@no_deadline
@given(cases())
def test_tax_is_rounded_once_for_each_rate(case: Case) -> None:
    found = asked(case)

    rates = [*(line.tax_bp for line in case.cart.lines), case.cart.shipping_tax_bp]
    for rate in set(rates):
        mine = [line for line, own in zip(everything(found), rates, strict=True) if own == rate]
        base = sum(line.net_minor for line in mine)
        whole = 10_000 + rate if case.cart.tax_included else 10_000
        assert sum(line.tax_minor for line in mine) == int(
            Fraction(base * rate, whole) + Fraction(1, 2)
        )
    for line in everything(found):
        assert 0 <= line.tax_minor <= line.net_minor
    assert found.tax_minor == sum(line.tax_minor for line in everything(found))


@no_deadline
@given(cases())
def test_nothing_applies_that_may_not(case: Case) -> None:
    found = asked(case)

    applied = {item.code for item in found.applied}
    rewards = [reward for reward in case.ruleset.rewards if reward.code in applied]
    if case.member is None or not case.member.is_active:
        assert (applied, found.tender, found.credit, found.earnings) == (set(), None, None, ())
        return
    tiers = {tier.code: tier for tier in case.ruleset.tier_policy.tiers}
    benefits = tiers[case.member.tier].benefits if case.member.tier else ()
    assert applied <= {reward.code for reward in rewards} | {item.code for item in benefits}
    groups = Counter(
        item.exclusive_group for item in (*rewards, *benefits)
        if item.exclusive_group and item.code in applied
    )  # fmt: skip
    assert set(groups.values()) <= {1}
    assert not applied & set(case.choice.excluded)
    for kind, points in found.points_needed.items():
        assert points <= case.member.available[kind]
    for reward in rewards:
        assert all(item.unmet(facts(case)) is None for item in reward.conditions)
    if found.tender is not None:
        assert case.ruleset.tender is not None
        share = found.total_minor * case.ruleset.tender.share_bp_max // 10_000
        assert found.tender.value_minor <= share
        assert found.tender.points >= case.ruleset.tender.points_min


@no_deadline
@given(cases())
def test_what_is_counted_is_used_once_and_only_while_it_lasts(case: Case) -> None:
    found = asked(case)

    applied = {item.code: item for item in found.applied}
    assert all(use.quantity == 1 for use in found.uses)
    coupons = {coupon.code: coupon for coupon in case.holdings.coupons}
    used = [(use.subject, use.coupon_id) for use in found.uses if use.kind == "COUPON"]
    assert sorted(used) == sorted(
        (item.coupon_code, item.coupon_id) for item in found.applied if item.coupon_code
    )
    for code, coupon_id in used:
        coupon = coupons[code]
        assert coupon.coupon_id == coupon_id
        assert not coupon.is_revoked
        assert coupon.starts_at is None or coupon.starts_at <= AT
        assert coupon.ends_at is None or coupon.ends_at > AT
        assert 0 not in (coupon.left_total, coupon.left_member)
    stock = {use.subject for use in found.uses if use.kind == "STOCK"}
    for reward in case.ruleset.rewards:
        is_taken = reward.code in applied
        assert (reward.code in stock) == (is_taken and reward.is_counted)
        if is_taken and reward.needs_coupon:
            assert applied[reward.code].coupon_id is not None
        quota = case.holdings.quotas.get(reward.code)
        if is_taken and reward.stocked:
            assert quota is not None
            assert quota.left_total != 0


@no_deadline
@given(cases())
def test_no_order_and_no_line_goes_below_its_floor(case: Case) -> None:
    found = asked(case)
    margin = case.ruleset.margin
    if margin is None:
        assert found.margin is None
        return

    assert found.margin is not None
    charged = cost = Fraction(0)
    off = 0
    unknown_off = unknown_price = 0
    cap = {UnknownCost.ALLOW: 10_000, UnknownCost.DENY: 0, UnknownCost.CAP: margin.unknown_cap_bp}
    for line, own in zip(found.lines, case.cart.lines, strict=True):
        paid = line.tender_minor if margin.counts_points_used else 0
        if own.cost_minor is None:
            unknown_off += line.discount_minor + paid
            unknown_price += line.gross_minor
            if margin.line_floor_bp is not None and margin.unknown_cost is UnknownCost.CAP:
                share = line.discount_minor + paid
                assert share * 10_000 <= line.gross_minor * margin.unknown_cap_bp or (
                    not case.cart.tax_included and margin.unknown_cap_bp == 10_000
                )
            continue
        without_tax = Fraction(line.net_minor - (paid if case.cart.tax_included else 0))
        if case.cart.tax_included:
            without_tax = without_tax * 10_000 / (10_000 + own.tax_bp)
        else:
            without_tax -= Fraction(paid * 10_000, 10_000 + own.tax_bp)
        own_cost = own.cost_minor * own.quantity
        if margin.line_floor_bp is not None and line.discount_minor + paid:
            assert (without_tax - own_cost) * 10_000 >= margin.line_floor_bp * without_tax
        charged += without_tax
        cost += own_cost
        off += line.discount_minor + paid
    assert (charged - cost) * 10_000 >= margin.floor_bp * charged or off == 0
    if margin.unknown_cost is not UnknownCost.ALLOW:
        assert unknown_off * 10_000 <= unknown_price * cap[margin.unknown_cost]
    assert found.margin.unknown_cost == any(x.cost_minor is None for x in case.cart.lines)
    if charged:
        assert found.margin.actual_bp == (charged - cost) * 10_000 // charged


@no_deadline
@given(cases())
def test_no_discount_goes_past_a_cap(case: Case) -> None:
    found = asked(case)
    caps = case.ruleset.caps

    off = sum(line.discount_minor for line in found.lines)
    if caps.line_bp_max is not None:
        for line in found.lines:
            assert line.discount_minor * 10_000 <= line.gross_minor * caps.line_bp_max
    if caps.order_bp_max is not None:
        assert off * 10_000 <= found.subtotal_minor * caps.order_bp_max
    if caps.order_minor_max is not None:
        assert off <= caps.order_minor_max


@no_deadline
@given(cases())
def test_every_candidate_is_answered_for(case: Case) -> None:
    found = asked(case)

    named = Counter((item.code, item.coupon_code) for item in found.candidates)
    assert set(named.values()) <= {1}
    codes = {item.code for item in found.candidates}
    handed_in = {item.coupon_code for item in found.candidates}
    assert {reward.code for reward in case.ruleset.rewards} <= codes
    assert set(case.choice.codes) | set(case.holdings.unknown_codes) <= handed_in
    wishes = {item.wish for item in found.candidates} | codes
    assert set(case.choice.pinned) <= wishes
    for candidate in found.candidates:
        if candidate.outcome is Outcome.APPLIED:
            assert candidate.reason in (None, Reason.MARGIN_LIMIT, Reason.DISCOUNT_CAP)
            kept_back = candidate.cut_minor + candidate.capped_minor
            assert (candidate.reason is not None) == (kept_back > 0)
        else:
            assert candidate.reason is not None
            assert candidate.reason is not Reason.MARGIN_LIMIT or candidate.is_cost_shaped
    pays = {item.code: item.discount_minor for item in found.candidates
            if item.outcome is Outcome.APPLIED and item not in found.applied}  # fmt: skip
    assert pays.get(TENDER, 0) == (found.tender.value_minor if found.tender else 0)
    assert pays.get(CREDIT, 0) == (found.credit.minor if found.credit else 0)
    gifts = [minor for code, minor in pays.items() if code.startswith(GIFT_CARD)]
    assert gifts == [gift.minor for gift in found.gift_cards]


@no_deadline
@given(cases())
def test_points_to_earn_are_those_of_the_quoted_order(case: Case) -> None:
    found = asked(case)
    is_active = case.member is not None and case.member.is_active
    if not is_active or not case.cart.tax_included:
        return

    lines = [EarningLine(own, line.net_minor)
             for own, line in zip(case.cart.lines, found.lines, strict=True)]  # fmt: skip

    assert found.earnings == earned(
        case.ruleset,
        found.tier,
        lines,
        shipping_minor=found.shipping_line.net_minor,
        points_used_minor=found.tender.value_minor if found.tender else 0,
        at=AT,
    )


@no_deadline
@given(cases())
def test_the_same_question_has_the_same_hash_and_survives_writing(case: Case) -> None:
    found = asked(case)
    text = json.dumps(to_dict(found))

    assert asked(case) == found
    assert from_dict(json.loads(text)) == found
    assert quote_hash(from_dict(json.loads(text))) == found.hash
    assert to_dict(from_dict(json.loads(text))) == to_dict(found)
    # Booking reads what is promised, and skips what only explains.
    promised = promised_from_dict(json.loads(text))
    taken = tuple(one for one in found.candidates if one.outcome is Outcome.APPLIED)
    assert promised == replace(found, candidates=taken)
    assert promised.points_needed == found.points_needed


@no_deadline
@given(cases(), st.integers(1, 10**6))
def test_another_outcome_has_another_hash(case: Case, more: int) -> None:
    found = asked(case)

    for other in (
        replace(found, payable_minor=found.payable_minor + more),
        replace(found, cart=replace(found.cart, id="other")),
        replace(found, cart=replace(found.cart, tax_included=not found.cart.tax_included)),
        replace(found, choice=replace(found.choice, pinned=("other",))),
        replace(found, choice=replace(found.choice, codes=("OTHER",))),
        replace(found, lines=(replace(found.lines[0], net_minor=-more), *found.lines[1:])),
        replace(found, shipping_line=replace(found.shipping_line, gift_minor=-more)),
        replace(found, gap_minor=found.gap_minor + more),
        replace(found, ruleset_version=found.ruleset_version + more),
    ):
        assert quote_hash(other) != found.hash


@no_deadline
@given(cases())
def test_a_quote_of_the_first_format_is_still_read(case: Case) -> None:
    """Of format 1 there are reservations that somebody may still commit."""
    cart = replace(
        case.cart,
        lines=tuple(line._replace(tax_bp=0) for line in case.cart.lines),
        tax_included=True,
        shipping_tax_bp=0,
    )
    choice = replace(case.choice, codes=(), credit=type(case.choice.credit)())
    found = quote(case.ruleset, case.member, cart, choice, AT)
    written = to_dict(found)
    for key in ("gap", "tax", "shippingLine", "uses", "credit", "giftCards"):
        del written[key]
    for key in ("codes", "credit"):
        del written["choice"][key]
    written["margin"] = written["margin"] and written["margin"][:4]
    written["format"] = 1

    read = from_dict(json.loads(json.dumps(written)))

    assert (read.cart, read.lines, read.hash) == (found.cart, found.lines, found.hash)
    assert read.payable_minor == found.payable_minor
    assert read.shipping_line.tender_minor == found.shipping_line.tender_minor
    assert (read.uses, read.credit, read.gift_cards) == ((), None, ())


def test_the_canonical_form_is_written_down() -> None:
    assert canonical({"b": [1, None, True], "a": "é\ud800"}) == (
        b'{"a":"\\u00e9\\ud800","b":[1,null,true]}'
    )


@pytest.mark.parametrize(
    "value",
    [{}, [], None, {"format": 3}, {"format": 2}, {"format": 1}, {"format": 1, "choice": 5}],
)
def test_what_is_no_quote_is_refused(value: Any) -> None:
    with pytest.raises(BadInput, match="found a quote"):
        from_dict(value)
