"""Forgetting what is kept for a while only: outcomes of idempotency keys, and events of
recommendations.

Order id, refund id and delivery id stand behind the keys for ever, so a request repeated after
this moves nothing twice either; it is answered by what it finds instead of by its first outcome.
"""

from datetime import timedelta
from typing import Final

from loyalty.clock import Clock
from loyalty.ids import first_id_at
from loyalty.storage import purging as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Statement, Unit

KEPT: Final = timedelta(days=30)
"""How long a key's first outcome is given again."""
BATCH: Final = 500
"""Rows deleted in one transaction: on SQLite nobody else writes meanwhile."""
EVENTS_KEPT: Final = timedelta(days=90)
"""How long an event of a recommendation is kept, by default."""
ERASED_LATELY: Final = timedelta(days=2)


class Purging:
    """Deletes what is older than it is kept.

    Args:
        events_kept: for how long an event of a recommendation is kept.
    """

    def __init__(
        self, database: Database, clock: Clock, events_kept: timedelta = EVENTS_KEPT
    ) -> None:
        self._database = database
        self._clock = clock
        self._events_kept = events_kept

    async def due(self, tenant_id: int) -> int:
        """Forget the keys whose time is over; returns how many."""
        before = self._clock.now() - KEPT
        # Ids tell milliseconds: those of the one that ``before`` lies in are looked at too.
        below = first_id_at(before + timedelta(milliseconds=1))
        forgotten = 0
        while True:
            count = await self._deleted(sql.OLD_KEYS(tenant_id, below, before, BATCH))
            forgotten += count
            if count < BATCH:
                return forgotten

    async def events_due(self, tenant_id: int) -> int:
        """Forget the events whose time is over; returns how many. Counts and sales stay."""
        now = self._clock.now()
        below = first_id_at(now - self._events_kept)
        erased = await self._database.read(
            sql.ERASED_SINCE(tenant_id, first_id_at(now - ERASED_LATELY))
        )
        forgotten = 0
        if erased:
            # An event that was on its way while its member was erased came after it.
            forgotten += await self._deleted(
                sql.EVENTS_OF(tenant_id, [int(id) for (id,) in erased])
            )
        for old in (sql.OLD_EVENTS, sql.OLD_PURCHASES):
            while count := await self._deleted(old(tenant_id, below, BATCH)):
                forgotten += count
                if count < BATCH:
                    break
        return forgotten

    async def _deleted(self, statement: Statement) -> int:
        def unit() -> Unit[int]:
            return len((yield statement))

        return await self._database.write(unit)
