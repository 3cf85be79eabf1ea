"""Coupons and the stock of rewards: issue, revoke, set, list."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.clock import Clock
from loyalty.domain.codes import ALPHABET, is_coupon_code, normalised
from loyalty.domain.ledger import instant
from loyalty.domain.money import AMOUNT_MINOR_MAX
from loyalty.domain.quote_terms import QuotaKind, QuotaUse
from loyalty.domain.ruleset import Reward
from loyalty.errors import AlreadyExists, BadInput, NotFound
from loyalty.services.desk import Desk, Idempotent, Needs
from loyalty.services.door import Door, outcome_of
from loyalty.storage import quotas as sql
from loyalty.storage.database import Database

ISSUED_MAX = 1_000
"""Coupons issued in one call."""
RANDOM_LENGTH = 10
"""Random characters of a code that we make: 50 bits."""

Outcome = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CouponTerms:
    """What coupons bring and for whom. ``starts_at`` and ``ends_at`` are half-open."""

    reward: str
    uses_max: int | None = None
    uses_per_member_max: int | None = None
    member: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IssueCoupons:
    """Make coupons of the given codes, all or none."""

    tenant_id: int
    idempotent: Idempotent | None
    codes: tuple[str, ...]
    terms: CouponTerms
    issued_by: str
    at: datetime | None = None

    def needs(self) -> Needs:
        member = self.terms.member
        return Needs(members=(member,) if member else (), coupons=self.codes)

    def decide(self, desk: Desk) -> Outcome:
        terms = self.terms
        _reward_of(desk, terms.reward)
        member_id = None
        if terms.member is not None:
            member_id = desk.names.get(terms.member)
            if member_id is None:
                raise NotFound("member", terms.member, field=("input", "member"))
        for code in self.codes:
            if code in desk.loaded.coupons:
                raise AlreadyExists(f"there is a coupon {code} already", field=("input", "codes"))
        for code in self.codes:
            id = desk.insert(
                "quota",
                kind=QuotaKind.COUPON,
                subject=code,
                total_max=terms.uses_max,
                member_max=terms.uses_per_member_max,
            )
            desk.insert(
                "coupon",
                id=id,
                code=code,
                reward=terms.reward,
                member_id=member_id,
                starts_at=terms.starts_at,
                ends_at=terms.ends_at,
                state="ISSUED",
                created_at=desk.now,
                created_by=self.issued_by,
            )
            desk.see(desk.loaded.coupons, code, {"id": id, "state": "ISSUED"})
        return {"codes": list(self.codes)}


@dataclass(frozen=True, slots=True)
class RevokeCoupon:
    """Let a coupon be used no more; what was used stays. One that is revoked stays so."""

    tenant_id: int
    idempotent: Idempotent | None
    code: str
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(coupons=(self.code,))

    def decide(self, desk: Desk) -> Outcome:
        row = desk.loaded.coupons.get(self.code)
        if row is None:
            raise NotFound("coupon", self.code, field=("input", "code"))
        if row["state"] != "REVOKED":
            desk.update("coupon", row["id"], state="REVOKED")
            desk.see(desk.loaded.coupons, self.code, row | {"state": "REVOKED"})
        return {"code": self.code}


@dataclass(frozen=True, slots=True)
class SetStock:
    """Say how often a reward may be taken in all, what was taken already included."""

    tenant_id: int
    idempotent: Idempotent | None
    reward: str
    total: int
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(uses=(QuotaUse(QuotaKind.STOCK, self.reward, None),))

    def decide(self, desk: Desk) -> Outcome:
        reward = _reward_of(desk, self.reward)
        if not reward.stocked:
            raise BadInput(
                f"found reward {self.reward!r}, wanted one with stocked = true",
                field=("input", "reward"),
            )
        quota = desk.loaded.quotas.get((QuotaKind.STOCK, self.reward))
        if quota is None:
            desk.insert("quota", kind=QuotaKind.STOCK, subject=self.reward, total_max=self.total)
            return {"reward": self.reward, "total": self.total, "used": 0, "held": 0}
        desk.update("quota", quota.id, total_max=self.total)
        return {
            "reward": self.reward, "total": self.total, "used": quota.used, "held": quota.held
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon as it stands: ``used`` for good and ``held`` by open reservations."""

    id: int
    code: str
    reward: str
    member_id: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    state: str
    uses_max: int | None
    uses_per_member_max: int | None
    used: int
    held: int
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Stock:
    """A reward's stock: ``total`` set by the merchant, ``used`` and ``held`` of it."""

    reward: str
    total: int | None
    used: int
    held: int


class Coupons:
    """Coupons and stock as merchants see them."""

    def __init__(self, database: Database, door: Door, clock: Clock) -> None:
        self._database = database
        self._door = door
        self._clock = clock

    async def issue(
        self,
        tenant_id: int,
        once: Idempotent | None,
        terms: CouponTerms,
        issued_by: str,
        *,
        codes: Sequence[str] = (),
        count: int = 0,
        prefix: str = "",
    ) -> tuple[str, ...]:
        """Make coupons of given codes, or ``count`` of random ones; returns the codes.

        A repeat with the same key returns the first call's codes.

        Raises:
            BadInput: codes that are none or too many, limits or dates that make no sense.
            NotFound: no such reward or member. AlreadyExists: a code is taken.
        """
        _check(terms)
        if codes and count:
            raise BadInput("found codes and a count, wanted one of the two", field=("input",))
        made = tuple(dict.fromkeys(normalised(code) for code in codes))
        start = normalised(prefix)
        if not codes:
            made = tuple(start + _random() for _ in range(min(max(count, 0), ISSUED_MAX + 1)))
        if not 1 <= len(made) <= ISSUED_MAX:
            raise BadInput(f"found {len(made)} codes, wanted 1 to {ISSUED_MAX}", field=("input",))
        for code in made:
            if not is_coupon_code(code):
                raise BadInput(
                    f"found code {code[:80]!r}, wanted 3 to 64 of A-Z, 0-9, - and _",
                    field=("input", "codes" if codes else "prefix"),
                )
        command = IssueCoupons(tenant_id, once, made, terms, issued_by)
        outcome = outcome_of(await self._door.submit(command))
        found = outcome["codes"]
        assert isinstance(found, list)
        return tuple(found)

    async def revoke(self, tenant_id: int, once: Idempotent | None, code: str) -> Coupon:
        """Raises NotFound."""
        command = RevokeCoupon(tenant_id, once, normalised(code))
        outcome_of(await self._door.submit(command))
        return await self.named(tenant_id, code)

    async def set_stock(
        self, tenant_id: int, once: Idempotent | None, reward: str, total: int
    ) -> Stock:
        """Say how often a stocked reward may be taken in all.

        Raises:
            NotFound: no such reward. BadInput: it has no stock, or the total is no count.
        """
        if not 0 <= total <= AMOUNT_MINOR_MAX:
            raise BadInput(
                f"found total {total}, wanted 0 to {AMOUNT_MINOR_MAX}", field=("input", "total")
            )
        outcome_of(await self._door.submit(SetStock(tenant_id, once, reward, total)))
        return next(item for item in await self.stocks(tenant_id) if item.reward == reward)

    async def named(self, tenant_id: int, code: str) -> Coupon:
        """Raises NotFound."""
        rows = await self._database.read(sql.COUPONS(tenant_id, [normalised(code)]))
        if not rows:
            raise NotFound("coupon", code)
        return (await self._coupons(tenant_id, rows))[0]

    async def listed(self, tenant_id: int, first: int, after_id: int = 0) -> list[Coupon]:
        """Coupons in the sequence in which they were issued."""
        rows = await self._database.read(sql.COUPONS_LISTED(tenant_id, after_id, first))
        return await self._coupons(tenant_id, rows)

    async def stocks(self, tenant_id: int) -> list[Stock]:
        """Every reward whose stock was set or counted, by its code."""
        rows = await self._database.read(sql.STOCKS_LISTED(tenant_id))
        held = await self._held(tenant_id, [row[0] for row in rows])
        return [
            Stock(subject, total, used, held.get(id, 0)) for id, subject, total, _, used in rows
        ]

    async def _coupons(self, tenant_id: int, rows: Sequence[Sequence[Any]]) -> list[Coupon]:
        held = await self._held(tenant_id, [row[0] for row in rows])
        return [_coupon(row, held.get(row[0], 0)) for row in rows]

    async def _held(self, tenant_id: int, ids: Sequence[int]) -> dict[int, int]:
        if not ids:
            return {}
        rows = await self._database.read(sql.HELD(tenant_id, list(ids), self._clock.now()))
        return {id: int(count) for id, count in rows}


def _coupon(row: Sequence[Any], held: int) -> Coupon:
    (
        id, code, reward, member_id, starts_at, ends_at, state, uses_max, member_max, used,
        created_at, created_by,
    ) = row  # fmt: skip
    return Coupon(
        id, code, reward, member_id,
        None if starts_at is None else instant(starts_at),
        None if ends_at is None else instant(ends_at),
        state, uses_max, member_max, used, held, instant(created_at), created_by,
    )  # fmt: skip


def _reward_of(desk: Desk, code: str) -> Reward:
    for reward in desk.ruleset.rewards:
        if reward.code == code:
            return reward
    raise NotFound("reward", code, field=("input", "reward"))


def _check(terms: CouponTerms) -> None:
    for name, limit in (
        ("usesMax", terms.uses_max),
        ("usesPerMemberMax", terms.uses_per_member_max),
    ):
        if limit is not None and not 1 <= limit <= AMOUNT_MINOR_MAX:
            raise BadInput(
                f"found {name} {limit}, wanted 1 to {AMOUNT_MINOR_MAX}", field=("input", name)
            )
    starts, ends = terms.starts_at, terms.ends_at
    if starts is not None and ends is not None and ends <= starts:
        raise BadInput(
            f"found endsAt {ends.isoformat()}, wanted one after startsAt {starts.isoformat()}",
            field=("input", "endsAt"),
        )


def _random() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
