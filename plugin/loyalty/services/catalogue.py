"""The catalogue: what the shop sells, who may see it, what is in stock.

Products are always read from the database: stock and visibility have to be of this moment, and
the rest of the row costs nothing more. What is cached is what is dear, the ids that a filter or a
search found, under the catalogue's revision, so that an old listing is never asked for again.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import orjson

from loyalty.cache import Cache, keys
from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant, micros
from loyalty.domain.money import AMOUNT_MINOR_MAX, digits
from loyalty.domain.product import ProductFacts
from loyalty.errors import BadInput, Unavailable
from loyalty.ids import IdSource
from loyalty.services.audit import Action, Deed, Subject, added, deed
from loyalty.storage import catalogue as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.problems import DuplicateKey
from loyalty.storage.statements import Unit

FIRST_MAX = 200
"""Products of one page at most."""
UNIT_MAX = 500
"""Products written in one transaction at most."""
DUPLICATE_TRIES = 5
"""How often a unit is run again because another process wrote the same new product."""

TEXT_MAX = {
    "external_id": 128, "name": 300, "category": 200, "department": 200, "type": 200, "brand": 200,
    "image_url": 1_000,
}  # fmt: skip
"""Longest text per field, in characters."""
FIELDS = frozenset(sql.PRODUCT_COLUMNS) - {"id", "external_id", "invented"}
"""Fields that may be named as invented."""
_LISTED = frozenset(sql.PRODUCT_COLUMNS) - {"stock"}


@dataclass(frozen=True, slots=True)
class Product:
    """A product as it is now.

    Amounts in minor units of ``currency``; ``stock`` None: not counted. ``tiers`` are the codes
    that may see it now, empty: everybody; ``tiers_until`` is when everybody may, None: never.
    ``invented`` names fields made up for a demonstration.
    """

    id: int
    external_id: str
    name: str
    category: str | None
    department: str | None
    type: str | None
    brand: str | None
    image_url: str | None
    price_minor: int | None
    currency: str
    cost_minor: int | None
    stock: int | None
    tiers: tuple[str, ...]
    tiers_until: datetime | None
    invented: tuple[str, ...]
    is_active: bool

    @property
    def is_in_stock(self) -> bool:
        return self.stock is None or self.stock > 0

    def visible_to(self, tier: str | None) -> bool:
        """Whether it exists for a viewer of that tier; None is a guest."""
        return self.is_active and (not self.tiers or tier in self.tiers)

    def facts(self, said_at: datetime) -> ProductFacts:
        """All that is said of it, to be said again with changes: ``dataclasses.replace``."""
        names = [each.name for each in fields(ProductFacts) if each.name != "said_at"]
        return ProductFacts(said_at=said_at, **{name: getattr(self, name) for name in names})


class Catalogue:
    """Reads and writes products."""

    def __init__(self, database: Database, cache: Cache, clock: Clock) -> None:
        self._database = database
        self._cache = cache
        self._clock = clock

    async def one(self, tenant_id: int, external_id: str) -> Product | None:
        """A product whoever may see it; ask ``visible_to`` before showing it."""
        return (await self.many(tenant_id, [external_id])).get(external_id)

    async def many(self, tenant_id: int, external_ids: Iterable[str]) -> dict[str, Product]:
        """Those of the products that there are, whoever may see them, in one query."""
        names = list(dict.fromkeys(external_ids))
        if not names:
            return {}
        rows = await self._database.read(sql.BY_NAME(tenant_id, names))
        now = self._clock.now()
        return {row[1]: product_of(row, now) for row in rows}

    async def listed(
        self,
        tenant_id: int,
        *,
        first: int,
        after: int | None = None,
        category: str | None = None,
        search: str | None = None,
        tier: str | None = None,
        everything: bool = False,
    ) -> tuple[list[Product], bool]:
        """One page in the order in which products arrived, and whether more follow.

        Args:
            first: 1 to 200.
            after: id of the last product of the page before.
            search: text that name, brand or external id contain; capitals do not matter.
            tier: of the viewer, None for a guest.
            everything: for the merchant: inactive products and those of every tier too.

        Raises:
            BadInput: ``first`` is out of range.
        """
        if not 1 <= first <= FIRST_MAX:
            raise BadInput(f"found first: {first}, wanted 1 to {FIRST_MAX}", field=("first",))
        key, now = None, self._clock.now()
        if (category is not None or search is not None) and not everything:
            # Only these look at many rows; a page of everything is a walk along the key.
            revision, opened = (await self._database.read(sql.REVISION(tenant_id, now)))[0]
            listing = listing_of([first, after, category, search, tier, opened])
            key = keys.catalogue(tenant_id, revision, listing)
            cached = await self._cache.get(key)
            if cached is not None:
                ids, has_more = orjson.loads(cached)
                return await self._by_id(tenant_id, ids, tier), has_more
        rows = await self._database.read(
            sql.LIST(
                tenant_id, after or 0, category, search, tier or "", everything, first + 1, now
            )
        )
        found, has_more = [product_of(row, now) for row in rows[:first]], len(rows) > first
        if key is not None:
            value = orjson.dumps([[product.id for product in found], has_more])
            await self._cache.put(key, value, keys.CATALOGUE.ttl_s or 1)
        return found, has_more

    async def upsert(
        self, tenant_id: int, products: Sequence[ProductFacts], by: str | None = None
    ) -> int:
        """Write what a shop says of its products; an older word than the last changes nothing.

        Args:
            by: who, where it is a person's edit: it goes into the audit trail.

        Returns:
            How many are new or different now.

        Raises:
            BadInput: one of them cannot be; nothing was written.
        """
        for facts in products:
            check(facts)
        written = 0
        for start in range(0, len(products), UNIT_MAX):
            written += await self._written(tenant_id, products[start : start + UNIT_MAX], by)
        return written

    async def _written(
        self, tenant_id: int, products: Sequence[ProductFacts], by: str | None
    ) -> int:
        for _ in range(DUPLICATE_TRIES):
            try:
                return await self._database.write(
                    lambda: _upserting(
                        tenant_id, products, self._database.ids, self._clock.now(), by
                    )
                )
            except DuplicateKey:
                # Another process wrote the same new product; the next run finds it.
                continue
        raise Unavailable("another process kept writing the same products; try again")

    async def _by_id(self, tenant_id: int, ids: list[int], tier: str | None) -> list[Product]:
        rows = await self._database.read(sql.BY_ID(tenant_id, ids)) if ids else []
        now = self._clock.now()
        found = {row[0]: product_of(row, now) for row in rows}
        return [found[id] for id in ids if id in found and found[id].visible_to(tier)]


def product_of(row: Sequence[Any], now: datetime) -> Product:
    """A product from the columns of ``PRODUCT_COLUMNS``, as it is at a moment."""
    held = dict(zip(sql.PRODUCT_COLUMNS, row, strict=True))
    tiers, until = _split(held["tiers"]), held["tiers_until"]
    if until is not None and until <= micros(now):
        tiers, until = (), None
    held |= {
        "tiers": tiers,
        "tiers_until": None if until is None else instant(until),
        "invented": _split(held["invented"]),
        # SQLite keeps booleans as 0 and 1.
        "is_active": bool(held["is_active"]),
    }
    return Product(**held)


def check(facts: ProductFacts) -> None:
    """Raises BadInput naming the field, what was found and what was wanted."""
    for name, most in TEXT_MAX.items():
        value: str | None = getattr(facts, name)
        if value is None:
            continue
        if not 1 <= len(value) <= most or not value.isprintable():
            raise _bad(name, value, f"1 to {most} printable characters")
    if facts.image_url and not facts.image_url.startswith(("https://", "http://", "/", "data:")):
        raise _bad("image_url", facts.image_url, "an address that begins with https:// or /")
    for name in ("price_minor", "cost_minor", "stock"):
        number: int | None = getattr(facts, name)
        if number is not None and not 0 <= number <= AMOUNT_MINOR_MAX:
            raise _bad(name, number, f"0 to {AMOUNT_MINOR_MAX}")
    digits(facts.currency)
    for tier in facts.tiers:
        if not 1 <= len(tier) <= 64 or not tier.isprintable() or "," in tier:
            raise _bad("tiers", tier, "codes of tiers")
    if facts.tiers_until is not None and not facts.tiers:
        raise _bad("tiers_until", facts.tiers_until.isoformat(), "none, because it names no tiers")
    for name in facts.invented:
        if name not in FIELDS:
            raise _bad("invented", name, f"some of {', '.join(sorted(FIELDS))}")


def _upserting(
    tenant_id: int, products: Sequence[ProductFacts], ids: IdSource, now: datetime, by: str | None
) -> Unit[int]:
    latest: dict[str, ProductFacts] = {}
    for facts in products:
        known = latest.get(facts.external_id)
        if known is None or known.said_at <= facts.said_at:
            latest[facts.external_id] = facts
    rows = yield sql.LOCK(tenant_id, list(latest))
    stored = {row[1]: row for row in rows}
    effects = Effects()
    written, is_listed_anew = 0, False
    for name, facts in latest.items():
        columns = _columns(facts)
        row = stored.get(name)
        if row is None:
            effects.insert("product", {"id": ids.next(), "tenant_id": tenant_id} | columns)
            written, is_listed_anew = written + 1, True
            if by is not None:
                added(effects, ids.next(), tenant_id, now, _edited(by, name, ["created"]))
            continue
        *values, changed_at = row
        if micros(facts.said_at) < changed_at:
            continue
        held = dict(zip(sql.PRODUCT_COLUMNS, values, strict=True))
        different = {key for key in FIELDS | {"invented"} if columns[key] != held[key]}
        if different or micros(facts.said_at) != changed_at:
            # The moment counts although nothing else differs: it keeps older words out.
            effects.update("product", tenant_id, held["id"], **columns)
        written += bool(different)
        if different and by is not None:
            added(effects, ids.next(), tenant_id, now, _edited(by, name, sorted(different)))
        is_listed_anew |= bool(different & _LISTED)
    yield effects
    if is_listed_anew:
        yield sql.NEXT_REVISION(tenant_id)
    return written


def _edited(by: str, name: str, fields: list[str]) -> Deed:
    return deed(by, Action.PRODUCT_UPSERT, Subject.PRODUCT, name, fields=fields)


def _columns(facts: ProductFacts) -> dict[str, Any]:
    return {
        "external_id": facts.external_id,
        "name": facts.name,
        "category": facts.category,
        "department": facts.department,
        "type": facts.type,
        "brand": facts.brand,
        "image_url": facts.image_url,
        "price_minor": facts.price_minor,
        "currency": facts.currency,
        "cost_minor": facts.cost_minor,
        "stock": facts.stock,
        "tiers": ",".join(facts.tiers),
        "tiers_until": None if facts.tiers_until is None else micros(facts.tiers_until),
        "invented": ",".join(facts.invented),
        "is_active": facts.is_active,
        "changed_at": facts.said_at,
    }


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def listing_of(parts: Sequence[object]) -> str:
    """A short name for a listing: what is searched for has no place in a key."""
    text = repr(parts).encode("utf-8", "backslashreplace")
    return hashlib.sha256(text).hexdigest()[:32]


def _bad(name: str, value: object, wanted: str) -> BadInput:
    first, *rest = name.removesuffix("_minor").split("_")
    field = first + "".join(word.title() for word in rest)
    return BadInput(f"found {field} {str(value)[:40]!r}, wanted {wanted}", field=("input", field))
