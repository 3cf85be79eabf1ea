"""Checkout commands that hold value: reserve, extend, release. ``commit`` spends it.

Each is decided at a desk, under the member's lock. The signed quote is honoured as it was
given; only what can be used up is looked at again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from loyalty.domain.books.ledger import instant, micros
from loyalty.domain.quotes.quote_codec import to_dict
from loyalty.domain.quotes.quote_terms import Quote
from loyalty.domain.rulesets.ruleset import HoldPolicy
from loyalty.errors import (
    BadInput,
    Conflict,
    MemberNotActive,
    NotFound,
    QuoteExpired,
)
from loyalty.services.books.desk import Desk, Idempotent, Needs, Row
from loyalty.services.books.quotas import extend_uses
from loyalty.services.checkout.holding import extend_held, give_back, hold_quoted

Outcome = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reserve:
    """Hold what a signed quote takes, for one cart; replaces the cart's earlier hold."""

    tenant_id: int
    idempotent: Idempotent
    quote: Quote
    ttl_s: int | None
    at: datetime | None = None

    def needs(self) -> Needs:
        member = self.quote.member
        return Needs(
            members=(member,) if member else (),
            carts=(self.quote.cart.id,),
            holders=tuple(used.holder_id for used in self.quote.gift_cards),
            uses=self.quote.uses,
        )

    def decide(self, desk: Desk) -> Outcome:
        quote, policy = self.quote, desk.ruleset.holds
        if quote.valid_until <= desk.now:
            raise QuoteExpired(f"the quote was valid until {quote.valid_until.isoformat()}")
        ttl_s = lifetime_s(policy, self.ttl_s, policy.ttl_s_max)
        _release_open(desk, quote.cart.id)
        member_id = _active_member(desk, quote.member)
        reservation_id = desk.ids.next()
        cards = [used.holder_id for used in quote.gift_cards]
        moment = desk.moment_of_all(member_id, cards)
        expires_at = moment + timedelta(seconds=ttl_s)
        hold_quoted(desk, member_id, reservation_id, quote, expires_at)
        if member_id is not None:
            desk.touch(member_id, "reserved")
        row: Row = {
            "id": reservation_id,
            "member_id": member_id,
            "cart_id": quote.cart.id,
            "state": "HELD",
            "quote": orjson.dumps(to_dict(quote)).decode(),
            "order_id": None,
            "created_at": desk.now,
            "expires_at": expires_at,
            "extended_until_max": moment + timedelta(seconds=policy.extended_ttl_s_max),
        }
        desk.insert("reservation", **row)
        desk.see(desk.loaded.reservations, reservation_id, row)
        desk.see(desk.loaded.open_carts, quote.cart.id, reservation_id)
        return reservation_outcome(row)


@dataclass(frozen=True, slots=True)
class Extend:
    """Give a slow payment more time, up to the ruleset's limit; never less than it has."""

    tenant_id: int
    idempotent: Idempotent
    reservation_id: int
    ttl_s: int
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(reservations=(self.reservation_id,))

    def decide(self, desk: Desk) -> Outcome:
        row = openfound_reservation(desk, self.reservation_id)
        policy = desk.ruleset.holds
        ttl_s = lifetime_s(policy, self.ttl_s, policy.extended_ttl_s_max)
        limit = as_instant(row["extended_until_max"])
        holders = desk.holders_of(self.reservation_id)
        moment = desk.moment_of_all(row["member_id"], holders)
        expires_at = moment + timedelta(seconds=ttl_s)
        if expires_at > limit:
            raise BadInput(
                f"found {self.ttl_s} seconds from now, wanted at most until {limit.isoformat()}",
                field=("input", "ttlSeconds"),
            )
        expires_at = max(expires_at, as_instant(row["expires_at"]))
        desk.update("reservation", self.reservation_id, expires_at=expires_at)
        extend_held(desk, self.reservation_id, expires_at)
        extend_uses(desk, self.reservation_id, expires_at)
        return reservation_outcome(row | {"expires_at": expires_at})


@dataclass(frozen=True, slots=True)
class Release:
    """Give a hold back. One that timed out by itself is given back already."""

    tenant_id: int
    idempotent: Idempotent
    reservation_id: int
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(reservations=(self.reservation_id,))

    def decide(self, desk: Desk) -> Outcome:
        row = found_reservation(desk, self.reservation_id)
        state = state_at(row, desk.moment_of(row["member_id"]))
        if state == "HELD":
            _give_back(desk, row)
            row = row | {"state": "RELEASED"}
        elif state not in ("RELEASED", "EXPIRED"):
            raise Conflict(f"the reservation is {state.lower()}, wanted held")
        return reservation_outcome(row | {"state": row["state"] if state == "HELD" else state})


def lifetime_s(policy: HoldPolicy, asked_s: int | None, longest_s: int) -> int:
    """How long to hold, in seconds; refuses what the ruleset does not allow."""
    if asked_s is None:
        return policy.ttl_s
    if not 1 <= asked_s <= longest_s:
        raise BadInput(
            f"found {asked_s} seconds, wanted 1 to {longest_s}", field=("input", "ttlSeconds")
        )
    return asked_s


def state_at(row: Row, at: datetime) -> str:
    """A reservation's state by the clock, whether or not anybody settled it."""
    if row["state"] == "HELD" and as_instant(row["expires_at"]) <= at:
        return "EXPIRED"
    return str(row["state"])


def as_instant(value: int | datetime) -> datetime:
    """A row's instant, whether it was read or just made."""
    return instant(value) if isinstance(value, int) else value


def reservation_outcome(row: Row) -> Outcome:
    """What a reservation looked like when it was answered; JSON-able."""
    expires_at = row["expires_at"]
    return {
        "reservation": row["id"],
        "state": row["state"],
        "expires_at": expires_at if isinstance(expires_at, int) else micros(expires_at),
    }


def openfound_reservation(desk: Desk, reservation_id: int) -> Row:
    """The row of a reservation that is still held.

    Raises:
        NotFound: none of that id. Conflict: it is no longer held.
    """
    row = found_reservation(desk, reservation_id)
    state = state_at(row, desk.moment_of(row["member_id"]))
    if state != "HELD":
        raise Conflict(f"the reservation is {state.lower()}, wanted held")
    return row


def _active_member(desk: Desk, name: str | None) -> int | None:
    if name is None:
        return None
    if name not in desk.names:
        raise NotFound("member", name, field=("input", "quoteToken"))
    member_id = desk.names[name]
    state = desk.members[member_id]["state"]
    if state != "ACTIVE":
        raise MemberNotActive(state)
    return member_id


def found_reservation(desk: Desk, reservation_id: int) -> Row:
    row = desk.loaded.reservations.get(reservation_id)
    if row is None:
        raise NotFound("reservation", field=("input", "reservationId"))
    return row


def _release_open(desk: Desk, cart_id: str) -> None:
    open_id = desk.loaded.open_carts.get(cart_id)
    if open_id is None:
        return
    row = desk.loaded.reservations[open_id]
    if row["state"] != "HELD":
        return
    if state_at(row, desk.moment_of(row["member_id"])) == "HELD":
        _give_back(desk, row)
    elif row["member_id"] is None:
        desk.update("reservation", open_id, state="EXPIRED")


def release_open_of(desk: Desk, member_id: int) -> None:
    """Give back whatever a member's open reservations hold."""
    for reservation_id in list(desk.books[member_id].accounts.holds):
        row = desk.loaded.reservations.get(reservation_id)
        if row is not None:
            _give_back(desk, row)


def _give_back(desk: Desk, row: Row) -> None:
    give_back(desk, row["id"])
    desk.update("reservation", row["id"], state="RELEASED")
