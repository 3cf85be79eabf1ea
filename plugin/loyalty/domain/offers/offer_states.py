"""Where a member's offer stands, and why the member got it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class OfferState(StrEnum):
    """OFFERED → ACTIVE → HELD → USED → RESTORED; EXPIRED and WITHDRAWN end it."""

    OFFERED = "OFFERED"
    ACTIVE = "ACTIVE"
    HELD = "HELD"
    USED = "USED"
    RESTORED = "RESTORED"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"


USABLE = frozenset({OfferState.OFFERED, OfferState.ACTIVE, OfferState.RESTORED})
"""States in which it can be used, or made active first."""


@dataclass(frozen=True, slots=True)
class OfferCounts:
    """How often an offer was used for good, is held by open reservations by the clock, and was
    given back by refunds, of the ``most`` that it may be used.
    """

    most: int
    used: int = 0
    held: int = 0
    restored: int = 0

    @property
    def left(self) -> int:
        return max(self.most - self.used - self.held, 0)


def offer_state(
    counts: OfferCounts, *, ends_at: datetime, is_active: bool, is_withdrawn: bool, at: datetime
) -> OfferState:
    """The state at a moment, decided by the counts and the clock alone.

    What is used up stays used, whatever comes after; what was withdrawn or ran out of time can no
    longer be held; and one that a refund gave back can be used again until it ends.
    """
    if counts.used >= counts.most:
        return OfferState.USED
    if is_withdrawn:
        return OfferState.WITHDRAWN
    if counts.held:
        return OfferState.HELD
    if ends_at <= at:
        return OfferState.EXPIRED
    if counts.restored:
        return OfferState.RESTORED
    return OfferState.ACTIVE if is_active else OfferState.OFFERED


class WhyOffered(StrEnum):
    """Why an offer was chosen, as far as its member is told."""

    BOUGHT_OFTEN = "BOUGHT_OFTEN"
    BOUGHT_BEFORE = "BOUGHT_BEFORE"
    NOT_LATELY = "NOT_LATELY"
    NEW_FOR_YOU = "NEW_FOR_YOU"


@dataclass(frozen=True, slots=True)
class OfferReason:
    """``times``: days on which the member had bought the target; ``last_on``: the last of them."""

    code: WhyOffered
    times: int = 0
    last_on: date | None = None


def reason_to_json(reason: OfferReason) -> dict[str, Any]:
    last = reason.last_on
    return {"code": reason.code.value, "times": reason.times} | (
        {} if last is None else {"lastOn": last.isoformat()}
    )


def reason_from_json(value: Mapping[str, Any]) -> OfferReason | None:
    """None for one that was forgotten.

    Raises:
        ValueError, TypeError: it is none.
    """
    if not value:
        return None
    last = value.get("lastOn")
    return OfferReason(
        WhyOffered(value["code"]),
        value["times"],
        None if last is None else date.fromisoformat(last),
    )
