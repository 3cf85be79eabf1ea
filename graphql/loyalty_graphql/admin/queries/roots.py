"""Roots of days, and proofs against them."""

import binascii
import re
from base64 import urlsafe_b64decode
from datetime import date, datetime
from typing import Annotated

import strawberry
from strawberry import UNSET

from loyalty.errors import BadInput, NotFound
from loyalty.services.proof import ledger_proof, roots
from loyalty_graphql.context import Info
from loyalty_graphql.ids import ROW_ID_MAX
from loyalty_graphql.pagination import Connection, page
from loyalty_graphql.scalars import BigInt
from loyalty_graphql.types.members import After, First

_ROW_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_NAMED = re.compile(r"(Entry|Transaction|LedgerEntry):([1-9][0-9]{0,18})(?::[\w:-]+)?", re.ASCII)


@strawberry.type(
    description="One hash that all that was booked up to the end of a day is bound by."
)
class LedgerRoot:
    day: date = strawberry.field(description="The day, in UTC.")
    root: str = strawberry.field(description="The root in hexadecimal digits.")
    published: str = strawberry.field(
        description='As it is published and handed to the verifier: "2026-11-27:HEX".'
    )
    holders: BigInt = strawberry.field(description="Holders with anything booked by then.")
    transactions: BigInt = strawberry.field(description="Their transactions by then.")
    made_at: datetime = strawberry.field(description="When it was made.")

    @classmethod
    def of(cls, root: roots.Root) -> "LedgerRoot":
        return cls(
            day=root.day,
            root=root.root.hex(),
            published=root.published,
            holders=BigInt(root.holders),
            transactions=BigInt(root.transactions),
            made_at=root.made_at,
        )


@strawberry.type(description="The proof that an entry is part of what a published root stands for.")
class LedgerProof:
    transaction_id: str = strawberry.field(description="The entry's transaction, by its row id.")
    entry_id: str = strawberry.field(description="The entry, by its row id.")
    holder_id: str = strawberry.field(description="Whose chain it is in, by its row id.")
    text: str = strawberry.field(
        description="What is hashed of the transaction: a text that any language can rebuild."
    )
    links: list[str] = strawberry.field(
        description="Texts of the holder's transactions from this one up to the end of the root's "
        "day; each holds the hash of the one before it."
    )
    root: LedgerRoot | None = strawberry.field(
        description="The root that covers it; null until the day of its booking has one."
    )
    index: BigInt | None = strawberry.field(
        description="The holder's place among all of that day, from 0."
    )
    path: list[str] | None = strawberry.field(
        description="The way from the chain's end up to the root: its siblings in the tree."
    )
    file: str | None = strawberry.field(
        description="All of it as the one line that `ledger_verifier.py` checks."
    )

    @classmethod
    def of(cls, proof: ledger_proof.Proof) -> "LedgerProof":
        covered = proof.covered
        return cls(
            transaction_id=str(proof.transaction_id),
            entry_id=str(proof.entry_id),
            holder_id=str(proof.holder_id),
            text=proof.links[0],
            links=list(proof.links),
            root=None if covered is None else LedgerRoot.of(covered.root),
            index=None if covered is None else BigInt(covered.index),
            path=None if covered is None else [sibling.hex() for sibling in covered.path],
            file=proof.file,
        )


@strawberry.field(description="The roots made so far, the latest day first.")
async def ledger_roots(
    info: Info, first: First = 20, after: After = UNSET
) -> Connection[LedgerRoot]:
    context = info.context
    wanted = page("roots", first, after or None, (str,))
    before = roots.AFTER_ALL if wanted.after is None else str(wanted.after[0])
    found = await context.services.roots.newest(context.tenant_id, wanted.limit, before)
    return wanted.connection(found, LedgerRoot.of, lambda root: (root.day.isoformat(),))


@strawberry.field(
    name="ledgerProof",
    description="The proof of one entry of the ledger; null when there is no such entry. Reads "
    "where every holder's chain ended that day.",
)
async def ledger_proof_of(
    info: Info,
    entry_id: Annotated[
        strawberry.ID,
        strawberry.argument(
            description="The id of an entry, of a transaction or of a line of a member's history; "
            "or the row id of an entry as an export names it."
        ),
    ],
    day: Annotated[
        date | None,
        strawberry.argument(
            description="Against the root of that day; of the first that covers it by default."
        ),
    ] = UNSET,
) -> LedgerProof | None:
    proofs, tenant_id = info.context.services.proofs, info.context.tenant_id
    kind, row_id = _named(str(entry_id))
    make = proofs.of_entry if kind == "Entry" else proofs.of_transaction
    try:
        return LedgerProof.of(await make(tenant_id, row_id, day or None))
    except NotFound:
        return None


def _named(text: str) -> tuple[str, int]:
    """What an id names: an entry or a transaction, by its row id. Raises BadInput."""
    if _ROW_ID.fullmatch(text):
        kind, digits = "Entry", text
    else:
        match = _NAMED.fullmatch(_decoded(text))
        kind, digits = (match[1], match[2]) if match else ("", "0")
    if not 0 < int(digits) <= ROW_ID_MAX:
        raise BadInput(f"found id {text[:40]!r}, wanted the id of an entry", field=("entryId",))
    return kind, int(digits)


def _decoded(text: str) -> str:
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        return raw.decode("ascii")
    except (UnicodeError, binascii.Error):
        return ""
