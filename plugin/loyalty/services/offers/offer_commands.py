"""The command about a member's own offer, decided at a desk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.domain.books.ledger import instant
from loyalty.domain.offers.offer_states import OfferCounts, OfferState, offer_state
from loyalty.domain.quotes.quote_offers import offer_reward
from loyalty.errors import Conflict, MemberNotActive, NotFound
from loyalty.services.books.desk import Desk, Idempotent, Needs

Outcome = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ActivateOffer:
    """Make a member's offer active, so that it can be used. One that is active stays so."""

    tenant_id: int
    idempotent: Idempotent
    member: str
    offer_id: int
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(members=(self.member,), offers=(self.offer_id,))

    def decide(self, desk: Desk) -> Outcome:
        member_id = desk.names.get(self.member)
        if member_id is None:
            raise NotFound("member", self.member, field=("input", "member"))
        row = desk.loaded.offers.get(self.offer_id)
        if row is None or row["member_id"] != member_id:
            raise NotFound("offer", field=("input", "offerId"))
        outcome = {"offer": self.offer_id}
        if row["activated_at"] is not None:
            return outcome
        state = desk.members[member_id]["state"]
        if state != "ACTIVE":
            raise MemberNotActive(state)
        reward = offer_reward(desk.ruleset, row["offer"], row["target"])
        found = offer_state(
            OfferCounts(row["uses_max"], row["used"]),
            ends_at=instant(row["ends_at"]),
            is_active=False,
            is_withdrawn=reward is None or "WITHDRAWN" in (row["state"], row["plan_state"]),
            at=desk.moment_of(member_id),
        )
        if found is not OfferState.OFFERED:
            raise Conflict(f"the offer is {found.lower()}, wanted offered")
        desk.update("member_offer", self.offer_id, activated_at=desk.now)
        desk.see(desk.loaded.offers, self.offer_id, row | {"activated_at": desk.now})
        desk.touch(member_id, "offer")
        return outcome
