"""Two members who become one, and two again: nothing is lost, nothing is there twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.domain.books.accounts import Accounts
from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import (
    GENESIS,
    Account,
    Cause,
    LotTerms,
    TransactionKind,
    instant,
    sums,
)
from loyalty.domain.books.lots import Lot
from loyalty.domain.books.merge import (
    judged_again,
    merge,
    merged_from_dict,
    merged_to_dict,
    unmerge,
)
from loyalty.domain.books.settle import evaluate_tier, settle
from loyalty.domain.rulesets.ruleset import (
    EarningBase,
    EarningRule,
    PointType,
    Ruleset,
    Tier,
    TierPolicy,
)
from loyalty.domain.tiers import Standing

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
UNIT = "points"
CREDIT = "credit:EUR"

RULESET = Ruleset(
    code="law",
    name="Law",
    currency="EUR",
    time_zone="Europe/Budapest",
    point_types=(PointType(UNIT, "Points"),),
    earning_base=EarningBase(),
    earning_rules=(EarningRule("base", UNIT, 1, 100),),
    tier_policy=TierPolicy(UNIT, (Tier("base", "Base", 0), Tier("top", "Top", 100)), 10),
    version=1,
)

Ids = "count[int]"


def book_of(member_id: int, ids: Ids) -> Book:
    accounts = Accounts(
        tenant_id=1,
        member_id=member_id,
        seq=0,
        hash=GENESIS,
        settled_at=instant(0),
        booked_at=instant(0),
        standing=Standing("base", instant(0), None),
    )
    book = Book(accounts, START, lambda: next(ids))
    settle(book, RULESET, START)
    return book


step = st.one_of(
    st.tuples(st.just("earn"), st.integers(1, 200), st.integers(0, 20)),
    st.tuples(st.just("redeem"), st.integers(1, 100), st.just(0)),
    st.tuples(st.just("reverse"), st.integers(1, 100), st.integers(0, 9)),
    st.tuples(st.just("wait"), st.integers(1, 25), st.just(0)),
)
lives = st.lists(step, max_size=12)


def live(book: Book, steps: list[tuple[str, int, int]], now: datetime, ids: Ids) -> datetime:
    """Some of what members do; returns the moment after it."""
    for what, amount, more in steps:
        settle(book, RULESET, now)
        if what == "earn":
            unit = CREDIT if more % 5 == 4 else UNIT
            opens = now + more * DAY
            expires = opens + (10 + more) * DAY if more % 3 else None
            book.earn([(unit, amount, LotTerms(opens, expires))], now, Cause(order_id=next(ids)))
        elif what == "redeem" and book.available(UNIT, now) >= amount:
            name = next(ids)
            book.hold(name, UNIT, amount, now, now + DAY)
            book.redeem(name, now, next(ids))
        elif what == "reverse" and book.accounts.lots:
            lots = sorted(book.accounts.lots)
            lot = book.accounts.lots[lots[more % len(lots)]]
            points = min(amount, lot.amount - lot.reversed)
            if points:
                book.reverse(lot.id, points, now, Cause(order_id=next(ids)), may_owe=True)
        elif what == "wait":
            now += amount * DAY
        evaluate_tier(book, RULESET)
    return now


def assert_adds_up(book: Book) -> None:
    """Laws 1 and 2, and each lot the sum of its entries."""
    balance: dict[str, int] = {}
    by_lot: dict[int, int] = {}
    owed: dict[str, int] = {}
    for number, item in enumerate(book.changes.transactions, start=1):
        assert set(sums(item.entries).values()) <= {0}
        assert item.seq == number
        for entry in item.entries:
            if entry.account is Account.MEMBER:
                balance[entry.unit] = balance.get(entry.unit, 0) + entry.amount
                if entry.lot_id is None:
                    owed[entry.unit] = owed.get(entry.unit, 0) - entry.amount
                else:
                    by_lot[entry.lot_id] = by_lot.get(entry.lot_id, 0) + entry.amount
    accounts = book.accounts
    assert balance == {unit: accounts.balances.get(unit, 0) for unit in balance}
    assert {u: p for u, p in owed.items() if p} == {u: p for u, p in accounts.deficits.items() if p}
    assert by_lot == {lot.id: lot.remaining for lot in accounts.lots.values()}
    for lot in accounts.lots.values():
        assert 0 <= lot.remaining <= lot.amount
        assert 0 <= lot.reversed <= lot.amount


def terms(lots: dict[int, Lot]) -> list[tuple[object, ...]]:
    """Lots without their ids."""
    return sorted(
        (lot.unit, lot.amount, lot.remaining, lot.reversed, lot.expired, lot.earned_at,
         lot.available_at, lot.ends_at, lot.order_id or 0)
        for lot in lots.values()
    )  # fmt: skip


def facts(book: Book) -> object:
    a = book.accounts
    return (
        terms({id: lot for id, lot in a.lots.items() if lot.reversed < lot.amount}),
        {unit: points for unit, points in a.balances.items() if points},
        {unit: points for unit, points in a.deficits.items() if points},
        a.standing,
    )


def two(one: list[tuple[str, int, int]], other: list[tuple[str, int, int]]) -> tuple[Book, Book]:
    ids = count(1)
    source, target = book_of(7, ids), book_of(9, ids)
    now = max(live(source, one, START, ids), live(target, other, START, ids))
    for book in (source, target):
        settle(book, RULESET, now)
        evaluate_tier(book, RULESET)
    return source, target


@given(one=lives, other=lives)
@settings(max_examples=120, deadline=None)
def test_a_merge_moves_everything_and_its_undoing_restores_everything(
    one: list[tuple[str, int, int]], other: list[tuple[str, int, int]]
) -> None:
    source, target = two(one, other)
    before = facts(source), facts(target)
    qualifying = sum(lot.remaining for book in (source, target) for lot in book.qualifying(UNIT))

    merged = merge(source, target)
    evaluate_tier(target, RULESET)

    assert_adds_up(source)
    assert_adds_up(target)
    assert not any(source.accounts.balances.values())
    assert not any(source.accounts.deficits.values())
    assert source.qualifying(UNIT) == []
    assert sum(lot.remaining for lot in target.qualifying(UNIT)) == qualifying

    kept = merged_from_dict(merged_to_dict(merged))
    unmerge(source, target, kept, ())
    judged_again(source, RULESET, kept.source, kept.at)
    judged_again(target, RULESET, kept.target, kept.at)

    assert_adds_up(source)
    assert_adds_up(target)
    assert (facts(source), facts(target)) == before


@given(one=lives, other=lives, between=lives)
@settings(max_examples=80, deadline=None)
def test_whatever_happens_in_between_nothing_is_made_or_lost(
    one: list[tuple[str, int, int]],
    other: list[tuple[str, int, int]],
    between: list[tuple[str, int, int]],
) -> None:
    source, target = two(one, other)
    merged = merge(source, target)
    evaluate_tier(target, RULESET)
    live(target, between, target.at, count(1_000_000))
    settle(target, RULESET, target.at)
    source.accounts.settled_at = target.at
    together = total(source) + total(target)

    unmerge(source, target, merged, ())

    assert_adds_up(source)
    assert_adds_up(target)
    assert total(source) + total(target) == together
    assert not any(target.accounts.lots[twin].remaining for twin in merged.lots.values())


def total(book: Book) -> int:
    return sum(book.accounts.balances.values())


def test_a_lot_that_stays_moves_nothing() -> None:
    ids = count(1)
    source, target = book_of(7, ids), book_of(9, ids)
    for points in (10, 20):
        source.earn([(UNIT, points, LotTerms(START, None))], START, Cause(order_id=next(ids)))
    merged = merge(source, target)
    stays = max(merged.lots.values())

    unmerge(source, target, merged, {stays})

    assert [lot.remaining for lot in source.accounts.lots.values()] == [10, 0]
    assert target.accounts.balances == {UNIT: 20}
    assert [item.kind for item in target.changes.transactions] == [TransactionKind.MERGE] * 2


def test_twins_keep_their_terms() -> None:
    ids = count(1)
    source, target = book_of(7, ids), book_of(9, ids)
    expires = START + 90 * DAY
    (lot_id,) = source.earn([(UNIT, 100, LotTerms(START + DAY, expires))], START, Cause(order_id=5))
    source.reverse(lot_id, 30, START, Cause(order_id=5), may_owe=True)
    lot = source.accounts.lots[lot_id]

    merged = merge(source, target)

    twin = target.accounts.lots[merged.lots[lot_id]]
    assert twin == replace(lot, id=twin.id)
    assert (twin.remaining, twin.reversed, twin.order_id) == (70, 30, 5)
