"""Rulesets in memory, and how a new version is published.

A version never changes, so what was read once stays, and a process that has not read it yet finds
its text in the cache. Which version is current is always asked of the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty.cache import Cache, keys
from loyalty.clock import Clock
from loyalty.domain.ledger import instant
from loyalty.domain.registry import Registry
from loyalty.domain.ruleset import Ruleset
from loyalty.domain.ruleset_file import read_ruleset, ruleset_hash
from loyalty.errors import NotFound, VersionConflict
from loyalty.services.audit import Action, Subject, added, deed
from loyalty.storage import rulesets as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Unit


@dataclass(frozen=True, slots=True)
class Published:
    """One version as it was published."""

    version: int
    hash: str
    source: str
    published_at: datetime
    published_by: str


class Rulesets:
    """Reads rulesets once and publishes new versions."""

    def __init__(self, database: Database, cache: Cache, registry: Registry, clock: Clock) -> None:
        self._database = database
        self._cache = cache
        self._registry = registry
        self._clock = clock
        self._known: dict[tuple[int, int], Ruleset] = {}

    def known(self, tenant_id: int, version: int, source: str | None) -> Ruleset | None:
        """A version from memory, or read from ``source`` and kept."""
        found = self._known.get((tenant_id, version))
        if found is None and source is not None:
            found = read_ruleset(source, self._registry, version=version)
            self._known[tenant_id, version] = found
        return found

    async def current(self, tenant_id: int) -> Ruleset:
        """The version in force now.

        Raises:
            NotFound: the tenant has published none.
        """
        rows = await self._database.read(sql.CURRENT_VERSION(tenant_id))
        if not rows or not rows[0][0]:
            raise NotFound("published program of tenant", str(tenant_id))
        return await self.version(tenant_id, rows[0][0])

    async def version(self, tenant_id: int, version: int) -> Ruleset:
        """One version, in force or not. Raises NotFound."""
        found = self.known(tenant_id, version, None)
        if found is None:
            found = self.known(tenant_id, version, await self._source(tenant_id, version))
            assert found is not None
        return found

    async def _source(self, tenant_id: int, version: int) -> str:
        """The text as published: the cache's if it is provably that, else the database's."""
        rows = await self._database.read(sql.HASH(tenant_id, version))
        if not rows:
            raise NotFound("ruleset version", str(version))
        key = keys.ruleset(tenant_id, version)
        cached = await self._cache.get(key)
        if cached is not None:
            # Rules decide what moves. A Redis that outlived a database restored from a backup, or
            # is shared by mistake, holds another text under the same number. Bytes that are not
            # text become a text that hashes to something else.
            source = cached.decode(errors="replace")
            if ruleset_hash(source) == rows[0][0]:
                return source
        source = str((await self._database.read(sql.SOURCE(tenant_id, version)))[0][0])
        await self._cache.put(key, source.encode(), keys.RULESET.ttl_s or 1)
        return source

    def validated(self, source: str) -> Ruleset:
        """Read without publishing; raises BadRuleset with every problem."""
        return read_ruleset(source, self._registry)

    async def publish(
        self, tenant_id: int, source: str, by: str, *, expected_version: int | None = None
    ) -> Published:
        """Make ``source`` the tenant's next version; the same text again changes nothing.

        Raises:
            BadRuleset: it does not hold together. VersionConflict: another edit came first.
        """
        self.validated(source)
        now, event_id = self._clock.now(), self._database.ids.next()
        return await self._database.write(
            lambda: _publish(tenant_id, source, by, expected_version, now, event_id)
        )

    async def published(self, tenant_id: int, version: int) -> Published:
        """One version as it was published. Raises NotFound."""
        rows = await self._database.read(sql.PUBLISHED(tenant_id, version))
        if not rows:
            raise NotFound("ruleset version", str(version))
        return _published(rows[0])

    async def history(self, tenant_id: int, first: int) -> Sequence[Published]:
        """The latest versions, newest first."""
        rows = await self._database.read(sql.HISTORY(tenant_id, first))
        return [_published(row) for row in rows]


def _publish(
    tenant_id: int, source: str, by: str, expected: int | None, now: datetime, event_id: int
) -> Unit[Published]:
    current = (yield sql.LOCK_TENANT(tenant_id))[0][0]
    if expected is not None and expected != current:
        raise VersionConflict(expected, current)
    digest = ruleset_hash(source)
    latest = yield sql.PUBLISHED(tenant_id, current)
    if latest and latest[0][1] == digest:
        return _published(latest[0])
    version = current + 1
    effects = Effects()
    effects.insert(
        "ruleset",
        {
            "id": tenant_id * 1_000_000 + version,
            "tenant_id": tenant_id,
            "version": version,
            "source": source,
            "hash": digest,
            "published_at": now,
            "published_by": by,
        },
    )
    done = deed(by, Action.RULESET_PUBLISH, Subject.RULESET, version, before=current, hash=digest)
    added(effects, event_id, tenant_id, now, done)
    yield effects
    yield sql.POINT_AT(tenant_id, version)
    return Published(version, digest, source, now, by)


def _published(row: Sequence[object]) -> Published:
    version, digest, source, at, by = row
    assert isinstance(version, int)
    assert isinstance(at, int)
    return Published(version, str(digest), str(source), instant(at), str(by))
