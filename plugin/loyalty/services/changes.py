"""Telling caches and subscribers that a member changed, in this process and the others."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

import orjson

from loyalty.cache import Cache, Lagged, keys
from loyalty.services.books.desk import MemberChanged

LAGGED = "lagged"
"""Reason of a change that stands for any number that were missed; its version is 0."""


class Changes:
    """What has to happen after a commit."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def told(self, changed: Sequence[MemberChanged]) -> None:
        """Drop what is cached of the members, then tell their subscribers.

        In this order: whoever is told reads again, and must not find the old summary.

        Args:
            changed: a member once at most.
        """
        if changed:
            await asyncio.gather(*(self._tell(change) for change in changed))

    async def subscribe(
        self, tenant_id: int, member_id: int, external_id: str
    ) -> AsyncGenerator[MemberChanged, None]:
        """Changes of one member from now on, wherever they are booked; ends with the cache.

        A change says that the member should be read again. After messages may have been missed
        comes one with the reason ``LAGGED`` and version 0. An older version never follows a newer.
        """
        latest = 0
        async with self._cache.subscribe(keys.changes(tenant_id, member_id)) as events:
            async for event in events:
                if isinstance(event, Lagged):
                    yield MemberChanged(tenant_id, member_id, external_id, 0, LAGGED)
                    continue
                version, reason = orjson.loads(event.payload)
                if version > latest:
                    latest = version
                    yield MemberChanged(tenant_id, member_id, external_id, version, reason)

    async def _tell(self, change: MemberChanged) -> None:
        summary = keys.summary(change.tenant_id, change.member_id)
        await self._cache.invalidate(summary, change.version, keys.TOMBSTONE_TTL_S)
        # No external id: what is published holds nothing that names a person.
        payload = orjson.dumps([change.version, change.reason])
        await self._cache.publish(keys.changes(change.tenant_id, change.member_id), payload)


class CachedSummaries:
    """Members' raw summaries in the cache; see ``summary.SummaryCache``."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def get(self, tenant_id: int, member_id: int) -> bytes | None:
        found = await self._cache.get_versioned(keys.summary(tenant_id, member_id))
        return None if found is None else found[1]

    async def put(self, tenant_id: int, member_id: int, version: int, value: bytes) -> None:
        key = keys.summary(tenant_id, member_id)
        await self._cache.put_versioned(key, version, value, keys.SUMMARY.ttl_s or 1)
