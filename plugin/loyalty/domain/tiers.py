"""Which tier a member stands in, and what became of it as time passed.

Qualifying points are lots; they count from ``available_at`` until ``expires_at``, so a tier
moves at the lots' own boundaries and at the end of a grace period, whether or not anybody
looks. ``advanced`` tells what happened since the last look.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from loyalty.domain.calendar import after_days
from loyalty.domain.rulesets.ruleset import Tier, TierPolicy


class TierChangeReason(StrEnum):
    """Why a standing changed."""

    QUALIFIED = "QUALIFIED"
    GRACE_STARTED = "GRACE_STARTED"
    RENEWED = "RENEWED"
    DOWNGRADED = "DOWNGRADED"


class TierState(StrEnum):
    """Whether the present tier is earned or kept for a while."""

    QUALIFIED = "QUALIFIED"
    IN_GRACE = "IN_GRACE"


@dataclass(frozen=True, slots=True)
class Standing:
    """A member's tier. ``grace_until`` is set while the tier is kept without being earned."""

    tier: str
    since: datetime
    grace_until: datetime | None


class CountedLot(Protocol):
    """Points that count for a tier in ``[available_at, expires_at)``; None: for ever."""

    @property
    def remaining(self) -> int: ...
    @property
    def available_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime | None: ...


class QualifyingLot(NamedTuple):
    """A plain ``CountedLot``; a tuple because an import makes them by the million."""

    remaining: int
    available_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class TierChange:
    """One step of a standing; ``tier_from`` equals ``tier_to`` around grace.

    ``since_from`` is since when the tier before was held, ``grace_until`` the end of the grace
    after the step.
    """

    at: datetime
    tier_from: str
    tier_to: str
    reason: TierChangeReason
    since_from: datetime | None = field(default=None, compare=False)
    grace_until: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NextTier:
    """The tier above: what is missing, and until when all that counts now still counts.

    ``by`` is the earliest expiry among the lots counted; None when none expires.
    """

    tier: Tier
    points_missing: int
    by: datetime | None


@dataclass(frozen=True, slots=True)
class TierStatus:
    """A member's tier as it is shown.

    ``until``: in grace, its end; else the instant at which the points known now no longer
    reach the tier, None when that never comes.
    """

    current: Tier
    since: datetime
    state: TierState
    until: datetime | None
    qualifying: int
    next: NextTier | None


def initial(policy: TierPolicy, at: datetime) -> Standing:
    """Where a new member stands: in the lowest tier."""
    return Standing(policy.tiers[0].code, at, None)


def advanced(
    policy: TierPolicy,
    standing: Standing,
    lots: Sequence[CountedLot],
    start: datetime,
    at: datetime,
    zone: str,
) -> tuple[Standing, tuple[TierChange, ...]]:
    """What happened to a standing in ``(start, at]``, and where it stands at ``at``.

    Between the two only the lots' own boundaries and the end of grace act; ``at`` itself is
    judged in any case, because something may just have been booked. So a booking calls this
    with the lots as they were, then books, then calls it again with ``start == at``. Under
    that use one jump equals any split of it, and no answer depends on when it was asked.

    Args:
        policy: the tiers. A tier it does not have ranks below all it has.
        standing: as judged at ``start``.
        lots: of the policy's point type, in any order.
        start: when the standing was last judged, <= ``at``.
        at: until when.
        zone: the program's, in whose days grace is counted.
    """
    count = 0
    deltas: dict[datetime, int] | None = None
    for lot in lots:
        begins = lot.available_at
        if begins > at:
            continue
        ends = lot.expires_at
        if ends is None or ends > at:
            count += lot.remaining
            if begins <= start:
                continue
        elif ends <= start or ends <= begins:
            continue
        # Rare: something of this lot lies in (start, at].
        if deltas is None:
            deltas = {}
        if begins > start:
            deltas[begins] = deltas.get(begins, 0) + lot.remaining
        if ends is not None and ends <= at:
            deltas[ends] = deltas.get(ends, 0) - lot.remaining
    changes: list[TierChange] = []
    grace = standing.grace_until
    if deltas is not None or (grace is not None and start < grace <= at):
        standing = _swept(policy, standing, deltas or {}, count, start, at, zone, changes)
    standing = _judged(policy, standing, count, at, zone, changes)
    return standing, tuple(changes)


def judged(
    policy: TierPolicy, standing: Standing, count: int, at: datetime, zone: str
) -> tuple[Standing, tuple[TierChange, ...]]:
    """Where a standing settled up to ``at`` goes with ``count`` qualifying points.

    What ``advanced`` says for ``start == at``, for callers that know the count.
    """
    changes: list[TierChange] = []
    standing = _judged(policy, standing, count, at, zone, changes)
    return standing, tuple(changes)


def status(
    policy: TierPolicy, standing: Standing, lots: Sequence[CountedLot], at: datetime
) -> TierStatus:
    """The tier with all that a member card shows.

    Args:
        policy: the tiers.
        standing: as ``advanced`` left it at ``at``.
        lots: of the policy's point type, in any order.
        at: the moment shown.
    """
    rank = _rank(policy, standing.tier)
    current = policy.tiers[max(rank, 0)]
    counted = [lot for lot in lots if lot.remaining and _counts(lot, at)]
    points = sum(lot.remaining for lot in counted)
    above = policy.tiers[rank + 1] if rank + 1 < len(policy.tiers) else None
    following = None
    if above is not None:
        by = min((lot.expires_at for lot in counted if lot.expires_at is not None), default=None)
        following = NextTier(above, max(above.threshold - points, 0), by)
    in_grace = standing.grace_until is not None
    return TierStatus(
        current=current,
        since=standing.since,
        state=TierState.IN_GRACE if in_grace else TierState.QUALIFIED,
        until=standing.grace_until if in_grace else _falls_below(current, points, lots, at),
        qualifying=points,
        next=following,
    )


def _swept(
    policy: TierPolicy,
    standing: Standing,
    deltas: dict[datetime, int],
    count_at_end: int,
    start: datetime,
    at: datetime,
    zone: str,
    changes: list[TierChange],
) -> Standing:
    """Judge at each boundary and end of grace in ``(start, at]`` in turn."""
    count = count_at_end - sum(deltas.values())
    moments = sorted(deltas, reverse=True)
    now = start
    while True:
        grace = standing.grace_until
        ends = grace if grace is not None and now < grace <= at else None
        if moments and (ends is None or moments[-1] <= ends):
            now = moments.pop()
            count += deltas[now]
        elif ends is not None:
            now = ends
        else:
            return standing
        standing = _judged(policy, standing, count, now, zone, changes)


def _judged(
    policy: TierPolicy,
    standing: Standing,
    count: int,
    at: datetime,
    zone: str,
    changes: list[TierChange],
) -> Standing:
    """Where a standing goes with ``count`` qualifying points at one instant."""
    rank = _rank(policy, standing.tier)
    grace = standing.grace_until
    reached = policy.reached(count)
    if policy.tiers[rank] is reached and rank >= 0:
        if grace is None:
            return standing
        after, reason = Standing(standing.tier, standing.since, None), TierChangeReason.RENEWED
    elif rank < 0 or reached.threshold > policy.tiers[rank].threshold:
        after, reason = Standing(reached.code, at, None), TierChangeReason.QUALIFIED
    else:
        until = after_days(at, policy.grace_days, zone) if grace is None else grace
        if at < until:
            if grace is not None:
                return standing
            after = Standing(standing.tier, standing.since, until)
            reason = TierChangeReason.GRACE_STARTED
        else:
            after, reason = Standing(reached.code, at, None), TierChangeReason.DOWNGRADED
    changes.append(
        TierChange(at, standing.tier, after.tier, reason, standing.since, after.grace_until)
    )
    return after


def _rank(policy: TierPolicy, code: str) -> int:
    """Position of a tier, -1 for one that the policy does not have."""
    for rank, tier in enumerate(policy.tiers):
        if tier.code == code:
            return rank
    return -1


def _counts(lot: CountedLot, at: datetime) -> bool:
    ends = lot.expires_at
    return lot.available_at <= at and (ends is None or at < ends)


def _falls_below(
    tier: Tier, points: int, lots: Iterable[CountedLot], at: datetime
) -> datetime | None:
    """When the points known now no longer reach ``tier``; lots still pending count as they come."""
    moves: dict[datetime, int] = {}
    for lot in lots:
        ends = lot.expires_at
        if ends is not None and (ends <= at or ends <= lot.available_at):
            continue
        if lot.available_at > at:
            moves[lot.available_at] = moves.get(lot.available_at, 0) + lot.remaining
        if ends is not None:
            moves[ends] = moves.get(ends, 0) - lot.remaining
    for moment in sorted(moves):
        points += moves[moment]
        if points < tier.threshold:
            return moment
    return None
