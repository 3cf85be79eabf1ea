"""Taking back what an order earned, decided anew as a whole with every refund of it.

Each step first undoes what earlier refunds of the order took from an account, as far as that
is still there, and then takes the cumulative target. So at one instant any split of a refund
ends where one refund ends (law 8): each step starts from the same lots.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from loyalty.domain.books.lots import Lot


class Owned(NamedTuple):
    """A lot the order earned: its points, and how many of them are to be taken back by now."""

    lot_id: int
    points: int
    target: int


@dataclass(frozen=True, slots=True)
class Took:
    """What an order's refunds took from one account so far.

    ``reversed`` is what counts for no tier by them, by lot the order earned, and ``own`` what
    that very lot gave; ``others`` by lot of the same account, ``owed`` what became a deficit,
    ``repaid`` what paid deficits from lots (points that were given back while the account owed
    some), ``final`` what of the others and the deficit can no more be undone, ``shortfall`` what
    neither lots nor a deficit gave: deducted, or left with the member.
    """

    reversed: Mapping[int, int] = field(default_factory=dict)
    own: Mapping[int, int] = field(default_factory=dict)
    others: Mapping[int, int] = field(default_factory=dict)
    owed: int = 0
    final: int = 0
    repaid: Mapping[int, int] = field(default_factory=dict)
    shortfall: int = 0

    @property
    def missing(self) -> int:
        """What should have been taken from lots and was spent already; an owed part included."""
        return self.owed + self.shortfall


@dataclass(frozen=True, slots=True)
class Retaking:
    """What a step changes: ``moved`` by lot and ``deficit_by``, both net; ``taken`` in all.

    ``taken`` = ``deficit_by`` - the sum of ``moved``.
    """

    after: Took
    moved: Mapping[int, int]
    deficit_by: int
    taken: int


def retaken(
    lots: Sequence[Lot],
    deficit: int,
    before: Took,
    owned: Sequence[Owned],
    at: datetime,
    *,
    may_owe: bool,
    repays: bool = True,
) -> Retaking:
    """Undo what was taken, as far as it is still there, and take what is to be taken by now.

    From the order's own lots first, then from the account's others, soonest expiry first. What
    both do not hold was spent: with ``may_owe`` it becomes a deficit, else it is a shortfall,
    to be tried again by the next step. What expired is gone without having been spent, so
    nobody owes it. A deficit is paid at once from what is active, as settling would do.

    Args:
        lots: of the account, settled up to ``at``, those that ended included where the order
            earned them.
        deficit: what the account owes.
        owned: what the order earned.
    """
    state = _State({lot.id: lot for lot in lots}, deficit, at)
    undone, final = state.undo(before)
    own, spent = state.take_own(before.own, owned, final)
    due = sum(max(item.target - own[item.lot_id], 0) for item in owned)
    # Never less than was taken before: points may have come back to a lot and expired there.
    wanted = min(max(spent - final, undone), due - final)
    others = state.take_others(max(wanted, 0))
    left = max(wanted, 0) - sum(others.values())
    if may_owe:
        state.deficit += left
    repaid = state.repay() if repays else {}
    targets = {item.lot_id: item.target for item in owned}
    after = Took(
        targets, own, others, left if may_owe else 0, final, repaid, 0 if may_owe else left
    )
    moved = state.moved()
    deficit_by = state.deficit - deficit
    return Retaking(after, moved, deficit_by, deficit_by - sum(moved.values()))


class _State:
    """An account's lots and deficit while they are decided about."""

    def __init__(self, lots: Mapping[int, Lot], deficit: int, at: datetime) -> None:
        self.deficit = deficit
        self._lots = lots
        self._at = at
        self._live = {
            lot.id: lot.remaining
            for lot in sorted(lots.values(), key=lambda lot: lot.drawn_by)
            if at < lot.ends_at
        }

    def undo(self, before: Took) -> tuple[int, int]:
        """Put back; returns what can be taken anew from elsewhere, and what is final."""
        for lot_id, points in before.repaid.items():
            if self._put_back(lot_id, points):
                self.deficit += points
        undone, final = 0, before.final
        for lot_id, points in before.others.items():
            if self._put_back(lot_id, points):
                undone += points
            else:
                final += points
        owed = min(before.owed, self.deficit)
        self.deficit -= owed
        for lot_id, points in before.own.items():
            self._put_back(lot_id, points)
        return undone + owed, final + before.owed - owed

    def take_own(
        self, before: Mapping[int, int], owned: Sequence[Owned], final: int
    ) -> tuple[dict[int, int], int]:
        """What each lot of the order gives, and how much of the rest was spent.

        No more in all than is to be taken: points may have come back to a lot after others
        gave for them for good.
        """
        own: dict[int, int] = {}
        spent = 0
        ended = [item for item in owned if item.lot_id not in self._live]
        wanted = sum(item.target for item in owned) - final
        wanted -= sum(before.get(item.lot_id, 0) for item in ended)
        for item in owned:
            # What was taken from a lot that ended since stays taken.
            taken = before.get(item.lot_id, 0)
            if item.lot_id in self._live:
                taken = self._take(item.lot_id, min(item.target, max(wanted, 0)))
                wanted -= taken
            own[item.lot_id] = taken
            lot = self._lots[item.lot_id]
            left = self._live.get(item.lot_id, lot.remaining)
            away = max(item.points - taken - left - lot.expired, 0)
            spent += max(min(item.target - taken, away), 0)
        return own, spent

    def take_others(self, points: int) -> dict[int, int]:
        """From whatever lots there are, soonest expiry first."""
        taken: dict[int, int] = {}
        for lot_id in list(self._live):
            part = self._take(lot_id, points)
            if part:
                taken[lot_id] = part
                points -= part
        return taken

    def repay(self) -> dict[int, int]:
        """Pay the deficit from what is active."""
        repaid: dict[int, int] = {}
        for lot_id in list(self._live) if self.deficit else ():
            if self._lots[lot_id].is_live(self._at):
                part = self._take(lot_id, self.deficit)
                if part:
                    repaid[lot_id] = part
                    self.deficit -= part
        return repaid

    def moved(self) -> dict[int, int]:
        """What each lot gained or lost, those that did neither left out."""
        return {
            lot_id: left - self._lots[lot_id].remaining
            for lot_id, left in self._live.items()
            if left != self._lots[lot_id].remaining
        }

    def _put_back(self, lot_id: int, points: int) -> bool:
        if lot_id not in self._live:
            return False
        self._live[lot_id] += points
        return True

    def _take(self, lot_id: int, points: int) -> int:
        part = min(self._live[lot_id], points)
        self._live[lot_id] -= part
        return part


def took_to_json(took: Took) -> list[Any]:
    """JSON-able values; ``took_from_json`` reads them back."""
    return [
        _pairs(took.reversed), _pairs(took.own), _pairs(took.others), took.owed, took.final,
        _pairs(took.repaid), took.shortfall,
    ]  # fmt: skip


def took_from_json(value: list[Any]) -> Took:
    reversed_, own, others, owed, final, repaid, shortfall = value
    return Took(
        _mapping(reversed_), _mapping(own), _mapping(others), owed, final, _mapping(repaid),
        shortfall,
    )  # fmt: skip


def _pairs(amounts: Mapping[int, int]) -> list[list[int]]:
    return [[lot_id, points] for lot_id, points in amounts.items()]


def _mapping(pairs: Sequence[Sequence[int]]) -> dict[int, int]:
    return {pair[0]: pair[1] for pair in pairs}
