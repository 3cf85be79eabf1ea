"""Two members of ``shop_model`` who turn out to be one, and who part again."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shop_holders import Holder, Lot, Refused
from shop_orders import Order, Took
from shop_tiers import Standing, pass_time


@dataclass(eq=False)
class Merge:
    """What a merge moved. ``lots`` with the numbers that they had; standings as they were."""

    into: str
    at: datetime
    state: str
    lots: list[tuple[Lot, int]]
    owed: dict[str, int]
    orders: list[str]
    reservations: list[int]
    corrections: list[int]
    standing: Standing
    heirs: Standing


def merge(shop: Any, now: datetime, source: str, target: str) -> None:
    """Lots, debts, orders and uses become the target's; what is held times out."""
    into = shop.whose(target)
    if into not in shop.members or shop.whose(source) not in shop.members:
        raise Refused("NOT_FOUND")
    if shop.merged.get(source) == into:
        return
    if source == into or source in shop.merged:
        raise Refused("CONFLICT")
    if shop.members[source].state not in ("PROSPECT", "ACTIVE"):
        raise Refused("CONFLICT")
    if shop.members[into].state != "ACTIVE":
        raise Refused("MEMBER_NOT_ACTIVE")
    shop.settled(now, [source, into], True)
    gone, heir = shop.members.pop(source), shop.members[into]
    for id in list(gone.holds):
        gone.release(id)
        shop.reservations[id].state, shop.reservations[id].ends = "EXPIRED", now
        for card, _ in shop.reservations[id].offer["gifts"]:
            if id in shop.cards[card].holds:
                shop.cards[card].holds[id].ends = now
        for counter in shop.counters.values():
            if id in counter.uses and counter.uses[id].state == "HELD":
                counter.uses[id].ends = now
    record = shop.merges[source] = Merge(
        into, max(gone.moment, heir.moment), gone.state, [], dict(gone.owed), [], [], [],
        copy.deepcopy(gone.standing), copy.deepcopy(heir.standing),
    )  # fmt: skip
    for lot in sorted(gone.lots, key=lambda lot: lot.number):
        record.lots.append((lot, lot.number))
        shop.numbers += 1
        lot.number = shop.numbers
        heir.lots.append(lot)
    for unit, amount in gone.owed.items():
        heir.owed[unit] = heir.owed.get(unit, 0) + amount
    for name, order in shop.orders.items():
        if order.member == source:
            record.orders.append(name)
            order.member = into
        for draw in order.draws:
            draw[0] = into if draw[0] == source else draw[0]
    for id, asked in shop.corrections.items():
        if asked.member == source:
            record.corrections.append(id)
            asked.member = into
    for id, reservation in shop.reservations.items():
        if reservation.offer["member"] == source:
            record.reservations.append(id)
            reservation.offer["member"] = into
    for counter in shop.counters.values():
        for use in counter.uses.values():
            use.member = into if use.member == source else use.member
    shop.merged |= {name: into for name, old in shop.merged.items() if old == source}
    shop.merged[source] = into


def part(shop: Any, now: datetime, source: str) -> bool:
    """Give back to a source what is still there of it; whether anything is given."""
    who = shop.whose(source)
    if who not in shop.members:
        raise Refused("NOT_FOUND")
    shop.settled(now, [who], source != who)
    if source == who:
        return False
    record, heir = shop.merges[source], shop.members[who]
    if record.into != who:
        raise Refused("CONFLICT")
    came = [lot for lot, _ in record.lots]
    going, stay = _going(shop, record, heir, came)
    back, own = Holder(record.state, heir.moment, standing=record.standing), {}
    for lot, number in record.lots:
        twin = own[lot] = copy.copy(lot)
        twin.number = number
        # What stays with the heir is counted there.
        empty = twin if lot in stay else lot
        empty.left, empty.uncounted = 0, empty.amount
        back.lots.append(twin)
    for unit, amount in record.owed.items():
        back.owed[unit] = min(amount, heir.owed.get(unit, 0))
        heir.owed[unit] = heir.owed.get(unit, 0) - back.owed[unit]
    shop.members[source], moved = back, set()
    for order in (shop.orders[name] for name in going):
        order.member = source
        _rename(order, {lot: twin for lot, twin in own.items() if lot not in stay}, source)
        moved.add(order.reservation)
    committed = {order.reservation for order in shop.orders.values()}
    for id in record.reservations:
        found = shop.reservations[id]
        is_free = id not in committed and found.state != "HELD"
        if is_free and all(lot in came and lot not in stay for lot in found.drawn):
            moved.add(id)
    for id in moved - {None}:
        found = shop.reservations[id]
        found.offer["member"] = source
        found.drawn = [own.get(lot, lot) for lot in found.drawn]
        for _, use in shop.uses_of(id):
            use.member = source
    for id in record.corrections:
        shop.corrections[id].member = source
    del shop.merges[source], shop.merged[source]
    shop.merged |= {name: source for name, other in shop.merges.items() if other.into == source}
    _judged_again(shop, back, Standing(record.standing.since, record.standing.tier), record.at)
    present = heir.standing
    heir.standing = record.heirs
    heir.standing.past = present.past
    _judged_again(shop, heir, present, record.at)
    shop.touched |= {source, who}
    return True


def _going(shop: Any, record: Merge, heir: Holder, came: list[Lot]) -> tuple[list[str], set[Lot]]:
    """Orders that go back, and lots that stay: an order that names one of the heir's own stays,
    with all that it names, and so does any other that names one of those."""
    names = {name: _named(shop.orders[name]) & set(heir.lots) for name in record.orders}
    stay: set[Lot] = set()
    while staying := [name for name, lots in names.items() if lots - set(came) or lots & stay]:
        for name in staying:
            stay |= names.pop(name) & set(came)
    return list(names), stay


def _named(order: Order) -> set[Lot]:
    lots = {lot for _, _, lot, _ in order.earned} | {draw[1] for draw in order.draws}
    for took in order.took.values():
        lots |= {*took.own, *took.others, *took.repaid, *took.targets}
    return lots


def _rename(order: Order, own: dict[Lot, Lot], source: str) -> None:
    order.earned = [
        (unit, points, own.get(lot, lot), by_key) for unit, points, lot, by_key in order.earned
    ]
    for draw in order.draws:
        if draw[1] in own:
            draw[0], draw[1] = source, own[draw[1]]
    for took in order.took.values():
        _rename_took(took, own)


def _rename_took(took: Took, own: dict[Lot, Lot]) -> None:
    took.own = {own.get(lot, lot): n for lot, n in took.own.items()}
    took.others = {own.get(lot, lot): n for lot, n in took.others.items()}
    took.repaid = {own.get(lot, lot): n for lot, n in took.repaid.items()}
    took.targets = {own.get(lot, lot): n for lot, n in took.targets.items()}


def _judged_again(shop: Any, member: Holder, present: Standing, merged_at: datetime) -> None:
    """The tier as it had become without the merge; the history tells of it in one step."""
    standing = member.standing
    assert standing is not None
    past = list(standing.past)
    pass_time(member, shop.eras, min(merged_at, member.moment), member.moment)
    standing.past = past
    found = (standing.tier, standing.since, standing.until)
    if found != (present.tier, present.since, present.until):
        standing.past.append((member.moment, standing.tier))
