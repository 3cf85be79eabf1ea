"""A member's accounts as loaded under the lock, and what was recorded of them since."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from loyalty.domain.ledger import Transaction
from loyalty.domain.lots import NEVER, Draw, Lot
from loyalty.domain.tiers import Standing, TierChange


@dataclass(frozen=True, slots=True)
class Hold:
    """Points set aside for one reservation."""

    reservation_id: int
    expires_at: datetime
    draws: tuple[Draw, ...]

    def points(self, unit: str) -> int:
        return sum(draw.amount for draw in self.draws if draw.unit == unit)


@dataclass(slots=True)
class Accounts:
    """A member's accounts as loaded: lots by id, deficits by unit, open holds, tier, chain."""

    tenant_id: int
    member_id: int
    seq: int
    hash: bytes
    settled_at: datetime
    booked_at: datetime
    standing: Standing
    lots: dict[int, Lot] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    deficits: dict[str, int] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)


@dataclass(slots=True)
class Changes:
    """What was recorded and has to be booked."""

    transactions: list[Transaction] = field(default_factory=list)
    lots_opened: set[int] = field(default_factory=set)
    lots_moved: set[int] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    tier_changes: list[TierChange] = field(default_factory=list)
    holds_opened: list[Hold] = field(default_factory=list)
    holds_expired: list[int] = field(default_factory=list)
    holds_moved: dict[int, datetime] = field(default_factory=dict)


class Mark(NamedTuple):
    """A point to go back to."""

    accounts: tuple[object, ...]
    changes: tuple[object, ...]


class Reversal(NamedTuple):
    """What taking back an earning found: points taken, and the part that was already spent."""

    taken: int
    shortfall: int


def next_change_at(accounts: Accounts, tier_change_at: datetime | None) -> datetime:
    """The next instant at which the member's accounts change by themselves; NEVER if none."""
    after = accounts.settled_at
    instants = [hold.expires_at for hold in accounts.holds.values()]
    for lot in accounts.lots.values():
        if lot.remaining:
            instants += [at for at in (lot.available_at, lot.ends_at) if at > after]
    if tier_change_at is not None:
        instants.append(tier_change_at)
    return min(instants, default=NEVER)
