"""Booking what has happened by itself, for members whom nobody asks about.

Every answer and every booking settles what is due by the clock, so nothing depends on this. It
keeps stored rows from lagging far behind, and it tells subscribers that points became active, a
hold timed out or a tier ended.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.clock import Clock
from loyalty.services.books.desk import Desk, Idempotent, MemberChanged, Needs
from loyalty.services.books.door import Door
from loyalty.storage import quotas as quotas_sql
from loyalty.storage import settling as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Unit

BATCH = 200
"""Members settled in one transaction."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Do nothing: the unit of work settles every member it locks."""

    tenant_id: int
    external_id: str
    idempotent: Idempotent | None = None
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(members=(self.external_id,))

    def decide(self, desk: Desk) -> dict[str, Any]:
        member_id = desk.names.get(self.external_id)
        if member_id is not None:
            # Points that became active move no entry, and yet the member changed.
            desk.touch(member_id, "settled")
        return {"member": member_id}


class Settling:
    """Finds members with something due and settles them."""

    def __init__(
        self,
        database: Database,
        door: Door,
        clock: Clock,
        told: Callable[[Sequence[MemberChanged]], Awaitable[None]],
    ) -> None:
        self._database = database
        self._door = door
        self._clock = clock
        self._told = told

    async def due(self, tenant_id: int) -> int:
        """Settle every member of whom something is due now; returns how many."""
        now, after, settled = self._clock.now(), 0, 0
        while rows := await self._database.read(sql.DUE(tenant_id, after, now, BATCH)):
            commands = [Settle(tenant_id, name) for _, name in rows]
            booked = await self._door.execute(tenant_id, commands)
            await self._told(booked.changed)
            after = rows[-1][0]
            settled += len(booked.changed)
        await self.tidied(tenant_id)
        return settled

    async def tidied(self, tenant_id: int) -> int:
        """Mark coupon uses and stock that were held past their time as released; how many.

        They are free by the clock already, and a late commit holds again what it needs.
        """
        now = self._clock.now()

        def unit() -> Unit[int]:
            return len((yield quotas_sql.TIMED_OUT(tenant_id, now)))

        return await self._database.write(unit)
