"""Forgetting what is kept for a while only: the outcomes of idempotency keys.

Order id, refund id and delivery id stand behind the keys for ever, so a request repeated after
this moves nothing twice either; it is answered by what it finds instead of by its first outcome.
"""

from datetime import timedelta
from typing import Final

from loyalty.clock import Clock
from loyalty.ids import first_id_at
from loyalty.storage import purging as sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Unit

KEPT: Final = timedelta(days=30)
"""How long a key's first outcome is given again."""
BATCH: Final = 500
"""Rows deleted in one transaction: on SQLite nobody else writes meanwhile."""


class Purging:
    """Deletes what is older than it is kept."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def due(self, tenant_id: int) -> int:
        """Forget the keys whose time is over; returns how many."""
        before = self._clock.now() - KEPT
        # Ids tell milliseconds: those of the one that ``before`` lies in are looked at too.
        below = first_id_at(before + timedelta(milliseconds=1))
        forgotten = 0
        while True:

            def unit() -> Unit[int]:
                return len((yield sql.OLD_KEYS(tenant_id, below, before, BATCH)))

            count = await self._database.write(unit)
            forgotten += count
            if count < BATCH:
                return forgotten
