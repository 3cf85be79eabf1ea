"""What comes back of an order of ``shop_model``: asked by a service, or told by a shop's report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shop_edits import change_to, earn_more
from shop_holders import Refused
from shop_orders import Order
from shop_refunds import refund, take_back

Asks = list[tuple[str, int, int]] | None
"""Lines of an order with pieces and minor units; None: all that is left of it."""

CANCELS = "\x1fcancel"
"""The name of an order's cancellation; before those of changes and of refunds."""


@dataclass(eq=False)
class Report:
    """What a shop tells of an order: a refund, its cancellation, or ``lines`` as they are now."""

    at: datetime
    name: str
    asks: Asks = None
    cancels: bool = False
    lines: dict[str, tuple[int, int]] | None = None


def asked_back(
    shop: Any, now: datetime, name: str, asks: Asks, *, cancels: bool
) -> dict[str, int] | None:
    """What a service asks for. None when it was cancelled already, which may be said again."""
    order = shop.orders.get(name)
    if order is None:
        raise Refused("NOT_FOUND")
    if order.state == "CANCELLED" and cancels:
        shop.settled(now, keys_of(order), False)
        return None
    if order.state == "CANCELLED" or (order.state == "REFUNDED" and not cancels):
        raise Refused("CONFLICT")
    for id, quantity, minor in asks or []:
        part = order.share(id, (quantity, minor))
        if part is None or part + order.part_asked(id) > 1:
            raise Refused("REFUND_TOO_LARGE")
    return book_step(shop, now, order, Report(now, "", asks, cancels))


def reported(shop: Any, now: datetime, name: str, report: Report) -> bool:
    """Whether it is booked by this: one of an order that is not there waits for it."""
    order = shop.orders.get(name)
    if order is None:
        waiting = shop.waiting.setdefault(name, [])
        if all(report.name != other.name for other in waiting):
            waiting.append(report)
        return False
    if report.cancels and order.state == "CANCELLED":
        shop.settled(now, keys_of(order), False)
        return False
    book_step(shop, now, order, report)
    return True


def book_waiting(shop: Any, now: datetime, name: str) -> None:
    """An order is there at last: what waited for it is booked, in the sequence it happened in."""
    for report in sorted(shop.waiting.pop(name, ()), key=lambda each: (each.at, each.name)):
        book_step(shop, now, shop.orders[name], report)


def put_back(shop: Any, order: Order) -> list[Report]:
    """Undo what came back of an order, as far as it is there; what is to be booked anew."""
    for unit in order.took:
        member = shop.members[order.member]
        take_back(member, order, unit, member.moment, gives_up=True)
    steps, order.steps = order.steps, []
    order.asked, order.is_all, order.money, order.state = {}, False, 0, "PAID"
    return steps


def keys_of(order: Order) -> list[Any]:
    return [order.member, *(draw[0] for draw in order.draws)]


def book_step(shop: Any, now: datetime, order: Order, report: Report) -> dict[str, int] | None:
    shop.settled(now, keys_of(order), False)
    is_change = report.lines is not None
    order.steps.append(report)
    last = order.change
    if is_change and last is not None and (report.at, report.name) <= (last.at, last.name):
        return None
    if order.member is not None:
        shop.settled(now, [order.member], True)
    if report.lines is not None:
        gone = change_to(order, report.at, report.name, report.lines)
        earn_more(shop, order, gone)
    elif report.asks is None:
        order.is_all = True
    for id, quantity, minor in report.asks or []:
        pieces, amount = order.asked.get(id, (0, 0))
        order.asked[id] = (pieces + quantity, amount + minor)
    booked = refund(shop, order, shop.moment(now, order.member), may_lessen=is_change)
    for uses in booked.pop("ended"):
        for kind, subject in uses if order.reservation is not None else ():
            use = shop.counters[kind, subject].uses[order.reservation]
            use.state = "RESTORED" if use.state == "USED" else use.state
    order.state = "CANCELLED" if report.cancels else order.state
    if order.reservation is not None:
        held = {"CANCELLED": "REFUNDED", "PAID": "COMMITTED"}.get(order.state, order.state)
        shop.reservations[order.reservation].state = held
    return booked
