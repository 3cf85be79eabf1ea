"""Law 8: however an order is refunded, what comes out is one full refund, to the last point.

The model below is written apart from the code it judges: it knows lots as plain lists and
refunds an order as a whole and once.
"""

import copy
from datetime import timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.refund_cases import (
    CARD,
    CREDIT,
    GIFT,
    MEMBER,
    POINTS,
    RULESET,
    Case,
    Refunds,
    case_of,
    live_on,
    some_ask,
)

from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import Account, sums
from loyalty.domain.books.settle import settle
from loyalty.domain.refunds.refund_asks import portion_of
from loyalty.domain.rulesets.ruleset import BrokenMinimum, Clawback

POLICIES = [(clawback, broken) for clawback in Clawback for broken in BrokenMinimum]
SHORT, LONG = 30, 1_200
"""Orders for each of the nine policies in each of two laws: 540, and 21,600 in a soak."""


def holdings(book: Book) -> dict[str, Any]:
    """What a member has: points by unit and terms, what is owed, what counts for tiers.

    Without what has ended: where a program gives no grace, what comes back to a lot that has
    expired expires with the next settling.
    """
    lots: dict[tuple[Any, ...], int] = {}
    counted: dict[str, int] = {}
    for lot in book.accounts.lots.values():
        if lot.remaining and lot.ends_at > book.at:
            key = (lot.unit, lot.available_at, lot.ends_at)
            lots[key] = lots.get(key, 0) + lot.remaining
        counted[lot.unit] = counted.get(lot.unit, 0) + lot.amount - lot.reversed
    deficits = {unit: owed for unit, owed in book.accounts.deficits.items() if owed}
    return {"lots": lots, "deficits": deficits, "counted": {k: n for k, n in counted.items() if n}}


def modelled(case: Case) -> dict[str, Any]:
    """The member's holdings after one full refund, by the model."""
    at, policy = case.at, case.policy
    lots = {
        lot.id: [lot.unit, lot.available_at, lot.ends_at, lot.remaining, lot.amount - lot.reversed]
        for lot in case.member.accounts.lots.values()
    }
    owed = dict(case.member.accounts.deficits)
    spent = {
        item.lot_id: item.points
        - case.member.accounts.lots[item.lot_id].remaining
        - case.member.accounts.lots[item.lot_id].expired
        for item in case.earned
    }
    for number, draw in enumerate(case.draws):
        if draw.holder_id != MEMBER:
            continue
        if lots[draw.lot_id][2] <= at and case.grace is not None:
            ends = case.grace.expires_at
            lots[-number - 1] = [draw.unit, at, ends, draw.amount, 0]
        else:
            lots[draw.lot_id][3] += draw.amount
    for unit in {item.point_type for item in case.earned} | {POINTS}:
        mine = [item for item in case.earned if item.point_type == unit]
        missing = 0
        for item in mine:
            lot = lots[item.lot_id]
            lot[4] -= item.points
            if at < lot[2]:
                own = min(lot[3], item.points)
                lot[3] -= own
            else:
                own = 0
            missing += min(item.points - own, max(spent[item.lot_id], 0))
        alive = [lot for lot in lots.values() if lot[0] == unit and at < lot[2]]
        alive.sort(key=lambda lot: (lot[2], lot[1]))
        for lot in alive:
            part = min(lot[3], missing)
            lot[3] -= part
            missing -= part
        if policy.clawback is Clawback.ALLOW_DEFICIT:
            owed[unit] = owed.get(unit, 0) + missing
        for lot in alive:
            if lot[1] <= at:
                part = min(lot[3], owed.get(unit, 0))
                lot[3] -= part
                owed[unit] = owed.get(unit, 0) - part
    found: dict[tuple[Any, ...], int] = {}
    counted: dict[str, int] = {}
    for unit, begins, ends, left, counts in lots.values():
        if left and ends > at:
            key = (unit, begins, ends)
            found[key] = found.get(key, 0) + left
        counted[unit] = counted.get(unit, 0) + counts
    return {
        "lots": found,
        "deficits": {unit: n for unit, n in owed.items() if n},
        "counted": {k: n for k, n in counted.items() if n},
    }


def assert_books_hold(case: Case) -> None:
    """Laws 1 and 2: entries sum to zero, and to what lots and deficits say."""
    for book in case.books.values():
        left: dict[int, int] = {}
        owed: dict[str, int] = {}
        for transaction in book.changes.transactions:
            assert len(transaction.entries) >= 2
            assert set(sums(transaction.entries).values()) == {0}
            for entry in transaction.entries:
                assert entry.amount
                if entry.account is not Account.MEMBER:
                    continue
                if entry.lot_id is None:
                    owed[entry.unit] = owed.get(entry.unit, 0) - entry.amount
                else:
                    left[entry.lot_id] = left.get(entry.lot_id, 0) + entry.amount
        for lot in book.accounts.lots.values():
            assert left.pop(lot.id) == lot.remaining
            assert 0 <= lot.remaining <= lot.amount
            assert 0 <= lot.reversed <= lot.amount
        assert not left
        for unit, debt in book.accounts.deficits.items():
            assert debt == owed.get(unit, 0) >= 0


def assert_nothing_left(case: Case, refunds: Refunds) -> None:
    """A whole order came back: 0 points and 0 minor units of residue."""
    lines, booked = case.facts.all_lines, refunds.state.booked
    assert all(draw.returned == draw.amount for draw in refunds.draws)
    assert booked.value_minor == sum(line.net_minor for line in lines)
    assert booked.off_minor == 0
    deducted = booked.deducted_minor
    charged = sum(line.money_minor for line in lines)
    assert deducted == 0 or (case.policy.clawback is Clawback.DEDUCT and deducted > 0)
    # What is kept of the money is what of it was not given back, and no more.
    assert booked.money_minor + deducted == charged
    assert booked.credit_minor == sum(line.credit_minor for line in lines)
    assert booked.gift_minor == sum(line.gift_minor for line in lines)
    points = case.facts.tender.points if case.facts.tender else 0
    points += sum(reward.price.points for reward in case.facts.rewards if reward.price)
    returned = {POINTS: points, CREDIT: booked.credit_minor, GIFT: booked.gift_minor}
    assert {k: n for k, n in booked.returned.items() if n} == {
        k: n for k, n in returned.items() if n
    }
    assert set(booked.restored) == {reward.code for reward in case.facts.rewards}
    uses = sorted(use for step in refunds.steps for use in step.restored)
    assert uses == sorted(use for reward in case.facts.rewards for use in reward.uses)
    sums_of_steps = [
        sum(getattr(step.booked, name) for step in refunds.steps)
        for name in ("money_minor", "credit_minor", "gift_minor", "value_minor", "points_minor")
    ]
    assert sums_of_steps == [
        booked.money_minor, booked.credit_minor, booked.gift_minor, booked.value_minor,
        booked.points_minor,
    ]  # fmt: skip


def assert_step_is_exact(case: Case, refunds: Refunds) -> None:
    """What came back so far is the rounded-down part of each line, and never goes back."""
    lines = case.facts.all_lines
    parts = portion_of(case.facts, refunds.state.asked).all_lines
    booked = refunds.state.booked
    for name in ("credit_minor", "gift_minor", "money_minor"):
        exact = sum(
            (Fraction(getattr(line, name) * part.numerator, part.denominator)
             for line, part in zip(lines, parts, strict=True)),
            Fraction(0),
        )  # fmt: skip
        if case.policy.broken_minimum is BrokenMinimum.KEEP and not booked.deducted_minor:
            least = exact.numerator // exact.denominator
            assert getattr(booked, name) == least or case.policy.clawback is Clawback.DEDUCT
        assert (
            getattr(booked, name) <= exact
            or case.policy.clawback is Clawback.DEDUCT
            or (case.policy.broken_minimum is not BrokenMinimum.KEEP)
        )
    last = refunds.steps[-1].booked
    assert min(last.money_minor, last.credit_minor, last.gift_minor, last.value_minor) >= 0
    assert all(points > 0 for points in last.returned.values())
    assert all(points > 0 for points in last.reversed.values())
    for item, line in zip(booked.by_line, lines, strict=True):
        assert 0 <= item <= line.net_minor


def settled(case: Case) -> Case:
    for book in case.books.values():
        settle(book, RULESET, case.at)
    return case


@pytest.mark.parametrize(("clawback", "broken"), POLICIES, ids=lambda policy: str(policy))
def test_any_split_of_a_refund_ends_where_one_refund_ends(
    clawback: Clawback, broken: BrokenMinimum, is_soak: bool
) -> None:
    @settings(
        max_examples=LONG if is_soak else SHORT,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(st.randoms(use_true_random=False))
    def law(random: Random) -> None:
        case = case_of(random, clawback, broken)
        once, split = Refunds(copy.deepcopy(case)), Refunds(copy.deepcopy(case))
        once.ask(None)
        for _ in range(random.randint(0, 6)):
            asks = some_ask(random, split)
            if asks is None:
                continue
            split.ask(asks)
            assert_step_is_exact(split.case, split)
            assert_books_hold(split.case)
            jump = Refunds(copy.deepcopy(case))
            jump.state = Refunds(case).state.__class__(split.state.asked)
            jump.ask(())
            if broken is BrokenMinimum.KEEP:
                assert holdings(jump.case.member) == holdings(split.case.member)
                assert holdings(jump.case.books[CARD]) == holdings(split.case.books[CARD])
        split.ask(None)

        assert_nothing_left(once.case, once)
        assert_nothing_left(split.case, split)
        assert_books_hold(split.case)
        assert holdings(once.case.member) == modelled(case)
        assert holdings(split.case.member) == holdings(once.case.member)
        assert holdings(split.case.books[CARD]) == holdings(once.case.books[CARD])
        assert split.state.shortfall(POINTS) == once.state.shortfall(POINTS)
        # A deficit is paid at once, so nothing is due at the same instant.
        before = holdings(once.case.member)
        settled(once.case)
        assert holdings(once.case.member) == before

    law()


@pytest.mark.parametrize(("clawback", "broken"), POLICIES, ids=lambda policy: str(policy))
def test_whatever_happens_between_the_steps_all_comes_back(
    clawback: Clawback, broken: BrokenMinimum, is_soak: bool
) -> None:
    @settings(
        max_examples=LONG if is_soak else SHORT,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(st.randoms(use_true_random=False))
    def law(random: Random) -> None:
        case = case_of(random, clawback, broken)
        refunds = Refunds(case)
        for _ in range(random.randint(1, 4)):
            asks = some_ask(random, refunds)
            if asks is not None:
                refunds.ask(asks)
                assert_step_is_exact(case, refunds)
            later = case.at + timedelta(days=random.choice((0, 1, 15, 200)))
            live_on(random, case.member, case.at, later)
            case.at = later
        refunds.ask(None)

        settled(case)
        assert_nothing_left(case, refunds)
        assert_books_hold(case)
        booked = refunds.state
        for unit in {item.point_type for item in case.earned}:
            points = sum(item.points for item in case.earned if item.point_type == unit)
            taken, short = booked.booked.reversed.get(unit, 0), booked.took[unit].shortfall
            lots = [case.member.accounts.lots[item.lot_id] for item in case.earned]
            expired = sum(lot.expired for lot in lots if lot.unit == unit)
            # What is neither taken nor missed expired before anybody spent it.
            assert taken + short <= points <= taken + short + expired
            assert all(lot.reversed == lot.amount for lot in lots)

    law()


@pytest.mark.parametrize("broken", BrokenMinimum, ids=lambda policy: str(policy))
def test_what_is_given_back_and_what_is_kept_of_it_add_up(
    broken: BrokenMinimum, is_soak: bool
) -> None:
    # In one of a hundred orders a minimum breaks by less than what that costs.
    for seed in range(LONG * 10 if is_soak else SHORT * 10):
        random = Random(seed)
        case = case_of(random, random.choice(list(Clawback)), broken)
        refunds = Refunds(case)
        for _ in range(4):
            asks = some_ask(random, refunds)
            if asks is None:
                continue
            refunds.ask(asks)

            booked = refunds.state.booked
            parts = (
                booked.money_minor, booked.credit_minor, booked.gift_minor, booked.points_minor,
                booked.off_minor, booked.deducted_minor,
            )  # fmt: skip
            assert min(parts) >= 0
            # Each of them is rounded down by itself, and so is their sum.
            assert abs(booked.value_minor - sum(parts)) < len(parts), seed
