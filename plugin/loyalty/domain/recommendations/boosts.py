"""What a shop declares about the order of its recommendations: boosts, and how many of a kind.

A boost changes places by a stated factor, and the answer names it. Nothing else moves a product
up or down. What it says of margin is a band of whole tenths, because whoever sees which products
a boost names learns on which side of its limit they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from loyalty.domain.cart import CartLine
from loyalty.domain.conditions import Condition, Facts

UNIT_BP = 10_000
"""Basis points in one whole."""
BAND_BP = 1_000
"""Limits of margin are whole multiples of it."""


class BoostedWindow(StrEnum):
    """A window of a storefront, or a shop's own list that is ranked for a member."""

    FOR_YOU = "FOR_YOU"
    BUY_AGAIN = "BUY_AGAIN"
    NEXT_VISIT = "NEXT_VISIT"
    CART = "CART"
    SIMILAR = "SIMILAR"
    BOUGHT_TOGETHER = "BOUGHT_TOGETHER"
    TRENDING = "TRENDING"
    NEW_ARRIVALS = "NEW_ARRIVALS"
    RANK_PRODUCTS = "RANK_PRODUCTS"


@dataclass(frozen=True, slots=True)
class Boost:
    """Products to which all that it says applies stand ``factor_bp`` / 10,000 times further up.

    ``windows``: where; empty is everywhere. ``conditions`` are judged of a cart with one piece of
    the product. ``margin_bp_min`` <= margin < ``margin_bp_max`` of the price, for products whose
    price and cost are known; ``stock_min`` <= stock <= ``stock_max``, for products whose stock is
    counted. None: no limit.
    """

    code: str
    factor_bp: int
    windows: tuple[BoostedWindow, ...] = ()
    conditions: tuple[Condition, ...] = ()
    margin_bp_min: int | None = None
    margin_bp_max: int | None = None
    stock_min: int | None = None
    stock_max: int | None = None

    @property
    def is_of_margin(self) -> bool:
        return self.margin_bp_min is not None or self.margin_bp_max is not None

    @property
    def is_of_stock(self) -> bool:
        return self.stock_min is not None or self.stock_max is not None

    def applies(self, line: CartLine, stock: int | None, facts: Facts) -> bool:
        """Whether it names a product.

        Args:
            line: one piece of it at its price, with its cost.
            stock: pieces there are, None for not counted.
            facts: of a cart of that line alone.
        """
        if self.is_of_margin and not self._has_margin(line):
            return False
        if self.is_of_stock and (
            stock is None or not _within(stock, self.stock_min, self.stock_max)
        ):
            return False
        return all(
            condition.covers(line) and condition.unmet(facts) is None
            for condition in self.conditions
        )

    def _has_margin(self, line: CartLine) -> bool:
        price, cost = line.unit_minor, line.cost_minor
        if cost is None or price < 1:
            return False
        least, limit = self.margin_bp_min, self.margin_bp_max
        # margin >= m  <=>  (price - cost) * 10,000 >= m * price, in whole numbers.
        earned = (price - cost) * UNIT_BP
        if least is not None and earned < least * price:
            return False
        return limit is None or earned < limit * price


@dataclass(frozen=True, slots=True)
class RecommendationPolicy:
    """What of the recommendations the shop declares.

    The caps: at most so many products of one category, department or brand in one answer of
    ``capped_windows``, empty for all of them; None: no limit. A product without one is not
    counted. What a shop has ranked keeps all its products.
    """

    max_per_category: int | None = None
    max_per_department: int | None = None
    max_per_brand: int | None = None
    capped_windows: tuple[BoostedWindow, ...] = ()
    boosts: tuple[Boost, ...] = ()

    def boosts_of(self, window: str) -> tuple[Boost, ...]:
        """Those that hold for a window."""
        return tuple(each for each in self.boosts if not each.windows or window in each.windows)

    def caps_of(self, window: str) -> "Caps | None":
        """The caps of one answer, none of it counted yet; None where nothing is limited."""
        limits = (self.max_per_category, self.max_per_department, self.max_per_brand)
        holds = not self.capped_windows or window in self.capped_windows
        if not holds or window == BoostedWindow.RANK_PRODUCTS or limits == (None, None, None):
            return None
        return Caps(limits)


@dataclass(slots=True)
class Caps:
    """Counts of one answer against the limits for category, department and brand."""

    limits: tuple[int | None, int | None, int | None]
    _counts: dict[tuple[int, str], int] = field(default_factory=dict)

    def admits(self, category: str | None, department: str | None, brand: str | None) -> bool:
        """Count a product in; False, and nothing counted, where one of its kinds is full."""
        kinds = [
            (place, name)
            for place, name in enumerate((category, department, brand))
            if name is not None and self.limits[place] is not None
        ]
        if any(self._counts.get(kind, 0) >= (self.limits[kind[0]] or 0) for kind in kinds):
            return False
        for kind in kinds:
            self._counts[kind] = self._counts.get(kind, 0) + 1
        return True


def boosted_order(boosts: Sequence[Sequence[Boost]]) -> list[int]:
    """The places of a ranking in the order that boosts make of it.

    The product at place r, counted from 1, with boosts of the factors f1, f2, … is put where
    r / (f1 f2 …) is smallest; of equals the one that the model had further up is first.

    Args:
        boosts: of the product at each place.

    Returns:
        Positions in ``boosts``, counted from 0.
    """
    if not any(boosts):
        return list(range(len(boosts)))
    return sorted(range(len(boosts)), key=lambda at: (_weighted(at + 1, boosts[at]), at))


def _weighted(place: int, boosts: Sequence[Boost]) -> Fraction | int:
    if not boosts:
        return place
    weighted = Fraction(place)
    for boost in boosts:
        weighted *= Fraction(UNIT_BP, boost.factor_bp)
    return weighted


def _within(found: int, least: int | None, most: int | None) -> bool:
    return (least is None or found >= least) and (most is None or found <= most)


def boost_problems(boost: Boost) -> Iterator[tuple[str, str]]:
    """What no single value of a boost shows: the key, and what is wrong with it."""
    if boost.factor_bp == UNIT_BP:
        yield "factor_bp", f"found {UNIT_BP}, wanted another: that is once, and moves nothing"
    if not (boost.conditions or boost.is_of_margin or boost.is_of_stock):
        yield (
            "conditions",
            "found none, and no limit of margin or stock, wanted one of them: a boost of "
            "everything moves nothing",
        )
    for name, limit in (
        ("margin_bp_min", boost.margin_bp_min),
        ("margin_bp_max", boost.margin_bp_max),
    ):
        if limit is not None and limit % BAND_BP:
            yield (
                name,
                f"found {limit}, wanted a multiple of {BAND_BP}: narrower bands would tell "
                "shoppers the cost",
            )
    for least_name, least, most_name, most, gap in (
        ("margin_bp_min", boost.margin_bp_min, "margin_bp_max", boost.margin_bp_max, 1),
        ("stock_min", boost.stock_min, "stock_max", boost.stock_max, 0),
    ):
        if least is not None and most is not None and least + gap > most:
            bound = "less than" if gap else "at most"
            yield least_name, f"found {least}, wanted {bound} {most_name}, {most}"
