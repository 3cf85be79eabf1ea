"""Commands about coupons and the stock of rewards, decided at a desk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.domain.quotes.quote_terms import QuotaKind, QuotaUse
from loyalty.domain.rulesets.ruleset import Reward
from loyalty.errors import AlreadyExists, BadInput, NotFound
from loyalty.services.audit import Action, Subject, deed, noted
from loyalty.services.books.desk import Desk, Idempotent, Needs, Row

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
        if _reward_of(desk, terms.reward).needs_offer:
            raise BadInput(
                f"found reward {terms.reward!r}, which personal offers alone open, wanted another",
                field=("input", "reward"),
            )
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
            row: Row = {"id": id, "code": code, "member_id": member_id, "state": "ISSUED"}
            desk.see(desk.loaded.coupons, code, row)
            done = deed(
                self.issued_by,
                Action.COUPON_ISSUE,
                Subject.COUPON,
                _audited(row),
                reward=terms.reward,
                usesMax=terms.uses_max,
                usesPerMemberMax=terms.uses_per_member_max,
                member=None if member_id is None else str(member_id),
            )
            noted(desk, done)
        return {"codes": list(self.codes)}


@dataclass(frozen=True, slots=True)
class RevokeCoupon:
    """Let a coupon be used no more; what was used stays. One that is revoked stays so."""

    tenant_id: int
    idempotent: Idempotent | None
    code: str
    by: str
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
            noted(desk, deed(self.by, Action.COUPON_REVOKE, Subject.COUPON, _audited(row)))
        return {"code": self.code}


@dataclass(frozen=True, slots=True)
class SetStock:
    """Say how often a reward may be taken in all, what was taken already included."""

    tenant_id: int
    idempotent: Idempotent | None
    reward: str
    total: int
    by: str
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
        before = None if quota is None else quota.total_max
        change = {"before": before, "after": self.total}
        noted(desk, deed(self.by, Action.REWARD_STOCK_SET, Subject.REWARD, self.reward, **change))
        if quota is None:
            desk.insert("quota", kind=QuotaKind.STOCK, subject=self.reward, total_max=self.total)
            return {"reward": self.reward, "total": self.total, "used": 0, "held": 0}
        desk.update("quota", quota.id, total_max=self.total)
        return {
            "reward": self.reward, "total": self.total, "used": quota.used, "held": quota.held
        }  # fmt: skip


def _reward_of(desk: Desk, code: str) -> Reward:
    for reward in desk.ruleset.rewards:
        if reward.code == code:
            return reward
    raise NotFound("reward", code, field=("input", "reward"))


def _audited(row: Row) -> str:
    """What the trail calls a coupon: it stays for ever, and a member's own code may be a name."""
    return str(row["code"] if row["member_id"] is None else row["id"])
