"""Members as their callers see them: enrol, edit, suspend, close."""

from datetime import datetime

from loyalty.errors import NotAllowed
from loyalty.services.access import Scope, Viewer, ViewerKind
from loyalty.services.books.desk import Command
from loyalty.services.books.door import Door, outcome_of
from loyalty.services.checkout.checkout import Done, idempotent
from loyalty.services.members.members import Enrol, Profile, SetState, UpdateMember


class Enrolment:
    """Changes members. A shopper changes only itself."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def enrol(
        self,
        viewer: Viewer,
        key: str,
        member: str | None,
        profile: Profile,
        joined_at: datetime | None = None,
    ) -> Done:
        """Make an active member. Raises AlreadyExists, BadInput."""
        name = self._name(viewer, member)
        body = [name, dict(profile.given), dict(profile.consents)]
        once = idempotent(viewer, "memberEnrol", key, body)
        command = Enrol(viewer.tenant_id, once, name, profile.checked(), joined_at)
        return await self._done(command)

    async def update(
        self,
        viewer: Viewer,
        member: str | None,
        profile: Profile,
        expected_version: int | None,
    ) -> Done:
        """Edit profile and consents. Raises NotFound, VersionConflict, BadInput."""
        name = self._name(viewer, member)
        by = viewer.client if viewer.kind is ViewerKind.MERCHANT else None
        return await self._done(
            UpdateMember(viewer.tenant_id, None, name, profile.checked(), expected_version, by)
        )

    async def set_state(self, viewer: Viewer, member: str, state: str, reason: str | None) -> Done:
        """Suspend, reactivate or close. Merchants only. Raises NotFound, Conflict."""
        viewer.require(Scope.ADMIN)
        return await self._done(
            SetState(viewer.tenant_id, None, member, state, reason, viewer.client)
        )

    @staticmethod
    def _name(viewer: Viewer, member: str | None) -> str:
        if viewer.kind is ViewerKind.SHOPPER:
            own = viewer.member_external_id or ""
            if member not in (None, own):
                raise NotAllowed("found another member's id, wanted your own")
            return own
        viewer.require(Scope.MEMBERS_WRITE)
        if member is None:
            raise NotAllowed("found no member, wanted the external id of one")
        return member

    async def _done(self, command: Command) -> Done:
        verdict = await self._door.submit(command)
        return Done(outcome_of(verdict), verdict.replayed)
