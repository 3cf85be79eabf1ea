"""A ruleset in plain words, for the command line and for whoever reviews a change."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from loyalty.domain.money import Money
from loyalty.domain.offers.offers import PoolOffer
from loyalty.domain.recommendations.boosts import Boost
from loyalty.domain.rulesets.ruleset import (
    Benefit,
    DiscountBase,
    EarningRule,
    PointType,
    Reward,
    Ruleset,
    TaxBase,
    UnknownCost,
)


def describe(ruleset: Ruleset) -> list[str]:
    """The whole ruleset as lines of text; two spaces of indent for what belongs to the line
    above.
    """
    return [
        f"{ruleset.name} ({ruleset.code}), version {ruleset.version}, "
        f"{ruleset.currency}, days in {ruleset.time_zone}",
        *_point_types(ruleset),
        *_earning(ruleset),
        *_tiers(ruleset),
        *_rewards(ruleset),
        *_offers(ruleset),
        *_recommendations(ruleset),
        *_limits(ruleset),
    ]


def _point_types(ruleset: Ruleset) -> Iterator[str]:
    yield "Point types"
    for item in ruleset.point_types:
        yield f"  {item.code}: {item.name}, {_lifetime(item)}"
    yield f"  expiring soon means within {_count(ruleset.expiring_soon_days, 'day')}"


def _lifetime(item: PointType) -> str:
    use = "spendable" if item.is_spendable else "not spendable"
    days = item.pending_days
    active = f"active after {_count(days, 'day')}" if days else "active at once"
    months = item.expires_after_months
    ends = f"expire after {_count(months, 'month')}" if months else "never expire"
    return f"{use}, {active}, {ends}"


def _earning(ruleset: Ruleset) -> Iterator[str]:
    base = ruleset.earning_base
    when = "after" if base.discounts is DiscountBase.AFTER else "before"
    shipping = "with" if base.includes_shipping else "without"
    used = "with" if base.includes_points_used else "without"
    credit = "with" if base.includes_credit_used else "without"
    tax = {TaxBase.AS_PRICED: "as priced", TaxBase.WITH: "with", TaxBase.WITHOUT: "without"}
    yield (
        f"Earning, on prices {when} discounts, {shipping} shipping, {used} what points paid, "
        f"{credit} what credit and gift cards paid, tax {tax[base.tax]}"
    )
    for rule in ruleset.earning_rules:
        yield f"  {rule.code}: {_rate(rule, ruleset.currency)}"
        for condition in rule.conditions:
            yield f"    if {_kind(condition, ruleset.currency)}"
        for multiplier in rule.multipliers:
            words = (_kind(condition, ruleset.currency) for condition in multiplier.conditions)
            yield f"    {_times(multiplier.rate_bp)} if {' and '.join(words)}"


def _rate(rule: EarningRule, currency: str) -> str:
    text = f"{rule.points} {rule.point_type} for {_money(rule.per_minor, currency)}"
    if rule.uses_tier_multiplier:
        text += ", times the tier's multiplier"
    text += f", rounded {rule.rounding.replace('_', ' ')}"
    if rule.points_max_per_order is not None:
        text += f", at most {rule.points_max_per_order} per order"
    return text


def _tiers(ruleset: Ruleset) -> Iterator[str]:
    policy = ruleset.tier_policy
    yield f"Tiers by {policy.point_type}, kept for {_count(policy.grace_days, 'day')} of grace"
    for tier in policy.tiers:
        yield f"  {tier.code}: {tier.name}, from {tier.threshold}, {_times(tier.multiplier_bp)}"
        for benefit in tier.benefits:
            yield f"    {benefit.code}: {benefit.name}{_benefit(benefit, ruleset.currency)}"
            for condition in benefit.conditions:
                yield f"      if {_kind(condition, ruleset.currency)}"


def _benefit(benefit: Benefit, currency: str) -> str:
    """What it does at checkout; nothing where it is only shown."""
    if benefit.does is None:
        return ""
    text = f", {_kind(benefit.does, currency)}, priority {benefit.priority}"
    if benefit.exclusive_group is not None:
        text += f", at most one of {benefit.exclusive_group}"
    return text


def _rewards(ruleset: Ruleset) -> Iterator[str]:
    yield "Rewards" if ruleset.rewards else "No rewards"
    for reward in sorted(ruleset.rewards, key=lambda item: item.priority):
        yield f"  {reward.code}: {reward.name}, {_reward(reward, ruleset.currency)}"
        for condition in reward.conditions:
            yield f"    if {_kind(condition, ruleset.currency)}"


def _reward(reward: Reward, currency: str) -> str:
    price = f"for {reward.points} {reward.point_type}" if reward.points else "free"
    text = f"{_kind(reward.does, currency)}, {price}, priority {reward.priority}"
    if reward.exclusive_group is not None:
        text += f", at most one of {reward.exclusive_group}"
    if reward.needs_coupon:
        text += ", by coupon only"
    if reward.needs_offer:
        text += ", by personal offer only"
    if reward.stocked:
        text += ", while stock lasts"
    if reward.uses_per_member_max is not None:
        text += f", at most {_count(reward.uses_per_member_max, 'time')} for each member"
    return text


def _offers(ruleset: Ruleset) -> Iterator[str]:
    policy, currency = ruleset.offer_policy, ruleset.currency
    if not ruleset.offers:
        return
    consent = policy.consent.replace("_", " ")
    yield (
        f"Personal offers, with consent to {consent}: at most {policy.open_max} at a time, for the "
        f"same target every {_count(policy.target_days_between, 'day')}, "
        f"{_percent(policy.holdout_bp)} of the members get none; margin taken for unknown cost "
        f"{_percent(policy.margin_bp)}, odds of a purchase {_times(policy.uplift_bp)}"
    )
    for offer in ruleset.offers:
        yield f"  {offer.code}: {offer.name}, {_offer(offer, currency)}"
        for condition in offer.conditions:
            yield f"    if {_kind(condition, currency)}"
        for target in offer.targets:
            yield f"    {target.code}: {target.name}, {_kind(target.condition, currency)}"


def _offer(offer: PoolOffer, currency: str) -> str:
    text = f"by {offer.reward}, for {offer.objective.replace('_', ' ')}"
    if offer.bonus_points:
        text += f", with {_count(offer.bonus_points, 'bonus point')}"
    text += f", {_count(offer.uses_max, 'use')} within {_count(offer.valid_days, 'day')}"
    text += f", again after {_count(offer.days_between, 'day')}"
    if offer.budget_minor is not None:
        text += f", budget {_money(offer.budget_minor, currency)}"
    if offer.budget_points is not None:
        text += f", budget {_count(offer.budget_points, 'point')}"
    return text


def _recommendations(ruleset: Ruleset) -> Iterator[str]:
    policy = ruleset.recommendations
    caps = [
        f"{most} of a {kind}"
        for kind, most in (
            ("category", policy.max_per_category),
            ("department", policy.max_per_department),
            ("brand", policy.max_per_brand),
        )
        if most is not None
    ]
    if caps:
        where = ", ".join(policy.capped_windows) or "all windows"
        yield f"Recommendations in {where}: at most {', '.join(caps)}"
    for boost in policy.boosts:
        where = ", ".join(boost.windows) or "all windows"
        yield f"Boost {boost.code}: {_times(boost.factor_bp)} further up in {where}"
        for words in _boosted(boost, ruleset.currency):
            yield f"  if {words}"


def _boosted(boost: Boost, currency: str) -> Iterator[str]:
    if boost.margin_bp_min is not None:
        yield f"the margin is at least {_percent(boost.margin_bp_min)}"
    if boost.margin_bp_max is not None:
        yield f"the margin is below {_percent(boost.margin_bp_max)}"
    if boost.stock_min is not None:
        yield f"at least {boost.stock_min} are in stock"
    if boost.stock_max is not None:
        yield f"at most {boost.stock_max} are in stock"
    for condition in boost.conditions:
        yield _kind(condition, currency)


def _caps(ruleset: Ruleset) -> Iterator[str]:
    caps = ruleset.caps
    limits = []
    if caps.line_bp_max is not None:
        limits.append(f"{_percent(caps.line_bp_max)} of a line")
    if caps.order_bp_max is not None:
        limits.append(f"{_percent(caps.order_bp_max)} of an order's lines")
    if caps.order_minor_max is not None:
        limits.append(f"{_money(caps.order_minor_max, ruleset.currency)} of an order")
    if limits:
        yield f"Discounts are at most {', '.join(limits)}"


def _credit(ruleset: Ruleset) -> Iterator[str]:
    credit = ruleset.credit
    if credit is None or not credit.enabled:
        return
    months = credit.expires_after_months
    ends = f"expires after {_count(months, 'month')}" if months else "never expires"
    yield (
        f"Paying with credit: at most {_percent(credit.share_bp_max)} of an order; credit {ends}"
    )


def _limits(ruleset: Ruleset) -> Iterator[str]:
    tender, margin = ruleset.tender, ruleset.margin
    if tender is None:
        yield "Paying with points: no"
    else:
        yield (
            f"Paying with points: {tender.points} {tender.point_type} are worth "
            f"{_money(tender.minor, ruleset.currency)}, from {tender.points_min} on, "
            f"at most {_percent(tender.share_bp_max)} of an order"
        )
    yield from _credit(ruleset)
    yield from _caps(ruleset)
    if margin is None:
        yield "Margin floor: none"
    else:
        unknown = {
            UnknownCost.ALLOW: "is left out",
            UnknownCost.DENY: "gets no discount",
            UnknownCost.CAP: f"gets at most {_percent(margin.unknown_cap_bp)} off",
        }[margin.unknown_cost]
        used = "counts" if margin.counts_points_used else "does not count"
        yield (
            f"Margin floor: {_percent(margin.floor_bp)}; what has no known cost {unknown}; "
            f"paying with points {used} as discount"
        )
        if margin.line_floor_bp is not None:
            yield f"  no line below {_percent(margin.line_floor_bp)}"
    holds, refunds = ruleset.holds, ruleset.refunds
    yield (
        f"Quotes stand {holds.quote_ttl_s} s, holds {holds.ttl_s} s, "
        f"at most {holds.ttl_s_max} s, extended at most {holds.extended_ttl_s_max} s"
    )
    yield (
        f"Refunds: points already spent: {refunds.clawback.replace('_', ' ')}; a reward whose "
        f"minimum breaks: {refunds.broken_minimum}; returned points that expired live "
        f"{_count(refunds.expired_lot_grace_days, 'day')} more"
    )
    yield from _adjustments(ruleset)


def _adjustments(ruleset: Ruleset) -> Iterator[str]:
    policy = ruleset.adjustments
    limits = []
    if policy.approval_above is not None:
        limits.append(_count(policy.approval_above, "point"))
    if policy.approval_above_minor is not None:
        limits.append(f"{_money(policy.approval_above_minor, ruleset.currency)} of credit")
    if limits:
        yield (
            f"Adjustments by one person to one account of more than {' or '.join(limits)} within "
            "24 hours need a second person"
        )


def _kind(kind: Any, currency: str) -> str:
    """A condition or reward by its settings, whichever distribution it comes from.

    The names' units tell how to print a setting: ``_minor`` is money, ``_bp`` a rate.
    """
    settings = [
        _setting(field.name, getattr(kind, field.name), currency)
        for field in fields(kind)
        if getattr(kind, field.name) is not None
    ]
    return f"{kind.kind} ({', '.join(settings)})" if settings else str(kind.kind)


def _setting(name: str, value: object, currency: str) -> str:
    parts = name.split("_")
    if isinstance(value, tuple):
        return f"{' '.join(parts)} {', '.join(str(item) for item in value)}"
    if type(value) is int and "minor" in parts:
        parts.remove("minor")
        return " ".join([*parts, _money(value, currency)])
    if type(value) is int and "bp" in parts:
        parts.remove("bp")
        return " ".join([*parts, _percent(value)])
    return f"{' '.join(parts)} {value}"


def _money(minor: int, currency: str) -> str:
    return f"{Money(minor, currency).text()} {currency}"


def _times(rate_bp: int) -> str:
    return f"x{_decimal(rate_bp, 4)}"


def _percent(rate_bp: int) -> str:
    return f"{_decimal(rate_bp, 2)} %"


def _decimal(value: int, places: int) -> str:
    """An integer of the ``places``-th decimal as short decimal text."""
    whole, rest = divmod(value, 10**places)
    return f"{whole}.{rest:0{places}}".rstrip("0").rstrip(".")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
