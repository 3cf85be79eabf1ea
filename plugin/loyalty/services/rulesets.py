"""Rulesets in memory, and how a new version is published.

A version never changes, so what was read once stays, and a process that has not read it yet finds
its text in the cache. Which version is current is always asked of the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.cache import Cache, keys
from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant
from loyalty.domain.registry import Registry
from loyalty.domain.rulesets.ruleset import Ruleset
from loyalty.domain.rulesets.ruleset_file import read_ruleset, ruleset_hash
from loyalty.domain.tier_rules import with_past
from loyalty.errors import BadRuleset, NotFound, VersionConflict
from loyalty.services.audit import Action, Subject, added, deed
from loyalty.storage import ledger as ledger_sql
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

    def known(
        self, tenant_id: int, version: int, rows: Sequence[Sequence[Any]] | None
    ) -> Ruleset | None:
        """A version from memory, or read from its row and kept.

        Args:
            rows: text, moment of publication and number of each version up to this one.
        """
        found = self._known.get((tenant_id, version))
        if found is None and rows:
            source, at, _ = rows[-1]
            read = read_ruleset(source, self._registry, version=version)
            found = with_past(read, instant(at), self._earlier(tenant_id, rows[:-1]))
            self._known[tenant_id, version] = found
        return found

    def _earlier(
        self, tenant_id: int, rows: Sequence[Sequence[Any]]
    ) -> list[tuple[Ruleset, datetime]]:
        """Versions before one, with when each was published."""
        found = []
        for source, at, version in rows:
            read = self._known.get((tenant_id, version))
            try:
                read = read or read_ruleset(source, self._registry, version=version)
            except BadRuleset:
                # Of a kind that is not installed any more. The version before it stands in.
                continue
            found.append((read, instant(at)))
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

    async def time_zone(self, tenant_id: int) -> str:
        """Where the tenant's days begin and end; UTC before its first program."""
        try:
            return (await self.current(tenant_id)).time_zone
        except NotFound:
            return "UTC"

    async def version(self, tenant_id: int, version: int) -> Ruleset:
        """One version, in force or not. Raises NotFound."""
        found = self.known(tenant_id, version, None)
        if found is None:
            own = await self._row(tenant_id, version)
            earlier: Sequence[Sequence[Any]] = ()
            if version > 1:
                statement = ledger_sql.RULESET_SOURCES(tenant_id, version - 1)
                earlier = await self._database.read(statement)
            found = self.known(tenant_id, version, [*earlier, own])
            assert found is not None
        return found

    async def _row(self, tenant_id: int, version: int) -> tuple[str, int, int]:
        """The text as published, when, and the version.

        The text is the cache's if it is provably that, else the database's.
        """
        rows = await self._database.read(sql.HASH(tenant_id, version))
        if not rows:
            raise NotFound("ruleset version", str(version))
        digest, at = rows[0]
        key = keys.ruleset(tenant_id, version)
        cached = await self._cache.get(key)
        if cached is not None:
            # Rules decide what moves. A Redis that outlived a database restored from a backup, or
            # is shared by mistake, holds another text under the same number. Bytes that are not
            # text become a text that hashes to something else.
            source = cached.decode(errors="replace")
            if ruleset_hash(source) == digest:
                return source, at, version
        source = str((await self._database.read(sql.SOURCE(tenant_id, version)))[0][0])
        await self._cache.put(key, source.encode(), keys.RULESET.ttl_s or 1)
        return source, at, version

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
