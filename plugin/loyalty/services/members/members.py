"""Member commands: enrol, edit profile and consents, suspend, reactivate, close."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from loyalty.domain.books.ledger import micros
from loyalty.errors import AlreadyExists, BadInput, Conflict, NotFound, VersionConflict
from loyalty.services.audit import Action, Subject, deed, noted
from loyalty.services.books.desk import Desk, Idempotent, Needs, Row
from loyalty.services.checkout.reservations import release_open_of
from loyalty.storage import offers as offers_sql
from loyalty.storage import recommendation_events as events_sql

Outcome = dict[str, Any]

TEXT_MAX = {"name": 200, "email": 320, "locale": 35}
"""Longest text per profile field, in characters."""

MOVES: Mapping[str, frozenset[str]] = {
    "ACTIVE": frozenset({"PROSPECT", "SUSPENDED"}),
    "SUSPENDED": frozenset({"ACTIVE"}),
    "CLOSED": frozenset({"PROSPECT", "ACTIVE", "SUSPENDED"}),
}
"""To which state a member may go from which."""
_ACTIONS: Mapping[str, Action] = {
    "ACTIVE": Action.MEMBER_REACTIVATE,
    "SUSPENDED": Action.MEMBER_SUSPEND,
    "CLOSED": Action.MEMBER_CLOSE,
}
GONE = frozenset({"CLOSED", "ERASED"})
"""States in which a member is not written to any more."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a member beside the id. Fields left out of ``given`` stay as they are."""

    given: Mapping[str, str | None] = field(default_factory=dict)
    consents: Mapping[str, bool] = field(default_factory=dict)

    def checked(self) -> "Profile":
        """Raises BadInput naming the field, what was found and what was wanted."""
        for name, value in self.given.items():
            if value is None:
                continue
            where = ("input", name)
            if name == "birthday":
                _birthday(value)
            elif not value.isprintable() or not 1 <= len(value) <= TEXT_MAX[name]:
                raise BadInput(
                    f"found {name} {value[:40]!r}, wanted 1 to {TEXT_MAX[name]} printable "
                    "characters",
                    field=where,
                )
            elif name == "email" and value.count("@") != 1:
                raise BadInput(f"found email {value[:40]!r}, wanted name@host", field=where)
        return self

    def columns(self, now: datetime) -> Row:
        """Columns to write; consents carry the moment they were given or taken back."""
        columns: Row = dict(self.given)
        for name, value in self.consents.items():
            columns[f"consent_{name}"] = value
        if self.consents:
            columns["consents_at"] = now
        return columns


@dataclass(frozen=True, slots=True)
class Enrol:
    """Make an active member, or of a prospect one; its points stay.

    With ``or_update`` a member that is enrolled already is updated instead of refused.
    ``said_at`` is the moment of a shop's event: one older than its latest word changes no
    profile, so that events may arrive in any order.
    """

    tenant_id: int
    idempotent: Idempotent | None
    external_id: str
    profile: Profile
    joined_at: datetime | None = None
    or_update: bool = False
    said_at: datetime | None = None
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(members=(self.external_id,), enrols=(self.external_id,))

    def decide(self, desk: Desk) -> Outcome:
        member_id = desk.names[self.external_id]
        row = desk.members[member_id]
        if row["state"] != "PROSPECT" and (not self.or_update or row["state"] in GONE):
            raise AlreadyExists(
                f"member {self.external_id!r} is {row['state'].lower()} already",
                field=("input", "externalId"),
            )
        columns = self._columns(desk, row)
        if columns:
            if member_id not in desk.fresh:
                _unprofiled(desk, member_id, columns)
            row.update(columns)
            desk.update("member", member_id, **columns)
            desk.touch(member_id, "enrolled")
        return {"member": member_id}

    def _columns(self, desk: Desk, row: Row) -> Row:
        said_at = self.said_at or desk.now
        columns: Row = {}
        if row["profile_at"] is None or micros(said_at) >= _micros(row["profile_at"]):
            columns = self.profile.columns(desk.now) | {"profile_at": said_at}
        joined_at = min(self.joined_at or desk.now, desk.now)
        if row["state"] == "PROSPECT":
            columns |= {"state": "ACTIVE", "joined_at": joined_at}
        elif self.joined_at is not None and micros(joined_at) < _micros(row["joined_at"]):
            columns["joined_at"] = joined_at
        return columns


@dataclass(frozen=True, slots=True)
class UpdateMember:
    """Edit profile and consents. ``by``: who, where it is not the member itself."""

    tenant_id: int
    idempotent: Idempotent | None
    external_id: str
    profile: Profile
    expected_version: int | None = None
    by: str | None = None
    at: datetime | None = None

    def needs(self) -> Needs:
        return Needs(members=(self.external_id,))

    def decide(self, desk: Desk) -> Outcome:
        member_id, row = _found(desk, self.external_id)
        if self.expected_version is not None and row["version"] != self.expected_version:
            raise VersionConflict(self.expected_version, row["version"])
        if row["state"] in GONE:
            raise Conflict(f"the member is {row['state'].lower()}, wanted one that is not")
        columns = self.profile.columns(desk.now)
        if columns:
            columns["profile_at"] = desk.now
            row.update(columns)
            desk.update("member", member_id, **columns)
            _unprofiled(desk, member_id, columns)
            desk.touch(member_id, "profile")
            if self.by is not None:
                fields = sorted({*self.profile.given, *self.profile.consents})
                done = deed(self.by, Action.MEMBER_UPDATE, Subject.MEMBER, member_id, fields=fields)
                noted(desk, done)
        return {"member": member_id}


@dataclass(frozen=True, slots=True)
class SetState:
    """Suspend, reactivate or close a member; open holds are given back on the way out."""

    tenant_id: int
    idempotent: Idempotent | None
    external_id: str
    state: str
    reason: str | None = None
    by: str | None = None
    at: datetime | None = None

    def needs(self) -> Needs:
        leaves = () if self.state == "ACTIVE" else (self.external_id,)
        return Needs(members=(self.external_id,), open_of=leaves)

    def decide(self, desk: Desk) -> Outcome:
        member_id, row = _found(desk, self.external_id)
        if row["state"] == self.state:
            return {"member": member_id}
        if row["state"] not in MOVES[self.state]:
            raise Conflict(
                f"the member is {row['state'].lower()}, wanted "
                f"{' or '.join(sorted(MOVES[self.state])).lower()}"
            )
        if self.state != "ACTIVE":
            release_open_of(desk, member_id)
        if self.by is not None:
            change = {"before": row["state"], "after": self.state}
            done = deed(self.by, _ACTIONS[self.state], Subject.MEMBER, member_id, **change)
            noted(desk, done)
        row["state"] = self.state
        desk.update("member", member_id, state=self.state, state_reason=self.reason)
        desk.touch(member_id, self.state.lower())
        return {"member": member_id}


def _found(desk: Desk, name: str) -> tuple[int, Row]:
    if name not in desk.names:
        raise NotFound("member", name)
    member_id = desk.names[name]
    return member_id, desk.members[member_id]


def _unprofiled(desk: Desk, member_id: int, columns: Row) -> None:
    """Forget what was derived from the member's profile once it takes its consent back: what it did
    with recommended products, and why it got its offers. The offers stay: they were promised.
    """
    if columns.get("consent_profiling") is False:
        desk.after.append(events_sql.UNNAME(desk.tenant_id, member_id))
        desk.after.append(offers_sql.UNREASON(desk.tenant_id, member_id))


def _micros(value: int | datetime) -> int:
    """A row's instant, whether it was just made or read."""
    return value if isinstance(value, int) else micros(value)


def _birthday(value: str) -> None:
    try:
        date.fromisoformat(value)
    except ValueError as problem:
        raise BadInput(
            f"found birthday {value[:20]!r}, wanted a date such as 1990-02-28",
            field=("input", "birthday"),
        ) from problem
