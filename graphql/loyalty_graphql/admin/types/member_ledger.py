"""A member's ledger as it was booked."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry import enum_value as value

from loyalty.services.proof import member_ledger
from loyalty_graphql.ids import encode_id
from loyalty_graphql.scalars import BigInt, ExternalId
from loyalty_graphql.types.ledger import TransactionKind


@strawberry.enum(description="What a transaction was booked for.")
class LedgerCause(Enum):
    ORDER = value("ORDER", description="An order.")
    REFUND = value("REFUND", description="A refund.")
    RESERVATION = value("RESERVATION", description="A checkout that held, or gave back.")
    ADJUSTMENT = value("ADJUSTMENT", description="A merchant's correction.")
    MERGE = value("MERGE", description="Two members became one, or were parted.")
    EXPIRY = value("EXPIRY", description="Time.")
    DEFICIT = value("DEFICIT", description="A debt that was paid.")
    OTHER = value("OTHER", description="Anything else.")


@strawberry.type(description="What an entry did to a lot: value that was earned together.")
class LedgerLotMove:
    account: str = strawberry.field(description="The account that it belongs to.")
    entry_id: strawberry.ID = strawberry.field(description="The entry, for `ledgerProof`.")
    lot_id: strawberry.ID = strawberry.field(description="The lot.")
    moved: BigInt = strawberry.field(description="By how much what is left of it moved.")
    amount: BigInt = strawberry.field(description="What the lot had at first.")
    available_at: datetime = strawberry.field(description="From when it can be spent.")
    expires_at: datetime | None = strawberry.field(description="When it expires; null: never.")
    opened: bool = strawberry.field(description="Whether this entry made it.")

    @classmethod
    def of(cls, unit: str, move: member_ledger.LotMove) -> "LedgerLotMove":
        return cls(
            account=unit,
            entry_id=strawberry.ID(encode_id("Entry", move.entry_id)),
            lot_id=strawberry.ID(encode_id("Lot", move.lot_id)),
            moved=BigInt(move.moved),
            amount=BigInt(move.amount),
            available_at=move.available_at,
            expires_at=move.expires_at,
            opened=move.opens,
        )


@strawberry.type(
    description="What a transaction did to one account: points, or minor units of a currency."
)
class LedgerAccountMove:
    account: str = strawberry.field(
        description='Code of the point type, or "credit:EUR" for credit in a currency.'
    )
    sequence: BigInt = strawberry.field(
        description="Which transaction of this account it is, from 1."
    )
    available: BigInt = strawberry.field(description="By how much what could be spent then moved.")
    pending: BigInt = strawberry.field(description="By how much what could not be spent yet moved.")
    held: BigInt = strawberry.field(description="By how much what checkouts hold moved.")
    balance_after: BigInt = strawberry.field(
        description="Available and pending together, right after."
    )
    held_after: BigInt = strawberry.field(description="What checkouts held, right after.")

    @classmethod
    def of(cls, move: member_ledger.AccountMove) -> "LedgerAccountMove":
        return cls(
            account=move.unit,
            sequence=BigInt(move.sequence),
            available=BigInt(move.available),
            pending=BigInt(move.pending),
            held=BigInt(move.held),
            balance_after=BigInt(move.balance_after),
            held_after=BigInt(move.held_after),
        )


@strawberry.type(description="One transaction of a member, as it was booked.")
class MemberLedgerTransaction:
    id: strawberry.ID = strawberry.field(description="An opaque id.")
    seq: BigInt = strawberry.field(
        description="Which transaction of the member it is, from 1, without gaps."
    )
    kind: TransactionKind = strawberry.field(description="What it did.")
    cause: LedgerCause = strawberry.field(description="What it was booked for.")
    order_external_id: ExternalId | None = strawberry.field(description="The order, if any.")
    refund_external_id: ExternalId | None = strawberry.field(description="The refund, if any.")
    reservation_id: strawberry.ID | None = strawberry.field(description="The hold, if any.")
    adjustment_id: strawberry.ID | None = strawberry.field(description="The correction, if any.")
    client: str | None = strawberry.field(
        description="Who asked for it; null for what time did, what came by a webhook or an "
        "import, and what was erased."
    )
    idempotency_key: str | None = strawberry.field(
        description="The key it was asked with; null as `client` is."
    )
    reason: str | None = strawberry.field(description="Why, where somebody said so.")
    ruleset_version: int = strawberry.field(description="The rules it was judged by.")
    effective_at: datetime = strawberry.field(description="When what caused it happened.")
    booked_at: datetime = strawberry.field(description="When it was booked.")
    hash: str = strawberry.field(
        description="SHA-256 in hex over it and the member's transaction before."
    )
    accounts: list[LedgerAccountMove] = strawberry.field(description="What it did, by account.")
    lots: list[LedgerLotMove] = strawberry.field(description="The lots it touched.")

    @classmethod
    def of(cls, line: member_ledger.LedgerLine) -> "MemberLedgerTransaction":
        return cls(
            id=strawberry.ID(encode_id("Transaction", line.id)),
            seq=BigInt(line.seq),
            kind=TransactionKind[line.kind],
            cause=LedgerCause[line.cause],
            order_external_id=_external(line.order_external_id),
            refund_external_id=_external(line.refund_external_id),
            reservation_id=_id("Reservation", line.reservation_id),
            adjustment_id=_id("Adjustment", line.adjustment_id),
            client=line.client,
            idempotency_key=line.idempotency_key,
            reason=line.reason,
            ruleset_version=line.ruleset_version,
            effective_at=line.effective_at,
            booked_at=line.booked_at,
            hash=line.hash.hex(),
            accounts=[LedgerAccountMove.of(move) for move in line.accounts],
            lots=[LedgerLotMove.of(move.unit, lot) for move in line.accounts for lot in move.lots],
        )


def _external(name: str | None) -> ExternalId | None:
    return None if name is None else ExternalId(name)


def _id(kind: str, row_id: int | None) -> strawberry.ID | None:
    return None if row_id is None else strawberry.ID(encode_id(kind, row_id))
