"""A member's rows as read at one instant, and as they are kept in the cache."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from loyalty.domain.books.accounts import Accounts
from loyalty.storage import ledger as ledger_sql
from loyalty.storage import members as sql
from loyalty.storage.statements import Statement, Unit, together

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A member's rows as read at one instant; every figure is derived from them."""

    member: Row
    lots: Sequence[Sequence[Any]]
    sums: Sequence[Sequence[Any]]
    holds: Sequence[Sequence[Any]]

    def accounts(self, tenant_id: int) -> Accounts:
        """A working copy of the accounts, not locked: to look at, never to book from."""
        accounts = ledger_sql.accounts_of(tenant_id, self.member)
        ledger_sql.fill({self.member["id"]: accounts}, self.lots, self.sums, self.holds)
        return accounts


def snapshots(tenant_id: int, statement: Statement) -> Unit[list[Snapshot]]:
    """All rows of the members that ``statement`` finds, at one instant."""
    rows = yield statement
    if not rows:
        return []
    members = [dict(zip(sql.PROFILE_COLUMNS, row, strict=True)) for row in rows]
    ids = [member["id"] for member in members]
    lots, sums, holds = yield from together(*beside_profiles(tenant_id, ids))
    drawn = lots_missing(lots, sums, holds)
    if drawn:
        lots = [*lots, *(yield ledger_sql.LOTS_BY_ID(tenant_id, drawn))]
    own = [_by_member(each) for each in (lots, sums, holds)]
    return [Snapshot(member, *(each.get(member["id"], []) for each in own)) for member in members]


def beside_profiles(tenant_id: int, ids: Sequence[int]) -> tuple[Statement, Statement, Statement]:
    """What is read of members beside their own rows."""
    return (
        ledger_sql.LOTS(tenant_id, ids),
        ledger_sql.ACCOUNTS(tenant_id, ids),
        ledger_sql.HOLDS(tenant_id, ids),
    )


def lots_missing(
    lots: Sequence[Sequence[Any]], _sums: Sequence[Sequence[Any]], holds: Sequence[Sequence[Any]]
) -> list[int]:
    """Lots that holds draw on and that are not among those read, because they have ended."""
    have = {row[1] for row in lots}
    return [row[3] for row in holds if row[3] is not None and row[3] not in have]


def _by_member(rows: Sequence[Sequence[Any]]) -> dict[int, list[Sequence[Any]]]:
    """Rows that begin with a member's id, by it."""
    found: dict[int, list[Sequence[Any]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


_COLUMNS = frozenset(sql.PROFILE_COLUMNS)


def encoded(snapshot: Snapshot) -> bytes:
    member = snapshot.member | {"hash": bytes(snapshot.member["hash"]).hex()}
    return orjson.dumps([member, list(snapshot.lots), list(snapshot.sums), list(snapshot.holds)])


def decoded(value: bytes) -> Snapshot | None:
    """What ``_encoded`` made; None for anything else: a broken copy is as good as none."""
    try:
        member, lots, sums, holds = orjson.loads(value)
        member["hash"] = bytes.fromhex(member["hash"])
    except (ValueError, TypeError, KeyError):
        return None
    return Snapshot(member, lots, sums, holds) if member.keys() == _COLUMNS else None
