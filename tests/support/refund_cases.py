"""Random orders with what their member did before and after, and refunds of them in steps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random

from loyalty.domain.books.accounts import Accounts
from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import GENESIS, Cause, LotTerms, instant
from loyalty.domain.books.settle import settle
from loyalty.domain.money import allocated
from loyalty.domain.order import Earned
from loyalty.domain.refunds.order_facts import (
    SHIPPING,
    FactsLine,
    OrderFacts,
    PricePaid,
    RewardPart,
    RewardTaken,
    UseTaken,
)
from loyalty.domain.refunds.refund import HeldDraw, Refunded, RefundTerms, Step, refund
from loyalty.domain.refunds.refund_asks import LineAsk, check, portion_of
from loyalty.domain.rulesets.ruleset import (
    BrokenMinimum,
    Clawback,
    EarningBase,
    EarningRule,
    PointsTender,
    PointType,
    RefundPolicy,
    Ruleset,
    Tier,
    TierPolicy,
)
from loyalty.domain.tiers import Standing
from loyalty.errors import LoyaltyError

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
POINTS, STATUS, CREDIT, GIFT = "points", "status", "credit:EUR", "gift:EUR"
MEMBER, CARD = 7, 99
ORDER, RESERVATION, REFUND = 500, 600, 700
TENDER = PointsTender(POINTS, 3, 2)

RULESET = Ruleset(
    code="law",
    name="Law",
    currency="EUR",
    time_zone="Europe/Budapest",
    point_types=(PointType(POINTS, "Points"), PointType(STATUS, "Status", is_spendable=False)),
    earning_base=EarningBase(),
    earning_rules=(EarningRule("base", POINTS, 1, 100),),
    tier_policy=TierPolicy(STATUS, (Tier("base", "Base", 0), Tier("top", "Top", 100)), 10),
    version=1,
)


@dataclass(slots=True)
class Case:
    """An order at the moment its first refund is asked for."""

    facts: OrderFacts
    earned: tuple[Earned, ...]
    draws: tuple[HeldDraw, ...]
    books: dict[int, Book]
    policy: RefundPolicy
    at: datetime

    @property
    def member(self) -> Book:
        return self.books[MEMBER]

    @property
    def grace(self) -> LotTerms | None:
        days = self.policy.expired_lot_grace_days
        return LotTerms(self.at, self.at + days * DAY) if days else None


class Refunds:
    """The refunds of one case, step by step."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.state = Refunded()
        self.draws = case.draws
        self.steps: list[Step] = []

    def ask(self, asks: tuple[LineAsk, ...] | None) -> Step:
        """One more step; the accounts are settled before, as any booking is."""
        case = self.case
        for book in case.books.values():
            settle(book, RULESET, case.at)
        asked = self.state.asked.adding(asks)
        using = RefundTerms(
            case.policy, TENDER, case.member, case.books, CREDIT, GIFT, case.at, case.grace
        )
        step = refund(
            case.facts,
            case.earned,
            self.draws,
            Refunded(asked, self.state.booked, self.state.took),
            portion_of(case.facts, asked),
            using,
            Cause(order_id=ORDER, refund_id=REFUND),
        )
        changed = {draw.lot_id: draw for draw in step.draws}
        self.draws = tuple(changed.get(draw.lot_id, draw) for draw in self.draws)
        self.state = step.after
        self.steps.append(step)
        return step


def new_book(member_id: int, ids: Iterator[int]) -> Book:
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


def case_of(random: Random, clawback: Clawback, broken: BrokenMinimum) -> Case:
    """An order of one to six lines, what it took and earned, and what happened since."""
    ids = count(1_000)
    books = {MEMBER: new_book(MEMBER, ids), CARD: new_book(CARD, ids)}
    facts = _facts(random)
    needed = _needed(facts)
    draws = _drawn(random, books, needed)
    earned = _earned(random, books[MEMBER], len(facts.lines))
    at = START + DAY * random.choice((1, 1, 20, 45, 200))
    live_on(random, books[MEMBER], START, at)
    for book in books.values():
        settle(book, RULESET, at)
    policy = RefundPolicy(clawback, broken, random.choice((0, 30)))
    return Case(facts, earned, draws, books, policy, at)


def _facts(random: Random) -> OrderFacts:
    rewards = [
        RewardTaken(
            f"r{number}",
            PricePaid(POINTS, random.randint(1, 400)) if random.random() < 0.7 else None,
            random.choice((0, 0, random.randint(1, 9_000))),
            (UseTaken("COUPON", f"c{number}", 1),) if random.random() < 0.5 else (),
        )
        for number in range(random.choice((0, 1, 1, 2)))
    ]
    lines = [
        _line(random, str(number), random.choice((1, 1, 2, 3, 0)), rewards)
        for number in range(random.randint(1, 6))
    ]
    shipping = _line(random, SHIPPING, 0, rewards if random.random() < 0.3 else [])
    if random.random() < 0.5:
        shipping = FactsLine(SHIPPING, 0, 0, 0)
    bought = sum(line.gross_minor for line in lines)
    kept = tuple(r._replace(minimum_minor=min(r.minimum_minor, bought)) for r in rewards)
    is_paid = any(line.points_minor for line in (*lines, shipping)) or random.random() < 0.1
    tender = PricePaid(POINTS, random.randint(1, 3_000)) if is_paid else None
    return OrderFacts(tuple(lines), shipping, tender, kept)


def _line(random: Random, id: str, quantity: int, rewards: list[RewardTaken]) -> FactsLine:
    gross = random.choice((0, random.randint(1, 20), random.randint(1, 5_000)))
    left = gross
    parts = []
    for reward in rewards:
        off = random.choice((0, random.randint(0, left)))
        if off:
            parts.append(RewardPart(reward.code, off))
            left -= off
    weights = [random.randint(0, 3) for _ in range(4)]
    money, points, credit, gift = allocated(left, weights) if any(weights) else (left, 0, 0, 0)
    assert money >= 0
    return FactsLine(id, quantity, gross, left, points, credit, gift, left // 6, tuple(parts))


def _needed(facts: OrderFacts) -> dict[str, int]:
    points = facts.tender.points if facts.tender else 0
    points += sum(reward.price.points for reward in facts.rewards if reward.price)
    return {
        POINTS: points,
        CREDIT: sum(line.credit_minor for line in facts.all_lines),
        GIFT: sum(line.gift_minor for line in facts.all_lines),
    }


def _drawn(
    random: Random, books: dict[int, Book], needed: Mapping[str, int]
) -> tuple[HeldDraw, ...]:
    """Lots to pay from, and the redemption of what the order needs."""
    draws: list[HeldDraw] = []
    for unit, amount in needed.items():
        holder = CARD if unit == GIFT else MEMBER
        book = books[holder]
        spare = 0 if unit == GIFT else random.choice((0, 0, random.randint(0, 500)))
        wanted = amount + spare
        if not wanted:
            continue
        pieces = [part for part in allocated(wanted, [1, 2, 1][: random.randint(1, 3)]) if part]
        terms = [
            LotTerms(START, None if (days := random.choice((10, 60, 300, 0))) == 0
                     else START + days * DAY)
            for _ in pieces
        ]  # fmt: skip
        lots = [(unit, part, term) for part, term in zip(pieces, terms, strict=True)]
        book.earn(lots, START, Cause())
        if amount:
            reservation = RESERVATION + len(draws)
            hold = book.hold(reservation, unit, amount, START, START + DAY)
            book.redeem(reservation, START, ORDER)
            draws += [HeldDraw(holder, d.lot_id, unit, d.amount, 0) for d in hold.draws]
    return tuple(draws)


def _earned(random: Random, book: Book, lines: int) -> tuple[Earned, ...]:
    found = []
    for unit in random.choice(((POINTS,), (POINTS, STATUS), (POINTS, POINTS, STATUS), ())):
        by_line = tuple(random.randint(0, 200) for _ in range(lines))
        points = sum(by_line) + random.choice((0, random.randint(0, 30)))
        if not points:
            continue
        begins = START + random.choice((0, 14)) * DAY
        ends = random.choice((None, START + 30 * DAY, START + 365 * DAY))
        terms = LotTerms(begins, ends)
        (lot_id,) = book.earn([(unit, points, terms)], START, Cause(order_id=ORDER))
        found.append(Earned(unit, points, lot_id, by_line))
    return tuple(found)


def live_on(random: Random, book: Book, start: datetime, at: datetime) -> None:
    """What else happens to a member's points between two moments."""
    moment = start
    for _ in range(random.randint(0, 4)):
        moment += (at - moment) * random.random()
        settle(book, RULESET, moment)
        match random.choice(("spend", "spend", "earn", "owe")):
            case "spend":
                _spend(random, book, moment)
            case "earn":
                begins = moment + random.choice((0, 14)) * DAY
                terms = LotTerms(begins, random.choice((None, begins + 50 * DAY)))
                book.earn([(POINTS, random.randint(1, 300), terms)], moment, Cause())
            case "owe":
                terms = LotTerms(moment, None)
                (lot,) = book.earn([(POINTS, 100, terms)], moment, Cause(order_id=1))
                _spend(random, book, moment)
                book.reverse(lot, 100, moment, Cause(order_id=1), may_owe=True)


def _spend(random: Random, book: Book, at: datetime) -> None:
    reservation = 10_000 + book.accounts.seq
    there = book.available(POINTS, at)
    if there > 0:
        points = random.choice((there, random.randint(1, there)))
        book.hold(reservation, POINTS, points, at, at + DAY)
        if random.random() < 0.8:
            book.redeem(reservation, at, 2)


def some_ask(random: Random, refunds: Refunds) -> tuple[LineAsk, ...] | None:
    """A step that asks for a part of what is left; None where no part can be asked for."""
    facts, asked = refunds.case.facts, refunds.state.asked
    portion = portion_of(facts, asked)
    asks = []
    for line, part in zip(facts.all_lines, portion.all_lines, strict=True):
        if random.random() < 0.5:
            continue
        pieces = int(line.quantity * (1 - part))
        minor = int(line.net_minor * (1 - part))
        kind = random.choice(("pieces", "amount", "both", "rest"))
        ask = LineAsk(
            line.id,
            random.randint(0, pieces) if kind in ("pieces", "both") else 0,
            random.choice((random.randint(0, minor), minor)) if kind in ("amount", "both") else 0,
        )
        if kind != "rest" and ask.is_rest:
            continue
        try:
            check(facts, asked, [ask], "EUR")
        except LoyaltyError:
            continue
        asks.append(ask)
    return tuple(asks) or None
