"""An order of ``shop_model`` that its shop reported before its checkout was committed.

Where the report is of what was quoted, it does not matter which came first.
"""

from __future__ import annotations

from typing import Any

from shop_holders import Holder, Lot
from shop_orders import Order, spread


def as_quoted(
    shop: Any, order: Order, reservation: int, offer: dict[str, Any], draws: list[list[Any]]
) -> None:
    """Put a checkout onto the order that it turns out to be of."""
    may_owe = order.rules["clawback"] == "allow_deficit"
    order.member, order.reservation = offer["member"], reservation
    order.rules, order.rewards = dict(offer["rules"]), offer["rewards"]
    order.tender, order.draws, order.tier = offer["tender"], draws, offer["tier"]
    order.lines = [line | {"key": line["id"]} for line in offer["lines"]]
    if order.member is None:
        return
    member = shop.members[order.member]
    keys = [line["key"] for line in order.lines]
    promised = {unit: (parts, *dates) for unit, _, parts, *dates in offer["earnings"]}
    left = {unit: points for unit, points, *_ in offer["earnings"]}
    earned = []
    for unit, had, lot, by_key in order.earned:
        points = min(had, left.get(unit, 0))
        if points and lot.left == had and [lot.starts, lot.ends] != [*promised[unit][1:]]:
            # Nobody has touched it: it is earned anew, with the days that were promised.
            points = 0
        if points < had:
            _take_away(member, lot, had - points, may_owe)
        if points:
            parts = spread(points, [by_key[key] for key in keys])
            earned.append((unit, points, lot, dict(zip(keys, parts, strict=True))))
            left[unit] -= points
    for unit, points in left.items():
        if points:
            parts, starts, ends = promised[unit]
            lot = shop.lot(unit, points, starts, ends)
            member.lots.append(lot)
            by_key = dict(zip(keys, spread(points, list(parts)), strict=True))
            earned.append((unit, points, lot, by_key))
    order.earned = earned


def _take_away(member: Holder, lot: Lot, points: int, may_owe: bool) -> None:
    """Take points that should not have been earned: from their lot, from others, as a debt."""
    spent = max(lot.amount - lot.uncounted - lot.left - lot.expired, 0)
    own = min(lot.left, points)
    lot.left -= own
    lot.uncounted += points
    missing = min(points - own, spent)
    for other in sorted(member.lots, key=lambda each: each.soonest):
        if other is not lot and other.unit == lot.unit and not other.is_over(member.moment):
            part = min(other.left, missing)
            other.left -= part
            missing -= part
    if may_owe:
        member.owed[lot.unit] = member.owed.get(lot.unit, 0) + missing
