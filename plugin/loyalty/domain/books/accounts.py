"""A holder's accounts as loaded under the lock, and what was recorded of them since."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from loyalty.domain.books.ledger import Transaction
from loyalty.domain.books.lots import Draw, Lot
from loyalty.domain.books.outlook import Outlook
from loyalty.domain.tiers import Standing, TierChange


class DrawState(StrEnum):
    """What became of value that was set aside."""

    HELD = "HELD"
    SPENT = "SPENT"
    GIVEN_BACK = "GIVEN_BACK"


@dataclass(frozen=True, slots=True)
class Hold:
    """Value set aside by one holder for one reservation."""

    reservation_id: int
    expires_at: datetime
    draws: tuple[Draw, ...]

    def points(self, unit: str) -> int:
        return sum(draw.amount for draw in self.draws if draw.unit == unit)


@dataclass(slots=True)
class Accounts:
    """A holder's accounts as loaded: lots by id, deficits by unit, open holds, tier, chain.

    The holder is a member, or not (``is_member``): the money of a gift card. ``outlook`` is
    derived from the rest; None: to be made when it is asked for.
    """

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
    outlook: Outlook | None = None
    is_member: bool = True

    def outlook_under(self, ruleset_version: int, point_type: str) -> Outlook:
        """What lies ahead of the moment they are settled up to, ``point_type`` making tiers."""
        known = self.outlook
        if known is None or known.ruleset_version != ruleset_version:
            known = self.outlook = Outlook(
                ruleset_version,
                point_type,
                self.lots.values(),
                [hold.expires_at for hold in self.holds.values()],
                self.settled_at,
                is_settled=not any(self.deficits.values()),
            )
        return known


@dataclass(slots=True)
class Changes:
    """What was recorded and has to be booked."""

    transactions: list[Transaction] = field(default_factory=list)
    lots_opened: set[int] = field(default_factory=set)
    lots_moved: set[int] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    tier_changes: list[TierChange] = field(default_factory=list)
    holds_opened: list[Hold] = field(default_factory=list)
    holds_closed: dict[int, tuple[Hold, DrawState]] = field(default_factory=dict)
    holds_expired: list[int] = field(default_factory=list)
    holds_moved: dict[int, datetime] = field(default_factory=dict)
    reversed_before: dict[int, int] = field(default_factory=dict)


class Mark(NamedTuple):
    """A point to go back to."""

    accounts: tuple[object, ...]
    changes: tuple[object, ...]


class Reversal(NamedTuple):
    """What taking back an earning found: points taken, and the part that was already spent."""

    taken: int
    shortfall: int
