"""From what is known of a member and a product to the reason for showing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from loyalty_recommender.arrays import DAY_S, AnyArray, Indices, Mask, Scores
from loyalty_recommender.attributes import UNKNOWN, Attributes
from loyalty_recommender.models.base import Query
from loyalty_recommender.reasons import Reason, ReasonCode
from loyalty_recommender.rows import Rows
from loyalty_recommender.windows import OF_PRODUCT, Window

if TYPE_CHECKING:
    from loyalty_recommender.interactions import Interactions

RECENT_DAYS = 28

AMONG_LOOK = 50
"""Where a reason is looked for among so few products, their own neighbours are looked at, too."""


@dataclass(frozen=True, slots=True, eq=False)
class ProductFacts:
    """What can be said of every product, whoever asks."""

    recent_visits: Indices
    """(products,) visits in the last ``RECENT_DAYS`` days of the data."""
    first_day: Indices
    """(products,) day of the first purchase, since 1970-01-01."""
    category: Indices
    """(products,) codes of the categories, -1 where it is unknown."""
    department: Indices
    """(products,) as ``category``, of the level above."""

    @classmethod
    def of(cls, interactions: Interactions) -> Self:
        """Count over all purchases."""
        products = len(interactions.products)
        recent = interactions.time > interactions.span[1] - RECENT_DAYS * DAY_S
        first_day = np.full(products, np.iinfo(np.int32).max, dtype=np.int32)
        np.minimum.at(first_day, interactions.product, interactions.day)
        visits = np.bincount(interactions.product[recent], minlength=products)
        kinds = interactions.attributes or Attributes.unknown(products)
        return cls(visits.astype(np.int32), first_day, kinds.category, kinds.department)

    def arrays(self) -> dict[str, AnyArray]:
        """All arrays by name."""
        return {
            "recent_visits": self.recent_visits,
            "first_day": self.first_day,
            "category": self.category,
            "department": self.department,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Self:
        """Read them back."""
        return cls(
            arrays["recent_visits"], arrays["first_day"], arrays["category"], arrays["department"]
        )

    def by_shelf(self, likeness: Rows) -> Rows:
        """Likenesses in 0 to 1, raised by 2 between products of the same category and by 1 between
        those of the same department.

        What everybody buys is like everything: true, and a reason that tells nothing.
        """
        owner = np.repeat(np.arange(len(likeness), dtype=np.int32), np.diff(likeness.starts))
        values = likeness.values.copy()
        for kind, worth in ((self.category, 2), (self.department, 1)):
            own = kind.take(owner)
            values[(own == kind.take(likeness.products)) & (own != UNKNOWN)] += worth
        return Rows(likeness.starts, likeness.products, values)


@dataclass(frozen=True, slots=True, eq=False)
class Explainer:
    """Finds a reason for each product of an answer. Tells what is true, not how it was ranked."""

    products: Sequence[str]
    facts: ProductFacts
    similar: Rows
    """Each product's neighbours over members, by shelf."""
    together: Rows
    """Each product's neighbours over visits."""

    @classmethod
    def of(
        cls, products: Sequence[str], facts: ProductFacts, similar: Rows, together: Rows
    ) -> Self:
        """From likenesses as they were learned."""
        return cls(products, facts, facts.by_shelf(similar), together)

    def reasons(
        self, window: Window, query: Query, answered: Indices, nameable: Mask | None = None
    ) -> list[Reason]:
        """Why each product of an answer may interest who asked.

        Args:
            nameable: (products,) of what was bought, what a reason may name; None: all. What is
                near to others of it alone has a reason without a product.
        """
        found: list[Reason | None] = [None] * len(answered)
        if window is Window.NEW_ARRIVALS:
            for at, first_day in enumerate(self.facts.first_day[answered].tolist()):
                found[at] = Reason(ReasonCode.NEW, last_days=max(query.day - first_day, 0))
        elif window in OF_PRODUCT or window is Window.CART:
            code, rows = ReasonCode.GOES_WITH, self.together
            if window is Window.SIMILAR:
                code, rows = ReasonCode.SIMILAR_TO, self.similar
            self._because(found, code, rows, answered, np.unique(query.basket))
        if window not in (Window.TRENDING, Window.NEW_ARRIVALS):
            if window is not Window.FOR_YOU:
                self._bought_before(found, query, answered)
            self._because(
                found, ReasonCode.BECAUSE_YOU_VIEWED, self.together, answered, np.sort(query.viewed)
            )
            bought = query.history.bought
            named = bought if nameable is None else bought[nameable.take(bought)]
            self._because(found, ReasonCode.BECAUSE_YOU_BUY, self.similar, answered, named)
            if len(named) < len(bought):
                self._because(
                    found, ReasonCode.BECAUSE_YOU_BUY, self.similar, answered, bought, named=False
                )
        visits = self.facts.recent_visits
        return [
            each or Reason(ReasonCode.POPULAR, times=int(visits[product]))
            for each, product in zip(found, answered.tolist(), strict=True)
        ]

    def _bought_before(self, found: list[Reason | None], query: Query, answered: Indices) -> None:
        pairs = query.pairs
        if not len(pairs):
            return
        of_pair = np.minimum(np.searchsorted(pairs.product, answered), len(pairs) - 1)
        for at, is_bought, times, first, last in zip(
            range(len(answered)),
            (pairs.product.take(of_pair) == answered).tolist(),
            pairs.times.take(of_pair).tolist(),
            pairs.first_day.take(of_pair).tolist(),
            pairs.last_day.take(of_pair).tolist(),
            strict=True,
        ):
            if is_bought and found[at] is None:
                every = round((last - first) / (times - 1)) if times > 1 else None
                found[at] = Reason(
                    ReasonCode.BOUGHT_BEFORE, None, times, every, max(query.day - last, 0)
                )

    def _because(
        self,
        found: list[Reason | None],
        code: ReasonCode,
        rows: Rows,
        answered: Indices,
        among: Indices,
        *,
        named: bool = True,
    ) -> None:
        open_ = [at for at, each in enumerate(found) if each is None]
        if not open_ or not len(among):
            return
        about = nearest(rows, answered.take(open_), among, len(self.products))
        for at, product in zip(open_, about.tolist(), strict=True):
            if product >= 0:
                found[at] = Reason(code, about=self.products[product] if named else None)


def nearest(rows: Rows, wanted: Indices, among: Indices, products: int) -> AnyArray:
    """For each product wanted, the one among some that is most like it; -1 where none is.

    Args:
        wanted: (wanted,) distinct.
        among: (among,) distinct, rising; of equally like ones the first.
        products: how many there are.
    """
    is_among = np.zeros(products, dtype=np.bool_)
    is_among[among] = True
    neighbour, likeness = rows.beside(wanted)
    likeness *= is_among.take(neighbour)
    about, value = _likest(neighbour, likeness)
    if len(among) <= AMONG_LOOK:
        # Neighbours are kept up to a number: a popular product may be one the other way only.
        position = np.zeros(products, dtype=np.int32)
        position[wanted] = np.arange(1, len(wanted) + 1)
        neighbour, likeness = rows.beside(among)
        asked = position.take(neighbour)
        asked *= likeness > 0
        owner, place = asked.nonzero()
        turned = np.zeros((len(wanted), len(among)), dtype=np.float32)
        turned[asked[owner, place] - 1, owner] = likeness[owner, place]
        by, more = _likest(np.broadcast_to(among, turned.shape), turned)
        is_better = (more > value) | ((more == value) & (by < about))
        about, value = np.where(is_better, by, about), np.where(is_better, more, value)
    return np.where(value > 0, about, -1)


def _likest(products: Indices, likeness: Scores) -> tuple[Indices, Scores]:
    """Of each row the likest product and its likeness; of equal ones the first."""
    if not likeness.shape[1]:
        nothing = np.zeros(len(likeness), dtype=np.int32)
        return nothing, nothing.astype(np.float32)
    rows = np.arange(len(likeness))
    place = likeness.argmax(axis=1)
    return products[rows, place], likeness[rows, place]
