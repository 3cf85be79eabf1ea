"""The trail of who changed what: written with the change, never changed, without personal values.

An event names a member by our own row id and tells fields, not what stands in them. So it may
stay for ever: erasing a member leaves nothing to erase here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from loyalty.domain.books.ledger import instant
from loyalty.services.books.desk import Desk, Row
from loyalty.storage import audit as sql
from loyalty.storage.database import Database
from loyalty.storage.effects import Effects

COMMAND_LINE = "command line"
"""Who acts where a command of ``loyalty`` does, by whoever may use the machine."""
LAST = 2**63 - 1
"""After every id."""


class Action(StrEnum):
    """What was done, named as the API names it; what only the command line does, alike."""

    TENANT_CREATE = "tenantCreate"
    RULESET_PUBLISH = "rulesetPublish"
    API_KEY_CREATE = "apiKeyCreate"
    API_KEY_REVOKE = "apiKeyRevoke"
    ISSUER_ADD = "issuerAdd"
    ISSUER_REMOVE = "issuerRemove"
    WEBHOOK_SOURCE_CREATE = "webhookSourceCreate"
    PRODUCT_UPSERT = "productUpsert"
    MEMBER_UPDATE = "memberUpdate"
    MEMBER_SUSPEND = "memberSuspend"
    MEMBER_REACTIVATE = "memberReactivate"
    MEMBER_CLOSE = "memberClose"
    MEMBER_ERASE = "memberErase"
    MEMBER_EXPORT = "memberExport"
    MEMBER_MERGE = "memberMerge"
    MEMBER_UNMERGE = "memberUnmerge"
    POINTS_ADJUST = "pointsAdjust"
    ADJUSTMENT_APPROVE = "adjustmentApprove"
    ADJUSTMENT_DECLINE = "adjustmentDecline"
    COUPON_ISSUE = "couponIssue"
    COUPON_REVOKE = "couponRevoke"
    GIFT_CARD_ISSUE = "giftCardIssue"
    GIFT_CARD_BLOCK = "giftCardBlock"
    GIFT_CARD_UNBLOCK = "giftCardUnblock"
    REWARD_STOCK_SET = "rewardStockSet"
    OFFER_PLAN_PUBLISH = "offerPlanPublish"
    OFFER_PLAN_WITHDRAW = "offerPlanWithdraw"
    MODEL_ROLLBACK = "modelRollback"
    EXPERIMENT_START = "experimentStart"
    EXPERIMENT_STOP = "experimentStop"


class Subject(StrEnum):
    """What was changed. The id of a MEMBER is our row's, of the others their own name or id."""

    TENANT = "TENANT"
    RULESET = "RULESET"
    API_KEY = "API_KEY"
    ISSUER = "ISSUER"
    WEBHOOK_SOURCE = "WEBHOOK_SOURCE"
    PRODUCT = "PRODUCT"
    MEMBER = "MEMBER"
    ADJUSTMENT = "ADJUSTMENT"
    COUPON = "COUPON"
    GIFT_CARD = "GIFT_CARD"
    REWARD = "REWARD"
    OFFER_PLAN = "OFFER_PLAN"
    MODEL = "MODEL"
    EXPERIMENT = "EXPERIMENT"


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing done, to be written with the change.

    ``detail``: field names and values that are nobody's, such as a state before and after;
    JSON-able. Never a name, an address, a free text or what a shop calls a member.
    """

    actor: str
    action: Action
    kind: Subject
    subject: str
    detail: Mapping[str, Any]


def deed(actor: str, action: Action, kind: Subject, subject: object, **detail: Any) -> Deed:
    """See ``Deed``."""
    # An id of the shop's may be longer than the column, never a name of ours.
    return Deed(actor, action, kind, str(subject)[:128], detail)


def noted(desk: Desk, done: Deed) -> None:
    """Write an event with what a command books."""
    desk.insert("audit_event", **_row(done, desk.now))


def added(effects: Effects, id: int, tenant_id: int, at: datetime, done: Deed) -> None:
    """Write an event with the effects of a unit of its own."""
    effects.insert("audit_event", {"id": id, "tenant_id": tenant_id, **_row(done, at)})


def _row(done: Deed, at: datetime) -> Row:
    return {
        "at": at,
        "actor": done.actor,
        "action": done.action,
        "subject_kind": done.kind,
        "subject_id": done.subject,
        "detail": orjson.dumps(done.detail).decode(),
    }


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events; what is None is not asked for. ``since`` is in, ``until`` is not."""

    actor: str | None = None
    action: str | None = None
    kind: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One thing that was done."""

    id: int
    at: datetime
    actor: str
    action: str
    kind: str
    subject: str
    detail: Mapping[str, Any]


class Audit:
    """Reads the trail of one tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def events(
        self, tenant_id: int, wanted: Wanted, first: int, before_id: int = LAST
    ) -> list[AuditEvent]:
        """The newest first, before the one of ``before_id``."""
        rows = await self._database.read(
            sql.EVENTS(
                tenant_id, before_id, wanted.actor, wanted.action, wanted.kind, wanted.subject,
                wanted.since, wanted.until, first,
            )
        )  # fmt: skip
        return [
            AuditEvent(id, instant(at), actor, action, kind, subject, orjson.loads(detail))
            for id, at, actor, action, kind, subject, detail in rows
        ]
