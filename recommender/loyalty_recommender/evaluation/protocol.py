"""What is asked, at which days, and what was bought then.

Everything before a day, the *cut*, may teach; the four weeks from it on are the test. Settings are
chosen on ``CHOICE_CUTS``; figures are reported on ``TEST_CUTS``.

- Lines with a quantity above zero, goods only: ``reading`` has dropped the rest.
- A *visit* is one household on one day.
- Products that were in at least 5 visits before the cut; nothing else can be answered or wanted.
- Households with at least 5 visit days before the cut.
- The whole assortment is ranked; nothing is sampled.
- Questions without anything to find are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Literal, Self, TypeAlias

import numpy as np

from loyalty_recommender.arrays import AnyArray, Indices, Mask
from loyalty_recommender.attributes import Attributes
from loyalty_recommender.errors import BadInteractions
from loyalty_recommender.history import History
from loyalty_recommender.interactions import Interactions

FIRST_DAY = 17_167
"""2017-01-01, day 0 of Complete Journey, in days since 1970-01-01."""

TEST_CUTS = (253, 281, 309, 337)
CHOICE_CUTS = (169, 197, 225)
TEST_DAYS = 28

PRODUCT_VISITS_MIN = 5
HOUSEHOLD_VISITS_MIN = 5
CART_PRODUCTS_MIN = 4

FOLDS = 5
"""Into how many parts households are dealt, one of which is left out of training at a time."""

DEPTH = 50
"""How far down answers are looked at."""

SEED = b"loyalty"
"""Deals cart lines and households by hash, alike on every machine."""

AskedWindow: TypeAlias = Literal["NEXT_VISIT", "FOR_YOU", "CART", "BUY_AGAIN"]

WINDOWS: tuple[AskedWindow, ...] = ("NEXT_VISIT", "FOR_YOU", "CART", "BUY_AGAIN")


def no_products() -> Indices:
    """An empty list of products."""
    return np.empty(0, dtype=np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One question whose answer is known."""

    window: AskedWindow
    household: int
    """Position in the members of the data; the unit that the bootstrap draws."""
    member: int | None
    """The same where the household is part of the training data; None where it was left out."""
    history: History
    """Everything the household bought before the cut."""
    day: int
    """Day of the question, in days since 1970-01-01."""
    truth: Indices
    """What was bought, rising; never empty."""
    cart: Indices = field(default_factory=no_products)
    """CART only: the half of the visit that is given."""

    def allowed(self, products: int) -> Mask:
        """Which of so many products may be answered.

        FOR_YOU: never bought before. BUY_AGAIN: bought before. CART: not in the cart already.
        """
        if self.window == "BUY_AGAIN":
            mask = np.zeros(products, dtype=np.bool_)
            mask[self.history.product] = True
            return mask
        mask = np.ones(products, dtype=np.bool_)
        mask[self.history.product if self.window == "FOR_YOU" else self.cart] = False
        return mask


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """What was known at one cut, and what is asked of it."""

    cut: int
    """Days from the first day of the data."""
    train: Interactions
    """Purchases strictly before the cut, of products that were bought often enough."""
    attributes: Attributes
    """Of the products of ``train``."""
    cases: dict[AskedWindow, list[Case]]

    @classmethod
    def of(
        cls,
        year: Interactions,
        attributes: Attributes,
        cut: int,
        *,
        first_day: int = FIRST_DAY,
        ask_on: Literal["cut", "visit"] = "cut",
    ) -> Self:
        """Part the purchases at a cut.

        Args:
            year: all purchases of goods.
            attributes: of the products of ``year``.
            cut: days from ``first_day``.
            ask_on: which day the questions name. "cut" tells nothing of the test part; "visit"
                tells on which day the visit is, as a shop knows on the day itself.

        Raises:
            BadInteractions: nothing could be learned before the cut.
        """
        day = first_day + cut
        before = year.rows(year.day < day)
        kept = before.household_days() >= PRODUCT_VISITS_MIN
        if not kept.any():
            raise BadInteractions(
                f"no product was bought in {PRODUCT_VISITS_MIN} visits before day {cut}"
            )
        train = before.only_products(kept)
        test = year.rows((year.day >= day) & (year.day < day + TEST_DAYS)).only_products(kept)
        first_visit = _first_days(
            year.rows((year.day >= day) & (year.day < day + TEST_DAYS)), len(year.members)
        )
        cases: dict[AskedWindow, list[Case]] = {window: [] for window in WINDOWS}
        for case in _cases(train, test, before.member_visits(), first_visit, day):
            if ask_on == "cut" and case.day != day:
                case = replace(case, day=day)
            cases[case.window].append(case)
        return cls(cut, train, attributes.only(kept), cases)

    def without(self, fold: int) -> Self:
        """The same questions of one fold's households only, these left out of training.

        The products stay those of the whole data, so that both forms want the same answers.

        Args:
            fold: 0 to ``FOLDS`` - 1.
        """
        folds = fold_of(self.train)
        cases = {
            window: [replace(case, member=None) for case in asked if folds[case.household] == fold]
            for window, asked in self.cases.items()
        }
        return replace(self, train=self.train.rows(folds[self.train.member] != fold), cases=cases)


def fold_of(interactions: Interactions) -> AnyArray:
    """Which fold each member is dealt into, by a hash of the id, (members,)."""
    ids = interactions.members.encoded.tolist()
    return np.array([_hash(each) % FOLDS for each in ids], dtype=np.int64)


def _cases(
    train: Interactions, test: Interactions, visits: Indices, first_visit: AnyArray, cut_day: int
) -> Iterator[Case]:
    members = len(train.members)
    known = np.searchsorted(train.member, np.arange(members + 1))
    after = np.searchsorted(test.member, np.arange(members + 1))
    for member in np.flatnonzero((visits >= HOUSEHOLD_VISITS_MIN) & (np.diff(after) > 0)).tolist():
        past = slice(known[member], known[member + 1])
        history = History.sorted(train.product[past], train.day[past])
        rows = slice(after[member], after[member + 1])
        product, day = test.product[rows], test.day[rows]
        bought = history.bought
        first = int(first_visit[member])
        next_visit = product[day == first]

        def case(
            window: AskedWindow,
            truth: Indices,
            asked_on: int,
            *,
            cart: Indices | None = None,
            member: int = member,
            history: History = history,
        ) -> Iterator[Case]:
            if len(truth):
                given = no_products() if cart is None else cart
                yield Case(window, member, member, history, asked_on, truth, given)

        yield from case("NEXT_VISIT", next_visit, first)
        yield from case("BUY_AGAIN", np.intersect1d(next_visit, bought), first)
        yield from case("FOR_YOU", np.setdiff1d(product, bought), cut_day)
        days, sizes = np.unique(day, return_counts=True)
        large = days[sizes >= CART_PRODUCTS_MIN]
        if len(large):
            visit = product[day == large[0]]
            given, wanted = _halves(train, member, visit)
            yield from case("CART", wanted, int(large[0]), cart=given)


def _halves(train: Interactions, member: int, visit: Indices) -> tuple[Indices, Indices]:
    """Deal a visit's products by a hash of household and product; the smaller half is given."""
    of_member = train.members.encoded[member]
    keys = [_hash(of_member, train.products.encoded[each]) for each in visit.tolist()]
    dealt = visit[np.argsort(np.array(keys, dtype=np.uint64), kind="stable")]
    half = len(dealt) // 2
    return np.sort(dealt[:half]), np.sort(dealt[half:])


def _first_days(rows: Interactions, members: int) -> AnyArray:
    """Day of each member's first visit, (members,); far away for who made none."""
    first = np.full(members, np.iinfo(np.int32).max, dtype=np.int32)
    np.minimum.at(first, rows.member, rows.day)
    return first


def _hash(*parts: bytes) -> int:
    return int.from_bytes(blake2b(b"\0".join(parts), digest_size=8, key=SEED).digest(), "big")
