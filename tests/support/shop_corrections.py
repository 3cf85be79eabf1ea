"""What a merchant's corrections make of an account, by ``shop_model``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from shop_days import end_after_months, end_of
from shop_holders import Correction, Holder, Refused


def correct(
    shop: Any,
    now: datetime,
    asked: Correction,
    last_day: date | None,
    id: Callable[[], int],
) -> None:
    """Book a correction, or keep it as a proposal where one person's word is not enough."""
    who = shop.whose(asked.member)
    if who not in shop.members:
        raise Refused("NOT_FOUND")
    asked.member, at = who, shop.moment(now, who)
    if asked.amount > 0:
        months = {"points": shop.rules["months"], "status": shop.rules["status_months"]}.get(
            asked.unit
        )
        asked.ends = None if months is None else end_after_months(at, months)
        if last_day is not None:
            asked.ends = end_of(last_day)
    if asked.ends is not None and asked.ends <= at:
        raise Refused("BAD_USER_INPUT")
    if last_day is not None and asked.amount < 0:
        raise Refused("BAD_USER_INPUT")
    most = shop.rules["approval_minor" if asked.unit.startswith("credit") else "approval"]
    alone = sum(
        abs(other.amount)
        for other in shop.corrections.values()
        if (other.member, other.unit, other.by) == (who, asked.unit, asked.by)
        and other.state == "BOOKED"
        and other.decided_by is None
        and other.made > now - timedelta(hours=24)
    )
    is_small = alone + abs(asked.amount) <= most
    shop.settled(now, [who], is_small)
    if is_small:
        _book(shop, asked)
    shop.corrections[id()] = asked


def decide(shop: Any, now: datetime, id: int, by: str, *, accepts: bool) -> None:
    """Accept or decline a proposal; who made it may only decline."""
    asked = shop.corrections.get(id)
    if asked is None:
        raise Refused("NOT_FOUND")
    if asked.state != "PROPOSED" or (accepts and asked.by == by):
        raise Refused("CONFLICT")
    shop.settled(now, [asked.member], accepts)
    asked.decided_by = by
    if accepts:
        ends = asked.ends
        if asked.amount > 0 and ends is not None and ends <= shop.members[asked.member].moment:
            raise Refused("CONFLICT")
        _book(shop, asked)
    else:
        asked.state = "DECLINED"


def _book(shop: Any, asked: Correction) -> None:
    holder: Holder = shop.members[asked.member]
    asked.state = "BOOKED"
    if asked.amount > 0:
        holder.lots.append(shop.lot(asked.unit, asked.amount, holder.moment, asked.ends))
        return
    if holder.available(asked.unit) < -asked.amount and not asked.may_owe:
        raise Refused(
            "INSUFFICIENT_CREDIT" if asked.unit.startswith("credit") else "INSUFFICIENT_POINTS"
        )
    there = min(sum(lot.left for lot in holder.live(asked.unit)), -asked.amount)
    for lot, part in holder.draw(asked.unit, there):
        # Spending leaves tiers alone; what is only ever counted is no more.
        lot.uncounted += part if asked.unit == "status" else 0
    holder.owed[asked.unit] = holder.owed.get(asked.unit, 0) - asked.amount - there
