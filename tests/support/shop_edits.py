"""What a change of a paid order makes of it, by ``shop_model``: the latest alone counts.

The lines that were paid with stay, with the part of each that is still bought; what is more than
that is bought besides, and earns by the rules and the moment of the order.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

from shop_days import end_after_months, start_of_day
from shop_orders import Change, Order, paid_line, spread
from shop_tiers import earned_by


def change_to(
    order: Order, at: datetime, name: str, lines: dict[str, tuple[int, int]]
) -> dict[str, int] | None:
    """Say what an order is now.

    Returns:
        What the change before had earned more, by unit: gone with its lines. None when the lines
        are those of the change before: then nothing changes.
    """
    before = order.change
    if before is not None and before.lines == lines:
        before.at, before.name = at, name
        return None
    paid = [line for line in order.lines if line["key"] == line["id"]]
    added_keys = {line["key"] for line in order.lines if line["key"] != line["id"]}
    gone: dict[str, int] = {}
    for unit, points, _, by_key in order.earned:
        if added_keys & by_key.keys():
            gone[unit] = gone.get(unit, 0) + points
    kept = {}
    order.changes += 1
    added = []
    for line in paid:
        pieces, net = lines.get(line["id"], (0, 0))
        have, whole = (line["net"], net) if line["net"] else (line["quantity"], pieces)
        kept[line["key"]] = Fraction(min(have, whole), have)
    for id, (pieces, net) in lines.items():
        own = [line for line in paid if line["id"] == id]
        more = net - sum(int(line["net"] * kept[line["key"]]) for line in own)
        if more > 0 or not own:
            pieces = max(pieces - sum(line["quantity"] for line in own), 0)
            key = f"{id}+{order.changes}"
            added.append(paid_line(id, pieces, more, more) | {"key": key})
    order.lines = [*paid, *added]
    order.change = Change(at, name, lines, kept)
    return gone


def earn_more(shop: Any, order: Order, gone: dict[str, int] | None) -> None:
    """Earn what the order is now beyond what its kept lines have earned."""
    added = [line for line in order.lines if line["key"] != line["id"]]
    if order.change is None or gone is None or not added or order.member is None:
        return
    kept = order.change.kept
    paid_by_points = sum(
        line.get("points", 0) * kept[line["key"]] for line in order.lines if line["key"] in kept
    )
    base = sum(net for _, net in order.change.lines.values())
    base -= min(int(paid_by_points), base)
    member = shop.members[order.member]
    for unit, now, pending, months in earned_by(order.rules, order.tier, base):
        have = 0
        for known, points, _, by_key in order.earned:
            if known == unit and by_key.keys() <= kept.keys():
                lost = sum((n * (1 - kept[key]) for key, n in by_key.items()), Fraction(0))
                have += points - int(lost)
        more = now - have
        if member.state not in ("ACTIVE", "PROSPECT"):
            more = min(more, gone.get(unit, 0))
        if more > 0:
            parts = spread(more, [line["net"] for line in added])
            by_key = {line["key"]: part for line, part in zip(added, parts, strict=True)}
            starts = start_of_day(order.at, pending) if pending else order.at
            lot = shop.lot(unit, more, starts, end_after_months(order.at, months))
            member.lots.append(lot)
            order.earned.append((unit, more, lot, by_key))
