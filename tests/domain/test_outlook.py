"""An outlook kept up to date says what one made anew says, and so changes no booking."""

from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from loyalty.domain.books.accounts import Accounts
from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import GENESIS, Cause, LotTerms
from loyalty.domain.books.lots import NEVER
from loyalty.domain.books.settle import evaluate_tier, next_change_at, settle
from loyalty.domain.rulesets.ruleset import (
    EarningBase,
    EarningRule,
    PointType,
    Ruleset,
    Tier,
    TierPolicy,
)
from loyalty.domain.tiers import Standing, advanced
from loyalty.errors import InsufficientPoints

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)

RULES = Ruleset(
    code="club",
    name="Club",
    currency="EUR",
    time_zone="UTC",
    point_types=(PointType("points", "Points"), PointType("status", "Status")),
    earning_base=EarningBase(),
    earning_rules=(EarningRule("base", "points", 1, 100),),
    tier_policy=TierPolicy("status", (Tier("basic", "Basic", 0), Tier("gold", "Gold", 100)), 5),
    version=1,
)

steps = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from(["earn", "earn", "earn", "hold", "release", "redeem", "reverse"]),
        st.sampled_from(["points", "status"]),
        st.integers(1, 80),
        st.integers(0, 4),
        st.integers(1, 20),
    ),
    max_size=25,
)


def fresh() -> Book:
    accounts = Accounts(1, 7, 0, GENESIS, START, START, Standing("basic", START, None))
    return Book(accounts, START, count(1).__next__)


def take(book: Book, step: tuple[int, str, str, int, int, int], number: int) -> None:
    """One step of a story; what cannot be done is passed over."""
    _, kind, unit, points, pending, lives = step
    at, holds = book.at, book.accounts.holds
    match kind:
        case "earn":
            # A late order may earn points that have ended already.
            begins = at + (pending - 2) * 5 * DAY
            terms = LotTerms(begins, begins + lives * DAY)
            book.earn([(unit, points, terms)], at, Cause(order_id=number))
        case "hold":
            try:
                book.hold(number, "points", points, at, at + lives * DAY)
            except InsufficientPoints:
                return
        case "release" if holds:
            book.release(next(iter(holds)), at)
        case "redeem" if holds:
            book.redeem(next(iter(holds)), at, number)
        case "reverse":
            lots = [lot for lot in book.accounts.lots.values() if lot.reversed == 0]
            if lots:
                book.reverse(lots[0].id, lots[0].amount, at, Cause(), may_owe=points % 2 == 0)


def looked_through(book: Book) -> datetime:
    """Judge the tier by all lots, and find the next change among them."""
    accounts, policy = book.accounts, RULES.tier_policy
    lots, at = book.qualifying(policy.point_type), accounts.settled_at
    accounts.standing, changes = advanced(policy, accounts.standing, lots, at, at, "UTC")
    book.changes.tier_changes.extend(changes)
    instants = [hold.expires_at for hold in accounts.holds.values()]
    for lot in accounts.lots.values():
        if lot.remaining:
            instants += [moment for moment in (lot.available_at, lot.ends_at) if moment > at]
    # What is spent counts towards the tier all the same.
    for counted in lots:
        if counted.remaining:
            instants += [counted.available_at, counted.expires_at or NEVER]
    instants.append(accounts.standing.grace_until or NEVER)
    return min((moment for moment in instants if moment > at), default=NEVER)


@given(steps)
def test_what_is_booked_does_not_depend_on_the_outlook(
    story: list[tuple[int, str, str, int, int, int]],
) -> None:
    kept, dropped, at = fresh(), fresh(), START
    for number, step in enumerate(story, 1):
        at += step[0] * DAY
        for book in (kept, dropped):
            settle(book, RULES, at)
            take(book, step, number)
        evaluate_tier(kept, RULES)
        dropped.accounts.outlook = None
        following = looked_through(dropped)

        assert kept.changes == dropped.changes
        assert kept.accounts.standing == dropped.accounts.standing
        assert next_change_at(kept.accounts, RULES) == following
