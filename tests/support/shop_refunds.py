"""What refunds make of an order, by ``shop_model``: a target for all of them together.

Each step looks at how much of every line came back by now, works out what that comes to, rounds it
once, and moves the difference to what was moved before.
"""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import Any

from shop_days import start_of_day
from shop_orders import Order, Took


def refund(shop: Any, order: Order, at: datetime, *, may_lessen: bool = False) -> dict[str, Any]:
    """Bring an order to what its lines' parts come to; what this step moved.

    ``may_lessen``: a change may have more bought again. Else what was given back stays so.
    """
    lost = {reward["code"]: _lost(order, reward["code"]) for reward in order.rewards}
    off = _off(order, lost)
    ended = _give_back(shop, order, at, lost, off, may_lessen)
    taken = {"points": 0}
    if order.member is not None:
        units = [unit for unit, *_ in order.earned]
        units += [
            unit for unit in ("points",) if order.tender or any(r["points"] for r in order.rewards)
        ]
        for unit in dict.fromkeys(units):
            taken[unit] = take_back(shop.members[order.member], order, unit, at)
    missing = sum(took.missing for unit, took in order.took.items() if unit == "points")
    money = int(order.back(lambda line: line["money"]) - off["money"])
    if order.rules["clawback"] == "deduct":
        money -= min(missing * order.rules["tender_minor"] // order.rules["tender_points"], money)
    before, order.money = order.money, money if may_lessen else max(money, order.money)
    if order.state != "CANCELLED":
        order.state = "PAID"
        if any(order.parts.values()) or any(draw[3] for draw in order.draws):
            order.state = "PARTIALLY_REFUNDED"
        if all(part == 1 for part in order.parts.values()):
            order.state = "REFUNDED"
    return {"money": order.money - before, "reversed": taken["points"], "ended": ended}


def _lost(order: Order, code: str) -> tuple[Fraction, Fraction]:
    """The part of a reward that came back or was lost, and what of its discount that costs."""
    discount = {line["key"]: line["parts"].get(code, 0) for line in order.lines}
    whole = sum(discount.values())
    part = sum((discount[key] * part for key, part in order.parts.items()), Fraction(0)) / whole
    minimum = order.rules["minimum"].get(code, 0)
    kept = sum(line["gross"] * (1 - order.parts[line["key"]]) for line in order.lines)
    if kept >= minimum or order.rules["broken"] == "keep":
        return part, Fraction(0)
    shrinks = 1 - part
    if order.rules["broken"] == "prorate":
        shrinks -= shrinks * kept / minimum
    return part + shrinks, whole * shrinks


def _off(order: Order, lost: dict[str, tuple[Fraction, Fraction]]) -> dict[str, Fraction]:
    """What lost discounts take off the refund: off its money, then credit, then gift cards."""
    left = sum((cost for _, cost in lost.values()), Fraction(0))
    off = {}
    for means in ("money", "credit", "gift"):
        off[means] = min(order.back(lambda line, means=means: line.get(means, 0)), left)
        left -= off[means]
    return off


def _give_back(
    shop: Any,
    order: Order,
    at: datetime,
    lost: dict[str, tuple[Fraction, Fraction]],
    off: dict[str, Fraction],
    may_lessen: bool,
) -> list[list[Any]]:
    """Return tender and prices to the lots that paid, the last drawn first; rewards that ended."""
    wanted: dict[str, Fraction] = {
        "credit:EUR": order.back(lambda line: line.get("credit", 0)) - off["credit"],
        "gift:EUR": order.back(lambda line: line.get("gift", 0)) - off["gift"],
        "points": Fraction(0),
    }
    if order.tender:
        paid = sum(line.get("points", 0) for line in order.lines)
        wanted["points"] += order.tender * order.back(lambda line: line.get("points", 0)) / paid
    ended = []
    for reward in order.rewards:
        part, _ = lost[reward["code"]]
        wanted["points"] += reward["points"] * part
        if part == 1:
            ended.append(reward["uses"])
    if may_lessen:
        for unit, amount in wanted.items():
            _spend_again(shop, order, unit, int(amount), at)
    for unit, amount in wanted.items():
        own = [draw for draw in order.draws if draw[1].unit == unit]
        more = int(amount) - sum(draw[3] for draw in own)
        for draw in reversed(own):
            key, lot, drawn, returned = draw
            part = min(drawn - returned, more)
            if part <= 0:
                continue
            more -= part
            draw[3] += part
            if lot.is_over(at) and order.rules["grace"]:
                # A lot that expired stays so; what comes back lives for the days of grace.
                fresh = shop.lot(unit, part, at, start_of_day(at, order.rules["grace"] + 1))
                fresh.uncounted = part
                shop.holder(key).lots.append(fresh)
            else:
                lot.left += part
    return ended


def _spend_again(shop: Any, order: Order, unit: str, wanted: int, at: datetime) -> None:
    """Take what was given back too much out of its lots again, as far as it is still there."""
    own = [draw for draw in order.draws if draw[1].unit == unit]
    over = sum(draw[3] for draw in own) - wanted
    if over > 0 and unit in order.took:
        # What debts took of it is there too: that is taken anew afterwards.
        take_back(shop.members[order.member], order, unit, at, gives_up=True, repays=False)
    for draw in own:
        lot = draw[1]
        part = min(draw[3], over, lot.left if lot.is_live(at) else 0)
        if part > 0:
            draw[3] -= part
            lot.left -= part
            over -= part


def take_back(
    member: Any,
    order: Order,
    unit: str,
    at: datetime,
    *,
    gives_up: bool = False,
    repays: bool = True,
) -> int:
    """Undo what this order's refunds took of an account, as far as it is there; take anew.

    ``gives_up``: take nothing anew. ``repays``: debts take what is live, as settling would do.
    """
    before, now = order.took.get(unit, Took()), Took()
    alive = [lot for lot in member.lots if lot.unit == unit and not lot.is_over(at)]
    alive.sort(key=lambda lot: lot.soonest)
    owes_before = member.owed.get(unit, 0)
    had = sum(lot.left for lot in alive)
    debt = owes_before
    for lot, points in before.repaid.items():
        if lot in alive:
            lot.left += points
            debt += points
    now.final, again = before.final, 0
    for lot, points in before.others.items():
        if lot in alive:
            lot.left += points
            again += points
        else:
            now.final += points
    undone = min(before.owed, debt)
    debt -= undone
    again += undone
    now.final += before.owed - undone
    for lot, points in before.own.items():
        if lot in alive:
            lot.left += points
    spent = due = 0
    parts, final = order.parts, now.final
    for _, points, lot, by_key in (item for item in order.earned if item[0] == unit):
        due_back = [n * parts.get(key, Fraction(1)) for key, n in by_key.items()]
        target = 0 if gives_up else int(sum(due_back, Fraction(0)))
        own = before.own.get(lot, 0)
        if lot in alive:
            # What others gave for good is not taken again, though points came back here.
            own = min(lot.left, max(target - final, 0))
            lot.left -= own
        # It stands for one lot's points alone, of several that the order earned.
        final -= min(final, target - own)
        away = max(points - own - lot.left - lot.expired, 0)
        spent += min(target - own, away)
        due += target - own
        lot.uncounted += target - before.targets.get(lot, 0)
        now.own[lot], now.targets[lot] = own, target
    # What expired was not spent, so nobody owes it.
    wanted = max(min(max(spent - now.final, again), due - now.final), 0)
    for lot in alive:
        part = min(lot.left, wanted)
        if part:
            lot.left -= part
            wanted -= part
            now.others[lot] = part
    now.missing = wanted
    if order.rules["clawback"] == "allow_deficit":
        now.owed = wanted
        debt += wanted
    for lot in alive:
        part = min(lot.left, debt) if lot.is_live(at) and repays else 0
        if part:
            lot.left -= part
            debt -= part
            now.repaid[lot] = part
    member.owed[unit] = debt
    order.took[unit] = now
    return had - sum(lot.left for lot in alive) + debt - owes_before
