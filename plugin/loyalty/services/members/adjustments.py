"""A merchant's corrections of accounts: booked at once, or proposed to a second person.

Every one, booked or proposed, is a row of ``adjustment``; what it moves is an ADJUST
transaction through the one door. The second person is another key by name: a rotated key of
the same name is the same person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from loyalty.domain.books import adjustments as rules
from loyalty.domain.books.book import Book
from loyalty.domain.books.ledger import instant
from loyalty.domain.money import Money
from loyalty.domain.units import currency_of, is_money
from loyalty.errors import (
    BadInput,
    Conflict,
    InsufficientCredit,
    InsufficientPoints,
    MemberNotActive,
    NotFound,
    Unavailable,
)
from loyalty.services.access import Scope, Viewer
from loyalty.services.audit import LAST, Action, Subject, deed, noted
from loyalty.services.books.desk import Command, Desk, Idempotent, Needs, Row
from loyalty.services.books.door import Door, outcome_of
from loyalty.services.checkout.checkout import Done, idempotent
from loyalty.services.members.members import GONE
from loyalty.storage import adjustments as sql
from loyalty.storage.database import Database

Outcome = dict[str, Any]
PROPOSED, BOOKED, DECLINED = "PROPOSED", "BOOKED", "DECLINED"


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be adjusted.

    ``amount`` is signed: points, or minor units of credit where ``currency`` is given.
    ``last_day``: of what is added, in the program's time zone; None: as anything earned now.
    """

    member: str
    amount: int
    reason: str
    point_type: str | None = None
    currency: str | None = None
    last_day: date | None = None
    allows_deficit: bool = False


@dataclass(frozen=True, slots=True)
class Adjust:
    """Correct an account, or propose to, where one person's word is not enough."""

    tenant_id: int
    idempotent: Idempotent
    correction: Correction
    by: str
    at: datetime | None = None

    def needs(self) -> Needs:
        name = (self.correction.member,)
        return Needs(members=name, adjusts=name)

    def decide(self, desk: Desk) -> Outcome:
        given = self.correction
        if given.member not in desk.names:
            raise NotFound("member", given.member, field=("input", "externalId"))
        member_id = desk.names[given.member]
        book, ruleset = desk.books[member_id], desk.ruleset
        unit = rules.account_unit(ruleset, given.point_type, given.currency)
        amount = rules.checked_amount(given.amount)
        expires_at = None
        if amount > 0:
            expires_at = rules.ending(ruleset, unit, book.at, given.last_day)
        elif given.last_day is not None:
            raise BadInput("found a last day, wanted none for a taking", field=("input", "lastDay"))
        row: Row = {
            "id": desk.ids.next(),
            "member_id": member_id,
            "unit": unit,
            "amount": amount,
            "expires_at": expires_at,
            "allows_deficit": given.allows_deficit,
            "state": PROPOSED,
            "reason": given.reason,
            "proposed_by": self.by,
            "decided_by": None,
            "transaction_id": None,
            "created_at": desk.now,
            "decided_at": None,
        }
        _check_member(desk, member_id)
        alone = desk.loaded.booked_alone
        before = alone.get((member_id, unit, self.by), 0)
        if not rules.needs_approval(ruleset, unit, amount, before):
            desk.see(alone, (member_id, unit, self.by), before + abs(amount))
            row |= {"state": BOOKED, "transaction_id": _booked(desk, row), "decided_at": desk.now}
        desk.insert("adjustment", **row)
        desk.see(desk.loaded.adjustments, row["id"], row)
        noted(desk, _told(self.by, Action.POINTS_ADJUST, row))
        return {"adjustment": row["id"], "member": member_id}


@dataclass(frozen=True, slots=True)
class Decide:
    """Accept or decline a proposal. Whoever made it may decline it, but not accept it."""

    tenant_id: int
    idempotent: Idempotent
    adjustment_id: int
    member_id: int
    accepts: bool
    by: str
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(holders=(self.member_id,), adjustments=(self.adjustment_id,))

    def decide(self, desk: Desk) -> Outcome:
        row = desk.loaded.adjustments.get(self.adjustment_id)
        if row is None:
            raise NotFound("adjustment", field=("input", "id"))
        if row["member_id"] != self.member_id:
            # The member was merged into another between our look and the lock.
            raise Unavailable("the account moved to another member meanwhile; try again")
        if row["state"] != PROPOSED:
            raise Conflict(f"the adjustment is {row['state'].lower()}, wanted proposed")
        change: Row = {"state": DECLINED, "decided_by": self.by, "decided_at": desk.now}
        if self.accepts:
            if row["proposed_by"] == self.by:
                raise Conflict("found the approver who proposed it, wanted another one")
            _check_member(desk, row["member_id"])
            change |= {"state": BOOKED, "transaction_id": _booked(desk, row)}
        desk.update("adjustment", row["id"], **change)
        desk.see(desk.loaded.adjustments, row["id"], row | change)
        action = Action.ADJUSTMENT_APPROVE if self.accepts else Action.ADJUSTMENT_DECLINE
        noted(desk, _told(self.by, action, row | change))
        return {"adjustment": row["id"], "member": row["member_id"]}


def _check_member(desk: Desk, member_id: int) -> None:
    # One who is set aside, or not enrolled yet, has accounts that may be wrong all the same.
    state = desk.members[member_id]["state"]
    if state in GONE:
        raise MemberNotActive(state)


def _booked(desk: Desk, row: Row) -> int:
    """Book what a row asks for; returns the transaction's id."""
    book: Book = desk.books[row["member_id"]]
    unit, amount = row["unit"], row["amount"]
    if amount > 0:
        ends = row["expires_at"]
        ends = instant(ends) if isinstance(ends, int) else ends
        if ends is not None and ends <= book.at:
            raise Conflict(f"what it adds would have expired at {ends.isoformat()}")
        rules.check_room(book, unit, amount)
        book.adjust_up(unit, amount, rules.terms(book.at, ends), book.at)
    else:
        _take(desk, book, unit, -amount, may_owe=bool(row["allows_deficit"]))
    transaction_id = book.changes.transactions[-1].id
    desk.explain(transaction_id, row["reason"])
    desk.touch(row["member_id"], "adjusted")
    return transaction_id


def _take(desk: Desk, book: Book, unit: str, amount: int, *, may_owe: bool) -> None:
    """Raises InsufficientPoints or, of credit, InsufficientCredit."""
    if may_owe:
        rules.check_room(book, unit, -amount)
    is_counted = rules.is_counted_only(desk.ruleset, unit)
    try:
        book.adjust_down(unit, amount, book.at, may_owe=may_owe, is_counted=is_counted)
    except InsufficientPoints as short:
        if not is_money(unit):
            raise
        currency = currency_of(unit)
        asked, left = (Money(minor, currency).text() for minor in (amount, short.available))
        raise InsufficientCredit(asked, left, currency) from short


def _told(by: str, action: Action, row: Row) -> Any:
    """The deed; the reason is free text and stays out."""
    return deed(
        by, action, Subject.ADJUSTMENT, row["id"],
        member=str(row["member_id"]), unit=row["unit"], amount=row["amount"], state=row["state"],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AdjustmentView:
    """A correction as it stands. ``member`` and ``reason`` None: erased."""

    id: int
    member: str | None
    unit: str
    amount: int
    expires_at: datetime | None
    allows_deficit: bool
    state: str
    reason: str | None
    proposed_by: str
    decided_by: str | None
    transaction_id: int | None
    created_at: datetime
    decided_at: datetime | None


class Adjustments:
    """Corrects accounts for merchants."""

    def __init__(self, door: Door, database: Database) -> None:
        self._door = door
        self._database = database

    async def adjust(self, viewer: Viewer, key: str, correction: Correction) -> Done:
        """Correct an account, or propose to.

        Raises:
            NotFound, MemberNotActive, BadInput, BadMoney, InsufficientPoints,
            InsufficientCredit: nothing was done.
        """
        viewer.require(Scope.ADMIN)
        body = [
            correction.member, correction.point_type, correction.currency, correction.amount,
            correction.reason, correction.last_day, correction.allows_deficit,
        ]  # fmt: skip
        once = idempotent(viewer, "pointsAdjust", key, body)
        return await self._done(Adjust(viewer.tenant_id, once, correction, viewer.client))

    async def decide(self, viewer: Viewer, key: str, id: int, *, accepts: bool) -> Done:
        """Accept or decline a proposal.

        Raises:
            NotFound: no such adjustment. Conflict: it is not proposed any more, or the approver
            is who proposed it. Else what booking it raises.
        """
        viewer.require(Scope.ADMIN)
        operation = "adjustmentApprove" if accepts else "adjustmentDecline"
        once = idempotent(viewer, operation, key, [id])
        rows = await self._database.read(sql.ADJUSTMENTS(viewer.tenant_id, [id]))
        member_id = rows[0][1] if rows else 0
        command = Decide(viewer.tenant_id, once, id, member_id, accepts, viewer.client)
        return await self._done(command)

    async def one(self, tenant_id: int, id: int) -> AdjustmentView:
        """Raises NotFound."""
        rows = await self._database.read(sql.LIST(tenant_id, id + 1, None, None, 1))
        if not rows or rows[0][0] != id:
            raise NotFound("adjustment")
        return _view(rows[0])

    async def listed(
        self,
        tenant_id: int,
        first: int,
        before_id: int = LAST,
        *,
        state: str | None = None,
        member: str | None = None,
    ) -> list[AdjustmentView]:
        """The newest first, before the one of ``before_id``."""
        statement = sql.LIST(tenant_id, before_id, state, member, first)
        return [_view(row) for row in await self._database.read(statement)]

    async def _done(self, command: Command) -> Done:
        verdict = await self._door.submit(command)
        return Done(outcome_of(verdict), verdict.replayed)


def _view(values: Any) -> AdjustmentView:
    *columns, member = values
    row: Mapping[str, Any] = dict(zip(sql.ADJUSTMENT_COLUMNS, columns, strict=True))
    moments: dict[str, Any] = {
        name: None if row[name] is None else instant(row[name])
        for name in ("expires_at", "created_at", "decided_at")
    }
    rest = {name: value for name, value in row.items() if name not in ("member_id", *moments)}
    rest["allows_deficit"] = bool(rest["allows_deficit"])
    return AdjustmentView(member=member, **rest, **moments)
