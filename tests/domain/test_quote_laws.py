import json
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quote_cases import AT, Case, cases

from loyalty.domain.calendar import local
from loyalty.domain.cart import CartLine
from loyalty.domain.conditions import BrandIs, CategoryIs, DepartmentIs, Facts, ProductIs
from loyalty.domain.earning import EarningLine, earned
from loyalty.domain.quote import (
    TENDER,
    Candidate,
    Objective,
    Outcome,
    PointsMode,
    Quote,
    QuoteLine,
    exactly,
    quote,
)
from loyalty.domain.quote_codec import canonical, from_dict, quote_hash, to_dict
from loyalty.domain.reasons import Reason
from loyalty.domain.rewards import OpenLine
from loyalty.domain.ruleset import MarginPolicy, Reward, UnknownCost
from loyalty.errors import BadInput

no_deadline = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def asked(case: Case) -> Quote:
    return quote(case.ruleset, case.member, case.cart, case.choice, AT)


@no_deadline
@given(cases())
def test_parts_add_up_and_no_line_goes_below_zero(case: Case) -> None:
    found = asked(case)

    for line, own in zip(found.lines, case.cart.lines, strict=True):
        assert (line.id, line.gross_minor) == (own.id, own.unit_minor * own.quantity)
        assert sum(part.minor for part in line.parts) == line.discount_minor
        assert all(part.minor > 0 for part in line.parts)
        assert 0 <= line.net_minor == line.gross_minor - line.discount_minor
        assert 0 <= line.tender_minor <= line.net_minor
    for candidate in found.applied:
        parts = [part.minor for line in found.lines for part in line.parts
                 if part.code == candidate.code]  # fmt: skip
        assert sum(parts) == candidate.discount_minor > 0
    paid = found.tender.value_minor if found.tender else 0
    assert found.subtotal_minor == sum(line.gross_minor for line in found.lines)
    assert found.discount_minor == sum(line.discount_minor for line in found.lines)
    assert found.total_minor == found.subtotal_minor - found.discount_minor + found.shipping_minor
    assert 0 <= found.payable_minor == found.total_minor - paid
    assert paid - sum(line.tender_minor for line in found.lines) <= found.shipping_minor


@no_deadline
@given(cases())
def test_nothing_applies_that_may_not(case: Case) -> None:
    found = asked(case)
    applied = [reward for reward in case.ruleset.rewards
               if reward.code in {item.code for item in found.applied}]  # fmt: skip

    groups = [reward.exclusive_group for reward in applied if reward.exclusive_group]
    assert len(groups) == len(set(groups))
    assert not {reward.code for reward in applied} & set(case.choice.excluded)
    if case.member is None or not case.member.is_active:
        assert (applied, found.tender, found.earnings) == ([], None, ())
        return
    for kind, points in found.points_needed.items():
        assert points <= case.member.available[kind]
    for reward in applied:
        assert all(item.unmet(facts(case)) is None for item in reward.conditions)
    if found.tender is not None:
        assert case.ruleset.tender is not None
        share = found.total_minor * case.ruleset.tender.share_bp_max // 10_000
        assert found.tender.value_minor <= share
        assert found.tender.points >= case.ruleset.tender.points_min


@no_deadline
@given(cases())
def test_no_order_goes_below_its_floor(case: Case) -> None:
    found = asked(case)
    margin = case.ruleset.margin
    if margin is None:
        assert found.margin is None
        return

    assert found.margin is not None
    known: list[tuple[QuoteLine, CartLine]] = []
    unknown: list[tuple[QuoteLine, CartLine]] = []
    for line, own in zip(found.lines, case.cart.lines, strict=True):
        (unknown if own.cost_minor is None else known).append((line, own))
    off = {
        name: sum(
            line.discount_minor + (line.tender_minor if margin.counts_points_used else 0)
            for line, _ in lines
        )
        for name, lines in (("known", known), ("unknown", unknown))
    }
    charged = sum(line.gross_minor for line, _ in known) - off["known"]
    cost = sum((own.cost_minor or 0) * own.quantity for _, own in known)
    assert (charged - cost) * 10_000 >= margin.floor_bp * charged or off["known"] == 0
    gross = sum(line.gross_minor for line, _ in unknown)
    cap = {UnknownCost.ALLOW: 10_000, UnknownCost.DENY: 0, UnknownCost.CAP: margin.unknown_cap_bp}
    assert off["unknown"] * 10_000 <= gross * cap[margin.unknown_cost]
    assert found.margin.unknown_cost == bool(unknown)
    if charged:
        assert found.margin.actual_bp == (charged - cost) * 10_000 // charged


@no_deadline
@given(cases())
def test_every_candidate_is_answered_for(case: Case) -> None:
    found = asked(case)

    codes = [candidate.code for candidate in found.candidates]
    wanted = {reward.code for reward in case.ruleset.rewards}
    wanted |= {TENDER} if case.ruleset.tender else set()
    assert len(codes) == len(set(codes))
    assert set(codes) == wanted | set(case.choice.pinned)
    for candidate in found.candidates:
        if candidate.outcome is Outcome.APPLIED:
            assert candidate.reason in (None, Reason.MARGIN_LIMIT)
            assert (candidate.reason is not None) == (candidate.cut_minor > 0)
        else:
            assert candidate.reason is not None
    paid = [item for item in found.candidates if item.code == TENDER]
    if found.tender is not None:
        [item] = paid
        assert item.outcome is Outcome.APPLIED
        assert (item.points, item.discount_minor) == (found.tender.points, found.tender.value_minor)


@no_deadline
@given(cases())
def test_points_to_earn_are_those_of_the_quoted_order(case: Case) -> None:
    found = asked(case)
    if case.member is None or not case.member.is_active:
        return

    lines = [EarningLine(own, line.net_minor)
             for own, line in zip(case.cart.lines, found.lines, strict=True)]  # fmt: skip

    assert found.earnings == earned(
        case.ruleset,
        case.member.tier,
        lines,
        shipping_minor=case.cart.shipping_minor,
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


@no_deadline
@given(cases(), st.integers(1, 10**6))
def test_another_outcome_has_another_hash(case: Case, more: int) -> None:
    found = asked(case)

    for other in (
        replace(found, payable_minor=found.payable_minor + more),
        replace(found, cart=replace(found.cart, id="other")),
        replace(found, choice=replace(found.choice, pinned=("other",))),
        replace(found, lines=(replace(found.lines[0], net_minor=-more), *found.lines[1:])),
        replace(found, ruleset_version=found.ruleset_version + more),
    ):
        assert quote_hash(other) != found.hash


def test_the_canonical_form_is_written_down() -> None:
    assert canonical({"b": [1, None, True], "a": "é\ud800"}) == (
        b'{"a":"\\u00e9\\ud800","b":[1,null,true]}'
    )


@pytest.mark.parametrize(
    "value", [{}, [], None, {"format": 2}, {"format": 1}, {"format": 1, "choice": 5}]
)
def test_what_is_no_quote_is_refused(value: Any) -> None:
    with pytest.raises(BadInput, match="found a quote"):
        from_dict(value)


@settings(no_deadline, max_examples=200)
@given(cases())
def test_the_nearest_change_removes_the_rejection(case: Case) -> None:
    for candidate in asked(case).candidates:
        if candidate.nearest is None:
            continue

        changed = asked(made(case, candidate))

        after = {item.code: item for item in changed.candidates}
        assert after[candidate.code].outcome is Outcome.APPLIED, candidate


def made(case: Case, candidate: Candidate) -> Case:
    """The case with the candidate's nearest change made, and the candidate pinned first."""
    nearest, choice, cart = candidate.nearest, case.choice, case.cart
    assert nearest is not None
    if nearest.kind == "ALLOW":
        choice = replace(choice, excluded=tuple(set(choice.excluded) - {candidate.code}))
    elif nearest.kind == "USE_POINTS":
        assert nearest.points is not None
        choice = replace(choice, points=exactly(nearest.points))
    elif nearest.kind in ("ADD_TO_CART", "ADD_MATCHING"):
        assert nearest.money_minor is not None
        added = CartLine("added", "some product", 1, nearest.money_minor)
        if nearest.kind == "ADD_MATCHING":
            added = added._replace(**attributes(case, candidate.code))
        cart = replace(cart, lines=(*cart.lines, added))
    else:
        assert nearest.kind == "PIN"
    choice = replace(choice, pinned=(candidate.code, *choice.pinned))
    return case._replace(choice=choice, cart=cart)


def attributes(case: Case, code: str) -> dict[str, Any]:
    reward = next(item for item in case.ruleset.rewards if item.code == code)
    allowed: dict[str, set[str]] = {}
    for item in reward.conditions:
        if isinstance(item, CategoryIs | ProductIs | BrandIs | DepartmentIs):
            allowed[item.kind] = allowed.get(item.kind, set(item.any_of)) & set(item.any_of)
    return {name: sorted(values)[0] for name, values in allowed.items()}


@settings(no_deadline, max_examples=300)
@given(cases(rewards_max=6))
def test_the_choice_is_the_best_of_all(case: Case) -> None:
    found = asked(case)

    assert found.proven
    assert chosen(found) == best_of_all(case)


def chosen(found: Quote) -> tuple[tuple[str, ...], int, int]:
    tender = found.tender
    points, minor = (tender.points, tender.value_minor) if tender else (0, 0)
    return tuple(item.code for item in found.applied), points, minor


# ── the same decision by trying every set and every number of points ──────────────────────


def facts(case: Case) -> Facts:
    ranks = case.ruleset.tier_policy.ranks
    tier = case.member.tier if case.member else None
    return Facts(case.cart, tier, ranks, AT, local(AT, case.ruleset.time_zone))


def best_of_all(case: Case) -> tuple[tuple[str, ...], int, int]:
    """Best set of rewards with the points that pay beside it."""
    if case.member is None or not case.member.is_active:
        return (), 0, 0
    able = [
        reward
        for reward in sorted(case.ruleset.rewards, key=lambda item: (item.priority, item.code))
        if reward.code not in case.choice.excluded
        and (case.choice.objective is not Objective.PINNED or reward.code in case.choice.pinned)
        and all(item.unmet(facts(case)) is None for item in reward.conditions)
    ]
    results = []
    for size in range(len(able) + 1):
        for some in combinations(able, size):
            left = applied(case, some)
            if left is not None:
                results += [
                    key(case, some, left, *payment) for payment in payments(case, some, left)
                ]
    _, codes, points, minor = min(results)
    return codes, points, minor


def applied(case: Case, some: tuple[Reward, ...]) -> list[int] | None:
    """What the rewards leave of each line; None when one of them does not apply."""
    assert case.member is not None
    groups = [reward.exclusive_group for reward in some if reward.exclusive_group]
    if len(groups) != len(set(groups)):
        return None
    for kind in ("points", "stars"):
        needed = sum(reward.points for reward in some if reward.point_type == kind)
        if needed > case.member.available[kind] and needed:
            return None
    left = [line.unit_minor * line.quantity for line in case.cart.lines]
    for reward in some:
        covered = [index for index, line in enumerate(case.cart.lines)
                   if all(item.covers(line) for item in reward.conditions)]  # fmt: skip
        parts = reward.does.offer([OpenLine(case.cart.lines[i], left[i]) for i in covered])
        for knowing in (True, False):
            mine = [n for n, i in enumerate(covered)
                    if (case.cart.lines[i].cost_minor is not None) == knowing]  # fmt: skip
            offer, room = sum(parts[n] for n in mine), room_left(case, left, knowing)
            if offer > room and not reward.does.may_cut:
                return None
            if offer > room:
                shrunk, running = [], 0
                for n in mine:
                    before, running = running, running + parts[n]
                    shrunk.append(room * running // offer - room * before // offer)
                for n, part in zip(mine, shrunk, strict=True):
                    parts[n] = part
        if not sum(parts):
            return None
        for index, part in zip(covered, parts, strict=True):
            left[index] -= part
    return left


def room_left(case: Case, left: list[int], knowing: bool) -> int:
    """How far the lines of known, or of unknown, cost may still come down: by trying."""
    margin = case.ruleset.margin
    mine = [(line, now) for line, now in zip(case.cart.lines, left, strict=True)
            if (line.cost_minor is not None) == knowing]  # fmt: skip
    now = sum(left for _, left in mine)
    gross = sum(line.unit_minor * line.quantity for line, _ in mine)
    cost = sum((line.cost_minor or 0) * line.quantity for line, _ in mine)
    room = 0
    while room < now and fits(margin, knowing, gross, now - room - 1, cost):
        room += 1
    return room


def fits(margin: MarginPolicy | None, knowing: bool, gross: int, left: int, cost: int) -> bool:
    if margin is None:
        return True
    if knowing:
        return (left - cost) * 10_000 >= margin.floor_bp * left
    cap = {UnknownCost.ALLOW: 10_000, UnknownCost.DENY: 0, UnknownCost.CAP: margin.unknown_cap_bp}
    return (gross - left) * 10_000 <= gross * cap[margin.unknown_cost]


def payments(case: Case, some: tuple[Reward, ...], left: list[int]) -> list[tuple[int, int]]:
    """Every payment with points that the shopper's wish and the rules admit, or none."""
    tender, wish, margin = case.ruleset.tender, case.choice.points, case.ruleset.margin
    if tender is None or wish.mode is PointsMode.NONE or case.member is None:
        return [(0, 0)]
    spent = sum(reward.points for reward in some if reward.point_type == "points")
    total = sum(left) + case.cart.shipping_minor
    counts = [wish.points] if wish.mode is PointsMode.EXACT else range(1, 901)
    rooms = [room_left(case, left, knowing) for knowing in (True, False)]
    found = [(0, 0)]
    for points in counts:
        value = points * tender.minor // tender.points
        if points > case.member.available["points"] - spent or points < tender.points_min:
            continue
        if not 0 < value <= total * tender.share_bp_max // 10_000:
            continue
        if margin is None or not margin.counts_points_used or paid_fits(case, left, value, rooms):
            found.append((points, value))
    return found


def paid_fits(case: Case, left: list[int], value: int, rooms: list[int]) -> bool:
    known = sum(part for line, part in zip(case.cart.lines, left, strict=True)
                if line.cost_minor is not None)  # fmt: skip
    whole = sum(left)
    if value >= whole:
        return known <= rooms[0] and whole - known <= rooms[1]
    share = value * known // whole
    return share <= rooms[0] and value - share <= rooms[1]


def key(
    case: Case, some: tuple[Reward, ...], left: list[int], points: int, value: int
) -> tuple[tuple[Any, ...], tuple[str, ...], int, int]:
    codes = tuple(reward.code for reward in some)
    got = {*codes, TENDER} if points else set(codes)
    missed = tuple(code not in got for code in case.choice.pinned)
    is_missed = case.choice.points.mode is PointsMode.EXACT and not points
    saved = case.cart.gross_minor - sum(left) + value
    price = sum(reward.points for reward in some)
    order: tuple[Any, ...]
    if case.choice.objective is Objective.FEWEST_POINTS:
        order = (price, -saved, codes, points)
    else:
        order = (-saved, price + points, codes)
    return (missed, is_missed, *order), codes, points, value
