"""Whether the ledger holds together."""

import strawberry

from loyalty.services.proof.verify import verify
from loyalty_graphql.context import Info
from loyalty_graphql.scalars import BigInt


@strawberry.type(description="What a check of the whole ledger saw.")
class LedgerVerification:
    ok: bool = strawberry.field(description="Whether nothing is wrong.")
    members: BigInt = strawberry.field(description="Members checked.")
    transactions: BigInt = strawberry.field(description="Transactions checked.")
    entries: BigInt = strawberry.field(description="Entries checked.")
    problems: list[str] = strawberry.field(
        description="What is wrong, each with the row that it is about; the first hundred."
    )
    problems_more: BigInt = strawberry.field(description="How many more there are.")


@strawberry.field(
    description="Compute every sum, lot, hold and hash chain anew from the entries and compare. "
    "Takes seconds for a hundred thousand orders."
)
async def ledger_verify(info: Info) -> LedgerVerification:
    context = info.context
    found = await verify(context.services.database, context.tenant_id)
    return LedgerVerification(
        ok=found.ok,
        members=BigInt(found.members),
        transactions=BigInt(found.transactions),
        entries=BigInt(found.entries),
        problems=list(found.problems),
        problems_more=BigInt(found.problems_more),
    )
