"""Tiers in ``shop_model``: up at once, down after a grace, by the clock and not by who looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shop_days import start_of_day


@dataclass(eq=False)
class Standing:
    """A member's tier; ``until``: it is kept so long though its threshold is not reached.

    ``past``: each step with its moment.
    """

    since: datetime
    tier: str = "base"
    until: datetime | None = None
    past: list[tuple[datetime, str]] = field(default_factory=list)

    def at(self, moment: datetime) -> str:
        """The tier of a moment, as far as it is known."""
        if moment >= self.since:
            return self.tier
        return next((tier for at, tier in reversed(self.past) if at <= moment), "base")


def qualifying(member: Any, at: datetime) -> int:
    return sum(
        max(lot.amount - lot.uncounted, 0)
        for lot in member.lots
        if lot.unit == "status" and lot.is_live(at)
    )


def judge(member: Any, rules: dict[str, Any], at: datetime) -> bool:
    """Whether the tier, or how long it is kept, is another at this moment."""
    standing, count = member.standing, qualifying(member, at)
    ranks = [code for code, _, _ in rules["tiers"]]
    reached = [code for code, threshold, _ in rules["tiers"] if threshold <= count][-1]
    before = standing.tier, standing.until
    if ranks.index(reached) < ranks.index(standing.tier):
        if standing.until is None:
            days = rules["tier_grace"]
            standing.until = start_of_day(at, days) if days else at
        if standing.until <= at:
            standing.tier, standing.since, standing.until = reached, at, None
    else:
        if reached != standing.tier:
            standing.tier, standing.since = reached, at
        standing.until = None
    if before == (standing.tier, standing.until):
        return False
    standing.past.append((at, standing.tier))
    return True


Eras = list[tuple[datetime, dict[str, Any]]]
"""Rules with the moment from which each was in force; the first was before that, too."""


def in_force(eras: Eras, at: datetime) -> dict[str, Any]:
    return [eras[0][1], *(rules for since, rules in eras[1:] if since <= at)][-1]


def pass_time(member: Any, eras: Eras, start: datetime, at: datetime) -> bool:
    """Judge at every moment after ``start`` at which something happens by itself, and at ``at``.

    At ``start`` too, where rules are in force from then on: they may have come after it was judged.
    """
    lots = [lot for lot in member.lots if lot.unit == "status"]
    has_moved, now = False, start
    if start in [since for since, _ in eras[1:]]:
        has_moved = judge(member, in_force(eras, start), start)
    while now < at:
        due = {
            at, member.standing.until, *(m for lot in lots for m in (lot.starts, lot.ends)),
            *(since for since, _ in eras[1:]),
        }  # fmt: skip
        now = min(moment for moment in due if moment is not None and now < moment <= at)
        has_moved |= judge(member, in_force(eras, now), now)
    return judge(member, in_force(eras, at), at) or has_moved


def earned_by(
    rules: dict[str, Any], tier: str | None, minor: int
) -> list[tuple[str, int, int, int]]:
    """What a purchase earns: unit, points, days that they are pending, months until they end."""
    times_bp = next((bp for code, _, bp in rules["tiers"] if code == tier), 10_000)
    points = minor * times_bp // (rules["per_minor"] * 10_000)
    return [
        ("points", points, rules["pending"], rules["months"]),
        ("status", minor // 100, 0, rules["status_months"]),
    ]
