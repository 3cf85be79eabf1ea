"""What happens to a whole membership: merged, parted again, erased, exported."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from loyalty.clock import Clock
from loyalty.secrets import SecretKey
from loyalty.services.access import Scope, Viewer
from loyalty.services.audit import Action, Subject, added, deed
from loyalty.services.books.desk import Command, Idempotent, MemberChanged
from loyalty.services.books.door import Door, outcome_of
from loyalty.services.checkout.checkout import Done, idempotent
from loyalty.services.credentials import Credentials
from loyalty.services.members.erasure import OPERATION, Erase
from loyalty.services.members.member_export import ImportToCheck, exported, imports_to_check
from loyalty.services.members.merging import Merge, Unmerge
from loyalty.services.recommendations.recommendations import Recommendations
from loyalty.services.tenants import Tenants
from loyalty.storage import merges as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects
from loyalty.storage.statements import Unit

Told = Callable[[Sequence[MemberChanged]], Awaitable[None]]

log = structlog.get_logger(__name__)


class Membership:
    """Merges, parts, erases and exports members. Each is a unit of work of its own."""

    def __init__(
        self,
        database: Database,
        door: Door,
        clock: Clock,
        secret: SecretKey,
        told: Told,
        tenants: Tenants,
        credentials: Credentials,
        recommendations: Recommendations,
    ) -> None:
        self._database = database
        self._door = door
        self._clock = clock
        self._secret = secret
        self._told = told
        self._tenants = tenants
        self._credentials = credentials
        self._recommendations = recommendations

    async def merge(self, viewer: Viewer, key: str, source: str, target: str) -> Done:
        """Make a guest or a duplicate part of a member.

        Raises:
            NotFound: one of them is not there. Conflict: the source is gone, set aside or part of
                somebody else. MemberNotActive: the target is not active.
        """
        viewer.require(Scope.MEMBERS_WRITE)
        once = idempotent(viewer, "memberMerge", key, [source, target])
        return await self._done(Merge(viewer.tenant_id, once, source, target, viewer.client))

    async def unmerge(self, viewer: Viewer, key: str, source: str) -> Done:
        """Part a source again. Raises NotFound, Conflict."""
        viewer.require(Scope.MEMBERS_WRITE)
        once = idempotent(viewer, "memberUnmerge", key, [source])
        return await self._done(Unmerge(viewer.tenant_id, once, source, viewer.client))

    async def erase(self, viewer: Viewer, key: str, member: str) -> Done:
        """Take away everything personal of a member. Merchants only. Raises NotFound."""
        viewer.require(Scope.ADMIN)
        tenant_id = viewer.tenant_id
        # Kept after the member is gone, so keyed: nobody can try names against it.
        body = self._secret.derive("erased", str(tenant_id), key, member).hex()
        once = Idempotent(viewer.client, OPERATION, key, body)
        names = await self._names(tenant_id, member)
        done = await self._done(Erase(tenant_id, once, member, viewer.client))
        await self._forgotten(tenant_id, names)
        return done

    async def imports_to_check(self, viewer: Viewer) -> list[ImportToCheck]:
        """Imports whose files of refused rows erasing cannot reach. Merchants only."""
        viewer.require(Scope.ADMIN)
        return await self._database.read_unit(lambda: imports_to_check(viewer.tenant_id))

    async def export(self, viewer: Viewer, member: str) -> dict[str, Any]:
        """Everything held about one member. Merchants only. Raises NotFound."""
        viewer.require(Scope.ADMIN)
        tenants = {tenant.id: tenant.code for tenant in await self._tenants.all()}
        now, tenant_id = self._clock.now(), viewer.tenant_id
        document = await self._database.read_unit(
            lambda: exported(tenant_id, tenants[tenant_id], member, now)
        )
        (shown,) = (row["id"] for row in document["members"] if row["mergedInto"] is None)
        done = deed(viewer.client, Action.MEMBER_EXPORT, Subject.MEMBER, shown)

        def unit() -> Unit[None]:
            effects = Effects()
            added(effects, self._database.ids.next(), tenant_id, now, done)
            yield effects

        await self._database.write(unit)
        return document

    async def _names(self, tenant_id: int, member: str) -> dict[int, str]:
        ids = [row[0] for row in await self._database.read(sql.GROUP(tenant_id, [member]))]
        rows = await self._database.read(sql.NAMES(tenant_id, ids))
        return {id: name for id, name, *_ in rows}

    async def _forgotten(self, tenant_id: int, names: dict[int, str]) -> None:
        """Drop what this process and the shared cache still hold of them."""
        self._credentials.forget(tenant_id, names.values())
        await self._recommendations.forget(tenant_id, list(names))
        await self._database.wiped()

    async def _done(self, command: Command) -> Done:
        booked = await self._door.execute(command.tenant_id, [command])
        try:
            await self._told(booked.changed)
        except Exception:
            # Booked is booked: a cache or a subscriber that fails must not say otherwise.
            log.exception("telling_failed")
        (verdict,) = booked.verdicts
        return Done(outcome_of(verdict), verdict.replayed)
