"""The best choice by trying every set of rewards and every payment, written from the rules.

It shares no code with the search: amounts without tax are fractions, rooms are found by what
must still hold afterwards, and nothing is skipped.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

from quote_cases import AT, Case

from loyalty.domain.calendar import local
from loyalty.domain.cart import CartLine
from loyalty.domain.conditions import Facts
from loyalty.domain.quotes.quote import CREDIT, TENDER, CouponFacts, Objective, PointsMode
from loyalty.domain.quotes.quote_terms import CreditMode
from loyalty.domain.rewards import FreeProduct, FreeShipping, MoneyOff, OpenLine
from loyalty.domain.rulesets.ruleset import Reward, UnknownCost


class Best(NamedTuple):
    """The choice: codes in the order in which they apply, payment, credit set aside."""

    codes: tuple[str, ...]
    coupons: tuple[str, ...]
    points: int
    value: int
    credit: int
    saved: int


class Candidate(NamedTuple):
    reward: Reward
    coupon: CouponFacts | None


def best_of_all(case: Case) -> Best:
    """The best of all choices."""
    return min(_results(case))[1]


def most_saved(case: Case) -> int:
    """The most that any choice saves."""
    return max(found.saved for _, found in _results(case))


def _results(case: Case) -> Iterator[tuple[tuple[Any, ...], Best]]:
    able = candidates(case)
    for size in range(len(able) + 1):
        for some in combinations(able, size):
            left = applied(case, some)
            if left is not None:
                yield from _paid(case, some, left)


def facts(case: Case) -> Facts:
    ranks = case.ruleset.tier_policy.ranks
    tier = case.member.tier if case.member else None
    return Facts(case.cart, tier, ranks, AT, local(AT, case.ruleset.time_zone))


def candidates(case: Case) -> list[Candidate]:
    """Rewards and benefits that the member, the cart and the choice leave in, in order."""
    if case.member is None or not case.member.is_active:
        return []
    choice, found = case.choice, []
    for reward in case.ruleset.rewards:
        usable = [
            coupon
            for coupon in case.holdings.coupons
            if coupon.reward == reward.code
            and not coupon.is_revoked
            and (coupon.starts_at is None or coupon.starts_at <= AT)
            and (coupon.ends_at is None or coupon.ends_at > AT)
            and coupon.left_total != 0
            and coupon.left_member != 0
            and coupon.code not in choice.excluded
        ]
        quota = case.holdings.quotas.get(reward.code)
        if reward.stocked and (quota is None or quota.left_total == 0):
            continue
        if reward.uses_per_member_max and quota is not None and quota.left_member == 0:
            continue
        if reward.needs_coupon and not usable:
            continue
        first = None
        if usable:
            places = {code: place for place, code in enumerate(choice.pinned)}
            never = AT + timedelta(days=9_999)
            first = min(usable, key=lambda x: (places.get(x.code, 99), x.ends_at or never))
        found.append(Candidate(reward, first))
    tiers = case.ruleset.tier_policy.tiers
    for tier in tiers:
        if tier.code == case.member.tier:
            found += [
                Candidate(
                    Reward(item.code, item.name, item.does, conditions=item.conditions,
                           exclusive_group=item.exclusive_group, priority=item.priority), None,
                )
                for item in tier.benefits if item.does is not None
            ]  # fmt: skip
    found.sort(key=lambda item: (item.reward.priority, item.reward.code))
    return [
        item
        for item in found
        if not names(item) & set(choice.excluded)
        and (choice.objective is not Objective.PINNED or names(item) & set(choice.pinned))
        and all(condition.unmet(facts(case)) is None for condition in item.reward.conditions)
    ]


def names(item: Candidate) -> set[str]:
    return {item.reward.code} | ({item.coupon.code} if item.coupon else set())


def applied(case: Case, some: Sequence[Candidate]) -> list[int] | None:
    """What the rewards leave of each line and of shipping; None when one does not apply."""
    groups = [item.reward.exclusive_group for item in some if item.reward.exclusive_group]
    if len(groups) != len(set(groups)):
        return None
    for kind in ("points", "stars"):
        needed = sum(x.reward.points for x in some if x.reward.point_type == kind)
        assert case.member is not None or not needed
        if needed and case.member is not None and needed > case.member.available[kind]:
            return None
    left = [line.unit_minor * line.quantity for line in case.cart.lines]
    left.append(case.cart.shipping_minor)
    for item in some:
        parts = parts_of(case, item.reward, left)
        if not sum(parts):
            return None
        left = [before - part for before, part in zip(left, parts, strict=True)]
    return left


def parts_of(case: Case, reward: Reward, left: list[int]) -> list[int]:
    """What a reward takes off each line and shipping; nothing where it cannot be."""
    lines, goods = case.cart.lines, range(len(case.cart.lines))
    nothing = [0] * len(left)
    covered = [at for at in goods if all(x.covers(lines[at]) for x in reward.conditions)]
    if isinstance(reward.does, FreeProduct):
        covered = [at for at in covered if lines[at].product in reward.does.any_of]
    if not covered:
        return nothing
    if isinstance(reward.does, FreeShipping):
        shipping = OpenLine(CartLine("", "", 1, case.cart.shipping_minor), left[-1])
        return [*nothing[:-1], *reward.does.offer([shipping])]
    offer = reward.does.offer([OpenLine(lines[at], left[at]) for at in covered])
    wanted = list(nothing)
    for at, part in zip(covered, offer, strict=True):
        wanted[at] = part
    let = through_caps(case, wanted, left)
    kept = through_margin(case, let, left)
    if kept == wanted or reward.does.may_cut:
        return kept
    if not isinstance(reward.does, MoneyOff):
        return nothing
    # The voucher comes off the lines that can bear it, if together they can.
    rest = [left[at] if at in covered else 0 for at in range(len(left))]
    by_caps = through_caps(case, rest, left)
    if sum(by_caps) < sum(wanted):
        return nothing
    if let != wanted:
        let = spread(sum(wanted), by_caps)
    if through_margin(case, let, left) == let:
        return let
    bearable = through_margin(case, by_caps, left)
    return spread(sum(wanted), bearable) if sum(bearable) >= sum(wanted) else nothing


def through_caps(case: Case, parts: list[int], left: list[int]) -> list[int]:
    caps = case.ruleset.caps
    gross = [line.unit_minor * line.quantity for line in case.cart.lines]
    fit = list(parts)
    off = sum(gross) - sum(left[:-1])
    if caps.line_bp_max is not None:
        for at, price in enumerate(gross):
            room = price * caps.line_bp_max // 10_000 - (price - left[at])
            fit[at] = min(fit[at], max(room, 0))
    limits = [sum(gross)]
    if caps.order_bp_max is not None:
        limits.append(sum(gross) * caps.order_bp_max // 10_000)
    if caps.order_minor_max is not None:
        limits.append(caps.order_minor_max)
    return shrunk(fit, [Fraction(1)] * len(gross) + [Fraction(0)], Fraction(min(limits) - off))


def through_margin(case: Case, parts: list[int], left: list[int]) -> list[int]:
    """What the floors per line and order let through of something taken off the prices."""
    return _through(case, parts, left, [untaxed(case, at, 1) for at in range(len(left) - 1)])


def through_margin_paid(case: Case, parts: list[int], left: list[int]) -> list[int]:
    """The same of something paid with points, tax and all."""
    weights = [Fraction(10_000, 10_000 + line.tax_bp) for line in case.cart.lines]
    return _through(case, parts, left, weights)


def _through(case: Case, parts: list[int], left: list[int], weights: list[Fraction]) -> list[int]:
    margin, lines = case.ruleset.margin, case.cart.lines
    if margin is None:
        return parts
    fit = list(parts)
    if margin.line_floor_bp is not None:
        for at, line in enumerate(lines):
            room = line_room(case, at, left[at])
            if room is not None:
                # An unknown cost's cap is of the price, and points count whole against it.
                each = weights[at] if line.cost_minor is not None else Fraction(1)
                fit[at] = min(fit[at], int(max(room, Fraction(0)) / each))
    known = [weight if line.cost_minor is not None else Fraction(0)
             for weight, line in zip(weights, lines, strict=True)]  # fmt: skip
    charged = sum(
        (untaxed(case, at, left[at]) for at, line in enumerate(lines)
         if line.cost_minor is not None), Fraction(0),
    )  # fmt: skip
    gross = sum(
        (untaxed(case, at, line.unit_minor * line.quantity) for at, line in enumerate(lines)
         if line.cost_minor is not None), Fraction(0),
    )  # fmt: skip
    cost = sum((line.cost_minor or 0) * line.quantity for line in lines)
    least = Fraction(cost * 10_000, 10_000 - margin.floor_bp)
    room = Fraction(0) if gross <= least else charged - least
    fit = shrunk(fit, [*known, Fraction(0)], room)
    if margin.unknown_cost is UnknownCost.ALLOW:
        return fit
    unknown = [Fraction(int(line.cost_minor is None)) for line in lines]
    price = sum(x.unit_minor * x.quantity for x in lines if x.cost_minor is None)
    off = price - sum(left[at] for at, x in enumerate(lines) if x.cost_minor is None)
    most = 0
    if margin.unknown_cost is UnknownCost.CAP:
        most = price * margin.unknown_cap_bp // 10_000
    return shrunk(fit, [*unknown, Fraction(0)], Fraction(most - off))


def line_room(case: Case, at: int, left: int) -> Fraction | None:
    """How far a line may still come down: without tax where its cost is known. None: all."""
    margin, line = case.ruleset.margin, case.cart.lines[at]
    assert margin is not None
    assert margin.line_floor_bp is not None
    price = line.unit_minor * line.quantity
    if line.cost_minor is not None:
        least = Fraction(line.cost_minor * line.quantity * 10_000, 10_000 - margin.line_floor_bp)
        # What may be charged is whole minor units, so the least is rounded up to one.
        whole = -int(-least / untaxed(case, at, 1) // 1)
        if not whole:
            return None
        return untaxed(case, at, left - whole) if left > whole else Fraction(0)
    if margin.unknown_cost is UnknownCost.CAP and price * margin.unknown_cap_bp // 10_000 < price:
        return Fraction(price * margin.unknown_cap_bp // 10_000 - (price - left))
    return None


def untaxed(case: Case, at: int, minor: int) -> Fraction:
    if not case.cart.tax_included:
        return Fraction(minor)
    return Fraction(minor * 10_000, 10_000 + case.cart.lines[at].tax_bp)


def shrunk(parts: list[int], weights: Sequence[Fraction], room: Fraction) -> list[int]:
    """In proportion, rounded down cumulatively, where together they weigh more than the room."""
    whole = sum((part * weight for part, weight in zip(parts, weights, strict=True)), Fraction(0))
    room = max(room, Fraction(0))
    if whole <= room:
        return parts
    fit, running, given = [], Fraction(0), Fraction(0)
    for part, weight in zip(parts, weights, strict=True):
        if not weight:
            fit.append(part)
            continue
        running += part * weight
        own = min(part, int((room * running / whole - given) / weight))
        given += own * weight
        fit.append(own)
    return fit


def spread(total: int, weights: Sequence[int]) -> list[int]:
    whole, running, parts, before = sum(weights), 0, [], 0
    for weight in weights:
        running += weight
        upto = total * running // whole
        parts.append(upto - before)
        before = upto
    return parts


def tax_on(case: Case, left: Sequence[int]) -> int:
    """Tax that comes on top of the prices, rounded half up once for each rate."""
    if case.cart.tax_included:
        return 0
    rates = [*(line.tax_bp for line in case.cart.lines), case.cart.shipping_tax_bp]
    total = 0
    for rate in set(rates):
        base = sum(minor for minor, own in zip(left, rates, strict=True) if own == rate)
        total += int(Fraction(base * rate, 10_000) + Fraction(1, 2))
    return total


def owed(case: Case, left: Sequence[int]) -> list[int]:
    """What is charged for each line, its tax with it where that is added."""
    if case.cart.tax_included:
        return list(left)
    rates = [*(line.tax_bp for line in case.cart.lines), case.cart.shipping_tax_bp]
    due = list(left)
    for rate in set(rates):
        mine = [at for at, own in enumerate(rates) if own == rate]
        bases = [left[at] for at in mine]
        if sum(bases):
            tax = int(Fraction(sum(bases) * rate, 10_000) + Fraction(1, 2))
            for at, part in zip(mine, spread(tax, bases), strict=True):
                due[at] += part
    return due


def payable_with_points(case: Case, left: list[int]) -> int | None:
    margin = case.ruleset.margin
    if margin is None or not margin.counts_points_used:
        return None
    return sum(through_margin_paid(case, owed(case, left), left))


def _paid(
    case: Case, some: Sequence[Candidate], left: list[int]
) -> Iterator[tuple[tuple[Any, ...], Best]]:
    """Every way of paying for one set of rewards, each with its place among all."""
    total = sum(left) + tax_on(case, left)
    credits = [0]
    wish = case.choice.credit
    policy = case.ruleset.credit
    is_active = case.member is not None and case.member.is_active
    if wish.mode is CreditMode.EXACT and is_active and policy is not None:
        share = total * policy.share_bp_max // 10_000
        if wish.minor <= min(case.holdings.credit_minor, share):
            credits.append(wish.minor)
    spent = sum(x.reward.points for x in some if x.reward.point_type == "points")
    for credit in credits:
        for points, value in [(0, 0), *payments(case, left, total, spent, credit)]:
            best = Best(
                tuple(x.reward.code for x in some),
                tuple(x.coupon.code for x in some if x.coupon),
                points,
                value,
                credit,
                case.cart.gross_minor + case.cart.shipping_minor - total + value
                + tax_on(case, [*(x.unit_minor * x.quantity for x in case.cart.lines),
                                case.cart.shipping_minor]),
            )  # fmt: skip
            yield key(case, some, best), best


def payments(
    case: Case, left: list[int], total: int, spent: int, credit: int
) -> Iterator[tuple[int, int]]:
    """Every payment with points that the wish and the rules admit. "All" wastes no points."""
    tender, wish = case.ruleset.tender, case.choice.points
    if tender is None or wish.mode is PointsMode.NONE:
        return
    if case.member is None or not case.member.is_active:
        return
    limits = [total * tender.share_bp_max // 10_000, total - credit]
    by_margin = payable_with_points(case, left)
    if by_margin is not None:
        limits.append(by_margin)
    limit, most = min(limits), case.member.available["points"] - spent
    counts = [wish.points] if wish.mode is PointsMode.EXACT else range(1, most + 1)
    for points in counts:
        value = points * tender.minor // tender.points
        wastes = (points - 1) * tender.minor // tender.points == value
        if wish.mode is PointsMode.ALL and wastes and points > tender.points_min:
            continue
        if tender.points_min <= points <= most and 0 < value <= limit:
            yield points, value


def key(case: Case, some: Sequence[Candidate], best: Best) -> tuple[Any, ...]:
    """The place of a choice among all: the least is the best."""
    choice = case.choice
    got = {*best.codes, *best.coupons}
    if best.points:
        got.add(TENDER)
    is_exact = choice.credit.mode is CreditMode.EXACT
    if best.credit:
        got.add(CREDIT)
    possible = {name for item in candidates(case) for name in names(item)}
    missed = tuple(
        name not in got
        for name in choice.pinned
        if name in possible or name == TENDER or (name == CREDIT and is_exact)
    )
    points_missed = (
        choice.points.mode is PointsMode.EXACT
        and not best.points
        and case.ruleset.tender is not None
    )
    credit_missed = is_exact and not best.credit
    price = sum(item.reward.points for item in some)
    order: tuple[Any, ...] = (-best.saved, price + best.points, best.codes)
    if choice.objective is Objective.FEWEST_POINTS:
        order = (price, -best.saved, best.codes)
    elif choice.objective is Objective.EXPIRING_FIRST:
        spent = {kind: sum(x.reward.points for x in some if x.reward.point_type == kind)
                 for kind in ("points", "stars")}  # fmt: skip
        spent["points"] += best.points
        soonest = case.member.expiring if case.member is not None else {}
        expiring = sum(min(spent[kind], most) for kind, most in soonest.items())
        soon = AT + timedelta(days=case.ruleset.expiring_soon_days)
        ending = sum(bool(x.coupon and x.coupon.ends_at and x.coupon.ends_at <= soon)
                     for x in some)  # fmt: skip
        order = (-expiring, -ending, *order)
    return missed, points_missed, credit_missed, *order
