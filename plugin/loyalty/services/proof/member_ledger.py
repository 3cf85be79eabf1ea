"""A member's ledger as it was booked: for merchants and whoever checks the books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from loyalty.domain.books.ledger import Account, instant
from loyalty.domain.books.lots import NEVER
from loyalty.errors import NotFound
from loyalty.storage import member_ledger as sql
from loyalty.storage import members as members_sql
from loyalty.storage.database import Database
from loyalty.storage.statements import Unit

LAST = 2**63 - 1
"""After every sequence number."""


class LedgerCause(StrEnum):
    """What a transaction was booked for."""

    ORDER = "ORDER"
    REFUND = "REFUND"
    RESERVATION = "RESERVATION"
    ADJUSTMENT = "ADJUSTMENT"
    MERGE = "MERGE"
    EXPIRY = "EXPIRY"
    DEFICIT = "DEFICIT"
    OTHER = "OTHER"


_BY_KIND: Mapping[str, LedgerCause] = {
    "ADJUST": LedgerCause.ADJUSTMENT,
    "MERGE": LedgerCause.MERGE,
    "EXPIRE": LedgerCause.EXPIRY,
    "REPAY": LedgerCause.DEFICIT,
}


@dataclass(frozen=True, slots=True)
class LotMove:
    """What an entry did to a lot; ``opens`` the entry that made it. ``expires_at`` None: never."""

    entry_id: int
    lot_id: int
    moved: int
    amount: int
    available_at: datetime
    expires_at: datetime | None
    opens: bool


@dataclass(slots=True)
class AccountMove:
    """What a transaction did to one account, in points or minor units.

    ``sequence`` counts the account's transactions from 1. ``available`` moved by what could be
    spent when it was booked, ``pending`` by what could not yet; ``balance_after`` is both
    together, ``held_after`` what open checkouts held then.
    """

    unit: str
    sequence: int = 0
    available: int = 0
    pending: int = 0
    held: int = 0
    balance_after: int = 0
    held_after: int = 0
    lots: list[LotMove] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One transaction of a member; ``seq`` counts all of them, ``hash`` chains them.

    ``client``, ``idempotency_key`` and ``reason`` stand outside the ledger, and are None where
    there was none or the member was erased.
    """

    id: int
    seq: int
    kind: str
    cause: LedgerCause
    order_external_id: str | None
    refund_external_id: str | None
    reservation_id: int | None
    adjustment_id: int | None
    ruleset_version: int
    effective_at: datetime
    booked_at: datetime
    hash: bytes
    client: str | None
    idempotency_key: str | None
    reason: str | None
    accounts: tuple[AccountMove, ...]


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Which part: transactions ``after`` a sequence number (None: from the start) in the order
    of booking, or before it with ``newest_first``; only those of ``unit`` where it is given.
    """

    first: int
    after: int | None = None
    newest_first: bool = False
    unit: str | None = None


class MemberLedger:
    """Reads ledgers of one tenant's members, each page at one instant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, tenant_id: int, member: str, wanted: LedgerPage) -> list[LedgerLine]:
        """Raises NotFound for a member that there is not."""
        return await self._database.read_unit(lambda: _paged(tenant_id, member, wanted))


def _paged(tenant_id: int, member: str, wanted: LedgerPage) -> Unit[list[LedgerLine]]:
    found = yield members_sql.ID_AND_VERSION(tenant_id, member)
    if not found:
        raise NotFound("member", member)
    member_id = found[0][0]
    statement, low, high = sql.OLDEST_FIRST, wanted.after or 0, LAST
    if wanted.newest_first:
        statement, low, high = sql.NEWEST_FIRST, 0, wanted.after or LAST
    rows = yield statement(tenant_id, member_id, low, high, wanted.unit, wanted.first)
    if not rows:
        return []
    heads = [dict(zip(sql.TRANSACTION_COLUMNS, row, strict=True)) for row in rows]
    entries = yield sql.ENTRIES(tenant_id, [head["id"] for head in heads])
    moves = _moves(heads, entries)
    heads.sort(key=lambda head: int(head["seq"]))
    before = yield sql.BEFORE(tenant_id, member_id, heads[0]["seq"])
    if wanted.unit is not None:
        # What lies between these moves other accounts, so only of this one can be told where it
        # stands.
        moves = {id: {wanted.unit: each[wanted.unit]} for id, each in moves.items()}
    _count(heads, moves, before)
    lines = [_line(head, moves[head["id"]]) for head in heads]
    return lines[::-1] if wanted.newest_first else lines


def _moves(
    heads: Sequence[Mapping[str, Any]], entries: Sequence[Sequence[Any]]
) -> dict[int, dict[str, AccountMove]]:
    """What each transaction did to each account, by its id and the unit."""
    booked = {head["id"]: head["booked_at"] for head in heads}
    found: dict[int, dict[str, AccountMove]] = {id: {} for id in booked}
    for id, entry_id, account, unit, amount, lot_id, opens, lot_amount, begins, ends in entries:
        move = found[id].setdefault(unit, AccountMove(unit))
        if account == Account.HELD:
            move.held += amount
        if account != Account.MEMBER:
            continue
        if lot_id is None or begins <= booked[id]:
            move.available += amount
        else:
            move.pending += amount
        if lot_id is not None:
            expires_at = instant(ends)
            move.lots.append(
                LotMove(
                    entry_id, lot_id, amount, lot_amount, instant(begins),
                    None if expires_at == NEVER else expires_at, bool(opens),
                )
            )  # fmt: skip
    return found


def _count(
    heads: Sequence[Mapping[str, Any]],
    moves: Mapping[int, Mapping[str, AccountMove]],
    before: Sequence[Sequence[Any]],
) -> None:
    """Number the moves of each account and add them up, in the order of booking."""
    sums = {unit: (int(count), int(balance), int(held)) for unit, count, balance, held in before}
    for head in heads:
        for unit, move in moves[head["id"]].items():
            count, balance, held = sums.get(unit, (0, 0, 0))
            balance, held = balance + move.available + move.pending, held + move.held
            move.sequence, move.balance_after, move.held_after = count + 1, balance, held
            sums[unit] = (count + 1, balance, held)


def _line(head: Mapping[str, Any], moves: Mapping[str, AccountMove]) -> LedgerLine:
    return LedgerLine(
        id=head["id"],
        seq=head["seq"],
        kind=head["kind"],
        cause=_cause(head),
        order_external_id=head["order_external_id"],
        refund_external_id=head["refund_external_id"],
        reservation_id=head["reservation_id"],
        adjustment_id=head["adjustment_id"],
        ruleset_version=head["ruleset_version"],
        effective_at=instant(head["effective_at"]),
        booked_at=instant(head["booked_at"]),
        hash=bytes(head["hash"]),
        client=head["client"],
        idempotency_key=head["idempotency_key"],
        reason=head["reason"],
        accounts=tuple(moves.values()),
    )


def _cause(head: Mapping[str, Any]) -> LedgerCause:
    if head["kind"] in _BY_KIND:
        return _BY_KIND[head["kind"]]
    if head["refund_id"] is not None:
        return LedgerCause.REFUND
    if head["order_id"] is not None:
        return LedgerCause.ORDER
    return LedgerCause.OTHER if head["reservation_id"] is None else LedgerCause.RESERVATION
