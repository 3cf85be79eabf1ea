"""Tenants: each is one shop, and everything belongs to exactly one."""

from dataclasses import dataclass

from loyalty.clock import Clock
from loyalty.errors import AlreadyExists, BadInput, NotFound
from loyalty.services.audit import COMMAND_LINE, Action, Subject, added, deed
from loyalty.storage import access as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.problems import DuplicateKey
from loyalty.storage.statements import Unit


@dataclass(frozen=True, slots=True)
class Tenant:
    """One shop or brand."""

    id: int
    code: str
    name: str


class Tenants:
    """Creates and finds tenants."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, code: str, name: str, by: str = COMMAND_LINE) -> Tenant:
        """Raises AlreadyExists when the code is taken."""
        if not code.isidentifier() or len(code) > 64:
            raise BadInput(f"found tenant code {code[:80]!r}, wanted letters, digits and _")
        now, event_id = self._clock.now(), self._database.ids.next()
        done = deed(by, Action.TENANT_CREATE, Subject.TENANT, code)

        def unit() -> Unit[Tenant]:
            rows = yield sql.TENANTS()
            tenant_id = max((row[0] for row in rows), default=0) + 1
            effects = Effects()
            effects.insert(
                "tenant", {"id": tenant_id, "code": code, "name": name, "created_at": now}
            )
            # Shopper tokens of this issuer are signed with a secret derived for the tenant.
            effects.insert(
                "token_issuer",
                {
                    "id": tenant_id,
                    "tenant_id": tenant_id,
                    "issuer": code,
                    "algorithm": "HS256",
                    "audience": None,
                },
            )
            added(effects, event_id, tenant_id, now, done)
            yield effects
            return Tenant(tenant_id, code, name)

        try:
            return await self._database.write(unit)
        except DuplicateKey as duplicate:
            raise AlreadyExists(f"there is a tenant {code!r} already") from duplicate

    async def named(self, code: str) -> Tenant:
        rows = await self._database.read(sql.TENANT_BY_CODE(code))
        if not rows:
            raise NotFound("tenant", code)
        return Tenant(*rows[0])

    async def all(self) -> list[Tenant]:
        return [Tenant(*row) for row in await self._database.read(sql.TENANTS())]
