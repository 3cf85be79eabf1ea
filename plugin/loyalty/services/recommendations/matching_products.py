"""All products that a filter leaves, where they are few."""

from collections.abc import Sequence
from datetime import datetime

import orjson

from loyalty.cache import Cache, keys
from loyalty.services.catalogue import listing_of
from loyalty.storage import catalogue as sql
from loyalty.storage.database import Database

MATCHES_MAX = 5_000
"""Products that a filter may leave to be listed as a whole."""


class MatchingProducts:
    """Lists them, once for a revision of the catalogue."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def ids(
        self,
        tenant_id: int,
        *,
        tier: str | None,
        at: datetime,
        currency: str,
        categories: Sequence[str] | None = None,
        price_minor_min: int | None = None,
        price_minor_max: int | None = None,
    ) -> list[str] | None:
        """External ids, in stock or not; None where there are more than ``MATCHES_MAX``.

        Args:
            tier: of the viewer, None for a guest.
            at: the present moment.
            currency: of the prices.
            categories: None: all.
        """
        revision, opened = (await self._database.read(sql.REVISION(tenant_id, at)))[0]
        prices = [price_minor_min, price_minor_max, currency]
        listing = listing_of(["matching", categories, *prices, tier, opened])
        key = keys.catalogue(tenant_id, revision, listing)
        cached = await self._cache.get(key)
        if cached is not None:
            found: list[str] | None = orjson.loads(cached)
            return found
        named = categories is not None
        statement = sql.MATCHING(
            tenant_id, tier or "", named, list(categories or ()), *prices, at, MATCHES_MAX + 1
        )
        rows = await self._database.read(statement)
        found = None if len(rows) > MATCHES_MAX else [row[0] for row in rows]
        await self._cache.put(key, orjson.dumps(found), keys.CATALOGUE.ttl_s or 1)
        return found
