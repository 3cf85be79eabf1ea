"""Who holds value in ``shop_model``, and what several share: lots, holds, counters."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shop_tiers import Standing


class Refused(Exception):
    """What is asked for is not done; ``code`` is what a caller is told."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(eq=False)
class Lot:
    """Value that came together. ``ends`` None: never. ``number``: the lots' sequence."""

    unit: str
    amount: int
    left: int
    starts: datetime
    ends: datetime | None
    number: int
    uncounted: int = 0
    expired: int = 0

    def is_over(self, at: datetime) -> bool:
        return self.ends is not None and self.ends <= at

    def is_live(self, at: datetime) -> bool:
        return self.starts <= at and not self.is_over(at)

    @property
    def soonest(self) -> tuple[Any, ...]:
        """What expires first is drawn first."""
        return self.ends is None, self.ends or self.starts, self.starts, self.number


@dataclass(eq=False)
class Hold:
    """What one holder set aside for one reservation: pairs of a lot and an amount."""

    ends: datetime
    draws: list[tuple[Lot, int]]


@dataclass(eq=False)
class Holder:
    """A member, or a gift card: lots, debts and holds, settled up to a moment."""

    state: str
    moment: datetime
    lots: list[Lot] = field(default_factory=list)
    owed: dict[str, int] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    standing: Standing | None = None

    def standing_at(self, at: datetime) -> str:
        assert self.standing is not None
        return self.standing.at(at)

    def live(self, unit: str) -> list[Lot]:
        lots = [x for x in self.lots if x.unit == unit and x.left and x.is_live(self.moment)]
        return sorted(lots, key=lambda lot: lot.soonest)

    def available(self, unit: str) -> int:
        return sum(lot.left for lot in self.live(unit)) - self.owed.get(unit, 0)

    def settle(self, now: datetime) -> bool:
        """Let happen what is due by now: holds end, debts are paid, lots expire. Never back."""
        before, start = self._figures(), self.moment
        self.moment = at = max(now, self.moment)
        freed: dict[Lot, datetime] = {}
        for id, hold in sorted(self.holds.items(), key=lambda item: (item[1].ends, item[0])):
            if hold.ends <= at:
                self.release(id)
                freed.update({lot: hold.ends for lot, _ in hold.draws})
        active = [
            (max(lot.starts, start, freed.get(lot, start)), lot)
            for lot in self.lots
            if lot.left and lot.starts <= at
        ]
        for when, lot in sorted(active, key=lambda item: (item[0], item[1].soonest)):
            if not lot.is_over(when):
                part = min(lot.left, self.owed.get(lot.unit, 0))
                lot.left -= part
                self.owed[lot.unit] = self.owed.get(lot.unit, 0) - part
        for lot in self.lots:
            if lot.is_over(at):
                lot.expired, lot.left = lot.expired + lot.left, 0
        return self._figures() != before

    def _figures(self) -> object:
        return [(lot.left, lot.expired) for lot in self.lots], sorted(self.holds)

    def hold(self, id: int, unit: str, amount: int, ends: datetime, code: str) -> None:
        if self.available(unit) < amount:
            raise Refused(code)
        hold = self.holds.setdefault(id, Hold(ends, []))
        hold.draws += self.draw(unit, amount)

    def draw(self, unit: str, amount: int) -> list[tuple[Lot, int]]:
        drawn = []
        for lot in self.live(unit):
            part = min(lot.left, amount)
            if part:
                lot.left -= part
                amount -= part
                drawn.append((lot, part))
        assert not amount
        return drawn

    def release(self, id: int) -> None:
        for lot, amount in self.holds.pop(id).draws:
            lot.left += amount

    def shown(self, unit: str, at: datetime) -> tuple[int, int, int, int]:
        """Available, pending, held, owed."""
        lots = [lot for lot in self.lots if lot.unit == unit and not lot.is_over(at)]
        pending = sum(lot.left for lot in lots if lot.starts > at)
        held = sum(n for hold in self.holds.values() for lot, n in hold.draws if lot.unit == unit)
        return self.available(unit), pending, held, self.owed.get(unit, 0)


@dataclass(eq=False)
class Use:
    """A use of something that several share: HELD, USED, RELEASED or RESTORED."""

    member: str | None
    quantity: int
    state: str
    ends: datetime

    def is_held(self, now: datetime) -> bool:
        return self.state == "HELD" and now < self.ends


@dataclass(eq=False)
class Counter:
    """A coupon or a stock; ``uses`` by reservation."""

    total: int | None
    each: int | None = None
    is_revoked: bool = False
    uses: dict[int, Use] = field(default_factory=dict)

    @property
    def used(self) -> int:
        return sum(use.quantity for use in self.uses.values() if use.state == "USED")

    def held(self, now: datetime) -> int:
        return sum(use.quantity for use in self.uses.values() if use.is_held(now))


@dataclass(eq=False)
class Reservation:
    """A quote that is held; ``offer`` is what the quote takes and promises.

    ``drawn``: the member's lots that it drew on when it was held last.
    """

    offer: dict[str, Any]
    state: str
    ends: datetime
    limit: datetime
    drawn: list[Lot] = field(default_factory=list)


@dataclass(eq=False)
class Correction:
    """A merchant's correction: PROPOSED, BOOKED or DECLINED. ``ends``: of what it adds.

    ``decided_by`` None of a booked one: on the word of who made it alone.
    """

    member: str
    unit: str
    amount: int
    ends: datetime | None
    may_owe: bool
    by: str
    made: datetime
    state: str = "PROPOSED"
    decided_by: str | None = None
