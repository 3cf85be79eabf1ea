"""The ledger's laws on the working copy: any history of moves keeps them."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from loyalty.domain.books.accounts import Accounts, Hold
from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import GENESIS, Account, Cause, LotTerms, chained, instant, sums
from loyalty.domain.books.lots import NEVER, balance
from loyalty.domain.books.settle import settle
from loyalty.domain.rulesets.ruleset import (
    EarningBase,
    EarningRule,
    PointType,
    Ruleset,
    Tier,
    TierPolicy,
)
from loyalty.domain.tiers import Standing
from loyalty.errors import InsufficientPoints

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
UNIT = "points"

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


def new_book(now: datetime = START) -> Book:
    ids = count(1)
    accounts = Accounts(
        tenant_id=1,
        member_id=7,
        seq=0,
        hash=GENESIS,
        settled_at=instant(0),
        booked_at=instant(0),
        standing=Standing("base", instant(0), None),
    )
    book = Book(accounts, now, lambda: next(ids))
    settle(book, RULESET, now)
    return book


def assert_laws(book: Book) -> None:
    accounts, changes = book.accounts, book.changes
    previous = GENESIS
    member = held = deficit = 0
    by_lot: dict[int, int] = {}
    for number, item in enumerate(changes.transactions, start=1):
        assert set(sums(item.entries).values()) == {0}
        assert item.seq == number
        previous = chained(
            previous,
            1,
            item.id,
            7,
            item.seq,
            item.kind,
            item.cause,
            item.ruleset_version,
            item.effective_at,
            item.booked_at,
            item.entries,
        )
        assert item.hash == previous
        for entry in item.entries:
            if entry.account is Account.HELD:
                held += entry.amount
            elif entry.account is Account.MEMBER:
                member += entry.amount
                if entry.lot_id is None:
                    deficit -= entry.amount
                else:
                    by_lot[entry.lot_id] = by_lot.get(entry.lot_id, 0) + entry.amount
    assert accounts.hash == previous
    assert member == accounts.balances.get(UNIT, 0)
    assert member == sum(lot.remaining for lot in accounts.lots.values()) - deficit
    assert deficit == accounts.deficits.get(UNIT, 0) >= 0
    assert held == book.held(UNIT)
    assert by_lot == {lot.id: lot.remaining for lot in accounts.lots.values()}
    for lot in accounts.lots.values():
        assert 0 <= lot.remaining <= lot.amount
        assert 0 <= lot.reversed <= lot.amount
    if not deficit:
        assert book.available(UNIT, book.at) >= 0


class Histories(RuleBasedStateMachine):
    """Any order of earning, holding, redeeming, refunding and waiting keeps the laws."""

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.book = new_book()
        self.names = count(1)
        self.redeemed: list[Hold] = []

    @rule(points=st.integers(1, 200), wait=st.integers(0, 20), life=st.integers(1, 60))
    def earn(self, points: int, wait: int, life: int) -> None:
        available_at = self.now + wait * DAY
        terms = LotTerms(available_at, available_at + life * DAY if life < 55 else None)
        self.book.earn([(UNIT, points, terms)], self.now, Cause(order_id=next(self.names)))

    @rule(points=st.integers(0, 250), minutes=st.integers(1, 60 * 24 * 3))
    def hold(self, points: int, minutes: int) -> None:
        before = len(self.book.changes.transactions)
        available = self.book.available(UNIT, self.now)
        name = next(self.names)
        expires_at = self.now + timedelta(minutes=minutes)
        if points and points > available:
            with pytest.raises(InsufficientPoints) as refused:
                self.book.hold(name, UNIT, points, self.now, expires_at)
            assert refused.value.data == {"requested": points, "available": max(available, 0)}
            assert len(self.book.changes.transactions) == before
            assert name not in self.book.accounts.holds
        else:
            self.book.hold(name, UNIT, points, self.now, expires_at)
            assert self.book.available(UNIT, self.now) == available - points

    @precondition(lambda self: self.book.accounts.holds)
    @rule(pick=st.integers(0, 99))
    def release(self, pick: int) -> None:
        names = sorted(self.book.accounts.holds)
        self.book.release(names[pick % len(names)], self.now)

    @precondition(lambda self: self.book.accounts.holds)
    @rule(pick=st.integers(0, 99))
    def redeem(self, pick: int) -> None:
        names = sorted(self.book.accounts.holds)
        hold = self.book.redeem(names[pick % len(names)], self.now, next(self.names))
        self.redeemed.append(hold)

    @precondition(lambda self: self.redeemed)
    @rule(pick=st.integers(0, 99), grace=st.booleans())
    def give_back(self, pick: int, grace: bool) -> None:
        hold = self.redeemed.pop(pick % len(self.redeemed))
        before = self.book.accounts.balances.get(UNIT, 0)
        terms = LotTerms(self.now, self.now + 5 * DAY) if grace else None
        returned = self.book.give_back(
            hold.draws, self.now, Cause(refund_id=1), expired_terms=terms
        )
        settle(self.book, RULESET, self.now)
        assert returned == hold.points(UNIT)
        dead = [] if grace else [draw.amount for draw in hold.draws if self._is_dead(draw.lot_id)]
        assert self.book.accounts.balances.get(UNIT, 0) == before + returned - sum(dead)

    def _is_dead(self, lot_id: int) -> bool:
        return self.book.accounts.lots[lot_id].ends_at <= self.now

    @precondition(lambda self: self.book.accounts.lots)
    @rule(pick=st.integers(0, 99), share=st.integers(1, 4), may_owe=st.booleans())
    def reverse(self, pick: int, share: int, may_owe: bool) -> None:
        names = sorted(self.book.accounts.lots)
        lot = self.book.accounts.lots[names[pick % len(names)]]
        points = (lot.amount - lot.reversed) // share
        if not points:
            return
        before = self.book.accounts.balances.get(UNIT, 0)
        owed = self.book.accounts.deficits.get(UNIT, 0)
        found = self.book.reverse(lot.id, points, self.now, Cause(refund_id=2), may_owe=may_owe)
        assert 0 <= found.taken <= points
        assert self.book.accounts.balances.get(UNIT, 0) == before - found.taken
        owed_more = self.book.accounts.deficits.get(UNIT, 0) - owed
        assert owed_more == (found.shortfall if may_owe else 0)

    @rule(points=st.integers(1, 200), life=st.integers(1, 60))
    def adjust_up(self, points: int, life: int) -> None:
        before = self.book.accounts.balances.get(UNIT, 0)
        self.book.adjust_up(UNIT, points, LotTerms(self.now, self.now + life * DAY), self.now)
        assert self.book.accounts.balances.get(UNIT, 0) == before + points

    @rule(points=st.integers(1, 250), may_owe=st.booleans(), is_counted=st.booleans())
    def adjust_down(self, points: int, may_owe: bool, is_counted: bool) -> None:
        before = self.book.accounts.balances.get(UNIT, 0)
        owed = self.book.accounts.deficits.get(UNIT, 0)
        available = self.book.available(UNIT, self.now)
        trace = len(self.book.changes.transactions)
        if available < points and not may_owe:
            with pytest.raises(InsufficientPoints) as refused:
                self.book.adjust_down(UNIT, points, self.now, may_owe=False, is_counted=is_counted)
            assert refused.value.data == {"requested": points, "available": max(available, 0)}
            assert len(self.book.changes.transactions) == trace
            return
        made = self.book.adjust_down(UNIT, points, self.now, may_owe=may_owe, is_counted=is_counted)
        assert self.book.accounts.balances.get(UNIT, 0) == before - points
        assert self.book.available(UNIT, self.now) == available - points
        assert self.book.accounts.deficits.get(UNIT, 0) == owed + made
        # With a debt beside active points, which a settling would pay, more may be owed.
        assert made == 0 or made <= points - max(available, 0)

    @rule(hours=st.integers(-3, 24 * 15))
    def wait(self, hours: int) -> None:
        # A clock stepped back changes nothing.
        moment = settle(self.book, RULESET, self.now + timedelta(hours=hours))
        assert moment >= self.now
        self.now = moment

    @invariant()
    def laws_hold(self) -> None:
        assert_laws(self.book)
        for lot in self.book.accounts.lots.values():
            assert lot.remaining == 0 or lot.ends_at > self.now


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


moves = st.lists(
    st.tuples(st.integers(1, 100), st.integers(0, 15), st.integers(1, 40)), min_size=1, max_size=6
)


@given(moves, st.integers(0, 50), st.lists(st.integers(0, 24 * 70), max_size=5))
def test_settling_in_one_jump_equals_settling_in_any_split(earned, owed, stops) -> None:
    """What happens by itself does not depend on who looks when."""

    def run(hours: list[int]) -> tuple[object, ...]:
        book = new_book()
        for number, (points, wait, life) in enumerate(earned):
            terms = LotTerms(START + wait * DAY, START + (wait + life) * DAY)
            book.earn([(UNIT, points, terms)], START, Cause(order_id=number))
        book.accounts.deficits[UNIT] = owed
        # Every booking settles first, so a hold never finds a debt beside active points.
        settle(book, RULESET, START)
        book.hold(99, UNIT, max(min(20, book.available(UNIT, START)), 0), START, START + 3 * DAY)
        for hour in sorted(hours):
            settle(book, RULESET, START + timedelta(hours=hour))
        settle(book, RULESET, START + 71 * DAY)
        what = [
            (item.kind, item.effective_at, [(e.account, e.amount, e.lot_id) for e in item.entries])
            for item in book.changes.transactions
        ]
        left = {lot.amount: (lot.remaining, lot.expired) for lot in book.accounts.lots.values()}
        return (
            sorted(what, key=lambda item: (item[1], str(item))) and left,
            book.accounts.deficits,
            book.accounts.standing,
            book.changes.tier_changes,
        )

    assert run(stops) == run([])


def test_lots_that_expire_first_pay_first() -> None:
    book = new_book()
    late = book.earn([(UNIT, 50, LotTerms(START, NEVER - DAY))], START, Cause(order_id=1))[0]
    soon = book.earn([(UNIT, 50, LotTerms(START, START + DAY))], START, Cause(order_id=2))[0]

    hold = book.hold(9, UNIT, 60, START, START + timedelta(minutes=15))

    assert [(draw.lot_id, draw.amount) for draw in hold.draws] == [(soon, 50), (late, 10)]


def test_a_lot_that_expires_while_held_can_still_be_redeemed() -> None:
    book = new_book()
    book.earn([(UNIT, 50, LotTerms(START, START + DAY))], START, Cause(order_id=1))
    book.hold(9, UNIT, 50, START, START + 3 * DAY)

    settle(book, RULESET, START + 2 * DAY)
    book.redeem(9, START + 2 * DAY, order_id=2)

    assert balance(UNIT, list(book.accounts.lots.values()), held=book.held(UNIT), deficit=0,
                   at=book.at, soon_days=60).available == 0  # fmt: skip
    assert [t.kind for t in book.changes.transactions] == ["EARN", "HOLD", "REDEEM"]


def test_a_deficit_is_paid_by_the_next_points_that_become_active() -> None:
    book = new_book()
    lot = book.earn([(UNIT, 80, LotTerms(START, None))], START, Cause(order_id=1))[0]
    book.hold(9, UNIT, 80, START, START + DAY)
    book.redeem(9, START, order_id=2)
    book.reverse(lot, 80, START, Cause(refund_id=1), may_owe=True)
    assert book.available(UNIT, START) == -80

    book.earn([(UNIT, 100, LotTerms(START + 5 * DAY, None))], START, Cause(order_id=3))
    settle(book, RULESET, START + 5 * DAY)

    assert book.available(UNIT, book.at) == 20
    assert book.accounts.deficits[UNIT] == 0
    assert_laws(book)


def test_an_adjustment_down_takes_from_the_lots_that_expire_first() -> None:
    book = new_book()
    terms = LotTerms(START, START + 9 * DAY)
    late = book.earn([(UNIT, 50, terms)], START, Cause(order_id=1))[0]
    soon = book.adjust_up(UNIT, 30, LotTerms(START, START + DAY), START)
    book.earn([(UNIT, 70, LotTerms(START + DAY, None))], START, Cause(order_id=2))

    book.adjust_down(UNIT, 40, START, may_owe=False, is_counted=False)

    left = {lot.id: lot.remaining for lot in book.accounts.lots.values()}
    assert (left[soon], left[late], book.available(UNIT, START)) == (0, 40, 40)
    assert [t.kind for t in book.changes.transactions] == ["EARN", "ADJUST", "EARN", "ADJUST"]
    assert_laws(book)


@pytest.mark.parametrize(("is_counted", "qualifying"), [(True, 60), (False, 100)])
def test_only_points_that_are_never_spent_stop_counting_for_tiers(
    is_counted: bool, qualifying: int
) -> None:
    book = new_book()
    book.earn([(UNIT, 100, LotTerms(START, None))], START, Cause(order_id=1))

    book.adjust_down(UNIT, 40, START, may_owe=False, is_counted=is_counted)

    assert sum(lot.remaining for lot in book.qualifying(UNIT)) == qualifying


def test_a_refund_after_an_adjustment_takes_no_lot_past_its_amount() -> None:
    book = new_book()
    lot = book.earn([(UNIT, 100, LotTerms(START, None))], START, Cause(order_id=1))[0]
    book.adjust_down(UNIT, 40, START, may_owe=False, is_counted=True)

    book.reverse(lot, 100, START, Cause(refund_id=1), may_owe=True)

    assert book.accounts.lots[lot].reversed == 100
    assert book.accounts.balances[UNIT] == 0
    assert_laws(book)


@pytest.mark.parametrize("refused_after", ["hold", "earn"])
def test_going_back_to_a_mark_leaves_no_trace(refused_after: str) -> None:
    book = new_book()
    book.earn([(UNIT, 80, LotTerms(START, None))], START, Cause(order_id=1))
    mark = book.mark()
    before = (dict(book.accounts.lots), book.accounts.hash, len(book.changes.transactions))

    if refused_after == "hold":
        book.hold(9, UNIT, 30, START, START + DAY)
    else:
        book.earn([(UNIT, 5, LotTerms(START, None))], START, Cause(order_id=2))
    book.back_to(mark)

    after = (dict(book.accounts.lots), book.accounts.hash, len(book.changes.transactions))
    assert after == before
    assert not book.accounts.holds
    assert_laws(book)
