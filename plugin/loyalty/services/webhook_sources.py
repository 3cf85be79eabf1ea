"""Senders of events: each belongs to one tenant and signs with a secret of its own."""

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant
from loyalty.errors import AlreadyExists, BadInput
from loyalty.services.audit import COMMAND_LINE, Action, Subject, added, deed
from loyalty.services.credentials import Credentials
from loyalty.storage import access as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.problems import DuplicateKey
from loyalty.storage.statements import Unit

KINDS: Final = frozenset({"generic"})
"""Dialects that a connector reads."""
NOBODY: Final = 0
"""Tenant of a source that does not exist; no secret of it is ever given out."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """A sender. ``secret`` verifies its deliveries."""

    tenant_id: int
    name: str
    kind: str
    secret: bytes

    @property
    def exists(self) -> bool:
        return self.tenant_id != NOBODY

    @property
    def secret_text(self) -> str:
        """The secret as the sender's configuration wants it."""
        return "whsec_" + base64.b64encode(self.secret).decode()


class WebhookSources:
    """Creates and finds senders."""

    def __init__(self, database: Database, clock: Clock, credentials: Credentials) -> None:
        self._database = database
        self._clock = clock
        self._credentials = credentials

    async def named(self, name: str, kind: str) -> WebhookSource:
        """The source of that name; one that does not exist where there is none.

        Its secret is derived and compared like any other, so that an answer takes as long
        either way and says nothing about which names there are.
        """
        rows = []
        if _NAME.fullmatch(name):
            rows = await self._database.read(sql.WEBHOOK_SOURCE(name))
        tenant_id = int(rows[0][0]) if rows and rows[0][1] == kind else NOBODY
        return self._source(tenant_id, name, kind)

    async def create(
        self, tenant_id: int, name: str, kind: str = "generic", by: str = COMMAND_LINE
    ) -> WebhookSource:
        """Make a source. Its name is part of its address, so no two tenants have the same.

        Raises:
            BadInput: a name or kind that is not one. AlreadyExists: the name is taken.
        """
        if not _NAME.fullmatch(name):
            raise BadInput(f"found source {name[:80]!r}, wanted 1 to 64 of A-Z a-z 0-9 . _ -")
        if kind not in KINDS:
            raise BadInput(f"found kind {kind[:40]!r}, wanted one of {', '.join(sorted(KINDS))}")
        now = self._clock.now()
        done = deed(by, Action.WEBHOOK_SOURCE_CREATE, Subject.WEBHOOK_SOURCE, name, dialect=kind)

        def unit() -> Unit[None]:
            effects = Effects()
            added(effects, self._database.ids.next(), tenant_id, now, done)
            effects.insert(
                "webhook_source",
                {
                    "id": self._database.ids.next(),
                    "tenant_id": tenant_id,
                    "source": name,
                    "kind": kind,
                    "created_at": now,
                },
            )
            yield effects

        try:
            await self._database.write(unit)
        except DuplicateKey as duplicate:
            raise AlreadyExists(f"there is a source {name!r} already") from duplicate
        return self._source(tenant_id, name, kind)

    async def all(self, tenant_id: int) -> list[tuple[WebhookSource, datetime]]:
        """A tenant's sources in force, and when each was made."""
        rows = await self._database.read(sql.WEBHOOK_SOURCES(tenant_id))
        return [
            (self._source(tenant_id, name, kind), instant(created_at))
            for name, kind, created_at in rows
        ]

    def _source(self, tenant_id: int, name: str, kind: str) -> WebhookSource:
        secret = self._credentials.webhook_secret(tenant_id, name)
        return WebhookSource(tenant_id, name, kind, secret)
