"""When accounts change by themselves next, kept up to date as points are earned.

Looking through all of a member's lots for each booking would make an import of a year's
orders quadratic. Earning, by far the most frequent booking, only adds to what lies ahead;
whatever else moves drops the outlook, and the next question makes a new one.
"""

from collections.abc import Iterable
from datetime import datetime
from heapq import heapify, heappop, heappush

from loyalty.domain.books.lots import NEVER, Lot


class Outlook:
    """What lies ahead of accounts settled up to ``at``.

    Args:
        ruleset_version: of the rules it was made by; under others it says nothing.
        point_type: what counts for tiers.
        is_settled: whether nothing is due or owed already.
    """

    __slots__ = ("_due", "_pending", "is_settled", "point_type", "qualifying", "ruleset_version")

    def __init__(
        self,
        ruleset_version: int,
        point_type: str,
        lots: Iterable[Lot],
        holds_end: Iterable[datetime],
        at: datetime,
        *,
        is_settled: bool,
    ) -> None:
        self.ruleset_version = ruleset_version
        self.point_type = point_type
        self.is_settled = is_settled
        self.qualifying = 0
        self._due: list[datetime] = list(holds_end)
        self._pending: list[datetime] = []
        heapify(self._due)
        for lot in lots:
            self.add(lot, at)

    def add(self, lot: Lot, at: datetime) -> None:
        """Count a lot in, at a moment up to which everything before is settled."""
        begins, ends = lot.available_at, lot.ends_at
        if ends <= at:
            self.is_settled = self.is_settled and not lot.remaining
            return
        if lot.unit == self.point_type and lot.reversed < lot.amount:
            if begins <= at:
                self.qualifying += lot.amount - lot.reversed
            else:
                # A tier may move when it begins to count.
                heappush(self._due, begins)
            heappush(self._due, ends)
        elif lot.remaining:
            if begins > at:
                heappush(self._pending, begins)
            heappush(self._due, ends)

    def is_quiet_until(self, at: datetime) -> bool:
        """Whether nothing has to be booked or judged up to and including ``at``."""
        return self.is_settled and (not self._due or at < self._due[0])

    def next_change_at(self, at: datetime) -> datetime:
        """The next instant after ``at`` at which balance or tier change; NEVER if none."""
        for instants in (self._due, self._pending):
            while instants and instants[0] <= at:
                heappop(instants)
        return min((heap[0] for heap in (self._due, self._pending) if heap), default=NEVER)
