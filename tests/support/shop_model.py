"""The domain in small: what a shop's accounts, counters and orders become, step by step.

Written apart from the code that it judges, on plain lists and dicts, and without a thought of
speed: it shares no line with ``loyalty.domain``. Amounts are integers, of points or minor units;
times are aware UTC. What a quote offers is given; what holding, paying and taking back make of it
is said here.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shop_days import end_after_months, start_of_day
from shop_holders import Correction, Counter, Hold, Holder, Lot, Refused, Reservation, Use
from shop_merges import Merge
from shop_orders import Order, spread
from shop_reported import as_quoted
from shop_returns import Report, book_step, book_waiting, keys_of, put_back
from shop_tiers import Standing, earned_by, in_force, judge, pass_time

SET_ASIDE_FROM = {"SUSPENDED": ["ACTIVE"], "ACTIVE": ["PROSPECT", "SUSPENDED"]}


@dataclass(eq=False)
class Shop:
    """One tenant. ``rules`` are the figures of the ruleset in force that matter here.

    ``eras``: those of each ruleset with the moment from which it was in force.
    """

    rules: dict[str, Any]
    eras: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    numbers: int = 0
    members: dict[str, Holder] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    cards: dict[int, Holder] = field(default_factory=dict)
    counters: dict[tuple[str, str], Counter] = field(default_factory=dict)
    reservations: dict[int, Reservation] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    judged: list[Holder] = field(default_factory=list)
    merges: dict[str, Merge] = field(default_factory=dict)
    waiting: dict[str, list[Report]] = field(default_factory=dict)
    corrections: dict[int, Correction] = field(default_factory=dict)

    def publish(self, now: datetime, rules: dict[str, Any]) -> None:
        self.rules = rules
        self.eras = [*self.eras[:1], *(era for era in self.eras[1:] if era[0] < now), (now, rules)]

    @property
    def proposed(self) -> list[int]:
        return [id for id, asked in self.corrections.items() if asked.state == "PROPOSED"]

    # Who is concerned, and the moment that counts for them

    def whose(self, name: str | None) -> str | None:
        return None if name is None else self.merged.get(name, name)

    def holder(self, key: str | int | None) -> Holder | None:
        if isinstance(key, int):
            return self.cards[key]
        return None if key is None else self.members[key]

    def moment(self, now: datetime, name: str | None) -> datetime:
        return now if name is None else max(now, self.members[name].moment)

    def latest(self, now: datetime, offer: dict[str, Any]) -> datetime:
        """The latest moment of all who hold for a reservation."""
        cards = [self.cards[card].moment for card, _ in offer["gifts"]]
        return max([self.moment(now, offer["member"]), *cards])

    def settled(self, now: datetime, keys: Iterable[str | int | None], touched: bool) -> None:
        for key in dict.fromkeys(keys):
            holder = self.holder(key)
            if holder is not None:
                before = holder.moment
                if touched and isinstance(key, str):
                    self.touched.add(key)
                if not self.settle(holder, now) and not touched:
                    holder.moment = before

    def settle(self, holder: Holder, now: datetime) -> bool:
        """Whether anything happened by itself until now."""
        start = holder.moment
        has_changed = holder.settle(now)
        if holder.standing is not None and holder not in self.judged:
            # Once for all that is done together; what it comes to is judged at its end.
            self.judged.append(holder)
            has_changed |= pass_time(holder, self.eras, start, holder.moment)
        return has_changed

    def settle_all(self, now: datetime) -> None:
        """How everybody looks at a moment; to be shown, not to be kept."""
        for holder in (*self.members.values(), *self.cards.values()):
            self.settle(holder, now)

    def keys_of(self, id: int) -> list[str | int | None]:
        offer = self.reservations[id].offer
        return [offer["member"], *(card for card, _ in offer["gifts"])]

    def state_of(self, now: datetime, id: int) -> str:
        found = self.reservations[id]
        is_over = found.ends <= self.moment(now, found.offer["member"])
        return "EXPIRED" if found.state == "HELD" and is_over else found.state

    def lot(self, unit: str, amount: int, starts: datetime, ends: datetime | None) -> Lot:
        self.numbers += 1
        return Lot(unit, amount, amount, starts, ends, self.numbers)

    # Members and their accounts

    def enrol(self, now: datetime, name: str) -> None:
        who = self.whose(name)
        assert who is not None
        if who in self.members and self.members[who].state != "PROSPECT":
            raise Refused("ALREADY_EXISTS")
        self.joined(now, who).state = "ACTIVE"
        self.settled(now, [who], True)

    def joined(self, now: datetime, who: str) -> Holder:
        """A member; one that is not known becomes a prospect."""
        return self.members.setdefault(who, Holder("PROSPECT", now, standing=Standing(now)))

    def set_aside(self, now: datetime, name: str, state: str) -> None:
        """Suspend a member, or let one take part again; open holds are given back on the way."""
        who = self.whose(name)
        if who not in self.members:
            raise Refused("NOT_FOUND")
        member = self.members[who]
        if member.state == state:
            self.settled(now, [who], False)
            return
        if (
            member.state
            not in {"SUSPENDED": ["ACTIVE"], "ACTIVE": ["PROSPECT", "SUSPENDED"]}[state]
        ):
            raise Refused("CONFLICT")
        self.settled(now, [who], True)
        if state == "SUSPENDED":
            for id in sorted(member.holds):
                self.settled(now, self.keys_of(id), True)
                self.give_back(id)
                self.reservations[id].state = "RELEASED"
        member.state = state

    # Checkout

    def reserve(self, now: datetime, offer: dict[str, Any], id: int, ttl: timedelta) -> None:
        if offer["valid_until"] <= now:
            raise Refused("QUOTE_EXPIRED")
        offer = offer | {"member": self.whose(offer["member"])}
        who = offer["member"]
        old = [
            n for n, r in self.reservations.items()
            if r.offer["cart"] == offer["cart"] and r.state == "HELD"
        ]  # fmt: skip
        for n in old:
            state = self.state_of(now, n)
            self.settled(now, self.keys_of(n), state == "HELD")
            if state == "HELD":
                self.give_back(n)
            self.reservations[n].state = "RELEASED" if state == "HELD" else "EXPIRED"
        self.settled(now, [who, *(card for card, _ in offer["gifts"])], True)
        if who is not None and self.members[who].state != "ACTIVE":
            raise Refused("MEMBER_NOT_ACTIVE")
        moment = self.latest(now, offer)
        limit = moment + timedelta(seconds=172_800)
        self.reservations[id] = Reservation(offer, "HELD", moment + ttl, limit)
        self.hold(now, id, moment + ttl)

    def hold(self, now: datetime, id: int, ends: datetime) -> None:
        """Everything that a quote takes, or nothing of it."""
        offer = self.reservations[id].offer
        member = self.holder(offer["member"])
        self.reservations[id].drawn = []
        if member is not None:
            member.holds.setdefault(id, Hold(ends, []))
            for unit, amount in offer["needs"].items():
                member.hold(id, unit, amount, ends, "INSUFFICIENT_POINTS")
            if offer["credit"]:
                member.hold(id, "credit:EUR", offer["credit"], ends, "INSUFFICIENT_CREDIT")
        for card, amount in offer["gifts"]:
            if self.cards[card].state != "ACTIVE":
                raise Refused("QUOTE_CHANGED")
            self.cards[card].hold(id, "gift:EUR", amount, ends, "QUOTE_CHANGED")
        if member is not None:
            self.reservations[id].drawn = [lot for lot, _ in member.holds[id].draws]
        for kind, subject, quantity in offer["uses"]:
            self.take_use(now, (kind, subject), quantity, offer["member"], id, ends)

    def take_use(
        self,
        now: datetime,
        key: tuple[str, str],
        quantity: int,
        member: str | None,
        id: int,
        ends: datetime,
    ) -> None:
        is_coupon = key[0] == "COUPON"
        if key not in self.counters:
            if key[1] in self.rules["stocked"]:
                raise Refused("OUT_OF_STOCK")
            self.counters[key] = Counter(None)
        counter = self.counters[key]
        if counter.is_revoked:
            raise Refused("QUOTE_CHANGED")
        others = {n: use for n, use in counter.uses.items() if n != id}
        taken = [use for use in others.values() if use.state == "USED" or use.is_held(now)]
        if counter.total is not None and sum(u.quantity for u in taken) + quantity > counter.total:
            raise Refused("QUOTE_CHANGED" if is_coupon else "OUT_OF_STOCK")
        limits = [counter.each, None if is_coupon else self.rules["each"].get(key[1])]
        own = sum(use.quantity for use in taken if use.member == member)
        for most in limits:
            if member is not None and most is not None and own + quantity > most:
                raise Refused("QUOTE_CHANGED")
        counter.uses[id] = Use(member, quantity, "HELD", ends)
        for use in others.values():
            if use.state == "HELD" and not use.is_held(now):
                use.state = "RELEASED"

    def uses_of(self, id: int) -> list[tuple[Counter, Use]]:
        return [(c, c.uses[id]) for c in self.counters.values() if id in c.uses]

    def give_back(self, id: int) -> None:
        for key in self.keys_of(id):
            holder = self.holder(key)
            if holder is not None and id in holder.holds:
                holder.release(id)
        for _, use in self.uses_of(id):
            if use.state == "HELD":
                use.state = "RELEASED"

    def release(self, now: datetime, id: int) -> str:
        state = self.state_of(now, id)
        if state in ("COMMITTED", "PARTIALLY_REFUNDED", "REFUNDED"):
            raise Refused("CONFLICT")
        self.settled(now, self.keys_of(id), state == "HELD")
        if state == "HELD":
            self.give_back(id)
            self.reservations[id].state = state = "RELEASED"
        return state

    def extend(self, now: datetime, id: int, ttl: timedelta) -> None:
        if self.state_of(now, id) != "HELD":
            raise Refused("CONFLICT")
        found = self.reservations[id]
        self.settled(now, self.keys_of(id), True)
        ends = self.latest(now, found.offer) + ttl
        if ends > found.limit:
            raise Refused("BAD_USER_INPUT")
        found.ends = ends = max(ends, found.ends)
        for key in self.keys_of(id):
            holder = self.holder(key)
            if holder is not None and id in holder.holds:
                holder.holds[id].ends = ends
        for _, use in self.uses_of(id):
            if use.state == "HELD":
                use.ends = ends

    def commit(self, now: datetime, id: int, name: str, paid: int) -> bool:
        """Whether the order is booked by this; it may be already."""
        found, known = self.reservations[id], self.orders.get(name)
        who, offer = found.offer["member"], found.offer
        if known is not None and known.reservation == id:
            if not known.is_flagged and paid != offer["payable"]:
                raise Refused("TOTAL_MISMATCH")
            self.settled(now, self.keys_of(id), False)
            return False
        if known is not None:
            is_free = known.reservation is None and known.member in (None, who)
            if not is_free:
                raise Refused("ALREADY_EXISTS")
            assert known.told == id, "reported otherwise than quoted: not of this model"
        state = self.state_of(now, id)
        if state not in ("HELD", "EXPIRED"):
            raise Refused("CONFLICT")
        if paid != offer["payable"]:
            raise Refused("TOTAL_MISMATCH")
        self.settled(now, self.keys_of(id), True)
        came_back = [] if known is None else put_back(self, known)
        holders = [h for key in self.keys_of(id) if (h := self.holder(key)) is not None]
        is_whole = all(id in holder.holds for holder in holders)
        is_whole = is_whole and all(use.state != "RELEASED" for _, use in self.uses_of(id))
        if state == "EXPIRED" or not is_whole:
            if who is not None and self.members[who].state != "ACTIVE":
                raise Refused("MEMBER_NOT_ACTIVE")
            self.give_back(id)
            try:
                self.hold(now, id, now)
            except Refused as late:
                raise Refused("HOLD_EXPIRED") from late
        blocked = any(self.cards[card].state != "ACTIVE" for card, _ in offer["gifts"])
        if blocked or any(counter.is_revoked for counter, _ in self.uses_of(id)):
            raise Refused("QUOTE_CHANGED")
        draws = [
            [key, lot, amount, 0]
            for key in sorted(
                dict.fromkeys(self.keys_of(id)), key=lambda x: (isinstance(x, int), x)
            )
            if (holder := self.holder(key)) is not None
            for lot, amount in holder.holds.pop(id).draws
        ]
        for _, use in self.uses_of(id):
            use.state = "USED"
        found.state = "COMMITTED"
        if known is not None:
            as_quoted(self, known, id, offer, draws)
            for report in came_back:
                book_step(self, now, known, report)
            return True
        order = Order(who, id, dict(offer["rules"]), offer["lines"], offer["tender"], draws, now)
        order.rewards, order.tier = offer["rewards"], offer["tier"]
        self.earn(order, offer["earnings"])
        self.orders[name] = order
        book_waiting(self, now, name)
        return True

    def earn(self, order: Order, earnings: Iterable[tuple[Any, ...]]) -> None:
        if order.member is None:
            return
        for unit, points, by_line, starts, ends in earnings:
            lot = self.lot(unit, points, starts, ends)
            self.members[order.member].lots.append(lot)
            keys = [line["key"] for line in order.lines]
            order.earned.append((unit, points, lot, dict(zip(keys, by_line, strict=True))))

    # Orders that the shop reports, and what comes back of any

    def paid(
        self, now: datetime, name: str, member: str | None, lines: list[dict[str, Any]],
        at: datetime, told: int | None = None,
    ) -> bool:  # fmt: skip
        """A shop's report of a paid order; whether it is news.

        ``told``: the reservation whose checkout it is of, though it does not say so.
        """
        who = self.whose(member)
        nets = [line["net"] for line in lines]
        if name in self.orders:
            known = self.orders[name]
            keys = [who if who in self.members else None, *keys_of(known)]
            self.settled(now, keys, False)
            if known.reservation is not None and known.change is None and not known.is_flagged:
                # It came from its checkout, and this is the first word of what was paid.
                known.is_other = known.total != sum(nets)
            return False
        if who is not None:
            self.joined(now, who)
            self.settled(now, [who], True)
        order = Order(who, None, dict(self.rules), lines, None, [], at, told=told)
        order.tier = None if who is None else self.members[who].standing_at(at)
        earnings = []
        for unit, points, pending, months in earned_by(self.rules, order.tier, sum(nets)):
            if points:
                starts = start_of_day(at, pending) if pending else at
                ends = end_after_months(at, months)
                earnings.append((unit, points, spread(points, nets), starts, ends))
        if who is not None and self.members[who].state != "SUSPENDED":
            self.earn(order, earnings)
        self.orders[name] = order
        book_waiting(self, now, name)
        return True


def tried(shop: Shop, do: Callable[[Shop], Any]) -> tuple[Shop, Any, str | None]:
    """The shop after something was done, its answer, and the code of a refusal: then as before."""
    after = copy.deepcopy(shop)
    after.touched, after.judged = set(), []
    try:
        answer = do(after)
    except Refused as refused:
        return shop, None, refused.code
    for member in (after.members[name] for name in after.touched & after.members.keys()):
        judge(member, in_force(after.eras, member.moment), member.moment)
    return after, answer, None
