"""From a ranking to an answer: what may be shown now, what was asked for, what the shop declares.

A ranking may be a little old. What is picked from it is read at this moment, so nothing that is out
of stock, inactive or for another tier is ever answered; filters and caps leave products out and put
nothing in their place but what comes next.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty.domain.calendar import local
from loyalty.domain.cart import Cart
from loyalty.domain.conditions import Facts
from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.recommendations.because import Because
from loyalty.domain.recommendations.boosts import Boost, boosted_order
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.errors import BadInput
from loyalty.services.catalogue import Product, product_of
from loyalty.services.recommendations.window_facts import one_piece
from loyalty.storage import catalogue as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Statement

CATEGORIES_MAX = 50
"""Categories of one filter at most."""
EXCLUDED_MAX = 200
"""Products left out by one filter at most."""
STOCK_MAX = 1_000_000_000
SPARE = 10
"""Products read beyond those wanted, in place of some that may not be shown."""


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """What a caller wants of the products of an answer; the default wants nothing.

    Prices in minor units of the program's currency, both ends included: a product without one is
    left out by either. ``categories`` None: all. ``exclude``: external ids. ``stock_min``: pieces
    there are at least, where the stock is counted.
    """

    price_minor_min: int | None = None
    price_minor_max: int | None = None
    categories: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    stock_min: int | None = None

    @property
    def narrows(self) -> bool:
        """Whether it leaves out more than the products it names."""
        figures = (self.price_minor_min, self.price_minor_max, self.categories, self.stock_min)
        return any(each is not None for each in figures)


EVERYTHING = ProductFilter()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A product of a ranking, by its external id."""

    product: str
    because: Because


@dataclass(frozen=True, slots=True)
class Picked:
    """A product that is answered, and the boosts that name it. ``because`` is None for what the
    model does not know.
    """

    product: Product
    because: Because | None
    boosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer is shown, and to whom: a window, and the viewer's tier."""

    tenant_id: int
    window: str
    tier: str | None
    rules: Ruleset
    at: datetime


class Boosting:
    """Which boosts of a window name a product."""

    def __init__(self, place: Place) -> None:
        ranks = place.rules.tier_policy.ranks
        self.boosts = place.rules.recommendations.boosts_of(place.window)
        self._tier, self._ranks = place.tier if place.tier in ranks else None, ranks
        self._currency, self._at = place.rules.currency, place.at
        self._local = local(place.at, place.rules.time_zone)

    def order(self, picked: Sequence[Picked]) -> list[Picked]:
        """The products in the order that the boosts make of theirs, each with their codes."""
        if not self.boosts:
            return list(picked)
        named = [self._of(each.product) for each in picked]
        return [
            Picked(picked[at].product, picked[at].because, tuple(each.code for each in named[at]))
            for at in boosted_order(named)
        ]

    def _of(self, product: Product) -> list[Boost]:
        line = one_piece(product)
        cart = Cart("", self._currency, (line,))
        facts = Facts(cart, self._tier, self._ranks, self._at, self._local)
        return [boost for boost in self.boosts if boost.applies(line, product.stock, facts)]


class Picking:
    """Picks the products of one answer, ranking after ranking, each deeper than the one before.

    Args:
        shown: what the page or the cart shows already.
        noticed: told the catalogue's revision that was read.
    """

    def __init__(
        self,
        database: Database,
        place: Place,
        wanted: ProductFilter,
        shown: Sequence[str],
        noticed: Callable[[int], None],
    ) -> None:
        self._database = database
        self._place = place
        self._wanted = wanted
        self._seen = {*shown, *wanted.exclude}
        self._noticed = noticed
        self._boosting = Boosting(place)
        self._caps = place.rules.recommendations.caps_of(place.window)

    @property
    def is_capped(self) -> bool:
        """Whether good products may be left out for good, so that looking on may never end."""
        return self._caps is not None

    async def next(self, ranking: Sequence[Ranked], first: int) -> list[Picked]:
        """The next ``first`` products of a ranking: of those that were not looked at before.

        Boosts move products among all of them that may be shown.
        """
        fresh = [each for each in ranking if each.product not in self._seen]
        self._seen.update(each.product for each in fresh)
        if self._boosting.boosts:
            found = self._boosting.order(await self._read(fresh))
            return self._capped(found, first)
        picked: list[Picked] = []
        # Where much is left out, a few queries should do all the same.
        step, start = first + SPARE, 0
        while start < len(fresh) and len(picked) < first:
            read = await self._read(fresh[start : start + step])
            picked += self._capped(read, first - len(picked))
            start, step = start + step, len(fresh)
        return picked

    async def notice(self) -> None:
        """Tell the catalogue's revision where no product did: a ranking of nothing may be made by
        a mask of the time when nothing could be shown.
        """
        place = self._place
        rows = await self._database.read(sql.REVISION(place.tenant_id, place.at))
        self._noticed(rows[0][0])

    def _capped(self, found: Sequence[Picked], first: int) -> list[Picked]:
        picked: list[Picked] = []
        for each in found:
            if len(picked) == first:
                break
            product = each.product
            kinds = product.category, product.department, product.brand
            if self._caps is None or self._caps.admits(*kinds):
                picked.append(each)
        return picked

    async def _read(self, ranking: Sequence[Ranked]) -> list[Picked]:
        """What of a ranking may be answered now."""
        if not ranking:
            return []
        rows = await self._database.read(self._statement([each.product for each in ranking]))
        if rows:
            self._noticed(rows[0][-1])
        products = {row[1]: product_of(row[:-1], self._place.at) for row in rows}
        return [
            Picked(products[each.product], each.because)
            for each in ranking
            if each.product in products
        ]

    def _statement(self, ids: list[str]) -> Statement:
        tenant_id, tier = self._place.tenant_id, self._place.tier or ""
        if not self._wanted.narrows:
            return sql.ANSWERABLE(tenant_id, ids, tier, self._place.at)
        wanted = self._wanted
        return sql.ANSWERABLE_MATCHING(
            tenant_id,
            tier,
            wanted.categories is not None,
            list(wanted.categories or ()),
            wanted.price_minor_min,
            wanted.price_minor_max,
            self._place.rules.currency,
            self._place.at,
            wanted.stock_min,
            ids,
        )


def checked(wanted: ProductFilter) -> ProductFilter:
    """The filter, once it is known to be one.

    Raises:
        BadInput: too many categories or products, a price or a stock out of range, or a range
            that is empty. ``field`` says where.
    """
    for name, texts, most in (
        ("categories", wanted.categories or (), CATEGORIES_MAX),
        ("exclude", wanted.exclude, EXCLUDED_MAX),
    ):
        if len(texts) > most:
            raise _bad(name, f"found {len(texts)} of them, wanted at most {most}")
    for text in wanted.categories or ():
        if not 1 <= len(text) <= 200 or not text.isprintable():
            raise _bad("categories", f"found {text[:40]!r}, wanted 1 to 200 printable characters")
    for name, figure, most in (
        ("priceMin", wanted.price_minor_min, AMOUNT_MINOR_MAX),
        ("priceMax", wanted.price_minor_max, AMOUNT_MINOR_MAX),
        ("stockMin", wanted.stock_min, STOCK_MAX),
    ):
        if figure is not None and not 0 <= figure <= most:
            raise _bad(name, f"found {figure}, wanted 0 to {most}")
    least, most_minor = wanted.price_minor_min, wanted.price_minor_max
    if least is not None and most_minor is not None and least > most_minor:
        raise _bad("priceMin", f"found {least} minor units, wanted at most priceMax, {most_minor}")
    return wanted


def _bad(name: str, problem: str) -> BadInput:
    return BadInput(problem, field=("filter", name))
