"""A member's personal offers, as the member sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from loyalty.clock import Clock
from loyalty.domain.books.ledger import instant
from loyalty.domain.offers.offer_states import (
    USABLE,
    OfferCounts,
    OfferReason,
    OfferState,
    offer_state,
    reason_from_json,
)
from loyalty.domain.offers.offers import PoolOffer
from loyalty.domain.quotes.quote_offers import offer_reward, pool_offer
from loyalty.domain.rulesets.ruleset import Reward, Ruleset
from loyalty.errors import NotFound
from loyalty.services.books.desk import Idempotent
from loyalty.services.books.door import Door, outcome_of
from loyalty.services.offers.offer_commands import ActivateOffer
from loyalty.services.offers.offer_facts import OWN_OFFERS_MAX, TOLD_FOR
from loyalty.storage import offers as sql
from loyalty.storage import quotas as quotas_sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Unit, together


@dataclass(frozen=True, slots=True)
class MemberOffer:
    """One offer as it stands at a moment.

    ``pool`` and ``reward`` are what the ruleset in force says of it; None where it has none of it
    any more, and then it is withdrawn. ``reason`` is None once it was erased, or the consent to
    profiling that it came from was taken back.
    """

    id: int
    member_id: int
    offer: str
    target: str
    state: OfferState
    starts_at: datetime
    ends_at: datetime
    activated_at: datetime | None
    counts: OfferCounts
    reason: OfferReason | None
    pool: PoolOffer | None
    reward: Reward | None


class Offers:
    """What members have been offered, and making it active."""

    def __init__(self, database: Database, door: Door, clock: Clock) -> None:
        self._database = database
        self._door = door
        self._clock = clock

    async def of_member(
        self, tenant_id: int, member_id: int, ruleset: Ruleset, *, first: int
    ) -> list[MemberOffer]:
        """The member's offers: those that can be used first, of each kind the first to end.

        What is over is told of for ``TOLD_FOR``.
        """
        now = self._clock.now()
        since = now - TOLD_FOR
        found = await self._database.read_unit(
            lambda: _read(
                tenant_id, ruleset, now, sql.OF_MEMBER(tenant_id, member_id, since, OWN_OFFERS_MAX)
            )
        )
        found.sort(key=lambda each: (each.state not in USABLE, each.ends_at, each.id))
        return found[:first]

    async def by_id(self, tenant_id: int, offer_id: int, ruleset: Ruleset) -> MemberOffer:
        """Raises NotFound."""
        now = self._clock.now()
        found = await self._database.read_unit(
            lambda: _read(tenant_id, ruleset, now, sql.BY_ID(tenant_id, [offer_id]))
        )
        if not found:
            raise NotFound("offer")
        return found[0]

    async def activate(
        self, tenant_id: int, once: Idempotent, member: str, offer_id: int
    ) -> tuple[int, bool]:
        """Make an offer active; its id, and whether the key had done so before.

        Raises:
            NotFound: no such member, or the member has no such offer. MemberNotActive.
            Conflict: it is over, withdrawn or used up.
        """
        verdict = await self._door.submit(ActivateOffer(tenant_id, once, member, offer_id))
        found = outcome_of(verdict)["offer"]
        assert isinstance(found, int)
        return found, verdict.replayed


def _read(
    tenant_id: int, ruleset: Ruleset, now: datetime, statement: Any
) -> Unit[list[MemberOffer]]:
    rows = yield statement
    ids = [row[0] for row in rows]
    if not ids:
        return []
    held, restored = yield from together(
        quotas_sql.HELD(tenant_id, ids, now, 0), sql.RESTORED(tenant_id, ids)
    )
    counts = {id: int(count) for id, count in held}, {id: int(count) for id, count in restored}
    return [_offer(row, ruleset, now, *counts) for row in rows]


def _offer(
    row: Sequence[Any],
    ruleset: Ruleset,
    now: datetime,
    held: dict[int, int],
    restored: dict[int, int],
) -> MemberOffer:
    of = dict(zip(sql.OFFER_COLUMNS, row, strict=True))
    id, activated = of["id"], of["activated_at"]
    counts = OfferCounts(of["uses_max"], of["used"], held.get(id, 0), restored.get(id, 0))
    reward = offer_reward(ruleset, of["offer"], of["target"])
    ends_at = instant(of["ends_at"])
    return MemberOffer(
        id=id,
        member_id=of["member_id"],
        offer=of["offer"],
        target=of["target"],
        state=offer_state(
            counts,
            ends_at=ends_at,
            is_active=activated is not None,
            is_withdrawn=reward is None or "WITHDRAWN" in (of["state"], of["plan_state"]),
            at=now,
        ),
        starts_at=instant(of["starts_at"]),
        ends_at=ends_at,
        activated_at=None if activated is None else instant(activated),
        counts=counts,
        reason=reason_from_json(orjson.loads(of["reason"])),
        pool=pool_offer(ruleset, of["offer"]),
        reward=reward,
    )
