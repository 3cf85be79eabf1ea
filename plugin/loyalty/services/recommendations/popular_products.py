"""What the latest orders hold most: the ranking of a shop whose first model is still to come."""

import asyncio

import orjson

from loyalty.cache import Cache, SingleFlight, keys
from loyalty.storage import interactions as sql
from loyalty.storage.database import Database
from loyalty_recommender.windows import Window

ORDERS_MAX = 5_000
"""Latest orders that tell what is popular while no model has been trained."""
POPULAR_MAX = 1_000
"""Products of that ranking at most."""
RECOUNT_S = 30
"""How long a process keeps that ranking, in seconds, so that nobody pays for the count (0.15 s at
1.4 million lines) again and again while the cache is away."""

NO_MODEL = "none"


class PopularProducts:
    """Counts once for all who ask at the same time."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache
        self._counting: SingleFlight[list[str]] = SingleFlight()
        self._kept: dict[int, tuple[list[str], int]] = {}

    async def ids(self, tenant_id: int) -> list[str]:
        """External ids, the most bought first."""
        now_s = int(asyncio.get_running_loop().time())
        ids, until_s = self._kept.get(tenant_id, ([], now_s))
        if now_s >= until_s:
            key = keys.recommendations_popular(tenant_id, Window.TRENDING, NO_MODEL)
            ids = await self._counting.run(key, lambda: self._counted(tenant_id, key))
            self._kept[tenant_id] = (ids, now_s + RECOUNT_S)
        return ids

    async def _counted(self, tenant_id: int, key: str) -> list[str]:
        cached = await self._cache.get(key)
        if cached is not None:
            ids: list[str] = orjson.loads(cached)
            return ids
        rows = await self._database.read(sql.POPULAR(tenant_id, ORDERS_MAX, POPULAR_MAX))
        found = [row[0] for row in rows]
        await self._cache.put(key, orjson.dumps(found), keys.RECOMMENDATIONS.ttl_s or 1)
        return found
