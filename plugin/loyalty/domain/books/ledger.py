"""Transactions and entries: what the ledger is made of, and the chain that binds them.

A transaction belongs to one member and is two or more entries that sum to zero per unit. The
member's side names the lot it moves (none: a deficit); the other side is a system account.
Each transaction carries the hash of the member's previous one, so a member's history cannot
be changed, cut or reordered unnoticed.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

GENESIS = bytes(32)
"""The previous hash of a member's first transaction."""


class Account(StrEnum):
    """Whose side an entry is on. Only MEMBER is locked and holds lots."""

    MEMBER = "MEMBER"
    ISSUED = "ISSUED"
    HELD = "HELD"
    REDEEMED = "REDEEMED"
    EXPIRED = "EXPIRED"
    ADJUSTED = "ADJUSTED"
    CAUSE = "CAUSE"


class TransactionKind(StrEnum):
    """What happened: the four ways a balance moves, and the steps of a hold.

    REPAY moves points of a lot onto a deficit of the same account; the balance stays. MERGE moves
    lots and what is owed from one member to another, a transaction in each one's chain.
    """

    EARN = "EARN"
    HOLD = "HOLD"
    REDEEM = "REDEEM"
    RELEASE = "RELEASE"
    REVERSE = "REVERSE"
    RETURN = "RETURN"
    EXPIRE = "EXPIRE"
    REPAY = "REPAY"
    ADJUST = "ADJUST"
    MERGE = "MERGE"


class LotTerms(NamedTuple):
    """When points that an entry opens a lot with can be spent."""

    available_at: datetime
    expires_at: datetime | None


class Entry(NamedTuple):
    """One immutable line; a plain tuple because there are so many.

    ``amount`` is signed; ``opens`` only on the entry that makes a lot.
    """

    id: int
    account: Account
    unit: str
    amount: int
    lot_id: int | None = None
    opens: LotTerms | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What a transaction was booked for; ids of our own rows."""

    order_id: int | None = None
    reservation_id: int | None = None
    refund_id: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """Entries booked together for one member. ``seq`` counts from 1 for each member."""

    id: int
    member_id: int
    seq: int
    kind: TransactionKind
    cause: Cause
    ruleset_version: int
    effective_at: datetime
    booked_at: datetime
    entries: tuple[Entry, ...]
    hash: bytes = field(repr=False)


def micros(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """The inverse of ``micros``."""
    return _EPOCH + timedelta(microseconds=value)


def chained(
    previous: bytes,
    tenant_id: int,
    id: int,
    member_id: int,
    seq: int,
    kind: str,
    cause: Cause,
    ruleset_version: int,
    effective_at: datetime,
    booked_at: datetime,
    entries: Iterable[Entry],
) -> bytes:
    """Hash of a transaction: SHA-256 over its ``chain_text``."""
    text = chain_text(
        previous, tenant_id, id, member_id, seq, kind, cause, ruleset_version, effective_at,
        booked_at, entries,
    )  # fmt: skip
    return hashlib.sha256(text.encode()).digest()


def chain_text(
    previous: bytes,
    tenant_id: int,
    id: int,
    member_id: int,
    seq: int,
    kind: str,
    cause: Cause,
    ruleset_version: int,
    effective_at: datetime,
    booked_at: datetime,
    entries: Iterable[Entry],
) -> str:
    """What is hashed of a transaction: a text that any language can rebuild.

    It is the version mark, the previous hash in hex, then one line of header fields and
    one line per entry, fields joined by commas, instants in microseconds, nothing for None.
    ``reason`` is free text that may hold personal data, so only its own hash would ever be
    admissible here; it is left out.
    """
    lines = [
        f"loyalty-ledger-1\n{previous.hex()}\n{tenant_id},{id},{member_id},{seq},{kind},"
        f"{_text(cause.order_id)},{_text(cause.reservation_id)},{_text(cause.refund_id)},"
        f"{ruleset_version},{micros(effective_at)},{micros(booked_at)}"
    ]
    for entry in entries:
        line = f"{entry.id},{entry.account},{entry.unit},{entry.amount},{_text(entry.lot_id)}"
        if entry.opens is not None:
            expires = entry.opens.expires_at
            line += f",{micros(entry.opens.available_at)},"
            line += "" if expires is None else str(micros(expires))
        lines.append(line)
    return "\n".join(lines)


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def sums(entries: Iterable[Entry]) -> Mapping[str, int]:
    """Sum of the entries per unit; all zero in a transaction (law 1)."""
    result: dict[str, int] = {}
    for entry in entries:
        result[entry.unit] = result.get(entry.unit, 0) + entry.amount
    return result
